"""Eigenvector-following without a Hessian: uphill along the lowest mode by Davidson, Newton's steps across it.

What :mod:`~thalweg.optimizers.kernels.eigenvector_following` does with diagonalised Hessians, by products: the
lowest mode comes from Davidson's method, steps across it from conjugate gradients, both preconditioned by a model of
the Hessian, which is made from the Krylov space of an earlier point and replaced where it no longer helps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.davidson import RitzPairs, lowest_pairs
from thalweg.optimizers.krylov.hessian_model import HessianModel
from thalweg.optimizers.krylov.proof import NUMBERS, Proof, prove
from thalweg.optimizers.krylov.tangent_newton import tangent_newton
from thalweg.potentials.system import System

__all__ = ["Ascent", "ascend"]

# Most products for the lowest mode with a model, and without one, which then makes the next model; and the least then
_FEW, _MANY, _LEAST = 40, 250, 20
# Residual of the lowest mode relative to its value
_MODE = 0.1
# Most products of one step across the mode, and its residual relative to the gradient
_ACROSS, _RELAXED = 200, 0.2
# Steps across the mode after each along it, at most, in every attempt from a start
_RELAX_STEPS = (3, 2, 1)
# Most times that a step across is shortened
_TRIALS = 6
# Part of the gradient that a step of Newton's method must leave at most
_ACCEPTED = 0.6
# Steps up without negative curvature, and with one that is nothing beside the highest, after which the way has no end
_UPHILL, _FADED, _FAINT = 25, 4, 1e-6


@dataclass(frozen=True)
class Ascent:
    """A search for a transition state.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Where it ended.
    energy, rms : float
    steps, evaluations, products : int
        Uphill steps, gradients and Hessian-vector products.
    status : Status
    eigenvalues : ndarray, shape (2,)
        The lowest two; NaN where the gradient did not vanish.
    mode : ndarray, shape (n,)
        Unit vector of the lowest.
    """

    x: np.ndarray
    energy: float
    rms: float
    steps: int
    evaluations: int
    products: int
    status: Status
    eigenvalues: np.ndarray
    mode: np.ndarray


def ascend(
    system: System, x: np.ndarray, direction: np.ndarray, *, rms: float, steps: int = 200, max_step: float = 0.3
) -> Ascent:
    """Search for a transition state from x, and again with fewer steps across where the way up has no end.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)
        Start.
    direction : ndarray, shape (n,)
        The mode most like it is followed; where it is zero, the lowest one if it is negative.
    rms : float
        Rms gradient to reach.
    steps : int
        Most steps uphill, of all attempts together.
    max_step : float
        Longest of them at first.
    """
    taken = evaluations = products = 0
    found = None
    for relax in _RELAX_STEPS:
        climb = _Climb(system, x, direction, rms, max_step, relax)
        found = climb.run(steps - taken)
        taken, evaluations = taken + found.steps, evaluations + found.evaluations
        products += found.products
        if found.status not in (Status.ONLY_POSITIVE_CURVATURE, Status.DIVERGED):
            break
    assert found is not None
    return replace(found, steps=taken, evaluations=evaluations, products=products)


class _Climb:
    """One attempt: where the search stands, what is known of the Hessian there, and how far steps are trusted."""

    def __init__(
        self, system: System, x: np.ndarray, direction: np.ndarray, goal: float, max_step: float, relax: int
    ) -> None:
        self.system, self.free = system, system.free
        self.whole, self.goal, self.max_step, self.relax = x.copy(), goal, max_step, relax
        self.rng = np.random.default_rng(0)
        self.trust, self.root = max_step, np.sqrt(system.n_free)
        self.evaluations = self.products = self.uphill = self.faded = 0
        self.chosen = direction[self.free].copy() if direction.any() else None
        random = self.rng.standard_normal((2, system.n_free))
        self.starts = random if self.chosen is None else np.vstack([self.chosen, random[:1]])
        self.model: HessianModel | None = None
        self.tired = False
        self.mode: np.ndarray | None = self.chosen
        self.y = x[self.free].copy()
        self.energy, self.gradient = self._evaluate(self.y)

    def _evaluate(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        self.whole[self.free] = y
        energy, gradient = self.system.energy_gradient(self.whole)
        return energy, gradient[self.free]

    @property
    def rms(self) -> float:
        """Rms gradient where the search stands."""
        return float(np.linalg.norm(self.gradient)) / self.root

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.energy) and np.isfinite(self.gradient).all())

    def run(self, steps: int) -> Ascent:
        """Search until the gradient vanishes, the way has no end, or the steps are used up."""
        for step in range(steps + 1):
            if not self.finite:
                return self._ended(Status.NOT_FINITE, step)
            self.whole[self.free] = self.y
            curvature = Curvature(self.system, self.whole)
            if self.rms < self.goal:
                return self._proved(curvature, step)
            if step == steps:
                break
            pairs = self._lowest(curvature)
            status = self._astray(pairs)
            if status != Status.CONVERGED:
                return self._ended(status, step)
            if not self._newton(curvature, pairs):
                self._up(pairs)
                self._across(curvature, pairs.vectors[0])
            self.products += curvature.products
        return self._ended(Status.TOO_MANY_STEPS, steps)

    def _lowest(self, curvature: Curvature) -> RitzPairs:
        """Find the mode to follow, and renew the model where it was of little help."""
        few = self.model is not None and not self.tired
        most = _FEW if few else max(20, min(_MANY, NUMBERS // curvature.size))
        pairs = lowest_pairs(
            curvature, self.starts, tolerance=_MODE, most=most, least=0 if few else _LEAST,
            room=60 if few else most + 5, model=self.model if few else None, like=self.mode,
            unless_negative=self.chosen is None,
        )  # fmt: skip
        if few:
            self.tired = pairs.space.products >= _FEW and pairs.residuals[0] > 0.5 * abs(pairs.values[0])
        elif pairs.space.products > _FEW:
            self.model, self.tired = HessianModel.of(pairs.space, self.rng), False
        self.mode, self.starts = pairs.vectors[0], pairs.next_starts(3)
        return pairs

    def _astray(self, pairs: RitzPairs) -> Status:
        """Return why the way up leads nowhere, else CONVERGED."""
        value, slope = float(pairs.values[0]), abs(float(self.gradient @ pairs.vectors[0]))
        self.uphill = self.uphill + 1 if pairs.lowest[0] > 0 else 0
        faint = value < 0 and -value < min(_FAINT * pairs.lowest[-1], slope / self.max_step)
        self.faded = self.faded + 1 if faint else 0
        if self.uphill > _UPHILL:
            return Status.ONLY_POSITIVE_CURVATURE
        return Status.DIVERGED if self.faded >= _FADED else Status.CONVERGED

    def _newton(self, curvature: Curvature, pairs: RitzPairs) -> bool:
        """Take Newton's step to the saddle point where the curvature is right, if it lowers the gradient."""
        lowest, value, mode = pairs.lowest, float(pairs.values[0]), pairs.vectors[0]
        if not (value < 0 and value == lowest[0] and (len(lowest) < 2 or lowest[1] > 0)):
            return False
        tolerance = min(0.1, np.sqrt(self.rms))
        across = tangent_newton(
            curvature, self.gradient, mode, radius=self.trust, tolerance=tolerance, most=2 * _ACROSS, model=self.model
        )
        step = across.step - (self.gradient @ mode) / value * mode
        if across.negative or np.linalg.norm(step) > self.trust:
            return False
        energy, gradient = self._evaluate(self.y + step)
        if not np.linalg.norm(gradient) < _ACCEPTED * np.linalg.norm(self.gradient):
            return False
        self.y, self.energy, self.gradient = self.y + step, energy, gradient
        return True

    def _up(self, pairs: RitzPairs) -> None:
        """Step up along the mode: Newton's step, no longer than trusted."""
        value, mode = float(pairs.values[0]), pairs.vectors[0]
        slope = float(self.gradient @ mode)
        size = float(np.clip(slope / max(abs(value), 1e-300), -self.trust, self.trust)) or self.trust
        self.y = self.y + size * mode
        self.energy, self.gradient = self._evaluate(self.y)
        past = value < 0 and abs(self.gradient @ mode) > abs(slope)
        self.trust = float(np.clip((0.7 if past else 1.3) * self.trust, 0.1 * self.max_step, 4 * self.max_step))

    def _across(self, curvature: Curvature, mode: np.ndarray) -> None:
        """Minimise across the mode, by a few steps of Newton's method with the Hessian of before the step up."""
        goal = self.root * max(0.3 * self.goal, 0.1 * self.rms)
        for _ in range(self.relax):
            slopes = self.gradient - (self.gradient @ mode) * mode
            if not np.isfinite(slopes).all() or np.linalg.norm(slopes) < goal:
                return
            step = tangent_newton(
                curvature, self.gradient, mode, radius=4 * self.max_step, tolerance=_RELAXED, most=_ACROSS,
                model=self.model,
            ).step  # fmt: skip
            for _trial in range(_TRIALS):
                energy, gradient = self._evaluate(self.y + step)
                if energy - self.energy <= 1e-13 * max(1.0, abs(self.energy)) and np.isfinite(gradient).all():
                    break
                step = 0.25 * step
            else:
                return
            self.y, self.energy, self.gradient = self.y + step, energy, gradient

    def _proved(self, curvature: Curvature, steps: int) -> Ascent:
        proof = prove(self.system, curvature, self.whole, 2, starts=self.starts, model=self.model)
        self.products += curvature.products
        return self._ended(proof.status(1), steps, proof)

    def _ended(self, status: Status, steps: int, proof: Proof | None = None) -> Ascent:
        x, mode = self.whole.copy(), np.zeros(self.system.n)
        x[self.free] = self.y
        if proof is not None:
            mode[self.free] = proof.vectors[0]
        elif self.mode is not None:
            mode[self.free] = self.mode
        values = np.full(2, np.nan) if proof is None else np.append(proof.values, [np.inf] * 2)[:2]
        energy, rms = float(self.energy), self.rms
        return Ascent(x, energy, rms, steps, self.evaluations, self.products, status, values, mode)
