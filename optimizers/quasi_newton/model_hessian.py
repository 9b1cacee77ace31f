"""Model Hessian of a structure, from distances alone, with which quasi-Newton searches begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

if TYPE_CHECKING:
    from thalweg.potentials.system import System

__all__ = ["model_hessian"]

# Lindh's force constants of stretches and bends, 0.45 hartree/bohr**2 and 0.15 hartree, in eV and angstrom
_STRETCH, _BEND = 43.7, 4.08
# Decay with the square of the distance over that of a bond; his exponents are 1.7 to 2.3
_DECAY = 2.0
# Reach of the model, in lengths of a bond, and the weakest pair of bonds that a bend counts
_REACH, _WEAKEST = 1.9, 0.15
# Curvature of what the model leaves out, such as torsions
_FLOOR = 0.3


def model_hessian(system: System, x: np.ndarray) -> np.ndarray:
    """Return a positive definite guess of the Hessian (n_free, n_free) of atoms at x (n,).

    Stretches of all near pairs, and in molecules bends, with force constants that fall off with distance. Where
    neighbours are much nearer or farther than covalent radii say, as in reduced units, lengths are scaled.

    References
    ----------
    R. Lindh, A. Bernhardsson, G. Karlstrom, P.-A. Malmqvist, Chem. Phys. Lett. 241 (1995) 423.
    """
    atoms = system.atoms
    assert atoms is not None
    hessian = np.zeros((x.size, x.size))
    i, j, way, strength = _pairs(atoms, x)
    if len(i):
        unit = way / np.linalg.norm(way, axis=1)[:, None]
        blocks = _STRETCH * strength[:, None, None] * unit[:, :, None] * unit[:, None, :]
        _add(hessian, i, i, 0.5 * blocks)
        _add(hessian, j, j, 0.5 * blocks)
        _add(hessian, i, j, -blocks)
        if system.permutations == "bonds":
            _add_bends(hessian, i, j, way, strength)
    free = system.free
    reduced: np.ndarray = hessian[np.ix_(free, free)]
    reduced[np.diag_indices(free.size)] += _FLOOR
    return 0.5 * (reduced + reduced.T)


def _pairs(atoms: Atoms, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return both atoms of each near pair, in both orders, the vector between them, and its strength."""
    radii = covalent_radii[atoms.numbers]
    here = Atoms(atoms.numbers, x.reshape(-1, 3), cell=atoms.cell, pbc=atoms.pbc)
    if len(atoms) < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros((0, 3)), np.zeros(0)
    if atoms.pbc.any():
        i, j, way = neighbor_list("ijD", here, (_REACH * radii).tolist())
    else:
        i, j = (~np.eye(len(atoms), dtype=bool)).nonzero()
        way = here.positions[j] - here.positions[i]
    ratio = np.linalg.norm(way, axis=1) / (radii[i] + radii[j])
    if len(ratio):
        nearest = np.full(len(atoms), np.inf)
        np.minimum.at(nearest, i, ratio)
        scale = float(np.median(nearest[np.isfinite(nearest)]))
        ratio = ratio if 0.7 < scale < 1.5 else ratio / scale
    near = (ratio < _REACH) & (ratio > 1e-3)
    # no stiffer than a bond pressed to two thirds: atoms that overlap leave in a few steps all the same
    strength = np.exp(_DECAY * (1.0 - np.maximum(ratio[near], 0.67) ** 2))
    return i[near], j[near], way[near], strength


def _add(hessian: np.ndarray, i: np.ndarray, j: np.ndarray, blocks: np.ndarray) -> None:
    rows, columns = 3 * i[:, None, None] + np.arange(3)[:, None], 3 * j[:, None, None] + np.arange(3)
    np.add.at(hessian, (rows, columns), blocks)


def _add_bends(hessian: np.ndarray, i: np.ndarray, j: np.ndarray, way: np.ndarray, strength: np.ndarray) -> None:
    """Add the bends at each atom between its two bonds, as changes of the angle to first order."""
    length = np.linalg.norm(way, axis=1)
    unit = way / length[:, None]
    order = np.argsort(i, kind="stable")
    for bonds in np.split(order, np.flatnonzero(np.diff(i[order])) + 1):
        for place, p in enumerate(bonds):
            for q in bonds[place + 1 :]:
                k = _BEND * strength[p] * strength[q]
                cosine = float(unit[p] @ unit[q])
                if strength[p] * strength[q] < _WEAKEST:
                    continue
                for first, second in _directions(unit[p], unit[q], cosine):
                    ends = (first / length[p], second / length[q])
                    row = np.zeros(hessian.shape[0])
                    row[3 * j[p] : 3 * j[p] + 3] += ends[0]
                    row[3 * j[q] : 3 * j[q] + 3] += ends[1]
                    row[3 * i[p] : 3 * i[p] + 3] -= ends[0] + ends[1]
                    some = np.flatnonzero(row)
                    hessian[np.ix_(some, some)] += k * np.outer(row[some], row[some])


def _directions(a: np.ndarray, b: np.ndarray, cosine: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return how the angle between two bonds changes with the ends of each; in two planes where it is straight."""
    sine = np.sqrt(max(0.0, 1.0 - cosine**2))
    if sine > 0.2:
        return [((cosine * a - b) / sine, (cosine * b - a) / sine)]
    across = np.linalg.svd(a[None])[2][1:]
    return [(one, one if cosine < 0 else -one) for one in across]
