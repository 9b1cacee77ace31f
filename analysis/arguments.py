"""Checks of the arguments of analysis functions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["aligned", "checked_pairs", "columns", "frozen_array", "minimum_index", "minimum_indices", "optional"]


def frozen_array(values: ArrayLike, dtype: DTypeLike | None) -> NDArray[Any]:
    """Return a contiguous copy that cannot be written to."""
    array = np.array(values, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


def aligned(
    name: str, values: ArrayLike, length: int, *, finite: bool = True, dtype: DTypeLike = np.float64
) -> NDArray[Any]:
    """Return a read-only (length,) array, or raise ValueError.

    Parameters
    ----------
    name : str
        Name of the argument, for the error.
    values : array_like
        Given entries.
    length : int
        Number of entries that there must be; any number if negative.
    finite : bool
        Whether NaN and infinity are errors.
    dtype : dtype
        Type of the result.

    Raises
    ------
    ValueError
        If the shape is wrong or, with ``finite``, an entry is not a finite number.
    """
    array = frozen_array(values, dtype)
    if array.ndim != 1 or (length >= 0 and len(array) != length):
        wanted = "any number" if length < 0 else length
        raise ValueError(f"{name} has shape {array.shape}; a one-dimensional array of {wanted} entries is needed")
    if finite and not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name}[{bad}] is {array[bad]}; every entry must be a finite number")
    return array


def optional(name: str, values: ArrayLike | None, length: int, dtype: DTypeLike = np.float64) -> NDArray[Any] | None:
    """Return a read-only (length,) array whose entries may be NaN, or None where there is none."""
    return None if values is None else aligned(name, values, length, finite=False, dtype=dtype)


def columns(name: str, values: Mapping[str, ArrayLike] | None, length: int) -> Mapping[str, NDArray[Any]]:
    """Return read-only arrays whose first axis runs over minima (or transition states)."""
    result = {}
    for key, column in (values or {}).items():
        array = frozen_array(column, None)
        if array.ndim == 0 or len(array) != length:
            raise ValueError(f"{name}[{key!r}] has shape {array.shape}; its first length must be {length}")
        result[key] = array
    return MappingProxyType(result)


def checked_pairs(name: str, values: ArrayLike, length: int, n: int) -> NDArray[np.int64]:
    """Return a read-only (length, 2) int64 array of indices below n, or raise.

    Raises
    ------
    TypeError
        If the entries are not integers.
    ValueError
        If the shape is wrong or an index is out of range.
    """
    array = np.asarray(values)
    if length == 0 and array.size == 0:
        return frozen_array(np.empty((0, 2)), np.int64)
    if array.shape != (length, 2):
        raise ValueError(f"{name} has shape {array.shape}; ({length}, 2) is needed: two minima for each of ts_energies")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} holds {array.dtype}; integers, counted from 0, are needed")
    wrong = (array < 0) | (array >= n)
    if wrong.any():
        row = int(np.flatnonzero(wrong.any(axis=1))[0])
        raise ValueError(f"{name}[{row}] is {array[row].tolist()}; indices of the {n} minima run from 0 to {n - 1}")
    return frozen_array(array, np.int64)


def minimum_index(name: str, value: object, n: int) -> int:
    """Return the index of one of n minima as an int, or raise IndexError or TypeError."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; the index of a minimum, an integer, is needed")
    if not 0 <= value < n:
        raise IndexError(f"{name} is {value}; indices of the {n} minima run from 0 to {n - 1}")
    return int(value)


def minimum_indices(name: str, values: ArrayLike, n: int) -> NDArray[np.int64]:
    """Return distinct indices of minima, in the order given, as an int64 array; one index will do."""
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise TypeError(f"{name} must be the index of a minimum or a one-dimensional array of indices")
    for value in (array.min(), array.max()) if array.size else ():
        minimum_index(name, value, n)
    if len(np.unique(array)) != len(array):
        raise ValueError(f"{name} names a minimum twice")
    return array.astype(np.int64)
