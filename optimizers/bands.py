"""Doubly-nudged elastic band: candidates for the transition states between two minima."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize.optimize import DEFAULT_MAX_STEPS, Dynamics, Optimizer
from ase.utils.abc import Optimizable
from scipy.interpolate import CubicHermiteSpline

from thalweg.optimizers.dneb_kernel import band_gradient, dneb_walk, evaluate_images
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.results import REASONS, TransitionStateResult
from thalweg.optimizers.transition_states import find_transition_states
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

__all__ = ["DNEB", "Band", "connect_pair", "dneb"]

_MEMORY = 4
_FIRST_DIAGONAL = 0.1
_NOT_FINITE = 3


@dataclass(frozen=True)
class Band:
    """An elastic band between two points.

    Attributes
    ----------
    x : (images + 2, n) coordinates with the end points; energy : (images + 2,).
    length : (images + 2,) distance along the band from the first end point; path_length : float, the whole.
    candidates : (maxima, n) coordinates of the band's energy maxima, found by a cubic through energies and slopes,
        in order along the band; the highest image where there is none between the ends.
    candidate_energy : (maxima,) that the cubic gives them.
    rms : float, of the doubly nudged gradient; steps : int; converged : bool; reason : str.
    """

    x: np.ndarray
    energy: np.ndarray
    length: np.ndarray
    path_length: float
    candidates: np.ndarray
    candidate_energy: np.ndarray
    rms: float
    steps: int
    converged: bool
    reason: str


class _Images:
    """The images of a band and the state of its optimizer; also an ASE Optimizable."""

    def __init__(self, system: System, x: np.ndarray, k: float | None, max_step: float, evenness: float):
        self.system, self.x = system, np.ascontiguousarray(x)
        count, n = x.shape
        self.inner = self.x[1:-1].reshape(-1)
        self.energy, self.gradient = np.empty(count), np.zeros((count, n))
        self.band = np.zeros((count - 2, n))
        self.flat = self.band.reshape(-1)
        self.s, self.y = np.empty((_MEMORY, self.inner.size)), np.empty((_MEMORY, self.inner.size))
        self.energy[[0, -1]], self.gradient[[0, -1]] = system.energies_gradients(self.x[[0, -1]])
        self.finite = self.evaluate()
        self.settings = np.array([0.0, max_step, evenness])
        self.state = np.zeros(4 + _MEMORY)
        self.state[0] = self._spring() if k is None else k
        self.state[2] = _FIRST_DIAGONAL

    def evaluate(self) -> bool:
        function, _, integers, floats = self.system.compiled
        finite = evaluate_images(function, integers, floats, self.system.frozen, self.x, self.energy, self.gradient)
        self.system.reraise()
        return finite

    def _spring(self) -> float:
        """Springs a tenth as stiff as would balance the surface over one image: softer bands find the valley (LJ13)."""
        spacing = np.linalg.norm(self.x[-1] - self.x[0]) / (len(self.x) - 1)
        slopes = np.linalg.norm(self.gradient[1:-1], axis=1)
        return float(0.1 * np.median(slopes) / spacing) if spacing > 0 and np.median(slopes) > 0 else 1.0

    def walk(self, rms: float, limit: int) -> tuple[float, int, int]:
        """Move the band; return rms, steps, status."""
        if not self.finite:
            return np.nan, 0, _NOT_FINITE
        self.settings[0] = rms
        function, _, integers, floats = self.system.compiled
        result = dneb_walk(
            function, integers, floats, self.system.frozen, self.settings, limit, self.x, self.inner,
            self.energy, self.gradient, self.band, self.flat, self.s, self.y, self.state,
        )  # fmt: skip
        self.system.reraise()
        return result

    def result(self, rms: float, steps: int, status: int) -> Band:
        """Return the band as it is now."""
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.x, axis=0), axis=1))])
        candidates, energies = _maxima(self.x, self.energy, self.gradient, length)
        return Band(
            self.x.copy(), self.energy.copy(), length, float(length[-1]), candidates, energies,
            float(rms), steps, status == 0, REASONS[status],
        )  # fmt: skip


def _maxima(x, energy, gradient, length):
    """Coordinates and energies of the maxima of a cubic through the band's energies and slopes."""
    interior = 1 + int(np.argmax(energy[1:-1]))
    if not (np.isfinite(energy).all() and (np.diff(length) > 0).all()):
        return x[interior : interior + 1].copy(), energy[interior : interior + 1].copy()
    directions = np.gradient(x, length, axis=0)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-300)
    curve = CubicHermiteSpline(length, energy, np.sum(gradient * directions, axis=1))
    roots = np.unique(curve.derivative().roots(extrapolate=False))
    roots = roots[np.isfinite(roots)]
    at = roots[(curve(roots, 2) < 0) & (roots > 0.0) & (roots < length[-1])]
    if at.size == 0:
        at = length[interior : interior + 1]
    coordinates = np.array([[np.interp(s, length, column) for column in x.T] for s in at])
    return coordinates, curve(at)


def _prepared(system, a, b, images, k, max_step, evenness, interpolation):
    a, b = (np.array(end, dtype=np.float64).ravel() for end in (a, b))
    for name, end in (("a", a), ("b", b)):
        if end.size != system.n or not np.isfinite(end).all():
            raise ValueError(f"{name} must be {system.n} finite coordinates; it has {end.size}")
    if images is not None and (images != int(images) or images < 1):
        raise ValueError(f"images must be a positive whole number; it is {images}")
    if k is not None and not k > 0:
        raise ValueError(f"k must be positive; it is {k}")
    if not max_step > 0 or not evenness > 0:
        raise ValueError(f"max_step and evenness must be positive; they are {max_step} and {evenness}")
    b = system.align(a, b)
    distance = np.linalg.norm(b - a)
    if not distance > 1e-6:
        raise ValueError("a and b are the same point once aligned: there is nothing between them")
    # closer than this, images show no more maxima
    count = images or int(np.clip(np.ceil(6 * distance), 7, 40))
    return _Images(system, interpolate(system, a, b, count, interpolation), k, max_step, evenness)


def dneb(
    system: Any,
    a: Any,
    b: Any,
    *,
    images: int | None = None,
    k: float | None = None,
    steps: int = 200,
    rms: float = 1e-2,
    max_step: float = 0.1,
    evenness: float = 0.05,
    interpolation: str = "linear",
) -> Band:
    """Relax a doubly-nudged elastic band between two minima.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What both are minima of.
    a, b : array_like, shape (n,)
        End points; the symmetry copy of b nearest to a is taken.
    images : int, optional
        Points between them; by the distance, 7 to 40, where missing.
    k : float, optional
        Spring constant at first, by the surface's slopes where missing; it adapts by 5 % every 5 steps to keep
        the images even.
    steps : int
        Most LBFGS steps of the whole band.
    rms : float
        Stop below this rms of the doubly nudged gradient. Candidates are refined anyway: tight bands are wasted.
    max_step : float
        Longest step of an image.
    evenness : float
        Mean relative deviation of the images' distances that the springs aim at.
    interpolation : {"linear", "idpp"}
        The first band: straight with atoms kept from colliding, or ASE's image-dependent pair potential.

    Returns
    -------
    Band

    Raises
    ------
    ValueError
        If an argument is out of range, or a and b are the same point.

    References
    ----------
    S. A. Trygubenko and D. J. Wales, J. Chem. Phys. 120 (2004) 2082; G. Henkelman and H. Jonsson, J. Chem. Phys.
    113 (2000) 9978.
    """
    system = as_system(system)
    if steps < 0 or not rms > 0:
        raise ValueError(f"steps must not be negative and rms positive; they are {steps} and {rms}")
    band = _prepared(system, a, b, images, k, max_step, evenness, interpolation)
    return band.result(*band.walk(rms, steps))


def connect_pair(
    system: Any, a: Any, b: Any, *, rms: float = 1e-9, threads: int | None = None, search: dict | None = None,
    **band: Any,
) -> TransitionStateResult:  # fmt: skip
    """Refine the maxima of a band between two minima to transition states, with both minima of each.

    Parameters
    ----------
    system, a, b
        As :func:`dneb`.
    rms : float
        Rms gradient of the stationary points.
    threads : int, optional
        Threads over candidates.
    search : dict, optional
        Further arguments of :func:`find_transition_states`.
    **band
        Further arguments of :func:`dneb`, but its own rms, which is left at its default.

    Returns
    -------
    TransitionStateResult
        One walker a candidate, in order along the band. The minima need not be a and b.
    """
    system = as_system(system)
    candidates = dneb(system, a, b, **band).candidates
    return find_transition_states(system, candidates, rms=rms, threads=threads, **(search or {}))


class _OptimizableBand(Optimizable):
    """A band as ASE's classes see it."""

    def __init__(self, images: _Images):
        self.images = images

    def ndofs(self) -> int:
        return self.images.inner.size

    def get_x(self) -> np.ndarray:
        return self.images.inner.copy()

    def set_x(self, x: np.ndarray) -> None:
        self.images.inner[:] = x
        self.images.finite = self.images.evaluate()

    def get_gradient(self) -> np.ndarray:
        images = self.images
        band_gradient(images.x, images.energy, images.gradient, images.state[0], images.band)
        return images.flat.copy()

    def get_value(self) -> float:
        return float(self.images.energy[1:-1].max())

    def gradient_norm(self, gradient: np.ndarray) -> float:
        if self.images.system.atoms is None:
            return float(np.abs(gradient).max())
        return float(np.linalg.norm(gradient.reshape(-1, 3), axis=1).max())

    def iterimages(self) -> Iterator[Atoms | Point]:
        images = self.images
        for x, energy, gradient in zip(images.x, images.energy, images.gradient, strict=True):
            subject = images.system.subject(x)
            if isinstance(subject, Atoms):
                subject.calc = SinglePointCalculator(subject, energy=energy, forces=-gradient.reshape(-1, 3))
            yield subject


class DNEB(Optimizer):
    """A doubly-nudged elastic band between two minima, run as ASE's optimizers are.

    Parameters
    ----------
    a, b : ase.Atoms, Point or Weights
        The minima; the calculator of the first is used, and neither is moved.
    images, k, max_step, evenness, interpolation
        As :func:`dneb`.
    logfile, trajectory, **kwargs
        As ASE's optimizers take them; a trajectory holds all images of each step, of Atoms only.

    Attributes
    ----------
    reason : str or None
        How the last run ended.
    """

    def __init__(
        self, a: Atoms | Point, b: Atoms | Point, *, images: int | None = None, k: float | None = None,
        max_step: float = 0.1, evenness: float = 0.05, interpolation: str = "linear", logfile: Any = None,
        trajectory: Any = None, **kwargs: Any,
    ):  # fmt: skip
        if trajectory is not None and not isinstance(a, Atoms):
            raise TypeError("trajectory can only hold Atoms: for a Point leave it out and use .band()")
        system = as_system(a)
        end = b.positions if isinstance(b, Atoms) else b.x
        if isinstance(a, Atoms) and isinstance(b, Atoms) and not np.array_equal(a.numbers, b.numbers):
            raise ValueError("a and b must have the same atoms in the same order")
        self._images = _prepared(system, system.x, end, images, k, max_step, evenness, interpolation)
        self.reason: str | None = None
        self.rms: float | None = None
        super().__init__(_OptimizableBand(self._images), None, logfile, trajectory, **kwargs)

    def irun(
        self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS, rms: float | None = None
    ) -> Iterator[bool]:
        """Run as a generator; fmax and rms are of the doubly nudged gradient, and either ends the run.

        A band need not converge: give ``steps``.
        """
        self.fmax = 0.05 if fmax is None and rms is None else fmax
        self.rms, self.reason = rms, None
        return Dynamics.irun(self, steps=steps)

    def run(self, fmax: float | None = None, steps: int = 1000, rms: float | None = None) -> bool:
        """Run to the end with the arguments of :meth:`irun`; return whether the band converged."""
        converged = False
        for converged in self.irun(fmax, steps, rms):  # noqa: B007  (the last one is the answer)
            pass
        self.reason = REASONS[0] if converged else self.reason or REASONS[1]
        return converged

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Whether a doubly nudged gradient is small enough."""
        small = self.fmax is not None and self.optimizable.converged(gradient, self.fmax)
        return bool(small or (self.rms is not None and self._rms() < self.rms))

    def _rms(self) -> float:
        images = self._images
        return float(np.linalg.norm(images.flat) / np.sqrt(len(images.band) * images.system.n_free))

    def step(self) -> None:
        """Move the whole band once."""
        _, _, status = self._images.walk(1e-300, 1)
        if status == _NOT_FINITE:
            self.reason = REASONS[status]
            self.max_steps = self.nsteps

    def band(self) -> Band:
        """Return the band as it is now."""
        converged = self.reason == REASONS[0]
        status = REASONS.index(self.reason) if self.reason in REASONS else 1
        return self._images.result(self._rms(), self.nsteps, 0 if converged else status)

    def images(self) -> list[Atoms | Point]:
        """Return copies of all images, end points included."""
        return list(self.optimizable.iterimages())

    def find_transition_states(self, **arguments: Any) -> TransitionStateResult:
        """Refine the band's maxima, with the arguments of :func:`find_transition_states`."""
        return find_transition_states(self._images.system, self.band().candidates, **arguments)
