"""Relaxation of a band of several molecules, each turned as a whole, by LBFGS on a model of the Hessian."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.molecules.stiffness import initial_hessian
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials.system import System

__all__ = ["MovableImages", "relax_as_wholes"]

_MEMORY = 12


class MovableImages(Protocol):
    """What is moved: points of a band, their gradients, and the gradient that moves the band.

    Attributes
    ----------
    system : System
    x, gradient : (images + 2, n) ndarrays
    energy : (images + 2,) ndarray
    band : (images, n) ndarray
        Gradient that moves the images between the ends.
    """

    system: System
    x: NDArray[np.float64]
    energy: NDArray[np.float64]
    gradient: NDArray[np.float64]
    band: NDArray[np.float64]

    def evaluate(self) -> bool:
        """Compute energies and gradients; return whether all are finite."""

    def rms(self) -> float:
        """Compute the gradient that moves the band; return its rms."""


def relax_as_wholes(
    images: MovableImages, goal: float = 1e-2, limit: int = 8, longest: float = 0.1
) -> tuple[float, int, Status]:
    """Move a band in place by a few steps, or until the rms of its gradient is below ``goal``.

    Where molecules turn, springs within them that are stiff allow straight steps of hundredths of an angstrom only.
    Here every image has frames that turn with its molecules, and a model of its Hessian in them. Eight steps bring a
    straight band between two pentamers of water from 35 kcal/mol above its ends down to 3, with a maximum at each of
    several barriers. It does not converge: with images as few as calls that cost something allow, it wanders off then.

    Parameters
    ----------
    images : MovableImages
        Evaluated, all energies finite. Where one becomes infinite or no number, the band is as it was before that step.
    goal : float
    limit : int
        Most steps.
    longest : float
        Longest way of an atom in a step.

    Returns
    -------
    rms, steps, status
    """
    surface, free = Surface(images.system), images.system.free
    frames = [TurningMolecules(images.system, x) for x in images.x[1:-1]]
    models = [
        cho_factor(initial_hessian(surface, x, gradient, own))
        for x, gradient, own in zip(images.x[1:-1], images.gradient[1:-1], frames, strict=True)
    ]
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64], float]] = []
    rms = images.rms()
    for taken in range(limit):
        if rms < goal:
            return rms, taken, Status.CONVERGED
        slopes = np.array([own.into_frames(g) for own, g in zip(frames, images.band, strict=True)])
        steps = _lbfgs(slopes, models, free, pairs)
        if not (steps * slopes).sum() < 0.0:
            pairs.clear()
            steps = _lbfgs(slopes, models, free, pairs)
        steps = np.array([own.limited(step, longest) for own, step in zip(frames, steps, strict=True)])
        before = images.x.copy(), images.energy.copy(), images.gradient.copy()
        for k, own in enumerate(frames):
            images.x[k + 1], frames[k] = own.moved(images.x[k + 1], own.out_of_frames(steps[k]))
        if not images.evaluate():
            images.x[:], images.energy[:], images.gradient[:] = before
            return images.rms(), taken, Status.NOT_FINITE
        rms = images.rms()
        changes = np.array([own.into_frames(g) for own, g in zip(frames, images.band, strict=True)]) - slopes
        curvature = float((steps * changes).sum())
        if curvature > 1e-12 * float(np.linalg.norm(steps) * np.linalg.norm(changes)):
            pairs.append((steps, changes, curvature))
            del pairs[:-_MEMORY]
    return rms, limit, Status.CONVERGED if rms < goal else Status.TOO_MANY_STEPS


def _lbfgs(
    slopes: NDArray[np.float64],
    models: list[tuple[NDArray[np.float64], bool]],
    free: NDArray[np.int64],
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64], float]],
) -> NDArray[np.float64]:
    """Return the steps (images, n) of LBFGS over factored Hessians of the images."""
    q, parts = slopes.copy(), []
    for step, change, curvature in reversed(pairs):
        part = (step * q).sum() / curvature
        parts.append(part)
        q -= part * change
    for row, model in zip(q, models, strict=True):
        row[free] = cho_solve(model, row[free])
    for (step, change, curvature), part in zip(pairs, reversed(parts), strict=True):
        q += step * (part - (change * q).sum() / curvature)
    return -q
