"""Check that given settings agree with those of an existing store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.description import description_differences
from thalweg.landscapes.storage.local_files import files_of
from thalweg.landscapes.storage.schema import FORMAT_VERSION
from thalweg.landscapes.storage.store import Store
from thalweg.landscapes.tolerances import Tolerances
from thalweg.potentials.conversion.numeric_options import whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from thalweg.landscapes.storage.local_files import StoreLocation
    from thalweg.optimizers import Rules

__all__ = ["TASKS_AHEAD", "check_same", "explicit_settings", "is_store", "system_differences"]

TASKS_AHEAD = 16
"""Of a new store, and of one that does not say."""

MOST_TASKS_AHEAD = 65536
"""Each of them is in memory, and readers of stores take no more."""

_MASSES = 1e-3  # relative
_OTHERWISE = {"reference", "left_out"}  # entries that are no part of the system, compared elsewhere or not at all


def is_store(path: StoreLocation) -> bool:
    """Return whether something is at ``path`` that must be opened rather than made."""
    return not files_of(path).empty()


def explicit_settings(
    seed: int | None, tolerances: Tolerances | None, rules: Rules | Mapping[str, Any] | None, tasks_ahead: int | None
) -> dict[str, Any]:
    """Return the attributes that the caller insists on."""
    given: dict[str, Any] = {}
    if seed is not None:
        given["seed"] = whole_number("seed", seed)
    if tasks_ahead is not None:
        given["tasks_ahead"] = whole_number("tasks_ahead", tasks_ahead, 1, MOST_TASKS_AHEAD)
    if tolerances is not None:
        given["tolerances"] = tolerances.given
    if rules is not None:
        given["rules"] = json.loads(json.dumps(dict(rules) if isinstance(rules, Mapping) else rules.to_dict()))
    return given


def check_same(path: StoreLocation, description: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Raise StoreError naming everything in which a store is not what the caller wants to go on with.

    Returns
    -------
    list of str
        Differences that matter where the potential reads them alone, one line each.
    """
    store = Store.open(path)
    lines, perhaps = system_differences(store, description)
    for name, value in given.items():
        stored = store.attributes.get(name, TASKS_AHEAD if name == "tasks_ahead" else None)
        if name == "tolerances" and stored is not None:
            # what was not given may be the store's
            stored = {entry: stored[entry] for entry in value}
        if stored != value:
            lines.append(f"{name}: stored {stored}, given {value}")
    if lines:
        what = "\n  ".join(lines)
        raise StoreError(f"{store.path} holds another landscape; choose another path, or give what it has:\n  {what}")
    return perhaps


def system_differences(
    store: Store, given: Mapping[str, Any], version: int = FORMAT_VERSION
) -> tuple[list[str], list[str]]:
    """Return in what the described system of a store is not the given one.

    Masses may differ by a thousandth, as those of ASE's versions do.

    Parameters
    ----------
    store : Store
        Open store.
    given : mapping
        Description of a system.
    version : int
        Format version that it was described in: what either version does not have is not compared.

    Returns
    -------
    lines, perhaps : list of str
        Differences, one line each; and those of ``info`` and of arrays of one's own, which matter where a calculator
        reads them: the reference tells. Of a store without a reference all are in the first list.
    """
    stored = store.description()
    by_effect = ("system/info/", "system/arrays/") if "reference" in stored else ()
    if 1 in (version, store.attributes["format_version"]):
        from thalweg.potentials.description import former_description  # loads the compiler, which few readers need

        stored, given = former_description(stored), former_description(given)
    left, right = ({name: held for name, held in one.items() if name not in _OTHERWISE} for one in (stored, given))
    if "masses" in left and "masses" in right and _near(left["masses"], right["masses"]):
        right["masses"] = left["masses"]
    lines = description_differences(left, right)
    perhaps = [line for line in lines if line.startswith(by_effect)]
    return [line for line in lines if line not in perhaps], perhaps


def _near(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=_MASSES, atol=0.0))
