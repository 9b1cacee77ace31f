"""Steepest descent integrated by an exponential method: each step follows the local quadratic surface exactly.

A path of steepest descent is the orbit of the gradient flow dq/dt = -g(q), which is stiff: in a valley an explicit
method zigzags. The predictor is the flow on the quadratic surface at the beginning of the step (the local quadratic
approximation of Page and McIver), the corrector takes in how the gradient at its end differs from that of the
quadratic surface (the method exprb32 of Hochbruck, Ostermann and Schweitzer). Their difference chooses the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from thalweg.optimizers.descent_paths.coordinates import PathCoordinates
from thalweg.optimizers.descent_paths.exponentials import phi
from thalweg.optimizers.descent_paths.hessians import HessianSource
from thalweg.optimizers.quasi_newton.surface import Surface

__all__ = ["DescentPath", "Piece", "integrate"]

# Correction of a step, relative to the step: with exact Hessians it is of third order
_TOLERANCE, _TOLERANCE_LEARNING = 0.02, 0.15
# Correction below which an updated Hessian says what it changes, relative to the step
_ESTIMATED = 0.02
# Part of the length so far at which the nearest minimum of the quadratic surface counts as reached
_REACHED, _REACHED_LEARNING = 3e-3, 2e-2
_MOST_STEPS = 1000
# Rise in energy that a calculator's noise explains, eV
_NOISE = 1e-5
# Components of the force below this part of it are rounding
_ROUNDING = 1e-7
_MESH, _DURATIONS = 24, 48


@dataclass(frozen=True)
class Piece:
    """One step: q(t) = start + vectors (t phi_1(t values) force + curved (t/h)**order ... correction), t from 0 to h.

    Attributes
    ----------
    start : (k,) ndarray
    values, vectors : (k,), (k, k) ndarrays
        Eigenvalues and eigenvectors of minus the Hessian.
    force, correction : (k,) ndarrays
        Over the eigenvectors: the force at the start, and its deviation from the quadratic surface at the predictor.
    duration : float
    order : int
        Power of time with which the deviation grows: 2, or 1 with an estimated Hessian.
    """

    start: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    force: np.ndarray
    correction: np.ndarray
    duration: float
    order: int

    def at(self, times: np.ndarray) -> np.ndarray:
        """Return the points (m, k) at times (m,)."""
        z = times[:, None] * self.values
        moved = times[:, None] * _phi_1(z) * self.force
        bent = (times * (times / self.duration) ** self.order)[:, None] * phi(self.order + 1, z) * self.correction
        return self.start + (moved + self.order * bent) @ self.vectors.T

    def mesh(self) -> np.ndarray:
        """Return times (m,) at which points lie so closely that their chords are as long as the path."""
        stiff = self.duration * float(np.abs(self.values[_significant(self.force)]).max(initial=0.0))
        part, stretch = np.linspace(0.0, 1.0, _MESH + 1)[1:], np.log1p(stiff)
        return self.duration * (np.expm1(stretch * part) / np.expm1(stretch) if stretch > 1e-3 else part)


@dataclass
class DescentPath:
    """A path down one side.

    Attributes
    ----------
    points : (m, k) ndarray
        Closely along the path, the transition state first.
    nodes : list of int
        Rows of the points at which the energy was computed: the transition state and the end of each step.
    energies : list of float
        Energies there.
    """

    points: list[np.ndarray]
    energies: list[float]
    nodes: list[int] = field(default_factory=lambda: [0])

    def length(self) -> np.ndarray:
        """Return the distance along the path of each point, (m,)."""
        steps = np.linalg.norm(np.diff(np.array(self.points), axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)])


def _spectrum(hessian: np.ndarray, null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of minus the Hessian, in which the null modes (k, modes) have none.

    Away from stationary points a turned copy has a turned gradient: rotations have eigenvalues, but no force.
    """
    hessian = hessian - null @ (null.T @ hessian)
    hessian = hessian - (hessian @ null) @ null.T
    return np.linalg.eigh(-0.5 * (hessian + hessian.T))


def _phi_1(z: np.ndarray) -> np.ndarray:
    safe = np.where(z == 0.0, 1.0, z)
    return np.where(z == 0.0, 1.0, np.expm1(safe) / safe)


def _significant(force: np.ndarray) -> np.ndarray:
    return np.abs(force) > _ROUNDING * np.linalg.norm(force)


def _newton(values: np.ndarray, force: np.ndarray) -> float:
    """Return the distance of the quadratic surface's minimum; infinite where it has none in the way."""
    # null modes, and forces along them, which are a calculator's noise, are left out
    some = _significant(force) & (np.abs(values) > _ROUNDING * np.abs(values).max())
    return float(np.linalg.norm(force[some] / values[some])) if (values[some] < 0.0).all() else np.inf


def _duration(values: np.ndarray, force: np.ndarray, reach: float) -> float:
    """Return the time in which the quadratic surface's flow goes about as far as ``reach``, or close to its minimum."""
    times = reach / np.linalg.norm(force) * np.geomspace(1e-6, 1e6, _DURATIONS)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.linalg.norm(times[:, None] * _phi_1(times[:, None] * values) * force, axis=1)
    if moved[-1] <= reach:
        return float(times[-1])
    k = int(np.argmax(~(moved < reach)))
    low, high = moved[max(k - 1, 0)], moved[k]
    if k == 0 or not np.isfinite(high):
        return float(times[max(k - 1, 0)])
    part = np.log(reach / low) / np.log(high / low)
    return float(times[k - 1] * (times[k] / times[k - 1]) ** part)


def integrate(
    surface: Surface, coordinates: PathCoordinates, x: np.ndarray, mode: np.ndarray, hessians: HessianSource, *,
    push: float, longest: float, goal: float,
) -> DescentPath:  # fmt: skip
    """Follow steepest descent from beside a transition state until a minimum is near.

    Parameters
    ----------
    surface : Surface
        Energies and gradients.
    coordinates : PathCoordinates
    x : (n,) ndarray
        The transition state.
    mode : (k,) ndarray
        Unit vector of its downhill mode, towards this side.
    hessians : HessianSource
    push : float
        First displacement along the mode.
    longest : float
        Longest step.
    goal : float
        Rms gradient at which the path ends in any case.

    Returns
    -------
    DescentPath
        From the transition state to where the minimum is nearer than 0.3 % of the length.

    Raises
    ------
    RuntimeError
        If energies are not finite, or no minimum is near after 1000 steps.

    References
    ----------
    M. Page and J. W. McIver, J. Chem. Phys. 88 (1988) 922; M. Hochbruck, A. Ostermann and J. Schweitzer, SIAM J. Numer.
    Anal. 47 (2009) 786; H. P. Hratchian and H. B. Schlegel, J. Chem. Phys. 120 (2004) 9918.
    """
    matrix, q = coordinates.matrix, push * mode
    path = DescentPath([np.zeros(len(mode)), q], [surface(x)[0]])
    energy, gradient = surface(x + matrix @ q)
    path.nodes.append(1)
    path.energies.append(energy)
    travelled, reach = push, min(longest, 4.0 * push)
    near = _REACHED if hessians.exact else _REACHED_LEARNING
    for _ in range(_MOST_STEPS):
        force = -(matrix.T @ gradient)
        values, vectors = _spectrum(hessians.at(x + matrix @ q), coordinates.null_modes(x + matrix @ q))
        if surface.rms(gradient) < goal or _newton(values, vectors.T @ force) < near * travelled:
            return path
        step = _step(surface, x, matrix, q, energy, force, values, vectors, reach, hessians)
        points = step.piece.at(step.piece.mesh())
        path.points.extend(points)
        path.nodes.append(len(path.points) - 1)
        path.energies.append(step.energy)
        travelled += float(np.linalg.norm(np.diff(np.vstack([q, points]), axis=0), axis=1).sum())
        q, energy, gradient, reach = points[-1], step.energy, step.gradient, min(longest, step.reach)
    raise RuntimeError(f"no minimum is near after {_MOST_STEPS} steps down")


@dataclass(frozen=True)
class _Step:
    piece: Piece
    energy: float
    gradient: np.ndarray
    reach: float


def _step(
    surface: Surface, x: np.ndarray, matrix: np.ndarray, q: np.ndarray, energy: float, force: np.ndarray,
    values: np.ndarray, vectors: np.ndarray, reach: float, hessians: HessianSource,
) -> _Step:  # fmt: skip
    """Take one step whose correction is small, and choose the next one's length."""
    along, tolerance = vectors.T @ force, _TOLERANCE if hessians.exact else _TOLERANCE_LEARNING
    order = 2 if hessians.exact else 1
    rise = 1e-12 * abs(energy) + (0.0 if hessians.exact else _NOISE)
    for _ in range(30):
        duration = _duration(values, along, reach)
        moved = duration * _phi_1(duration * values) * along
        size = float(np.linalg.norm(moved))
        predictor = q + vectors @ moved
        new_energy, gradient = surface(x + matrix @ predictor)
        predicted = -(matrix.T @ gradient)
        deviation = vectors.T @ predicted - along - values * moved
        correction = order * duration * phi(order + 1, duration * values) * deviation
        error = float(np.linalg.norm(correction)) / size
        if not np.isfinite(error):
            reach = 0.3 * size
            continue
        change = float(np.clip(0.8 * (tolerance / max(error, 1e-12)) ** (1.0 / order), 0.25, 3.0))
        hessians.learn(vectors @ moved, force - predicted)
        # of shorter steps the error is the noise of the gradients
        if error > tolerance and size > hessians.shortest:
            reach = min(change, 0.7) * size
            continue
        bent = vectors @ correction
        if hessians.exact or error > _ESTIMATED:
            new_energy, gradient = surface(x + matrix @ (predictor + bent))
            hessians.learn(bent, predicted + matrix.T @ gradient)
        else:
            # no second call: what so short a correction changes the Hessian says
            turned = hessians.at(x) @ bent
            new_energy += float((0.5 * turned - predicted) @ bent)
            gradient = gradient + np.linalg.pinv(matrix).T @ turned
        if np.isfinite(gradient).all() and new_energy < energy + rise:
            piece = Piece(q, values, vectors, along, deviation, duration, order)
            return _Step(piece, new_energy, gradient, change * size)
        reach = 0.3 * size
    raise RuntimeError("steepest descent could not be followed: the energy does not fall along it")
