"""Stationary points that searches know already, and that they need not prove again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import pdist

from thalweg.potentials.protocols import Vector
from thalweg.potentials.system import System

__all__ = ["Knowledge", "KnownPoints", "Proved", "Recognised"]

# How much farther than the tolerance a converged point, or one of the same basin, may lie, and how well its energy
# must fit
_LOOSE, _BASIN, _FIT = 5.0, 10.0, 0.3


@dataclass(frozen=True)
class Proved:
    """A stationary point that a Hessian has proved.

    Attributes
    ----------
    energy, rms : float
    x : (n,) ndarray
    lowest_eigenvalue, log_eigenvalue_product : float
    modes : int
    frequencies : (k,) ndarray or None
        Vibrational frequencies in cm^-1, where the system has any and the point was proved here.
    """

    energy: float
    rms: float
    x: np.ndarray
    lowest_eigenvalue: float
    log_eigenvalue_product: float
    modes: int
    frequencies: np.ndarray | None = None


class Recognised(NamedTuple):
    """A point that is known.

    Attributes
    ----------
    x, energy : (n,) ndarray and float
        By which it was recognised, laid on what was compared with it.
    point : Proved
    more : object
        What was taken in with it.
    """

    x: Vector
    energy: float
    point: Proved
    more: Any


class Knowledge:
    """Stationary points of one kind that are known, to be recognised by energy and aligned distance.

    Parameters
    ----------
    system : System
    energy, distance : float
        Two points can be the same when energies and aligned coordinates differ by no more.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from ase.calculators.lj import LennardJones
    >>> from thalweg.optimizers.quasi_newton.knowledge import Knowledge, Proved
    >>> from thalweg.potentials import as_system
    >>> pair = as_system(Atoms("Ar2", [[0, 0, 0], [1.122462, 0, 0]], calculator=LennardJones(rc=9.0)))
    >>> known = Knowledge(pair, energy=1e-5, distance=1e-2)
    >>> known.add(Proved(pair.energy(pair.x), 0.0, pair.x, 57.0, 4.0, 1))
    >>> turned = np.array([0.0, 0.0, 5.0, 0.0, 1.15, 5.0])
    >>> energy, gradient = pair.energy_gradient(turned)
    >>> known.basin(turned, energy, gradient) is not None
    True
    """

    def __init__(self, system: System, energy: float, distance: float) -> None:
        self.system, self.energy, self.distance = system, energy, distance
        self._order: list[tuple[float, int]] = []
        self._entries: list[tuple[Vector, Proved, Any]] = []
        self._distances: dict[int, Vector] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, point: Proved, x: Vector | None = None, energy: float | None = None, more: Any = None) -> None:
        """Take in a point.

        Parameters
        ----------
        point : Proved
        x, energy : (n,) ndarray and float, optional
            Where the search ended that found it, by which it is recognised; the point itself where missing.
        more : optional
            What shall come back with it.
        """
        insort(self._order, (point.energy if energy is None else energy, len(self._entries)))
        self._entries.append((point.x if x is None else x, point, more))

    def same(self, x: Vector, energy: float, gradient: Vector) -> Recognised | None:
        """Return the point that a converged point at x is; None if it is not known."""
        return self._found(x, energy, gradient, self.energy, _LOOSE * self.distance)

    def basin(self, x: Vector, energy: float, gradient: Vector) -> Recognised | None:
        """Return the known minimum at the bottom of the basin around x; None if none is known.

        It must be near, and the energy above it must be that of a parabola whose slope at x is the gradient: between
        different minima there is a barrier, which no parabola has.
        """
        reach = _BASIN * self.distance
        window = self.energy + 0.5 * (1.0 + _FIT) * reach * float(np.linalg.norm(gradient))
        return self._found(x, energy, gradient, window, reach)

    def _found(self, x: Vector, energy: float, gradient: Vector, window: float, reach: float) -> Recognised | None:
        low = bisect_left(self._order, (energy - window, -1))
        high = bisect_right(self._order, (energy + self.energy, len(self._entries)))
        for height, place in sorted(self._order[low:high], key=lambda one: (abs(one[0] - energy), one[1])):
            there, point, more = self._entries[place]
            if self._differ(x, place, reach):
                continue
            aligned = self.system.align(x, there)
            way = x - aligned
            if np.linalg.norm(way) > reach:
                continue
            expected = 0.5 * float(gradient @ way)
            if abs(energy - height - expected) <= self.energy + _FIT * abs(expected):
                return Recognised(aligned, height, point, more)
        return None

    def _differ(self, x: Vector, place: int, reach: float) -> bool:
        """Return whether the distances of atoms alone tell that no copy of a known point is within reach of x (n,).

        No rigid motion and no exchange of atoms changes the sorted distances of N atoms, and points ``reach`` apart
        differ in them by at most the root of N times ``reach``. Aligning takes a hundred times longer.
        """
        atoms = self.system.atoms
        if atoms is None or atoms.pbc.any():
            return False
        if place not in self._distances:
            self._distances[place] = np.sort(pdist(self._entries[place][0].reshape(-1, 3)))
        apart = np.sort(pdist(x.reshape(-1, 3))) - self._distances[place]
        return bool(np.linalg.norm(apart) > np.sqrt(len(atoms)) * reach)


class KnownPoints:
    """What the searches of one task know, and where they learn what they find.

    Parameters
    ----------
    system : System
    energy, distance : float
        Two points can be the same when energies and aligned coordinates differ by no more.
    whole : bool
        Whether a molecule that falls into fragments has failed.
    minima : sequence of Proved
        Minima that are known.

    Examples
    --------
    >>> from ase import Atoms
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers import find_transition_states, minimise
    >>> from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
    >>> from thalweg.potentials import as_system
    >>> system = as_system(Atoms("Cu3", [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0]], calculator=EMT()))
    >>> known = KnownPoints(system)
    >>> found = minimise(system, [system.x, 1.05 * system.x], rms=1e-4, second_order=True, known_points=known)
    >>> found.converged.tolist(), len(known.minima)
    ([True, True], 1)
    """

    def __init__(
        self,
        system: System,
        energy: float = 1e-5,
        distance: float = 1e-2,
        *,
        whole: bool = False,
        minima: Sequence[Proved] = (),
    ) -> None:
        self.system, self.whole = system, whole
        self.minima, self.states = Knowledge(system, energy, distance), Knowledge(system, energy, distance)
        for point in minima:
            self.minima.add(point)
        self._ends: dict[bytes, Proved] = {}
        # what this process has proved saves Hessians, but no result depends on it
        proved = system.memory.get("proved minima")
        if proved is None or (proved.energy, proved.distance) != (energy, distance):
            proved = system.memory["proved minima"] = Knowledge(system, energy, distance)
        self.proved_minima: Knowledge = proved

    def arrived(self, point: Proved) -> None:
        """Take note that a search ended at a proved point."""
        self._ends[point.x.tobytes()] = point

    def frequencies_at(self, x: Vector) -> Vector | None:
        """Return the vibrational frequencies, in cm^-1, of the proved point x (n,) where a search ended, if known."""
        point = self._ends.get(np.ascontiguousarray(x).tobytes())
        return None if point is None else point.frequencies
