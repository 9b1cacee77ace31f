"""Search for a saddle: quasi-Newton steps, uphill along the lowest mode and downhill along all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.descent import Judge
from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import frames_at
from thalweg.optimizers.quasi_newton.lowest_mode import lowest_mode
from thalweg.optimizers.quasi_newton.molecules.stiffness import initial_hessian
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.optimizers.quasi_newton.updates import updated

__all__ = ["Ascent", "ascend"]

# Products for the mode at the start, and when it was lost
_FIRST, _AGAIN = 12, 4
# Steps between looks at a mode whose curvature is positive
_LOOK = 3
# Steps with positive curvature after which the way leads up a bowl
_UPHILL = 30
_SMALLEST = 0.02


@dataclass
class Ascent:
    """Where a search for a saddle ended.

    Attributes
    ----------
    x, gradient : (n,) ndarrays
    energy, rms : float
    steps : int
    status : Status
    hessian : (n_free, n_free) ndarray
        Approximate Hessian over free coordinates.
    mode : (n,) ndarray
        Approximate lowest mode.
    """

    x: np.ndarray
    energy: float
    gradient: np.ndarray
    rms: float
    steps: int
    status: Status
    hessian: np.ndarray
    mode: np.ndarray


def ascend(
    surface: Surface,
    x: np.ndarray,
    *,
    goal: float,
    steps: int,
    longest: float,
    guess: np.ndarray | None = None,
    hessian: np.ndarray | None = None,
    judge: Judge | None = None,
) -> Ascent:
    """Walk to a saddle from x until the rms gradient is below ``goal``.

    Parameters
    ----------
    surface : Surface
    x : (n,) ndarray
        Start; it is not changed.
    goal : float
    steps : int
        Most steps.
    longest : float
        Longest step.
    guess : (n,) ndarray, optional
        Direction that leads uphill; the gradient where missing.
    hessian : (n_free, n_free) ndarray, optional
        Hessian at the start, exact: its lowest mode is followed. A model where missing, corrected by differences.
    judge : callable, optional
        Ends the search early.
    """
    walk = _Walk(surface, x, longest)
    if not walk.finite:
        return walk.result(0, Status.NOT_FINITE)
    if hessian is None:
        walk.hessian = initial_hessian(surface, x, walk.gradient, walk.frames)
        walk.look(guess, _FIRST)
    else:
        walk.hessian = hessian
    for taken in range(steps + 1):
        rms = surface.rms(walk.gradient)
        if not walk.finite:
            return walk.result(taken, Status.NOT_FINITE)
        status = Status.CONVERGED if rms < goal else judge(walk.x, walk.energy, walk.gradient, taken) if judge else None
        if walk.uphill > _UPHILL:
            status = Status.ONLY_POSITIVE_CURVATURE
        if status is not None or taken == steps:
            return walk.result(taken, Status.TOO_MANY_STEPS if status is None else status)
        walk.step()
    raise AssertionError("the loop returns")


class _Walk:
    """A walk to a saddle: where it is, the Hessian as far as it is known, and how far steps are trusted.

    Hessian, mode, basis and slopes are in the frames of molecules that turn.
    """

    def __init__(self, surface: Surface, x: np.ndarray, longest: float) -> None:
        self.surface, self.free, self.x = surface, surface.system.free, x.copy()
        self.longest, self.trust = longest, 0.5 * longest
        self.energy, self.gradient = surface(x)
        self.hessian = np.eye(self.free.size)
        self.mode: np.ndarray | None = None
        self.uphill = 0
        self.frames = frames_at(surface.system, x)
        self.slopes, self.basis = self.gradient, surface.basis(x) if self.finite else np.eye(x.size)

    @property
    def finite(self) -> bool:
        """Whether energy and gradient are numbers."""
        return bool(np.isfinite(self.energy) and np.isfinite(self.gradient).all())

    def result(self, taken: int, status: Status) -> Ascent:
        """Return where the walk is."""
        mode = np.zeros(self.x.size) if self.mode is None else self.frames.out_of_frames(self.mode)
        rms, turn = self.surface.rms(self.gradient), self.frames.matrix(self.free)
        hessian = self.hessian if turn is None else turn @ self.hessian @ turn.T
        return Ascent(self.x, self.energy, self.gradient, rms, taken, status, hessian, mode)

    def product(self, v: np.ndarray) -> np.ndarray:
        """Return the Hessian's product (k,) with a direction (k,) over the basis, by one forward difference."""
        step = self.surface.forward
        moved, turned = self.frames.moved(self.x, step * self.frames.out_of_frames(self.basis @ v))
        change = turned.taken_back(turned.into_frames(self.surface(moved)[1])) - self.slopes
        product: np.ndarray = self.basis.T @ (change / step)
        return product

    def look(self, guess: np.ndarray | None, most: int) -> None:
        """Look for the lowest mode by differences, and teach the Hessian what they tell."""
        over = self.basis[self.free]
        hessian = over.T @ self.hessian @ over
        start = self.basis.T @ (self.slopes if guess is None else guess)
        if not np.linalg.norm(start) > 1e-8:
            start = np.linalg.eigh(hessian)[1][:, 0]
        found = lowest_mode(self.product, hessian, start, most=most)
        if np.isfinite(found.value):
            self.hessian = updated(self.hessian, over @ found.directions, over @ found.products)

    def step(self) -> None:
        """Take one step; after it the Hessian knows the change of the gradient."""
        basis = self.basis
        over = basis[self.free]
        values, vectors = np.linalg.eigh(over.T @ self.hessian @ over)
        if values[0] > 0.0 and self.uphill % _LOOK == _LOOK - 1:
            self.look(self.mode, _AGAIN)
            values, vectors = np.linalg.eigh(over.T @ self.hessian @ over)
        self.uphill = self.uphill + 1 if values[0] > 0.0 else 0
        slopes = vectors.T @ (basis.T @ self.slopes)
        parts = _steered(values, slopes, self.trust)
        self.mode = basis @ vectors[:, 0]
        step = basis @ (vectors @ parts)
        expected = float(slopes @ parts + 0.5 * parts @ (values * parts))
        moved, turned = self.frames.moved(self.x, self.frames.out_of_frames(step))
        energy, gradient = self.surface(moved)
        size = float(np.linalg.norm(step))
        if not (np.isfinite(energy) and np.isfinite(gradient).all()):
            self.trust = 0.25 * size
            if self.trust < 1e-4:
                self.energy = energy
            return
        new_slopes = turned.into_frames(gradient)
        change = turned.taken_back(new_slopes) - self.slopes
        learned = updated(self.hessian, step[self.free][:, None], change[self.free][:, None])
        self.hessian, self.mode = turned.carried_hessian(learned), turned.carried_steps(self.mode)
        error = abs(energy - self.energy - expected) / (abs(expected) + 1e-12)
        noise = self.surface.system.noise.gradient * size
        if abs(energy - self.energy - expected) <= 10.0 * noise + 1e-12 * abs(energy) or error < 0.3:
            self.trust = min(self.longest, max(self.trust, 1.5 * size))
        elif error > 1.0:
            self.trust = max(_SMALLEST * self.longest, 0.5 * size)
        self.x, self.energy, self.gradient, self.slopes, self.frames = moved, energy, gradient, new_slopes, turned
        self.basis = turned.into_frames(self.surface.basis(moved))


def _steered(values: np.ndarray, slopes: np.ndarray, trust: float) -> np.ndarray:
    """Return the step up along the first mode and down along the others, no longer than trust: image minimisation.

    References
    ----------
    T. Helgaker, Chem. Phys. Lett. 182 (1991) 503.
    """
    slopes, sizes = slopes.copy(), np.abs(values)
    slopes[0] = -slopes[0]
    sizes = np.maximum(sizes, 1e-6)
    step = -slopes / sizes
    if np.linalg.norm(step) > trust:
        low, high = 0.0, float(np.linalg.norm(slopes)) / trust
        for _ in range(60):
            shift = 0.5 * (low + high)
            low, high = (shift, high) if np.linalg.norm(slopes / (sizes + shift)) > trust else (low, shift)
        step = -slopes / (sizes + high)
    return step
