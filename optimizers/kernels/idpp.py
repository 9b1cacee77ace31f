"""Image-dependent pair potential (IDPP), compiled, for the initial path of a band.

S. Smidstrup, A. Pedersen, K. Stokbro and H. Jonsson, J. Chem. Phys. 140 (2014) 214106. ASE's takes twenty times as
long as the band that follows it (0.5 s for 20 images of 38 atoms).
"""

from __future__ import annotations

import numpy as np

from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, jit

__all__ = ["pair_potential", "pair_separations"]


@jit(FUNCTION_SIGNATURE)
def pair_potential(x, gradient, integers, floats):
    """Sum over pairs of (target - d)^2 / d^4.

    ``integers`` are the periodic flags (3,); ``floats`` the cell and its inverse, rows first (18,), then the targets
    of pairs i < j in order. Distances are to the nearest image.
    """
    atoms = x.size // 3
    for k in range(x.size):
        gradient[k] = 0.0
    energy, pair = 0.0, 18
    d, f = np.empty(3), np.empty(3)
    for i in range(atoms):
        for j in range(i + 1, atoms):
            for c in range(3):
                d[c] = x[3 * i + c] - x[3 * j + c]
            if integers[0] + integers[1] + integers[2] > 0:
                for c in range(3):
                    f[c] = d[0] * floats[9 + c] + d[1] * floats[12 + c] + d[2] * floats[15 + c]
                for c in range(3):
                    turns = np.round(f[c]) * integers[c]
                    for k in range(3):
                        d[k] -= turns * floats[3 * c + k]
            square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
            length = np.sqrt(square)
            miss = floats[pair] - length
            energy += miss * miss / (square * square)
            slope = -(2.0 * miss / (square * square) + 4.0 * miss * miss / (square * square * length)) / length
            for c in range(3):
                gradient[3 * i + c] += slope * d[c]
                gradient[3 * j + c] -= slope * d[c]
            pair += 1
    return energy


def pair_separations(x: np.ndarray, pbc: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the vectors (pairs, 3) from atom j to atom i of every pair i < j, to the nearest periodic image."""
    positions = x.reshape(-1, 3)
    i, j = np.triu_indices(len(positions), 1)
    vectors = positions[i] - positions[j]
    if pbc.any():
        vectors = vectors - (np.round(vectors @ np.linalg.inv(cell)) * pbc) @ cell
    return vectors
