"""Calculators that a store names by module and class: a module that leaves a mark where it is imported.

``THALWEG_TEST_MARK`` names the file; without, nothing is written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT as ASEs
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

if "THALWEG_TEST_MARK" in os.environ:
    Path(os.environ["THALWEG_TEST_MARK"]).touch()


class EMT(ASEs):
    """Another potential under ASE's name: twice as deep."""

    name = "emt"

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        for name in ("energy", "free_energy", "forces"):
            self.results[name] = 2 * self.results[name]


class Scaled(Calculator):
    """Lennard-Jones times a number that neither parameters nor attributes of its name hold."""

    implemented_properties: ClassVar = ["energy", "forces"]

    def __init__(self, scale=1.0):
        super().__init__()
        self.hidden = scale

    def factor(self):
        return self.hidden

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        copy = self.atoms.copy()
        copy.calc = LennardJones(rc=20)
        self.results["energy"] = self.factor() * copy.get_potential_energy()
        self.results["forces"] = self.factor() * copy.get_forces()


class ByArrays(Scaled):
    """The same times a number that charges, moments, tags, an array of the atoms and their info make."""

    def factor(self):
        atoms = self.atoms
        held = [atoms.get_tags(), atoms.get_initial_charges(), atoms.get_initial_magnetic_moments()]
        held.append(atoms.arrays.get("depth", np.zeros(1)))
        return 1.0 + float(sum(np.square(part).sum() for part in held)) + atoms.info.get("charge", 0.0)


class Widened(MorsePotential):
    """A cutoff that is an argument, and no parameter."""

    def __init__(self, rcut=2.7, **more):
        super().__init__(**more)
        self.rcut = rcut
        self.parameters = {**self.parameters, "rcut2": rcut}


class Noisy(Scaled):
    """Energies and forces with the noise of a self-consistent calculation."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        rng = np.random.default_rng()
        self.results["energy"] += 1e-6 * rng.uniform(-1, 1)
        self.results["forces"] += 2e-4 * rng.uniform(-1, 1, self.results["forces"].shape)


class Writer(ASEs):
    """A calculator whose making overwrites a file."""

    def __init__(self, path="written", **more):
        super().__init__(**more)
        self.path = path
        Path(path).write_text("overwritten")


class NoCalculator:
    """A class without energies."""

    def __init__(self, **arguments):
        Path("made").touch()
