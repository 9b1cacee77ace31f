"""Checks of the arguments of slices: coordinates, numbers of points, and spans."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.protocols import ClassifyingPotential, LabelledData
from thalweg.potentials.system import System

__all__ = ["checked_count", "checked_point", "checked_span", "quantity_of"]


def checked_point(name: str, system: System, x: ArrayLike) -> NDArray[np.float64]:
    """Return finite coordinates (n,), or raise a ValueError that names the argument."""
    point = np.array(x, dtype=np.float64).ravel()
    if point.size != system.n:
        raise ValueError(f"{name} must have {system.n} coordinates; it has {point.size}")
    if not np.isfinite(point).all():
        raise ValueError(f"{name} must be finite")
    return point


def checked_count(points: int) -> int:
    """Return a number of points along a direction, or raise a ValueError for anything but whole numbers from 2 on."""
    if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 2:
        raise ValueError(f"points must be a whole number, at least 2; it is {points!r}")
    return int(points)


def checked_span(span: tuple[float, float]) -> tuple[float, float]:
    """Return first and last position along a direction, or raise a ValueError unless they are finite and rise."""
    low, high = map(float, span)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"span must be two finite numbers that rise; it is ({low}, {high})")
    return low, high


def quantity_of(system: System) -> str:
    """Return what the energy of a system is called: the loss where it is a network's."""
    return "loss" if isinstance(system.potential, ClassifyingPotential | LabelledData) else "energy"
