"""From what users hold, or a store describes, to the System that is explored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["default_rules_of", "rebuilt", "system_of"]


def system_of(subject: Any, bounds: Any = None) -> Any:
    """Return the System of Atoms, of a Point, or of a stored description; ``bounds`` as the System takes them.

    Anything else that has a System's ``n``, ``describe``, ``distance`` and ``order`` is taken as it is.
    """
    if bounds is None and all(hasattr(subject, name) for name in ("describe", "distance", "order")):
        return subject
    from thalweg.potentials.system import System, as_system  # slow to load, and a reader seldom needs it

    return System.from_description(dict(subject)) if isinstance(subject, Mapping) else as_system(subject, bounds)


def rebuilt(system: Any, description: Mapping[str, Any]) -> Any:
    """Return the system with the coordinates it was stored with, on which random starts may depend."""
    if not hasattr(system, "subject"):
        return system
    return type(system)(system.subject(description["x"]), bounds=system.bounds)


def default_rules_of(system: Any) -> dict[str, Any] | None:
    """Return the rules of the minimiser that suit a System; None for what only stands in for one."""
    if not hasattr(system, "subject"):
        return None
    from thalweg.optimizers.rules import default_rules

    return default_rules(system).to_dict()
