"""Initial path of a band: linear interpolation without atom clashes, or IDPP."""

from __future__ import annotations

import numpy as np
from ase.geometry import complete_cell

from thalweg.optimizers.kernels.idpp import pair_potential, pair_separations
from thalweg.optimizers.kernels.lbfgs import lbfgs_walk
from thalweg.optimizers.rules import Rules
from thalweg.potentials.system import System

__all__ = ["interpolate"]

# Atoms on the way keep at least this part of the smallest distance that any pair has at the end points
_CLOSEST = 0.8

# Atoms off a line by no more than this part of its length count as on it
_ON_A_LINE = 0.1

_RULES, _RMS, _STEPS = Rules(max_step=0.2), 1e-4, 200


def interpolate(system: System, a: np.ndarray, b: np.ndarray, images: int, method: str = "linear") -> np.ndarray:
    """Return a band from a to b.

    Parameters
    ----------
    system : System
        What it is a band of.
    a, b : ndarray, shape (n,)
        End points, aligned.
    images : int
        Points between them.
    method : {"linear", "idpp"}
        Straight, several molecules each turned as a whole, with atoms that come too close pushed apart; or, for Atoms,
        minima of the image-dependent pair potential (S. Smidstrup et al., J. Chem. Phys. 140 (2014) 214106) reached
        from there.

    Returns
    -------
    ndarray, shape (images + 2, n)

    Raises
    ------
    ValueError
        If the method is unknown, or is "idpp" for something without atoms.
    """
    if method not in ("linear", "idpp"):
        raise ValueError(f'interpolation must be "linear" or "idpp"; it is {method!r}')
    if method == "idpp" and system.atoms is None:
        raise ValueError('interpolation "idpp" needs Atoms; use "linear"')
    x = np.linspace(a, b, images + 2)
    if system.atoms is None or len(system.atoms) < 2:
        return x
    if system.permutations == "bonds":
        # bond graphs take time to load, for which clusters and networks need not wait
        from thalweg.optimizers.quasi_newton.molecules.turning import turned_between

        x = turned_between(system, x)
    pbc, cell = system.atoms.pbc, np.ascontiguousarray(complete_cell(system.atoms.cell))
    lengths = [np.linalg.norm(pair_separations(end, pbc, cell), axis=1) for end in (a, b)]
    for image in x[1:-1]:
        _push_apart(image, system.free, _CLOSEST * min(lengths[0].min(), lengths[1].min()), pbc, cell)
    return _even_distances(system, x, lengths, pbc, cell) if method == "idpp" else x


def _push_apart(x: np.ndarray, free: np.ndarray, closest: float, pbc: np.ndarray, cell: np.ndarray) -> None:
    """Move pairs of atoms closer than ``closest`` to that distance, in place, a few times over."""
    allowed = np.zeros(x.size)
    allowed[free] = 1.0
    i, j = np.triu_indices(x.size // 3, 1)
    for _ in range(50):
        vectors = pair_separations(x, pbc, cell)
        lengths = np.linalg.norm(vectors, axis=1)
        near = lengths < 0.999 * closest
        if not near.any():
            return
        for p, q, vector, length in zip(i[near], j[near], vectors[near], lengths[near], strict=True):
            # atoms on top of each other part along a direction that their numbers choose
            along = vector if length > 1e-3 else np.array([1.0 + p, 1.0 + q, 2.0])
            push = 0.5 * (closest - length) * along / np.linalg.norm(along)
            x[3 * p : 3 * p + 3] += push * allowed[3 * p : 3 * p + 3]
            x[3 * q : 3 * q + 3] -= push * allowed[3 * q : 3 * q + 3]


def _leave_line(x: np.ndarray, free: np.ndarray) -> None:
    """Move atoms that lie on one line a little aside, in place: no force leads them off it to pass each other."""
    atoms = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
    _, sizes, axes = np.linalg.svd(atoms, full_matrices=False)
    if len(atoms) > 2 and sizes[1] <= _ON_A_LINE * sizes[0]:
        aside = 0.5 * _ON_A_LINE * sizes[0] * np.outer(np.cos(np.arange(len(atoms))), axes[1]).ravel()
        x[free] += aside[free]


def _even_distances(
    system: System, x: np.ndarray, lengths: list[np.ndarray], pbc: np.ndarray, cell: np.ndarray
) -> np.ndarray:
    """Minimise the pair potential of every image in place; an image where that fails stays as it is."""
    frame = np.concatenate([cell.ravel(), np.linalg.inv(cell).ravel()])
    gradient, no_trace = np.empty(system.n), np.empty((0, system.n + 1))
    for share, image in zip(np.linspace(0.0, 1.0, len(x))[1:-1], x[1:-1], strict=True):
        floats = np.concatenate([frame, (1.0 - share) * lengths[0] + share * lengths[1]])
        moved = image.copy()
        _leave_line(moved, system.free)
        energy, *_ = lbfgs_walk(
            pair_potential, pbc.astype(np.int64), floats, system.frozen, _RULES.packed(), _RMS, _STEPS,
            moved, gradient, no_trace,
        )  # fmt: skip
        if np.isfinite(energy) and np.isfinite(moved).all():
            image[:] = moved
    return x
