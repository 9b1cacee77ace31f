"""Names of properties: which are free, and under which name a property is exported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

__all__ = ["RESERVED", "check_property_name", "exported_names"]

_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

RESERVED = frozenset({
    "minimum", "transition_state", "row", "index", "id", "key", "kind", "source", "target", "status", "energy",
    "barrier", "coordinates", "gradient", "gradient_rms", "lowest_eigenvalue", "log_eigenvalue_product", "modes",
    "symmetry_order", "log_symmetry_order", "verified", "component", "degree", "path_length", "moments_of_inertia",
    "frequencies", "minima", "transition_states", "searches", "properties", "system",
})  # fmt: skip
"""What tables, graphs and groups of arrays call something else: columns, keys, dimensions."""


def check_property_name(name: str) -> None:
    """Raise ValueError where a property must not have a name.

    Raises
    ------
    ValueError
        If it is not made of letters, digits and underscores, or is the name of something else that is stored or
        exported beside properties, such as ``energy``.
    """
    if not isinstance(name, str) or not _PATTERN.fullmatch(name):
        raise ValueError(f"a property's name is made of letters, digits and underscores; {name!r} is not")
    if name in RESERVED:
        raise ValueError(
            f"a property cannot be called {name!r}: tables and graphs of a landscape have something else of that name; "
            f"choose another, such as 'my_{name}'"
        )


def exported_names(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return the name under which each property is exported: its own, or ``property_<name>`` where that is taken.

    Parameters
    ----------
    names : iterable of str
        Properties; stores written before names were reserved may have any.
    taken : collection of str
        Names of other columns.

    Returns
    -------
    dict of str to str
        New names by old ones; all are different, and none is taken.
    """
    names = list(names)
    used = {*taken, *(name for name in names if name not in taken)}
    result = {}
    for name in names:
        new = name
        if name in taken:
            while new in used:
                new = f"property_{new}"
            used.add(new)
        result[name] = new
    return result
