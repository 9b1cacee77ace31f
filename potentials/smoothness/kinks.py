"""Kinks: places where a potential is not differentiable, found by halving intervals in which the slope changes.

Where a function is smooth, the change of its gradient over an interval shrinks with the interval. At a kink it does
not, however short the interval is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Slope", "slope_of_energy", "slope_of_gradient"]

_STEP = 1e-6  # of differences of the energy, relative to the larger of 1 and the largest coordinate
_REACH = 1e-2  # half of the interval around a point, relative to the same
_SAMPLES = 64  # points of a line
_SUSPECTS = 4  # bends of a line whose intervals are halved
_LEAST = 1e-3  # a smaller jump, relative to the slope nearby, is no kink


def _scale(x: NDArray[np.float64]) -> float:
    return max(1.0, float(np.abs(x).max(initial=0.0)))


class Slope:
    """First derivatives of a potential along lines.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x, direction) -> (k,)``: the gradient at x (n,), or the slope along a direction (n,) of length 1.
    finest : float
        Shortest interval over which changes are resolved, relative to the larger of 1 and the largest coordinate.
    """

    def __init__(
        self, evaluate: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]], finest: float
    ):
        self._evaluate, self._finest = evaluate, finest

    def jump_near(self, x: NDArray[np.float64], directions: NDArray[np.float64]) -> float | None:
        """Return the relative jump of the slope at a kink next to x (n,) along directions (k, n); None without one."""
        reach = _REACH * _scale(x)
        for direction in directions:
            length = float(np.linalg.norm(direction))
            if 0.0 < length < np.inf:
                v = direction / length
                a, b = x - reach * v, x + reach * v
                jump = self._halved(a, b, self._evaluate(a, v), self._evaluate(b, v))
                if jump is not None:
                    return jump
        return None

    def jump_between(self, start: NDArray[np.float64], stop: NDArray[np.float64]) -> float | None:
        """Return the relative jump of the slope at a kink between two points (n,); None where there is none.

        The intervals are searched in which the slope bends most.
        """
        if np.array_equal(start, stop):
            return None
        points = start + np.linspace(0.0, 1.0, _SAMPLES)[:, None] * (stop - start)
        v = (stop - start) / np.linalg.norm(stop - start)
        slopes = np.array([self._evaluate(point, v) for point in points])
        bends = np.linalg.norm(np.diff(slopes, n=2, axis=0), axis=1)
        for middle in np.argsort(-bends)[:_SUSPECTS] + 1:
            for k in (middle - 1, middle):
                jump = self._halved(points[k], points[k + 1], slopes[k], slopes[k + 1])
                if jump is not None:
                    return jump
        return None

    def _halved(
        self,
        a: NDArray[np.float64],
        b: NDArray[np.float64],
        at_a: NDArray[np.float64],
        at_b: NDArray[np.float64],
    ) -> float | None:
        """Halve the interval from a to b towards the larger change; return the change if it stays, or None."""
        size = max(float(np.linalg.norm(at_a)), float(np.linalg.norm(at_b)))
        length = float(np.linalg.norm(b - a))
        if not length > 0.0:
            return None
        v = (b - a) / length
        times, halfway = int(np.log2(max(length / (self._finest * _scale(a)), 1.0))), np.inf
        change = 0.0
        for number in range(times):
            middle = 0.5 * (a + b)
            at_middle = self._evaluate(middle, v)
            first, second = float(np.linalg.norm(at_middle - at_a)), float(np.linalg.norm(at_middle - at_b))
            change = max(first, second)
            if not _LEAST * size < change < np.inf:
                return None
            if number == times // 2:
                halfway = change
            if first >= second:
                b, at_b = middle, at_middle
            else:
                a, at_a = middle, at_middle
        # of a smooth function, four halvings leave a sixteenth of the change
        return change / size if times >= 8 and change >= 0.5 * halfway else None


def slope_of_gradient(gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]], free: NDArray[np.int64]) -> Slope:
    """Return the slope of a potential with a gradient (n,), of which the free coordinates count."""
    return Slope(lambda x, _: np.asarray(gradient(x), dtype=np.float64)[free], finest=1e-11)


def slope_of_energy(energy: Callable[[NDArray[np.float64]], float]) -> Slope:
    """Return the slope of a potential without a gradient, by differences of the energy."""

    def evaluate(x: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
        step = _STEP * _scale(x)
        return np.array([(energy(x + step * direction) - energy(x - step * direction)) / (2.0 * step)])

    return Slope(evaluate, finest=8.0 * _STEP)
