"""Fingerprints: vectors invariant under symmetry, which bound aligned distances from below.

The distance between two fingerprints is never above the aligned distance of the points, and takes a microsecond.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from ase import Atoms
from ase.geometry import get_distances

from thalweg.potentials.protocols import SearchedSystem

__all__ = ["LENGTH", "LONGEST", "fingerprint", "likeness"]

LENGTH, LONGEST = 64, 512
"""Most numbers of a fingerprint, and of a vector of aligned weights."""


def fingerprint(system: SearchedSystem, x: np.ndarray) -> np.ndarray:
    """Return a vector that no symmetry operation changes.

    Of atoms, the sorted distances of all pairs: permuting and turning leave them, and if each atom moves by d_i, that
    of a pair changes by at most d_i + d_j, so the squares of all changes add up to at most 2 (N - 1) times the
    squared distance. Of weights, the sorted absolute values, which exchanging and flipping hidden units leaves. Of a
    Point without symmetry, its coordinates. Long vectors are shortened to means over neighbours in that order, each
    times the square root of how many they are, which only brings fingerprints closer together.

    Parameters
    ----------
    system : System
        For its atoms, if any.
    x : (n,) array
        A point.

    Returns
    -------
    (at most 64,) array
        In the unit of distance.
    """
    if system.atoms is not None:
        values = np.sort(_pair_distances(system.atoms, x)) / np.sqrt(2.0 * max(len(system.atoms) - 1, 1))
    else:
        null = system.constant_null_modes
        values = x - null.T @ (null @ x)
        if system.has_symmetry:
            values = np.sort(np.abs(values))
    return _shortened(values, LENGTH)


def likeness(system: SearchedSystem, first: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return a vector for each point (m, n), by which points that lie near each other are found.

    Of networks, weights aligned to those of one point: fingerprints would mix up minima that lie far apart. (Of 10,000
    minima with three hidden layers 1,363 pairs closer than 4 are found among the twelve nearest, by fingerprints 600.)
    Of all others, fingerprints.

    Parameters
    ----------
    system : System
        For its symmetry.
    first : (n,) array
        The point to which all are aligned, always the same.
    points : (m, n) array

    Returns
    -------
    (m, k) array
    """
    if not system.may_be_made_symmetric:
        return np.array([fingerprint(system, x) for x in points])
    return _shortened(system.align_all(first, points), LONGEST)


def _shortened(values: np.ndarray, length: int) -> np.ndarray:
    """Return vectors (..., n) of at most a length, which lie nowhere further apart: scaled sums of neighbours."""
    n = values.shape[-1]
    if n <= length:
        return values
    cuts = np.arange(length) * n // length
    sizes = np.diff(np.append(cuts, n))
    return np.add.reduceat(values, cuts, axis=-1) / np.sqrt(sizes)


def _pair_distances(atoms: Atoms, x: np.ndarray) -> np.ndarray:
    positions, (first, second) = x.reshape(-1, 3), _pairs(len(atoms))
    if not atoms.pbc.any():
        apart = positions[first] - positions[second]
        return np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return get_distances(positions, cell=atoms.cell, pbc=atoms.pbc)[1][first, second]


@lru_cache(maxsize=4)
def _pairs(atoms: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(atoms, 1)
