"""Elastic band that relaxes on a Gaussian process, which learns from one image at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ase.geometry import complete_cell

from thalweg.optimizers.band_images import Band, BandRules, Images
from thalweg.optimizers.kernels.idpp import pair_separations
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.surrogate.descriptors import descriptor_of
from thalweg.optimizers.surrogate.gaussian_process import GaussianProcess
from thalweg.optimizers.surrogate.matern import INVERSE_DISTANCES
from thalweg.optimizers.surrogate.prediction import predicted_system
from thalweg.potentials.system import System

__all__ = ["SurrogateFailed", "surrogate_band"]

# Standard deviation of an image's energy, as part of the band's span, below which it counts as known
_KNOWN = 0.05
# How much higher than the image that has arrived others may be predicted, as part of the span
_ABOVE = 0.01
# Steps of the band between looks at how far it has gone, and how many looks
_CHUNK, _LOOKS = 5, 50
# Most that each distance of atoms of an image may differ from those of the nearest datum, in the distance of neighbours
_TRUST = 0.4
# Longest distance of neighbours over the mean one: of a band that has slid off its barrier it is many times longer
_EVEN = 2.0
# Longest band, in the length of the first one
_LONGEST = 10.0
# Calls after which the band should have converged, rows of the covariance beyond which solving takes too long, and
# calls with which something can be learned
_MOST, _LARGEST, _LEAST = 80, 12000, 10
# Images on whose way the calculator fails, so often halved, after which the surrogate is given up
_FAILURES, _HALVES = 3, 4
# Least distance of two atoms of an image, in the least of the first band: nearer ones are not asked about
_CROWDED = 0.75
# The wall is as high as the span of the first energies where atoms are nearer by a tenth than in the first band
_STEEP = 10.0
# Predicted gradients are lowered to this part of the true one's goal, and the band is at rest below so many goals
_CLOSER, _LOOSE = 0.1, 10.0
# Springs, in those of other bands: soft ones let images turn about and slide where only few are known
_STIFF = 3.0


class SurrogateFailed(Exception):
    """A surrogate that has not led to a band; the message says why."""


def surrogate_band(system: System, first: np.ndarray, rules: BandRules, rms: float, most: int) -> Band:
    """Relax a band on a Gaussian process until its highest image is a stationary point by a true call.

    The calculator is asked for one image at a time, by turns the least certain and the highest, the process learns, and
    the band is relaxed again, its highest image climbing.

    Parameters
    ----------
    system : System
    first : (images + 2, n) ndarray
        The first band, end points included.
    rules : BandRules
        All but ``climb`` hold on the surrogate.
    rms : float
        Rms of the true gradient at the highest image to reach.
    most : int
        Most calls.

    Returns
    -------
    Band
        The energies of its ends and of its highest image are computed, all others predicted, with the standard
        deviations in ``deviation``. ``steps`` are calls of the calculator.

    Raises
    ------
    SurrogateFailed
        If the calculator fails at the ends or over and over, or the band has not converged when the surrogate has
        learned as much as it can.

    References
    ----------
    O.-P. Koistinen, F. B. Dagbjartsdottir, V. Asgeirsson, A. Vehtari, H. Jonsson, J. Chem. Phys. 147 (2017) 152720;
    J. A. Garrido Torres, P. C. Jennings, M. H. Hansen, J. R. Boes, T. Bligaard, Phys. Rev. Lett. 122 (2019) 156001.
    """
    limit = min(_MOST, _LARGEST // (1 + system.n_free))
    if limit < _LEAST:
        raise SurrogateFailed(f"{system.n_free} coordinates are too many to learn gradients of")
    search = _Search(system, first, rules._replace(climb=True), rms)
    try:
        return search.run(min(limit, most), patient=most <= limit)
    except np.linalg.LinAlgError as error:
        raise SurrogateFailed(str(error)) from error


class _Search:
    """Points learned so far, and the band on what they predict."""

    def __init__(self, system: System, first: np.ndarray, rules: BandRules, rms: float) -> None:
        self.system, self.first, self.x, self.rules, self.rms = system, first, first.copy(), rules, rms
        descriptor = descriptor_of(system)
        entries = np.array([descriptor(x)[0] for x in first])
        length = float(np.linalg.norm(entries - entries[0], axis=1).max())
        self.extent = _neighbours(system, first)
        self.process = GaussianProcess(descriptor, system.free, length, system.noise.gradient)
        self.calls, self.failures = 0, 0
        self.least = _CROWDED * min(_nearest(system, x) for x in first)
        self.ends: list[float] = []
        # where the highest image has arrived: coordinates, energy and rms of the true gradient
        self.top: tuple[np.ndarray, float, float] | None = None

    def run(self, most: int, *, patient: bool) -> Band:
        """Learn from at most so many calls; ``patient``: return a band that has not converged after them."""
        self.ends = [self._called(x)[0] for x in self.x[[0, -1]]]
        if not np.isfinite(self.ends).all():
            raise SurrogateFailed("energy or gradient not finite at an end")
        inner = len(self.x) - 2
        for place in sorted({1 + inner // 3, 1 + 2 * inner // 3} - {inner + 1}):
            self._learn(self.x[place])
        self._build_wall()
        reached = np.nan
        for turn in range(most):
            self.process.fit()
            images, whole = self._relaxed()
            deviation = self.process.deviation(images.x)
            worst, highest = 1 + int(np.argmax(deviation[1:-1])), 1 + int(np.argmax(images.energy[1:-1]))
            known = bool(deviation[worst] < _KNOWN * np.ptp(images.energy))
            if self.top is not None and known and whole:
                self._check_length(images.x)
                if self._is_highest(images):
                    return self._band(images, deviation, Status.CONVERGED)
                self.top = None
            if self.calls >= most:
                break
            if self.top is None and (turn % 2 or known):
                reached = self._climb(images.x[highest])
            else:
                self._learn(images.x[worst])
        if not patient:
            raise SurrogateFailed(f"no convergence in {self.calls} calls")
        return self._band(images, deviation, Status.TOO_MANY_STEPS, reached)

    def _build_wall(self) -> None:
        """Keep atoms of the band apart, where what is not known would look like a way through."""
        if self.process.descriptor.kind == INVERSE_DISTANCES:
            nearest = float(np.max([self.process.descriptor(x)[0] for x in self.x]))
            self.process.wall = nearest
            self.process.steep = self.process.span * (_STEEP / nearest) ** 2

    def _called(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return energy and gradient by a call of the calculator, which the process takes in; NaN where it fails."""
        self.calls += 1
        energies, gradients = self.system.energies_gradients(x[None])
        if not (np.isfinite(energies[0]) and np.isfinite(gradients[0]).all()):
            return np.nan, gradients[0]
        self.process.add(x, float(energies[0]), gradients[0])
        return float(energies[0]), gradients[0]

    def _learn(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return energy and gradient at x (n,); NaN where atoms collide or the calculator fails, and learn nearby.

        Where that fails too the band starts again from the first one, wiser.
        """
        place, found = x, (np.nan, np.full(x.size, np.nan))
        nearest = min(self.process.x, key=lambda other: float(np.linalg.norm(other - x)))
        for _ in range(_HALVES):
            if _nearest(self.system, place) >= self.least:
                found = self._called(place)
                if np.isfinite(found[0]):
                    return found if place is x else (np.nan, found[1])
            place = 0.5 * (place + nearest)
        self.failures += 1
        if self.failures > _FAILURES:
            raise SurrogateFailed("energy or gradient not finite, or atoms that collide, again and again")
        self.x = self.first.copy()
        return np.nan, found[1]

    def _climb(self, x: np.ndarray) -> float:
        """Learn the highest image x (n,), and keep it if it is a stationary point; return its rms gradient."""
        energy, gradient = self._learn(x)
        rms = float(np.linalg.norm(gradient) / np.sqrt(self.system.n_free))
        if rms < self.rms and energy > max(self.ends):
            self.top = (x.copy(), energy, rms)
        return rms

    def _relaxed(self) -> tuple[Images, bool]:
        """Return the band on the surrogate, and whether it came to rest, even, and near to the data."""
        images = self._images(predicted_system(self.system, self.process), self.x)
        for look in range(_LOOKS):
            before = images.x.copy()
            rms, _, status = images.walk(_CLOSER * self.rms, _CHUNK)
            if self._far(images.x):
                images, rms = self._images(images.system, before if look else images.x), np.inf
                break
            if status != Status.TOO_MANY_STEPS:
                break
        lengths = np.linalg.norm(np.diff(images.x, axis=0), axis=1)
        even = bool(lengths.max() < _EVEN * lengths.mean())
        if not even:
            images = self._images(images.system, _even(images.x, lengths))
        # rounding moves nothing along directions that are forbidden, but adds up in many steps
        images.x[:] = self.system.constrain(images.x)
        self.x = images.x
        return images, even and rms < _LOOSE * self.rms

    def _images(self, predicted: System, x: np.ndarray) -> Images:
        """Return the images of a band on the surrogate, with springs that hold them on their way."""
        images = Images(predicted, x, self.rules)
        if self.rules.k is None:
            images.state["spring"] *= _STIFF
        return images

    def _far(self, x: np.ndarray) -> bool:
        """Return whether an image of a band is far from all data."""
        descriptor = self.process.descriptor
        data = descriptor.lengths(np.array(self.process.entries))
        here = descriptor.lengths(np.array([descriptor(one)[0] for one in x]))
        apart: np.ndarray = np.abs(here[:, None] - data[None]).max(axis=2).min(axis=1)
        return bool(apart.max() > _TRUST * self.extent)

    def _check_length(self, x: np.ndarray) -> None:
        """Raise SurrogateFailed for a band that leads around where no barrier is, as over fragments far apart."""
        length, first = (float(np.linalg.norm(np.diff(one, axis=0), axis=1).sum()) for one in (x, self.first))
        if length > _LONGEST * first:
            raise SurrogateFailed(f"the band has become {length / first:.0f} times as long as the first one")

    def _is_highest(self, images: Images) -> bool:
        """Return whether no image is predicted to be higher than the one that has arrived."""
        assert self.top is not None
        return bool(images.energy.max() <= self.top[1] + _ABOVE * np.ptp(images.energy))

    def _band(self, images: Images, deviation: np.ndarray, status: Status, rms: float = np.nan) -> Band:
        """Return the band with the highest image where a true call found it at rest."""
        deviation[[0, -1]] = 0.0
        if self.top is not None:
            place = 1 + int(np.argmin(np.linalg.norm(images.x[1:-1] - self.top[0], axis=1)))
            images.x[place], rms = self.top[0], self.top[2]
            images.finite = images.evaluate()
            images.energy[place], deviation[place] = self.top[1], 0.0
        images.energy[[0, -1]] = self.ends
        band = images.result(rms, self.calls, status)
        peaks = _peaks(band.energy, _KNOWN * float(np.ptp(band.energy)))
        return replace(
            band, units=self.system.units, deviation=deviation, candidates=band.x[peaks],
            candidate_energy=band.energy[peaks],
        )  # fmt: skip


def _neighbours(system: System, first: np.ndarray) -> float:
    """Return the mean distance of neighbours at the first point of a band; without atoms the distance of its ends."""
    if system.atoms is None or len(system.atoms) < 2:
        return float(np.linalg.norm(first[-1] - first[0]))
    cell = np.ascontiguousarray(complete_cell(system.atoms.cell))
    lengths = np.linalg.norm(pair_separations(first[0], system.atoms.pbc, cell), axis=1)
    nearest = np.full(len(system.atoms), np.inf)
    for atom in np.triu_indices(len(system.atoms), 1):
        np.minimum.at(nearest, atom, lengths)
    return float(nearest.mean())


def _nearest(system: System, x: np.ndarray) -> float:
    """Return the least distance of two atoms at x (n,); infinite without atoms."""
    if system.atoms is None or len(system.atoms) < 2:
        return np.inf
    cell = np.ascontiguousarray(complete_cell(system.atoms.cell))
    return float(np.linalg.norm(pair_separations(x, system.atoms.pbc, cell), axis=1).min())


def _peaks(energy: np.ndarray, height: float) -> np.ndarray:
    """Return the highest image, and the others between the ends that stand so high above what parts them from it."""
    top, peaks = 1 + int(np.argmax(energy[1:-1])), []
    for k in range(1, len(energy) - 1):
        higher = np.flatnonzero(energy > energy[k])
        left, right = higher[higher < k].max(initial=-1), higher[higher > k].min(initial=len(energy))
        valley = max(energy[left + 1 : k + 1].min(), energy[k:right].min())
        if k == top or energy[k] - valley > height:
            peaks.append(k)
    return np.array(peaks)


def _even(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return as many points (images + 2, n) at equal distances along a band."""
    place = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0.0, place[-1], len(x))
    return np.ascontiguousarray(np.column_stack([np.interp(at, place, column) for column in x.T]))
