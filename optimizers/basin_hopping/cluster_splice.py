"""Cut and splice: a cluster of the upper part of one minimum and the lower part of another."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, pdist
from scipy.spatial.transform import Rotation

from thalweg.optimizers.basin_hopping.moves import Move, Pool, is_free_cluster
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System

__all__ = ["SpliceClusters", "splice"]


def splice(a: np.ndarray, b: np.ndarray, numbers: np.ndarray, upper: int) -> np.ndarray:
    """Join the highest atoms of cluster a to the lowest of cluster b; the composition stays that of a.

    Parameters
    ----------
    a, b : ndarray, shape (atoms, 3)
        Clusters with the same species in the same order; each is cut by a plane across z.
    numbers : ndarray of int, shape (atoms,)
        Atomic number of each atom.
    upper : int
        Number of atoms that come from a.

    Returns
    -------
    ndarray, shape (atoms, 3)
        Joined cluster, its species in the order of ``numbers``. The two parts are about as far apart as the
        nearest atoms of a.
    """
    top = np.zeros(len(a), dtype=bool)
    top[np.argsort(-a[:, 2], kind="stable")[:upper]] = True
    bottom = np.zeros(len(b), dtype=bool)
    for species in np.unique(numbers):
        kind = np.flatnonzero(numbers == species)
        lowest = kind[np.argsort(b[kind, 2], kind="stable")]
        bottom[lowest[: np.count_nonzero(~top[kind])]] = True
    out = np.array(a)
    lower = _apart(a[top], b[bottom], 0.8 * pdist(a).min())
    for species in np.unique(numbers):
        out[~top & (numbers == species)] = lower[numbers[bottom] == species]
    return out


def _apart(upper: np.ndarray, lower: np.ndarray, nearest: float) -> np.ndarray:
    """Return the lower part moved down until no atom is nearer to the upper part, or up until one nearly is."""
    lower = np.array(lower)
    lower[:, 2] += upper[:, 2].min() - lower[:, 2].max()
    for _ in range(50):
        if cdist(upper, lower).min() >= nearest:
            break
        lower[:, 2] -= 0.1 * nearest
    return lower


@public("thalweg.optimizers")
class SpliceClusters(Move):
    """Cut this cluster and one of the lowest minima found by a plane through each, and join the halves.

    Both are turned at random about their centres; the number of atoms from either is random too, and the composition
    stays. Until another minimum is found the cluster is joined to a turned copy of itself.

    Parameters
    ----------
    weight : float
        How often the move is made, relative to the other moves of the chain.
    step : float, optional
        Without effect: a cut has no size.

    References
    ----------
    D. M. Deaven and K. M. Ho, Phys. Rev. Lett. 75 (1995) 288.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import AllCoordinates, BasinHopping, SpliceClusters
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> moves = [AllCoordinates(), SpliceClusters(weight=0.5)]
    >>> BasinHopping(atoms, temperature=0.8, step=0.4, moves=moves, target=-3.0).run(50)
    True
    """

    adapts = False

    def check(self, system: System) -> None:
        if not is_free_cluster(system) or system.n < 6:
            raise ValueError("SpliceClusters cuts clusters of at least 2 atoms, none fixed, without periodic cell")

    def numbers(self, system: System) -> int:
        return 8

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        assert system.atoms is not None, "check() has seen to it"
        a = _turned(x, draws[:3])
        b = _turned(pool.partner(draws[7], x), draws[3:6])
        upper = 1 + int(draws[6] * (len(a) - 1))
        return splice(a, b, system.atoms.numbers, upper).ravel()


def _turned(x: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return atoms (n, 3) about their centre, turned by the rotation that three uniform numbers select.

    K. Shoemake, in Graphics Gems III (1992) 124.
    """
    atoms = np.reshape(x, (-1, 3))
    first, second = np.sqrt(1.0 - draws[0]), np.sqrt(draws[0])
    one, two = 2.0 * np.pi * draws[1:]
    quaternion = [first * np.sin(one), first * np.cos(one), second * np.sin(two), second * np.cos(two)]
    return Rotation.from_quat(quaternion).apply(atoms - atoms.mean(axis=0))
