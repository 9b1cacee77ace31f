"""TIP4P water with stiff springs in the place of rigid molecules, as an ASE calculator."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Hartree, kJ, mol

BOND, ANGLE, STIFFNESS = 0.9572, np.deg2rad(104.52), 1e4  # angstrom, radians, eV/angstrom^2
SIGMA, EPSILON, CHARGE, ARM = 3.15365, 0.6480 * kJ / mol, 0.52, 0.15
COULOMB = Hartree * Bohr  # eV angstrom / e^2
WEIGHT = ARM / (2 * BOND * np.cos(ANGLE / 2))  # of each hydrogen in the place of the negative charge
LENGTHS = np.array([BOND, BOND, 2 * BOND * np.sin(ANGLE / 2)])
PAIRS = ((0, 1), (0, 2), (1, 2))


class StiffTIP4P(Calculator):
    """Molecules in the order O, H, H (Jorgensen et al., J. Chem. Phys. 79 (1983) 926), not periodic."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x = atoms.positions.reshape(-1, 3, 3)
        forces, energy = np.zeros_like(x), 0.0
        for (a, b), length in zip(PAIRS, LENGTHS, strict=True):
            d = x[:, b] - x[:, a]
            r = np.linalg.norm(d, axis=1)
            energy += 0.5 * STIFFNESS * ((r - length) ** 2).sum()
            pull = (STIFFNESS * (r - length) / r)[:, None] * d
            forces[:, a] += pull
            forces[:, b] -= pull
        m = x[:, 0] + WEIGHT * (x[:, 1] + x[:, 2] - 2 * x[:, 0])
        sites = np.stack([m, x[:, 1], x[:, 2]], axis=1)
        on = np.zeros_like(sites)
        charges = CHARGE * np.array([-2.0, 1.0, 1.0])
        i, j = np.triu_indices(len(x), 1)
        d = sites[j][:, None] - sites[i][:, :, None]  # pairs of molecules, sites of the first, of the second
        r = np.linalg.norm(d, axis=-1)
        one = COULOMB * charges[:, None] * charges / r
        energy += one.sum()
        push = (one / r**2)[..., None] * d
        np.add.at(on, i, -push.sum(axis=2))
        np.add.at(on, j, push.sum(axis=1))
        d = x[j, 0] - x[i, 0]
        s6 = (SIGMA**2 / (d**2).sum(axis=1)) ** 3
        energy += 4 * EPSILON * (s6**2 - s6).sum()
        push = (24 * EPSILON * (2 * s6**2 - s6) / (d**2).sum(axis=1))[:, None] * d
        np.add.at(forces[:, 0], i, -push)
        np.add.at(forces[:, 0], j, push)
        forces[:, 0] += (1 - 2 * WEIGHT) * on[:, 0]
        forces[:, 1] += on[:, 1] + WEIGHT * on[:, 0]
        forces[:, 2] += on[:, 2] + WEIGHT * on[:, 0]
        self.results = {"energy": float(energy), "forces": forces.reshape(-1, 3)}
