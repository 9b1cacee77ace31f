"""The binary Lennard-Jones mixture of Kob and Andersen in a periodic cell, as an ASE calculator."""

from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

EPSILON = {("Ni", "Ni"): 1.0, ("Ni", "P"): 1.5, ("P", "P"): 0.5}
SIGMA = {("Ni", "Ni"): 1.0, ("Ni", "P"): 0.8, ("P", "P"): 0.88}


class BinaryLJ(Calculator):
    """Ni is A, P is B; cut at 2.5 sigma, with energy and force shifted to zero there; cells of any size.

    Parameters
    ----------
    sigma, epsilon : float
        Units of length and energy, angstrom and eV.
    """

    implemented_properties = ("energy", "forces")
    default_parameters: ClassVar = {"sigma": 2.2, "epsilon": 0.1}

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        symbols, x, cell = atoms.get_chemical_symbols(), atoms.positions, atoms.cell.array
        i, j = (k.ravel() for k in np.indices((len(x), len(x))))
        pairs = [tuple(sorted((symbols[a], symbols[b]))) for a, b in zip(i, j, strict=True)]
        sigma = self.parameters["sigma"] * np.array([SIGMA[pair] for pair in pairs])[:, None]
        epsilon = self.parameters["epsilon"] * np.array([EPSILON[pair] for pair in pairs])[:, None]
        inverse = np.linalg.inv(cell)
        reach = np.ceil(2.5 * sigma.max() * np.linalg.norm(inverse, axis=0) + 0.5).astype(int) * atoms.pbc
        images = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach)), -1).reshape(-1, 3)
        nearest = (x[j] - x[i]) @ inverse
        d = ((nearest - np.round(nearest) * atoms.pbc)[:, None] + images) @ cell
        r2 = (d**2).sum(axis=-1)
        near = (r2 < (2.5 * sigma) ** 2) & (r2 > 1e-12)
        r, s, e = np.sqrt(r2[near]), *(np.broadcast_to(v, r2.shape)[near] for v in (sigma, epsilon))
        cut, slope = 2.5 * s, 4 * e * (-12 / 2.5**12 + 6 / 2.5**6) / (2.5 * s)
        s6 = (s / r) ** 6
        each = 4 * e * (s6**2 - s6 - 2.5**-12 + 2.5**-6) - slope * (r - cut)
        along = 4 * e * (-12 * s6**2 + 6 * s6) / r - slope
        forces = np.zeros_like(x)
        np.add.at(forces, np.broadcast_to(i[:, None], r2.shape)[near], (along / r)[:, None] * d[near])
        self.results = {"energy": float(each.sum() / 2), "forces": forces}
