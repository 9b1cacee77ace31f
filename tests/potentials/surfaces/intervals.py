"""Every stationary point of a function of two variables, by interval arithmetic: independent of any search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Interval:
    """Arrays of intervals [low, high], widened a little at every step in place of outward rounding."""

    def __init__(self, low, high):
        slack = 1e-14 * np.maximum(np.abs(low), np.abs(high))
        self.low, self.high = low - slack, high + slack

    def __add__(self, other):
        other = other if isinstance(other, Interval) else Interval(np.float64(other), np.float64(other))
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other):
        other = other if isinstance(other, Interval) else Interval(np.float64(other), np.float64(other))
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(np.minimum.reduce(products), np.maximum.reduce(products))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return Interval(-self.high, -self.low)

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, power):
        ends = self.low**power, self.high**power
        low = np.where((power % 2 == 0) & (self.low < 0) & (self.high > 0), 0.0, np.minimum(*ends))
        return Interval(low, np.maximum(*ends))

    def exp(self):
        return Interval(np.exp(self.low), np.exp(self.high))

    @property
    def holds_zero(self):
        return (self.low <= 0) & (self.high >= 0)


def all_stationary_points(gradient: Callable, hessian: Callable, bounds, deepest: int = 25) -> np.ndarray:
    """Return every zero of a gradient in the bounds, shape (k, 2).

    ``gradient(x, y)`` gives two, ``hessian(x, y)`` three values (xx, xy, yy), of arrays and of intervals alike. Boxes
    are quartered until Krawczyk's operator on the box twice as wide proves that there is no zero in the box, or exactly
    one in the wider box (R. Krawczyk, Computing 4 (1969) 187).
    """
    boxes, points = np.asarray(bounds, dtype=float)[None], []
    for _ in range(deepest):
        x, y = (Interval(boxes[:, k, 0], boxes[:, k, 1]) for k in range(2))
        boxes = boxes[np.logical_and(*(part.holds_zero for part in gradient(x, y)))]
        centre, half = boxes.mean(axis=2), 0.5 * np.diff(boxes, axis=2)[:, :, 0]
        moved, reach = _krawczyk(gradient, hessian, centre, half)
        none = ((np.abs(moved - centre) - reach) > half).any(axis=1)
        one = ((np.abs(moved - centre) + reach) < 2 * half).all(axis=1)
        for found in (_newton(gradient, hessian, x) for x in moved[one & ~none]):
            if all(np.linalg.norm(found - other) > 1e-7 for other in points):
                points.append(found)
        boxes = _quartered(boxes[~(none | one)])
        if not len(boxes):
            return np.array(points)
    raise AssertionError(f"{len(boxes)} boxes are left undecided")


def _krawczyk(gradient, hessian, centre, half):
    """Return where Krawczyk's operator on the box twice as wide is centred, and how far it reaches."""
    x, y = centre.T
    inverse = _inverse(*hessian(x, y))
    moved = centre - np.einsum("bij,bj->bi", inverse, np.stack(gradient(x, y), axis=-1))
    xx, xy, yy = hessian(*(Interval(centre[:, k] - 2 * half[:, k], centre[:, k] + 2 * half[:, k]) for k in range(2)))
    reach = np.zeros_like(centre)
    for i in range(2):
        for j, column in enumerate(((xx, xy), (xy, yy))):
            entry = float(i == j) - (column[0] * inverse[:, i, 0] + column[1] * inverse[:, i, 1])
            reach[:, i] += np.maximum(np.abs(entry.low), np.abs(entry.high)) * 2 * half[:, j]
    return moved, reach


def _inverse(xx, xy, yy):
    xx, xy, yy = np.broadcast_arrays(xx, xy, yy)
    determinant = xx * yy - xy * xy
    determinant = np.where(np.abs(determinant) < 1e-12, 1e-12, determinant)
    return np.stack([np.stack([yy, -xy], -1), np.stack([-xy, xx], -1)], -2) / determinant[..., None, None]


def _newton(gradient, hessian, x):
    for _ in range(20):
        x = x - _inverse(*hessian(*x)) @ np.array(gradient(*x))
    return x


def _quartered(boxes):
    for k in range(2):
        first, second = boxes.copy(), boxes.copy()
        first[:, k, 1] = second[:, k, 0] = boxes[:, k].mean(axis=1)
        boxes = np.concatenate([first, second])
    return boxes


def winding_number(gradient: Callable, bounds, steps: int = 4000) -> int:
    """Return how often the gradient turns along the boundary: minima + maxima - saddles inside (Poincare and Hopf)."""
    (x0, x1), (y0, y1) = bounds
    t = np.linspace(0, 1, steps, endpoint=False)
    x = np.concatenate([x0 + t * (x1 - x0), np.full(steps, x1), x1 - t * (x1 - x0), np.full(steps, x0)])
    y = np.concatenate([np.full(steps, y0), y0 + t * (y1 - y0), np.full(steps, y1), y1 - t * (y1 - y0)])
    angles = np.arctan2(*gradient(x, y)[::-1])
    turns = np.diff(np.append(angles, angles[0]))
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(turns).max() < 0.5
    return round(turns.sum() / (2 * np.pi))
