"""Null modes that differ from point to point, as a Python function that compiled searches call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.compiled.callbacks import C_SIGNATURE

__all__ = ["VaryingNullModes", "orthonormal_tangents"]

_SMALLEST = 1e-6  # a tangent this much shorter than the longest at the start has vanished: there is no motion


def orthonormal_tangents(
    rows: NDArray[np.float64], frozen: NDArray[np.int64], smallest: float = 0.0
) -> NDArray[np.float64]:
    """Return orthonormal combinations (m, n) of tangent vectors (k, n) that do not move frozen coordinates.

    Parameters
    ----------
    rows : ndarray, shape (k, n)
        Tangent vectors, which need not be independent.
    frozen : ndarray of int
        Indices of coordinates that may not move.
    smallest : float
        Length below which an independent combination counts as zero.
    """
    if frozen.size and len(rows):
        # combinations that leave the frozen coordinates alone: the null space of the tangents' part there
        left, sizes, _ = np.linalg.svd(rows[:, frozen])
        rank = int((sizes > 1e-10 * np.linalg.norm(rows)).sum())
        rows = left[:, rank:].T @ rows
        rows[:, frozen] = 0.0
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    limit = max(smallest, 1e-10 * sizes.max(initial=0.0))
    modes = np.ascontiguousarray(basis[sizes > limit])
    modes[:, frozen] = 0.0
    return modes


class VaryingNullModes:
    """Null modes from a callable, checked, orthonormal, and callable from compiled code by :attr:`address`.

    Parameters
    ----------
    function : callable
        Function of x (n,) that returns tangent vectors (k, n), or one (n,); k is the same at all points.
    x : ndarray, shape (n,)
        Point at which it is tried first: the length of its tangents there tells which have vanished elsewhere.
    frozen : ndarray of int
        Indices of coordinates that may not move.

    Attributes
    ----------
    most : int
        Number of tangent vectors, the largest number of null modes.

    Raises
    ------
    ValueError
        If the result has another shape, or is not finite.
    """

    def __init__(
        self, function: Callable[[NDArray[np.float64]], ArrayLike], x: NDArray[np.float64], frozen: NDArray[np.int64]
    ):
        self._function, self._frozen, self.n = function, frozen, x.size
        first = self._tangents(x)
        self.most = len(first)
        self._smallest = _SMALLEST * float(np.linalg.norm(first, axis=1).max(initial=0.0))
        self.error: BaseException | None = None
        self._callback = C_SIGNATURE(self._write)
        self.address = np.array([ctypes.cast(self._callback, ctypes.c_void_p).value], dtype=np.int64)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return orthonormal null modes (m, n) at x (n,)."""
        rows = self._tangents(x)
        if len(rows) != self.most:
            raise ValueError(f"null_modes returned {self.most} tangent vectors at first, and {len(rows)} now")
        return orthonormal_tangents(rows, self._frozen, self._smallest)

    def _tangents(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.atleast_2d(np.asarray(self._function(x.copy()), dtype=np.float64))
        if rows.ndim != 2 or rows.shape[1] != self.n:
            raise ValueError(f"null_modes(x) must have the shape (k, {self.n}); it has {rows.shape}")
        if not np.isfinite(rows).all():
            raise ValueError("null_modes(x) must be finite; it has NaN or infinite entries")
        return rows

    def _write(self, x: Any, out: Any, n: int) -> float:
        """Write the null modes where compiled code asks for them, and return their number."""
        if self.error is not None:
            return 0.0
        try:
            modes = self(np.ctypeslib.as_array(x, (n,)).copy())
        except BaseException as error:  # compiled code cannot pass it on
            self.error = error
            return 0.0
        np.ctypeslib.as_array(out, (self.most, n))[: len(modes)] = modes
        return float(len(modes))

    def reraise(self) -> None:
        """Raise the first exception since the last call, if there was one."""
        error, self.error = self.error, None
        if error is not None:
            raise error
