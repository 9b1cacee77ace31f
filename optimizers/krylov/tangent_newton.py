"""Newton's step across one mode by conjugate gradients within a radius."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.hessian_model import HessianModel

__all__ = ["TangentStep", "tangent_newton"]

# Curvature relative to the direction's square below which it counts as negative
_FLAT = 1e-12


class TangentStep(NamedTuple):
    """A step and whether it went along negative curvature to the radius."""

    step: np.ndarray
    negative: bool


def tangent_newton(
    curvature: Curvature,
    gradient: np.ndarray,
    mode: np.ndarray,
    *,
    radius: float,
    tolerance: float,
    most: int,
    model: HessianModel | None = None,
) -> TangentStep:
    """Minimise the quadratic model of the energy across a mode by preconditioned conjugate gradients.

    Parameters
    ----------
    curvature : Curvature
        The Hessian.
    gradient : ndarray, shape (m,)
    mode : ndarray, shape (m,)
        Unit vector across which the step stays.
    radius : float
        Longest step; a direction of negative curvature is followed that far.
    tolerance : float
        Residual relative to the gradient across the mode at which the step is good enough.
    most : int
        Most products.
    model : HessianModel, optional
        Preconditioner.

    References
    ----------
    T. Steihaug, SIAM J. Numer. Anal. 20 (1983) 626.
    """

    def across(v: np.ndarray) -> np.ndarray:
        v = curvature.across(v)
        return v - mode * (mode @ v)

    residual, step = -across(gradient), np.zeros_like(gradient)
    goal = tolerance * np.linalg.norm(residual)
    conditioned = residual if model is None else across(model.solve(residual))
    direction, product = conditioned.copy(), float(residual @ conditioned)
    for _ in range(most):
        if not product > 0:
            break
        image = across(curvature(direction))
        bend = float(direction @ image)
        if not bend > _FLAT * (direction @ direction):
            return TangentStep(step + _to_radius(step, direction, radius) * direction, True)
        size = product / bend
        longer = step + size * direction
        if np.linalg.norm(longer) >= radius:
            return TangentStep(step + _to_radius(step, direction, radius) * direction, False)
        step, residual = longer, residual - size * image
        if np.linalg.norm(residual) < goal:
            break
        conditioned = residual if model is None else across(model.solve(residual))
        product, before = float(residual @ conditioned), product
        direction = conditioned + product / before * direction
    return TangentStep(step, False)


def _to_radius(step: np.ndarray, direction: np.ndarray, radius: float) -> float:
    """Return how far along a direction a step reaches the radius."""
    a, b, c = direction @ direction, step @ direction, step @ step - radius**2
    return float((-b + np.sqrt(max(b * b - a * c, 0.0))) / a)
