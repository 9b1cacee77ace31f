"""Symmetry orders beyond 64 bits, as of networks with many idle hidden units: their logarithms are kept instead."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape
    from thalweg.potentials.protocols import Symmetry

__all__ = ["LOGARITHM", "computed_logarithms", "log_orders", "log_orders_of_points", "whole_orders"]

LOGARITHM = "log_symmetry_order"
"""Property of minima and transition states: logarithms of orders, also of those that ``symmetry_order`` has as 0."""

_LIMIT = 2**63


class Coordinates(Protocol):
    """Rows of coordinates, read one at a time."""

    def __getitem__(self, row: int, /) -> ArrayLike: ...


def whole_orders(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Return symmetry orders as int64.

    Raises
    ------
    ValueError
        If one is no whole number or does not fit: it would wrap around.
    """
    array = np.asarray(values)
    if array.dtype.kind == "i":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        fits = (np.floor(array) == array) & (np.abs(array) < float(_LIMIT))
    else:
        fits = np.array([isinstance(v, int) and -_LIMIT <= v < _LIMIT for v in array.ravel().tolist()], dtype=bool)
    if not fits.all():
        k = int(np.flatnonzero(~fits.ravel())[0])
        raise ValueError(
            f"{name}[{k}] is {array.ravel()[k]}; orders are whole numbers below 2^63. Of a larger one give 0 here, and "
            f"its natural logarithm as the property {LOGARITHM}"
        )
    return array.astype(np.int64)


def log_orders(name: str, orders: NDArray[np.int64], properties: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the natural logarithms of symmetry orders, (n,).

    Parameters
    ----------
    name : str
        Name of the orders, for the error.
    orders : (n,) ndarray
        0 where an order is beyond 64 bits.
    properties : mapping of str to ndarray
        Has the logarithms of these.

    Raises
    ------
    ValueError
        If an order is negative, or 0 without a logarithm.
    """
    logs = np.log(np.maximum(orders, 1))
    for k in np.flatnonzero(orders < 1).tolist():
        value = float(properties[LOGARITHM][k]) if LOGARITHM in properties and orders[k] == 0 else math.nan
        if not math.isfinite(value):
            more = f"; the logarithm of one beyond 64 bits would be the property {LOGARITHM}" if orders[k] == 0 else ""
            raise ValueError(f"{name}[{k}] is {orders[k]}; orders are 1 or more{more}")
        logs[k] = value
    return np.asarray(logs, dtype=np.float64)


_FITS = 62 * math.log(2.0)  # logarithm of an order that 64 bits surely hold


def log_orders_of_points(
    source: str | os.PathLike[str] | Landscape, group: str, orders: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return the property of logarithms for stored points, where any order is beyond 64 bits.

    Such orders are computed again from coordinates. Where the potential cannot be built they are NaN.

    Parameters
    ----------
    source : path or Landscape
        The store, or its landscape.
    group : str
        ``"minima"`` or ``"transition_states"``.
    orders : (n,) ndarray
        Stored orders, 0 where beyond 64 bits.

    Returns
    -------
    dict of str to ndarray
        Empty where all orders fit.

    Raises
    ------
    StoreError
        If an order is stored as one beyond 64 bits and is not.
    """
    if (orders > 0).all():
        return {}
    from thalweg.landscapes import Landscape, StoreError
    from thalweg.landscapes.stored_landscape import StoredLandscape

    landscape = source if isinstance(source, StoredLandscape) else Landscape.open(source)
    try:
        symmetry = landscape.geometry.symmetry
    except ValueError:
        symmetry = None
    found = computed_logarithms(orders, getattr(landscape, group).coordinates, symmetry)
    wrong = np.flatnonzero((orders == 0) & (found[LOGARITHM] < _FITS))
    if len(wrong):
        raise StoreError(
            f"{landscape.path}: {group}/symmetry_order[{wrong[0]}] is 0, which stands for an order beyond 64 bits; the "
            f"order of these coordinates is {math.exp(found[LOGARITHM][wrong[0]]):.0f}"
        )
    return found


def computed_logarithms(
    orders: NDArray[np.int64], coordinates: Coordinates, symmetry: Symmetry | None
) -> dict[str, NDArray[np.float64]]:
    """Return the property of logarithms of orders, those of 0 from coordinates; empty where all orders fit.

    Parameters
    ----------
    orders : (n,) ndarray
        0 where beyond 64 bits.
    coordinates : (n, d) array, or one of a store
        Only the rows of these orders are read.
    symmetry : Symmetry, optional
        Of the potential; without it the logarithms are NaN.
    """
    large = np.flatnonzero(orders == 0)
    logs = np.where(orders > 0, np.log(np.maximum(orders, 1)), np.nan)
    if symmetry is not None:
        for row in large.tolist():
            logs[row] = math.log(symmetry.order(np.asarray(coordinates[row])))
    return {LOGARITHM: logs} if len(large) else {}
