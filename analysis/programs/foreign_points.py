"""Stationary points as another program has found them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ForeignPoints", "rows_of_numbers"]


@dataclass(frozen=True)
class ForeignPoints:
    """Coordinates of stationary points, and which minima each transition state joins.

    Attributes
    ----------
    minima : (m, n) ndarray
    states : (t, n) ndarray
    ends : (t, 2) int64 ndarray
        Rows of minima, from 0.

    Raises
    ------
    ValueError
        If shapes do not fit together, or a row does not exist.
    """

    minima: NDArray[np.float64]
    states: NDArray[np.float64]
    ends: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = self.minima.shape[1]
        if self.states.shape != (len(self.ends), n) or self.ends.shape != (len(self.states), 2):
            raise ValueError(f"transition states have shape {self.states.shape}, minima {self.minima.shape}")
        wrong = np.flatnonzero(((self.ends < 0) | (self.ends >= len(self.minima))).any(axis=1))
        if len(wrong):
            raise ValueError(
                f"transition state {wrong[0]} joins minima {self.ends[wrong[0]].tolist()}; there are {len(self.minima)}"
            )


def rows_of_numbers(values: list[list[float]], n: int) -> NDArray[np.float64]:
    """Return rows of n numbers as an array (rows, n), also where there is none."""
    return np.array(values, dtype=np.float64).reshape(len(values), n)
