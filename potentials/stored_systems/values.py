"""Values that a store can hold: what JSON has, and arrays of numbers."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["shown_value", "storable", "storable_entries"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_ .,:;()+=@#-]{0,99}")
_LARGEST = 10_000  # values in one list: longer ones are arrays, or no description
_LEVELS = 8
_BITS = 64


def storable(value: object, levels: int = _LEVELS) -> Any:
    """Return a value as a store gives it back: lists for tuples, text for paths, float64 for longer floats.

    Raises
    ------
    ValueError
        If a store cannot hold it, such as an object, NaN outside an array, or a mapping whose keys are no names.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf":
        return np.array(value, dtype=np.float64) if value.dtype.kind == "f" and value.itemsize > 8 else np.array(value)
    if isinstance(value, np.ndarray | np.generic):
        return storable(value.tolist(), levels)
    if isinstance(value, os.PathLike):
        return storable(os.fspath(value), levels)
    if isinstance(value, int) and value.bit_length() <= _BITS:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if levels and isinstance(value, Mapping) and all(_is_name(key) for key in value):
        return {key: storable(item, levels - 1) for key, item in value.items()}
    if levels and isinstance(value, list | tuple) and len(value) <= _LARGEST:
        return [_listed(item, levels - 1) for item in value]
    raise ValueError(f"{shown_value(value)} cannot be stored")


def _listed(value: object, levels: int) -> Any:
    """Return an item of a list, in which no array stands."""
    if isinstance(value, np.ndarray) and value.size > _LARGEST:
        raise ValueError(f"an array of {value.size} numbers in a list cannot be stored")
    return storable(value.tolist() if isinstance(value, np.ndarray) else value, levels)


def _is_name(key: object) -> bool:
    return isinstance(key, str) and _NAME.fullmatch(key) is not None and not key.endswith(".partial")


def storable_entries(values: Mapping[Any, object]) -> tuple[dict[str, Any], list[str]]:
    """Return the entries of a mapping that a store can hold, and the names of the others as text."""
    kept, left = {}, []
    for key, value in values.items():
        try:
            if not _is_name(key):
                raise ValueError("no name")
            kept[key] = storable(value)
        except ValueError:
            left.append(key if _is_name(key) else shown_value(key))
    return kept, left


def shown_value(value: object, longest: int = 120) -> str:
    """Return a value as a message shows it: printable, in a few characters, whatever it is."""
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"an array {value.shape}"
    plain = isinstance(value, bool | int | float | str | Mapping | Iterable) or value is None
    text = ascii(value) if plain else f"an object of {type(value).__module__}.{type(value).__qualname__}"
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
