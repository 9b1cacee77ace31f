"""Minimisation by LBFGS whose initial Hessian is a model of the structure's: every call of a calculator counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import Frames, frames_at
from thalweg.optimizers.quasi_newton.molecules.stiffness import initial_hessian
from thalweg.optimizers.quasi_newton.molecules.turning import longest_of
from thalweg.optimizers.quasi_newton.surface import Surface

__all__ = ["Descent", "Judge", "descend"]

_MEMORY = 40
# Newest pairs that are kept where the model is made again: atoms that overlapped were far stiffer than they are now
_KEPT = 5
# How many times softer or stiffer than the model a surface may be
_SCALES = 0.01, 20.0
# How far an atom may have moved before the model is made again, angstrom
_STALE = 0.4
# Steps after which several molecules are looked at again: what they were told by at first may have been torn bonds
_OLD = 40
_REFUSED = 8
# Rise in energy that rounding explains, relative, and that a calculator's noise may where the gradient falls, eV
_ROUNDING, _NOISE = 1e-13, 1e-5

Judge = Callable[[np.ndarray, float, np.ndarray, int], "Status | None"]
"""Called with point, energy, gradient and number of the step; a status ends the search."""


@dataclass
class Descent:
    """Where a minimisation ended.

    Attributes
    ----------
    x, gradient : (n,) ndarrays
    energy, rms, length : float
        ``length`` is that of the way.
    steps : int
    status : Status
    """

    x: np.ndarray
    energy: float
    gradient: np.ndarray
    rms: float
    steps: int
    status: Status
    length: float


class _Memory:
    """Pairs of steps and gradient changes over a factored initial Hessian, in the frames of molecules that turn."""

    def __init__(self, surface: Surface, x: np.ndarray, gradient: np.ndarray, hessian: np.ndarray | None) -> None:
        self.surface, self.free = surface, surface.system.free
        self.pairs: list[tuple[np.ndarray, np.ndarray, float]] = []
        self.given, self.scale = hessian is not None, 1.0
        self._make(x, gradient, hessian)

    def _make(self, x: np.ndarray, gradient: np.ndarray, hessian: np.ndarray | None = None) -> None:
        self.frames = frames_at(self.surface.system, x)
        self.matrix = initial_hessian(self.surface, x, gradient, self.frames) if hessian is None else hessian
        self.factor, self.age = cho_factor(self.matrix), 0

    def refresh(self, x: np.ndarray, gradient: np.ndarray) -> None:
        """Make the model again where atoms have moved far, in frames of the molecules that there are now."""
        self.age += 1
        if self.frames.deformed(x, _STALE) or (self.frames.may_turn and self.age > _OLD):
            self.given, turn = False, self.frames.matrix(self.free)
            if turn is not None:
                self.pairs = [(turn @ s, turn @ y, curvature) for s, y, curvature in self.pairs]
            self._make(x, gradient)
            if not self.frames.molecules:
                del self.pairs[:-_KEPT]
            self._rescale()

    def carry(self, frames: Frames) -> None:
        """Go over to the next point: what is known in internal coordinates of a molecule is expressed there."""
        self.frames = frames
        if frames.model is not None:
            carried = [(frames.carried_steps(s), frames.carried_slopes(y)) for s, y, _ in self.pairs]
            self.pairs = [(s, y, curvature) for s, y in carried if (curvature := float(s @ y)) > 0.0]
            self.matrix = frames.carried_hessian(self.matrix) if self.given else frames.model
            self.factor = cho_factor(self.matrix)

    def add(self, s: np.ndarray, y: np.ndarray) -> None:
        """Take in a step and a gradient change, over free coordinates."""
        curvature = float(s @ y)
        if not curvature > 1e-12 * float(np.sqrt((s @ s) * (y @ y))):
            return
        self.pairs.append((s, y, curvature))
        del self.pairs[:-_MEMORY]
        self._rescale()

    def _rescale(self) -> None:
        """Scale the model by the newest pair, as D. F. Shanno and K.-H. Phua, Math. Program. 14 (1978) 149, do.

        The first pair alone says little: atoms that overlap at the start are far stiffer than all that follows.
        """
        # molecules and what is between them differ from the model by factors of their own
        if self.pairs and not self.given and not self.frames.molecules:
            _, y, curvature = self.pairs[-1]
            self.scale = float(np.clip(y @ cho_solve(self.factor, y) / curvature, *_SCALES))

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """Return the step of LBFGS over free coordinates."""
        q, parts = gradient.copy(), []
        for s, y, curvature in reversed(self.pairs):
            part = (s @ q) / curvature
            parts.append(part)
            q -= part * y
        q = cho_solve(self.factor, q) / self.scale
        for (s, y, curvature), part in zip(self.pairs, reversed(parts), strict=True):
            q += s * (part - (y @ q) / curvature)
        return -q

    def trial(self, slopes: np.ndarray, most: float) -> np.ndarray:
        """Return the step (n,) from gradient ``slopes`` (n,), no atom's longer than ``most``, both in the frames."""
        step, free = np.zeros(slopes.size), self.free
        step[free] = self.step(slopes[free])
        if not step @ slopes < 0.0:
            self.pairs.clear()
            step[free] = self.step(slopes[free])
        limited = self.frames.limited(step, most)
        return limited if limited @ slopes < 0.0 else min(1.0, most / longest_of(step)) * step


def descend(
    surface: Surface,
    x: np.ndarray,
    *,
    goal: float,
    steps: int,
    longest: float,
    hessian: np.ndarray | None = None,
    judge: Judge | None = None,
) -> Descent:
    """Minimise from x until the rms gradient is below ``goal``.

    Parameters
    ----------
    surface : Surface
    x : (n,) ndarray
        Start; it is not changed.
    goal : float
    steps : int
        Most steps.
    longest : float
        Largest displacement of an atom in a step.
    hessian : (n_free, n_free) ndarray, optional
        Positive definite initial Hessian; a model of the structure where missing.
    judge : callable, optional
        Ends the search early.
    """
    free = surface.system.free
    energy, gradient = surface(x)
    if not (np.isfinite(energy) and np.isfinite(gradient).all()):
        return Descent(x, energy, gradient, np.nan, 0, Status.NOT_FINITE, 0.0)
    memory, length, most, refused = _Memory(surface, x, gradient, hessian), 0.0, longest, 0
    for taken in range(steps + 1):
        rms = surface.rms(gradient)
        status = Status.CONVERGED if rms < goal else judge(x, energy, gradient, taken) if judge else None
        if status is not None or taken == steps:
            status = Status.TOO_MANY_STEPS if status is None else status
            return Descent(x, energy, gradient, rms, taken, status, length)
        memory.refresh(x, gradient)
        slopes = memory.frames.into_frames(gradient)
        while True:
            step = memory.trial(slopes, most)
            moved, turned = memory.frames.moved(x, memory.frames.out_of_frames(step))
            new_energy, new_gradient = surface(moved)
            finite = np.isfinite(new_energy) and np.isfinite(new_gradient).all()
            change = turned.taken_back(turned.into_frames(new_gradient)) - slopes
            if finite:
                memory.add(step[free], change[free])
            rise = new_energy - energy
            if finite and (rise <= _ROUNDING * abs(energy) or (rise <= _NOISE and surface.rms(new_gradient) < rms)):
                break
            refused += 1
            if refused > _REFUSED:
                return Descent(x, energy, gradient, rms, taken, Status.ENERGY_NOT_LOWERED, length)
            most = 0.35 * longest_of(step)
        most, refused = min(longest, max(most, 2.0 * longest_of(step))), 0
        length += float(np.linalg.norm(step))
        x, energy, gradient = moved, new_energy, new_gradient
        memory.carry(turned)
    raise AssertionError("the loop returns")
