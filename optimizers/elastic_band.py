"""Doubly-nudged elastic band: candidates for the transition states between two minima."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.optimize.optimize import DEFAULT_MAX_STEPS, Dynamics, Optimizer
from ase.utils.abc import Optimizable

from thalweg.optimizers.band_images import Band, BandRules, Images, first_images, first_positions
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.quasi_newton.searches import needs_differences
from thalweg.optimizers.results import TransitionStateResult
from thalweg.optimizers.rules import SearchOptions
from thalweg.optimizers.transition_states import find_transition_states
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from typing import Unpack

    from numpy.typing import ArrayLike

    from thalweg.optimizers.rules import BandOptions, DynamicsOptions, LogFile, Trajectory
    from thalweg.potentials.protocols import Subject

__all__ = ["DNEB", "Band", "connect_pair", "dneb"]

# Calls with which a surrogate begins, the coordinates up to which solving for its weights takes less than a second, and
# calls after which its band is good enough to search from
_FIRST_CALLS, _MOST_LEARNED, _ENOUGH = 4, 159, 40


def dneb(
    system: Subject | System,
    a: Subject | ArrayLike,
    b: Subject | ArrayLike,
    *,
    images: int | None = None,
    k: float | None = None,
    steps: int = 200,
    rms: float = 1e-2,
    max_step: float = 0.1,
    evenness: float = 0.05,
    interpolation: str = "linear",
    climb: bool = False,
    top_springs: float = 1.0,
    refine: int = 0,
    align: bool = True,
    density: float = 1.0,
    surrogate: bool | None = None,
) -> Band:
    """Relax a doubly-nudged elastic band between two minima.

    The projected forces are those of ``band_gradient`` in ``optimizers/kernels/dneb.py``.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What both are minima of.
    a, b : ase.Atoms, Point, or array_like, shape (n,) or (atoms, 3)
        End points; the symmetry copy of b nearest to a is taken, unless ``align`` is False. Of molecules, b with its
        atoms in the order given where that keeps the bonds and no other order is much shorter.
    images : int, optional
        Points between them. By the distance where missing, 7 to 40: one a sixth of the distance of neighbours, or
        from 5, two a distance of neighbours, for a calculator written in Python, whose every call counts.
    k : float, optional
        Spring constant at first, by the surface's slopes where missing; it adapts by 5 % every 5 steps to keep
        the images even.
    steps : int
        Most LBFGS steps of the whole band, each round of refinement included.
    rms : float
        Stop below this rms of the band's gradient. Candidates are refined anyway: tight bands are wasted on them. A
        band that shall converge must climb: without, the doubly nudged springs hold it off.
    max_step : float
        Longest step of an image.
    evenness : float
        Mean relative deviation of the images' distances that the springs aim at.
    interpolation : {"linear", "idpp"}
        The first band: straight with atoms kept from colliding, or the image-dependent pair potential. Where an energy
        on a straight band is not finite, or becomes so, the second is tried once.
    climb : bool
        Once the band is near the valley (a tenth of its first gradient, or 100 steps), send its highest image up to
        the saddle, and leave the springs' part across the band out: it converges as tightly as asked for.
    top_springs : float
        How many times stiffer springs are at the top of the band than at its ends, by the energy between: images
        gather where the saddle is.
    refine : int
        How often, once the band has moved, an image is added wherever it is long, turns sharply, or has a maximum
        between two images; it is moved again then.
    align : bool
        Whether to take b's copy nearest to a; without, b as it is but for whole vectors of a periodic cell, for the
        way from a minimum to a copy of itself (a vacancy that hops).
    density : float
        How many times as many images as the distance suggests, where ``images`` is missing: another number is another
        band, for one that led nowhere.
    surrogate : bool, optional
        Whether the band relaxes on a Gaussian process that learns energies and gradients of single images, its highest
        image climbing, until the true gradient there is below ``rms`` and the energies of all others are known to 5 %
        of the band's span: tens of calls instead of hundreds. Where missing, of ASE calculators without a Hessian with
        up to 159 free coordinates. ``steps`` limits the calls, and ``refine`` has no meaning. Where it fails, the band
        is relaxed without it and the reason says so.

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
    113 (2000) 9978; G. Henkelman, B. P. Uberuaga and H. Jonsson, J. Chem. Phys. 113 (2000) 9901 (climbing, springs by
    energy). Of the surrogate: :func:`~thalweg.optimizers.surrogate.band.surrogate_band`.

    Examples
    --------
    >>> from thalweg.optimizers import dneb
    >>> from thalweg.potentials import Function, Point
    >>> double_well = Function(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2)
    >>> point = Point([-1.0, 0.0], double_well)
    >>> band = dneb(point, [-1.0, 0.0], [1.0, 0.0], images=7)
    >>> len(band.x), len(band.candidates)
    (9, 1)
    """
    system = as_system(system)
    rms, steps, refine = positive_number("rms", rms), whole_number("steps", steps), whole_number("refine", refine)
    rules = BandRules(k, max_step, evenness, top_springs, climb)
    rules.check()
    positions = partial(first_positions, system, a, b, images, interpolation, align=align, density=density)
    failure = ""
    if steps >= _FIRST_CALLS and (_suits_surrogate(system) if surrogate is None else surrogate):
        learned, failure = _by_surrogate(system, positions(free=True), rules, rms, steps)
        if learned is not None:
            return learned
    band = first_images(system, positions(), interpolation, rules)
    norm, taken, status = band.walk(rms, steps // (refine + 1))
    if status == Status.NOT_FINITE and interpolation == "linear" and taken:
        # atoms collided, or the calculator failed, on the way from a straight band
        other = band.by_idpp()
        if other is not None and other.finite:
            band = other
            norm, taken, status = band.walk(rms, steps // (refine + 1))
    for left in range(refine, 0, -1):
        band = band.refined() or band
        norm, more, status = band.walk(rms, (steps - taken) // left)
        taken += more
    found = band.result(norm, taken, status)
    return replace(found, reason=found.reason + failure)


def _suits_surrogate(system: System) -> bool:
    """Return whether a band relaxes on a surrogate by itself: where calls are dear, and coordinates not too many."""
    return needs_differences(system) and system.n_free <= _MOST_LEARNED


def _by_surrogate(system: System, x: np.ndarray, rules: BandRules, rms: float, steps: int) -> tuple[Band | None, str]:
    """Return a band that has relaxed on a surrogate, or None and what to add to the reason of another one."""
    # networks and Lennard-Jones clusters do without, and need not wait for it to compile
    from thalweg.optimizers.surrogate.band import SurrogateFailed, surrogate_band

    try:
        return surrogate_band(system, x, rules, rms, steps), ""
    except SurrogateFailed as error:
        return None, f"; without its surrogate, which failed: {error}"


def connect_pair(
    system: Subject | System,
    a: Subject | ArrayLike,
    b: Subject | ArrayLike,
    *,
    rms: float = 1e-9,
    threads: int | None = None,
    search: SearchOptions | None = None,
    **band: Unpack[BandOptions],
) -> TransitionStateResult:
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
        Further arguments of :func:`dneb`, but its own rms, which is left at its default. With none but ``images``,
        ``align`` and ``density`` a band of several molecules moves a few steps only, each molecule as a whole. Of one
        that relaxes on a surrogate by default, ``steps`` is 40 where missing: the search goes on from there.

    Returns
    -------
    TransitionStateResult
        One walker a candidate, in order along the band. The minima need not be a and b.

    Examples
    --------
    >>> from thalweg.optimizers import connect_pair
    >>> from thalweg.potentials import Function, Point
    >>> double_well = Function(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2)
    >>> point = Point([-1.0, 0.0], double_well)
    >>> found = connect_pair(point, [-1.0, 0.0], [1.0, 0.1], rms=1e-6)
    >>> print(found.converged[0], f"{found.energy[0]:.6f}")
    True 1.000000
    """
    system = as_system(system)
    found = _rough_band(system, a, b, band)
    if band.get("surrogate") is None and _suits_surrogate(system):
        band.setdefault("steps", _ENOUGH)
    return _refined(
        system, found or dneb(system, a, b, **band), SearchOptions(rms=rms, threads=threads, **(search or {}))
    )


def _rough_band(system: System, a: Subject | ArrayLike, b: Subject | ArrayLike, given: BandOptions) -> Band | None:
    """Return a band of several molecules that has moved a few steps, each molecule as a whole; None for others.

    A few steps bring it down to its barriers. More of them would cost more calls than the searches from there save.
    """
    if not needs_differences(system) or set(given) - {"images", "align", "density"}:
        return None
    # bond graphs take time to load, for which clusters and networks need not wait
    from thalweg.optimizers.quasi_newton.molecules.band import relax_as_wholes
    from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules

    align, density = given.get("align", True), given.get("density", 1.0)
    x = first_positions(system, a, b, given.get("images"), "linear", align=align, density=density)
    if not TurningMolecules(system, x[0]).molecules:
        return None
    images = first_images(system, x, "linear", BandRules())
    return images.result(*relax_as_wholes(images)) if images.finite else None


def _refined(system: System, band: Band, search: SearchOptions) -> TransitionStateResult:
    """Refine the candidates of a band to transition states.

    Where Hessians are made of differences the band's tangent says which mode leads uphill. From another guess the few
    products that a search takes may settle on another mode, and the search leaves the barrier that the band has found.
    """
    if needs_differences(system) and system.n_free <= LARGEST_MATRIX and search.get("directions") is None:
        nearest = [int(np.argmin(np.linalg.norm(band.x[1:-1] - one, axis=1))) for one in band.candidates]
        search = SearchOptions(**{**search, "directions": (band.x[2:] - band.x[:-2])[nearest]})
    return find_transition_states(system, band.candidates, **search)


class _OptimizableBand(Optimizable):
    """A band as ASE's classes see it."""

    def __init__(self, images: Images):
        self.images = images

    def ndofs(self) -> int:
        return self.images.inner.size

    def get_x(self) -> np.ndarray:
        return self.images.inner.copy()

    def set_x(self, x: np.ndarray) -> None:
        self.images.inner[:] = x
        self.images.finite = self.images.evaluate()

    def get_gradient(self) -> np.ndarray:
        self.images.update()
        return self.images.flat.copy()

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


@public("thalweg.optimizers")
class DNEB(Optimizer):
    """A doubly-nudged elastic band between two minima, run as ASE's optimizers are.

    Parameters
    ----------
    a, b : ase.Atoms, Point or Weights
        The minima; the calculator of the first is used, and neither is moved.
    images, k, max_step, evenness, interpolation, climb, top_springs, align
        As :func:`dneb`.
    logfile, trajectory, **kwargs
        As ASE's optimizers take them; a trajectory holds all images of each step, of Atoms only.

    Attributes
    ----------
    reason : str or None
        How the last run ended.

    Examples
    --------
    >>> from thalweg.optimizers import DNEB
    >>> from thalweg.potentials import Function, Point
    >>> double_well = Function(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2)
    >>> point = Point([-1.0, 0.0], double_well)
    >>> band = DNEB(point, Point([1.0, 0.0], double_well), images=7, logfile=None)
    >>> band.run(rms=1e-4, steps=200)
    True
    >>> print(f"{band.band().barrier:.6f}")
    1.000000
    """

    def __init__(
        self,
        a: Atoms | Point,
        b: Atoms | Point,
        *,
        images: int | None = None,
        k: float | None = None,
        max_step: float = 0.1,
        evenness: float = 0.05,
        interpolation: str = "linear",
        climb: bool = False,
        top_springs: float = 1.0,
        align: bool = True,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        if trajectory is not None and not isinstance(a, Atoms):
            raise TypeError("trajectory can only hold Atoms: for a Point leave it out and use .band()")
        system = as_system(a)
        rules = BandRules(k, max_step, evenness, top_springs, climb)
        rules.check()
        x = first_positions(system, system.x, b, images, interpolation, align=align)
        self._images = first_images(system, x, interpolation, rules)
        self.reason: str | None = None
        self.rms: float | None = None
        super().__init__(_OptimizableBand(self._images), None, logfile, trajectory, **kwargs)

    def irun(
        self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS, rms: float | None = None
    ) -> Iterator[bool]:
        """Run as a generator; fmax and rms are of the band's gradient, and either ends the run.

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
        self.reason = Status.CONVERGED.reason if converged else self.reason or Status.TOO_MANY_STEPS.reason
        return converged

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Whether a band's gradient is small enough."""
        small = self.fmax is not None and self.optimizable.converged(gradient, self.fmax)
        return bool(small or (self.rms is not None and self._images.rms() < self.rms))

    def step(self) -> None:
        """Move the whole band once."""
        _, _, status = self._images.walk(1e-300, 1)
        if status == Status.NOT_FINITE:
            self.reason = Status.NOT_FINITE.reason
            self.max_steps = self.nsteps

    def band(self) -> Band:
        """Return the band as it is now."""
        status = Status.TOO_MANY_STEPS if self.reason is None else Status.of(self.reason)
        return self._images.result(self._images.rms(), self.nsteps, status)

    def images(self) -> list[Atoms | Point]:
        """Return copies of all images, end points included."""
        return list(self.optimizable.iterimages())

    def find_transition_states(self, **arguments: Unpack[SearchOptions]) -> TransitionStateResult:
        """Refine the band's maxima, with the arguments of :func:`find_transition_states`."""
        return _refined(self._images.system, self.band(), arguments)
