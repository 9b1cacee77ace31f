"""Images of an elastic band: number, initial path, relaxation and energy maxima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase.geometry import complete_cell, find_mic
from scipy.interpolate import CubicHermiteSpline

from thalweg.optimizers.energy_profile import Curve
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.kernels.dneb import MEMORY, BandSettings, band_gradient, dneb_walk, evaluate_images, fresh_state
from thalweg.optimizers.kernels.idpp import pair_separations
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.conversion.numeric_options import finite_number, positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = ["Band", "BandRules", "Images", "first_images", "first_positions"]

_FEWEST, _MOST, _MANY = 7, 40, 21
# Images within the distance of neighbours: enough to show every maximum, or, where each one costs, to find the highest
_DENSE, _SPARSE = 6.7, 2.5
# A band that has not come down to a tenth of its first gradient climbs after this many steps all the same
_CLIMB_BELOW, _CLIMB_AFTER = 0.1, 100
# A step at which an energy is not finite is shortened so often; a calculator in Python is not called in vain
_TRIALS = 8
# The order of atoms as given is kept where it is no longer than so many times the shortest order that keeps the bonds
_AS_GIVEN = 1.5
# Distance, in the unit of length, below which two points are copies of each other
_COPIES = 1e-3


class BandRules(NamedTuple):
    """Rules by which a band moves; see :func:`~thalweg.optimizers.dneb`."""

    k: float | None = None
    max_step: float = 0.1
    evenness: float = 0.05
    top_springs: float = 1.0
    climb: bool = False

    def check(self) -> None:
        """Raise ValueError naming what is out of range."""
        for name, value in (("k", self.k), ("max_step", self.max_step), ("evenness", self.evenness)):
            if value is not None:
                positive_number(name, value)
        if finite_number("top_springs", self.top_springs) < 1.0:
            raise ValueError(f"top_springs must be at least 1; it is {self.top_springs}")


@public("thalweg.optimizers")
@dataclass(frozen=True)
class Band(Curve):
    """An elastic band between two points.

    Attributes
    ----------
    x : (images + 2, n) coordinates with the end points; energy : (images + 2,).
    length : (images + 2,) distance along the band from the first end point; path_length : float, the whole.
    candidates : (maxima, n) coordinates of the band's energy maxima, found by a cubic through energies and slopes,
        in order along the band; the highest image where there is none between the ends. Of a band that climbed,
        its climbing image stands for the highest of them.
    candidate_energy : (maxima,) that the cubic gives them.
    rms : float, of the gradient that moves the band; steps : int; converged : bool; reason : str.
    units : str, of energy.
    deviation : (images + 2,) or None
        Standard deviations of the energies that a surrogate predicted, 0 where they were computed; None without one.
        ``steps`` are then calls of the calculator, and ``rms`` is that of the true gradient at the highest image.

    Examples
    --------
    >>> from thalweg.optimizers import dneb
    >>> from thalweg.potentials import Function, Point
    >>> double_well = Function(lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2)
    >>> point = Point([-1.0, 0.0], double_well)
    >>> band = dneb(point, [-1.0, 0.0], [1.0, 0.0], images=7)
    >>> print(f"{band.barrier:.3f} {band.path_length:.3f}")
    1.000 2.000
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
    units: str = "reduced"
    deviation: np.ndarray | None = None

    @property
    def highest(self) -> int:
        """Row of the highest image between the end points."""
        return 1 + int(np.argmax(self.energy[1:-1]))

    @property
    def barrier(self) -> float:
        """Energy of the highest image above the first end point."""
        return float(self.energy[self.highest] - self.energy[0])

    @property
    def kinds(self) -> np.ndarray:
        kinds = np.full(len(self.energy), "image", dtype="<U16")
        kinds[[0, -1]], kinds[self.highest] = "end", "highest image"
        return kinds


class Images:
    """The images of a band and the state of its optimizer."""

    def __init__(self, system: System, x: np.ndarray, rules: BandRules):
        self.system, self.x, self.rules = system, np.ascontiguousarray(x), rules
        count, n = x.shape
        self.inner = self.x[1:-1].reshape(-1)
        self.energy, self.gradient = np.empty(count), np.zeros((count, n))
        self.band = np.zeros((count - 2, n))
        self.flat = self.band.reshape(-1)
        self.s, self.y = np.empty((MEMORY, self.inner.size)), np.empty((MEMORY, self.inner.size))
        self.rho = np.empty(MEMORY)
        self.energy[[0, -1]], self.gradient[[0, -1]] = system.energies_gradients(self.x[[0, -1]])
        self.finite = self.evaluate()
        self.state = fresh_state(self._spring() if rules.k is None else rules.k)
        self.climb_below = _CLIMB_BELOW * self.rms() if rules.climb and self.finite else 0.0

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Make the flat arrays views of the others again, and read pickles whose state was an array of numbers."""
        self.__dict__.update(kept)
        self.inner, self.flat = self.x[1:-1].reshape(-1), self.band.reshape(-1)
        if "settings" in kept:
            spring, stored, diagonal, steps, climbs, *rho = kept["state"].tolist()
            self.state, self.rho = fresh_state(spring), np.array(rho)
            self.state["diagonal"], self.state["climbs"] = diagonal, bool(climbs)
            self.state["stored"], self.state["steps"] = int(stored), int(steps)
            self.climb_below = float(self.__dict__.pop("settings")[4])

    def evaluate(self) -> bool:
        """Compute energies and gradients; return whether all are finite."""
        function, _, integers, floats = self.system.compiled
        at_once = not self.system.threadsafe
        finite = evaluate_images(
            function, integers, floats, self.system.frozen, self.x, at_once, self.energy, self.gradient
        )
        self.system.reraise()
        return finite

    def _spring(self) -> float:
        """Springs a tenth as stiff as would balance the surface over one image: softer bands find the valley (LJ13)."""
        spacing = np.linalg.norm(self.x[-1] - self.x[0]) / (len(self.x) - 1)
        slopes = np.linalg.norm(self.gradient[1:-1], axis=1)
        return float(0.1 * np.median(slopes) / spacing) if spacing > 0 and np.median(slopes) > 0 else 1.0

    def update(self) -> None:
        """Compute the gradient that moves the band."""
        band_gradient(self.x, self.energy, self.gradient, float(self.rules.top_springs), self.state, self.band)

    def rms(self) -> float:
        """Return the rms of the gradient that moves the band."""
        self.update()
        return float(np.linalg.norm(self.flat) / np.sqrt(len(self.band) * self.system.n_free))

    def walk(self, rms: float, limit: int) -> tuple[float, int, Status]:
        """Move the band; return rms, steps, status."""
        if not self.finite:
            return np.nan, 0, Status.NOT_FINITE
        if self.rules.climb:
            self.climb_below = max(self.climb_below, 10.0 * rms)
        settings = BandSettings(
            rms=float(rms), max_step=float(self.rules.max_step), evenness=float(self.rules.evenness),
            top_springs=float(self.rules.top_springs), climb_below=self.climb_below, climb_after=_CLIMB_AFTER,
            trials=_TRIALS if self.system.threadsafe else 1,
        )  # fmt: skip
        function, _, integers, floats = self.system.compiled
        norm, taken, status = dneb_walk(
            function, integers, floats, self.system.frozen, settings, limit, self.x, self.inner, self.energy,
            self.gradient, self.band, self.flat, self.s, self.y, self.rho, self.state,
        )  # fmt: skip
        self.system.reraise()
        return norm, taken, Status(status)

    def by_idpp(self) -> Images | None:
        """Return a band between the same ends by the image-dependent pair potential; None without atoms.

        For a band on which an energy is not finite, where its ends' are: atoms of a straight path may collide.
        """
        if self.system.atoms is None or not np.isfinite(self.energy[[0, -1]]).all():
            return None
        x = interpolate(self.system, self.x[0], self.x[-1], len(self.x) - 2, "idpp")
        return Images(self.system, x, self.rules)

    def refined(self) -> Images | None:
        """Return the band with an image more wherever it is long or rough; None where it is neither."""
        steps = np.diff(self.x, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        if not self.finite or not lengths.all():
            return None
        turns = np.sum(steps[:-1] * steps[1:], axis=1) / (lengths[:-1] * lengths[1:])
        sharp = turns < 0.5
        rough = (lengths > 1.5 * lengths.mean()) | np.append(sharp, False) | np.append(False, sharp)
        rough |= _hidden_maxima(self)
        if not rough.any():
            return None
        places = np.flatnonzero(rough)
        between = 0.5 * (self.x[places] + self.x[places + 1])
        x = np.insert(self.x, places + 1, between, axis=0)
        return Images(self.system, x, self.rules._replace(k=float(self.state["spring"])))

    def result(self, rms: float, steps: int, status: Status) -> Band:
        """Return the band as it is now."""
        length = _distances_along(self.x)
        candidates, energies = _maxima(self.x, self.energy, self.gradient, length)
        if self.rules.climb and len(candidates):
            top, best = 1 + int(np.argmax(self.energy[1:-1])), int(np.argmax(energies))
            candidates[best], energies[best] = self.x[top], self.energy[top]
        return Band(
            x=self.x.copy(), energy=self.energy.copy(), length=length, path_length=float(length[-1]),
            candidates=candidates, candidate_energy=energies, rms=float(rms), steps=steps,
            converged=status == Status.CONVERGED, reason=status.reason, units=self.system.units,
        )  # fmt: skip


def _distances_along(x: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(x, axis=0), axis=1))])


def _curve(x: np.ndarray, energy: np.ndarray, gradient: np.ndarray, length: np.ndarray) -> CubicHermiteSpline:
    """Return the cubic through energies and slopes along the band."""
    directions = np.gradient(x, length, axis=0)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-300)
    return CubicHermiteSpline(length, energy, np.sum(gradient * directions, axis=1))


def _peaks(curve: CubicHermiteSpline) -> np.ndarray:
    """Return the places of a curve's maxima, the ends left out."""
    roots = np.unique(curve.derivative().roots(extrapolate=False))
    roots = roots[np.isfinite(roots)]
    return roots[(curve(roots, 2) < 0) & (roots > curve.x[0]) & (roots < curve.x[-1])]


def _hidden_maxima(images: Images) -> np.ndarray:
    """Mask of the segments in which the cubic rises above both images by a tenth of the band's span or more."""
    length, energy = _distances_along(images.x), images.energy
    curve = _curve(images.x, energy, images.gradient, length)
    peaks = _peaks(curve)
    place = np.clip(np.searchsorted(length, peaks) - 1, 0, len(length) - 2)
    above = curve(peaks) - np.maximum(energy[place], energy[place + 1])
    mask = np.zeros(len(length) - 1, dtype=bool)
    mask[place[above > 0.1 * np.ptp(energy)]] = True
    return mask


def _maxima(
    x: np.ndarray, energy: np.ndarray, gradient: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates and energies of the maxima of a cubic through the band's energies and slopes."""
    interior = 1 + int(np.argmax(energy[1:-1]))
    if not (np.isfinite(energy).all() and (np.diff(length) > 0).all()):
        return x[interior : interior + 1].copy(), energy[interior : interior + 1].copy()
    curve = _curve(x, energy, gradient, length)
    at = _peaks(curve)
    if at.size == 0:
        at = length[interior : interior + 1]
    coordinates = np.array([[np.interp(s, length, column) for column in x.T] for s in at])
    return coordinates, curve(at)


def _spacing(system: System, a: np.ndarray) -> float:
    """Return a distance between images that suits a system."""
    if system.atoms is None or len(system.atoms) < 2:
        return 1.0 / 6.0
    vectors = pair_separations(a, system.atoms.pbc, complete_cell(system.atoms.cell))
    i, j = np.triu_indices(len(system.atoms), 1)
    nearest = np.full(len(system.atoms), np.inf)
    for atom in (i, j):
        np.minimum.at(nearest, atom, np.linalg.norm(vectors, axis=1))
    return float(nearest.mean()) / (_DENSE if system.threadsafe else _SPARSE)


def _same_cell(system: System, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return b with every atom by the periodic image nearest to its place in a; whatever has no cell as it is."""
    if system.atoms is None or not system.atoms.pbc.any():
        return b
    moves, _ = find_mic((b - a).reshape(-1, 3), system.atoms.cell, system.atoms.pbc)
    return a + moves.ravel()


def _near_copy(system: System, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the copy of b to which a band from a leads: its atoms in the order given, or the nearest copy.

    The order given comes first where it keeps the bonds of a molecule and no other is much shorter; of other atoms,
    whose order has no meaning, the nearest copy that is found.
    """
    nearest = system.align(a, b)
    if system.atoms is None or (system.threadsafe and system.permutations == "all"):
        return nearest
    given = system.in_order(a, b)
    if given is None:
        return nearest
    near, far = np.linalg.norm(nearest - a), np.linalg.norm(given - a)
    if system.permutations != "bonds":
        return given if far < (1.0 - 1e-6) * near else nearest
    return given if far <= _AS_GIVEN * near or near < _COPIES < far else nearest


def first_positions(
    system: System,
    a: Subject | ArrayLike,
    b: Subject | ArrayLike,
    images: int | None,
    interpolation: str,
    *,
    align: bool = True,
    density: float = 1.0,
    free: bool = False,
) -> np.ndarray:
    """Return the first band (images + 2, n) between a and b, as the arguments of :func:`dneb` say.

    ``free``: whether images cost no calls, so that there may be more of them.

    Raises
    ------
    ValueError
        If an argument is out of range, or a and b are the same point.
    """
    first, last = (system.coordinates(end, name) for name, end in (("a", a), ("b", b)))
    for name, end in (("a", first), ("b", last)):
        if end.size != system.n or not np.isfinite(end).all():
            raise ValueError(f"{name} must be {system.n} finite coordinates; it has {end.size}")
    first, last = system.constrain(first), system.constrain(last)
    if images is not None:
        images = whole_number("images", images, 1, 100_000)
    density = positive_number("density", density)
    last = _near_copy(system, first, last) if align else _same_cell(system, first, last)
    distance = np.linalg.norm(last - first)
    if not distance > 1e-6:
        raise ValueError("a and b are the same point once aligned: there is nothing between them, unless align=False")
    fewest = _FEWEST if system.threadsafe else 5
    count = images or int(np.clip(np.ceil(density * distance / _spacing(system, first)), fewest, _MOST))
    if free and images is None:
        count = max(count, min(2 * count + 1, _MANY))
    return interpolate(system, first, last, count, interpolation)


def first_images(system: System, x: np.ndarray, interpolation: str, rules: BandRules) -> Images:
    """Return the images of a first band x (images + 2, n), by the pair potential where an energy is not finite."""
    band = Images(system, x, rules)
    return band if band.finite or interpolation != "linear" else band.by_idpp() or band
