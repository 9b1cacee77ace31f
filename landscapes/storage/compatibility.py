"""Check that given settings agree with those of an existing store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.description import description_differences
from thalweg.landscapes.storage.local_files import files_of
from thalweg.landscapes.storage.store import Store
from thalweg.landscapes.tolerances import Tolerances
from thalweg.potentials.conversion.numeric_options import whole_number

if TYPE_CHECKING:
    from thalweg.landscapes.storage.local_files import StoreLocation
    from thalweg.optimizers import Rules

__all__ = ["TASKS_AHEAD", "check_same", "explicit_settings", "is_store"]

TASKS_AHEAD = 16
"""Of a new store, and of one that does not say."""

MOST_TASKS_AHEAD = 65536
"""Each of them is in memory, and readers of stores take no more."""


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
        given["tolerances"] = tolerances.to_dict()
    if rules is not None:
        given["rules"] = json.loads(json.dumps(dict(rules) if isinstance(rules, Mapping) else rules.to_dict()))
    return given


def check_same(path: StoreLocation, description: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise StoreError naming everything in which a store is not what the caller wants to go on with."""
    store = Store.open(path)
    lines = description_differences(store.description(), description)
    for name, value in given.items():
        stored = store.attributes.get(name, TASKS_AHEAD if name == "tasks_ahead" else None)
        if stored != value:
            lines.append(f"{name}: stored {stored}, given {value}")
    if lines:
        what = "\n  ".join(lines)
        raise StoreError(f"{store.path} holds another landscape; choose another path, or give what it has:\n  {what}")
