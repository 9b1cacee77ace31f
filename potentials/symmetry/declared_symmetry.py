"""Symmetry that a user declares for a function: blocks, periods, and continuous motions, combined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

__all__ = ["DeclaredSymmetry", "DiscreteSymmetry"]


class DiscreteSymmetry(Protocol):
    """Discrete operations, such as those of a :class:`~thalweg.potentials.BlockSymmetry`."""

    def align(self, a: NDArray[np.float64], b: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return the copy of b (n,) that is nearest to a (n,)."""
        ...

    def order(self, x: NDArray[np.float64], /) -> int:
        """Return the number of operations that leave x (n,) unchanged."""
        ...

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator, /) -> NDArray[np.float64]:
        """Return x (n,) after a random operation."""
        ...


Tangents = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_ROUNDS = 50  # of blocks, periods and motions, one after the other
_EXACT = 1e-9  # relative distance at which a copy is recognised, and no other start is tried
_WAYS = 3  # random places on the orbit from which the nearest copy is sought
_MOST_SHIFTS = 32
_RELAXED = 40.0  # time of the flow towards the nearest point of an orbit, on which it converges like exp(-time)


class DeclaredSymmetry:
    """Symmetry operations of a function as its user declared them.

    The nearest copy is sought by turns: the best exchange of blocks, the nearest periodic image, and the nearest point
    along the null modes, which are followed by integration where they differ from point to point. A copy of the same
    point is recognised; of other points the copy found may not be the nearest of all.

    Parameters
    ----------
    blocks : DiscreteSymmetry or None
        Discrete operations, such as a :class:`~thalweg.potentials.BlockSymmetry`.
    periods : (n,) array or None
        Period of each coordinate; infinite where it has none.
    tangents : callable or None
        Orthonormal null modes (k, n) at x (n,).
    constant : bool
        Whether these are the same at all points.
    """

    def __init__(
        self,
        blocks: DiscreteSymmetry | None,
        periods: NDArray[np.float64] | None,
        tangents: Tangents | None,
        constant: bool = False,
    ):
        self._blocks, self._tangents, self._constant = blocks, tangents, constant
        self._periods = periods

    def align(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a copy of b (n,) that is near to a (n,), the nearest where there are no continuous motions."""
        a, b = np.asarray(a, dtype=np.float64), np.array(b, dtype=np.float64)
        best, smallest = b, np.inf
        close = _EXACT * max(float(np.linalg.norm(a)), 1.0)
        for start in self._starts(a, b):
            copy = self._settled(a, start)
            length = float(np.linalg.norm(copy - a))
            if length < smallest:
                best, smallest = copy, length
            if smallest <= close:
                break
        return best

    def distance(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Return the Euclidean distance from a (n,) to the copy of b (n,) that :meth:`align` finds."""
        return float(np.linalg.norm(self.align(a, b) - a))

    def order(self, x: NDArray[np.float64]) -> int:
        """Return the number of discrete operations that leave x (n,) unchanged."""
        return 1 if self._blocks is None else int(self._blocks.order(x))

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return x (n,) after a random operation of each kind."""
        copy = np.array(x, dtype=np.float64)
        if self._blocks is not None:
            copy = self._blocks.random_copy(copy, rng)
        if self._periods is not None:
            finite = np.isfinite(self._periods)
            copy += np.where(finite, self._periods, 0.0) * rng.integers(-1, 2, copy.size)
        return self._moved(copy, rng.standard_normal(copy.size) * max(1.0, float(np.abs(copy).max())))

    def _starts(self, a: NDArray[np.float64], b: NDArray[np.float64]):
        """Yield copies of b from which the nearest is sought."""
        yield b
        if self._tangents is None:
            return
        if self._constant:
            yield from self._shifted(a, b)
            return
        rng = np.random.default_rng(0)
        for _ in range(_WAYS):
            yield self._moved(b, rng.standard_normal(b.size) * max(1.0, float(np.abs(b).max())))

    def _shifted(self, a: NDArray[np.float64], b: NDArray[np.float64]):
        """Yield b after shifts along constant null modes that bring one coordinate to its place each.

        With periods the distance has many minima along a mode, and the lowest has some coordinate close to its place.
        """
        if self._periods is None:
            return
        assert self._tangents is not None
        for mode in self._tangents(b):
            moving = np.flatnonzero(np.abs(mode) > 1e-3 / np.sqrt(mode.size))
            for k in moving[:: max(1, len(moving) // _MOST_SHIFTS)]:
                yield b + mode * ((a[k] - b[k]) / mode[k])

    def _settled(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the copy near a that the operations reach from b by turns."""
        length = np.inf
        for _ in range(_ROUNDS):
            if self._blocks is not None:
                b = self._blocks.align(a, b)
            if self._periods is not None:
                finite = np.isfinite(self._periods)
                period = np.where(finite, self._periods, 1.0)
                b = b + np.where(finite, np.round((a - b) / period) * period, 0.0)
            b = self._slid(a, b)
            now = float(np.linalg.norm(b - a))
            if now >= length * (1 - 1e-12) or now == 0.0:
                break
            length = now
        return b

    def _slid(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the point along the null modes from b that is nearest to a, for varying ones in its neighbourhood."""
        if self._tangents is None:
            return b
        tangents = self._tangents
        if self._constant:
            modes = tangents(b)
            return b + modes.T @ (modes @ (a - b))

        def towards(_: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
            modes = tangents(y)
            return modes.T @ (modes @ (a - y))

        return _flow(towards, b, _RELAXED)

    def _moved(self, x: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x moved along its null modes in the way of a direction (n,)."""
        if self._tangents is None:
            return x
        tangents = self._tangents
        if self._constant:
            modes = tangents(x)
            return x + modes.T @ (modes @ direction)

        def along(_: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
            modes = tangents(y)
            return modes.T @ (modes @ direction)

        return _flow(along, x, 1.0)


def _flow(
    velocity: Callable[[float, NDArray[np.float64]], NDArray[np.float64]], x: NDArray[np.float64], time: float
) -> NDArray[np.float64]:
    """Return where a flow takes x (n,), with an error far below the tolerances by which points are compared."""
    scale = max(1.0, float(np.abs(x).max()))

    def still(t: float, y: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(velocity(t, y))) - 1e-11 * scale

    still.terminal = True  # type: ignore[attr-defined]
    if still(0.0, x) <= 0:
        return x
    result = solve_ivp(velocity, (0.0, time), x, method="DOP853", rtol=1e-11, atol=1e-12 * scale, events=still)
    return np.asarray(result.y[:, -1])
