"""The first images of a band: straight lines on which no atoms collide, or ASE's pair-potential interpolation."""

from __future__ import annotations

import numpy as np
from ase.mep import NEB, idpp_interpolate

from thalweg.potentials.system import System

__all__ = ["interpolate"]

# Atoms on the way keep at least this part of the smallest distance that any pair has at the end points
_CLOSEST = 0.8


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
        Straight, with atoms that come too close pushed apart; or, for Atoms, ASE's image-dependent pair potential
        (S. Smidstrup et al., J. Chem. Phys. 140 (2014) 214106) from there.

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
    distances = [_distances(end)[2].min() for end in (a, b)]
    for image in x[1:-1]:
        _push_apart(image, system.free, _CLOSEST * min(distances))
    return _pair_potential(system, x) if method == "idpp" else x


def _distances(x):
    positions = x.reshape(-1, 3)
    i, j = np.triu_indices(len(positions), 1)
    return i, j, np.linalg.norm(positions[i] - positions[j], axis=1)


def _push_apart(x, free, closest):
    """Move pairs of atoms closer than ``closest`` to that distance, in place, a few times over."""
    allowed = np.zeros(x.size)
    allowed[free] = 1.0
    for _ in range(50):
        i, j, lengths = _distances(x)
        near = lengths < 0.999 * closest
        if not near.any():
            return
        positions = x.reshape(-1, 3)
        for p, q, length in zip(i[near], j[near], lengths[near], strict=True):
            # atoms on top of each other part along a direction that their numbers choose
            along = positions[p] - positions[q] if length > 1e-3 else np.array([1.0 + p, 1.0 + q, 2.0])
            push = 0.5 * (closest - length) * along / np.linalg.norm(along)
            x[3 * p : 3 * p + 3] += push * allowed[3 * p : 3 * p + 3]
            x[3 * q : 3 * q + 3] -= push * allowed[3 * q : 3 * q + 3]


def _pair_potential(system, x):
    images = [system.subject(row) for row in x]
    for image in images:
        image.calc = None
    band = NEB(images, method="improvedtangent")
    idpp_interpolate(band, traj=None, log=None, fmax=0.1, steps=100, mic=bool(system.atoms.pbc.any()))
    rows = np.array([image.positions.ravel() for image in images])
    rows[:, system.frozen] = x[:, system.frozen]
    return rows
