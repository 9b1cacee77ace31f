"""Calculators and functions that fail, for these tests; processes import them from here."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator, FileIOCalculator, all_changes
from ase.calculators.lj import LennardJones

TETRAHEDRON = [[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0], [0.5, 0.3, 0.9]]


def argon(calculator: Calculator) -> Atoms:
    """Return four atoms with a calculator."""
    return Atoms("Ar4", TETRAHEDRON, calculator=calculator)


def nearest(atoms: Atoms) -> float:
    """Return the smallest distance of two atoms."""
    distances = atoms.get_all_distances()
    return float(distances[np.triu_indices(len(distances), 1)].min())


class NearAtomsFail(LennardJones):
    """Lennard-Jones that fails where two atoms come near, as SCF programs do."""

    error: type[Exception] = RuntimeError

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        if nearest(atoms) < 0.72:
            raise self.error("SCF not converged")
        super().calculate(atoms, properties, system_changes)


class NearAtomsFailAsAseSays(NearAtomsFail):
    """The same with the exception that ASE has for it."""

    error = CalculationFailed


class Broken(LennardJones):
    """Lennard-Jones that was wrongly written."""

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        raise TypeError("unsupported operand type(s)")


class InItsThread(LennardJones):
    """Lennard-Jones with a database, which objects to other threads than the one that opened it."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.database = sqlite3.connect(":memory:")
        self.database.execute("create table calls (energy)")
        self.thread = threading.get_ident()

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.database.execute("insert into calls values (?)", (float(self.results["energy"]),))
        assert threading.get_ident() == self.thread


class WithHandle(LennardJones):
    """Lennard-Jones with an object that cannot be pickled."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.handle = threading.Lock()


class WithHandleAndScale(WithHandle):
    """The same, of another energy than its parameters say."""

    scale = 1.0

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        for name in ("energy", "free_energy"):
            self.results[name] *= self.scale


class WithFiles(FileIOCalculator):
    """Lennard-Jones that writes its input and reads it back; MIXUPS_FILE gets a line where it was another's."""

    implemented_properties = ("energy", "forces")
    name = "withfiles"

    def __init__(self, label="job", command="true", **more):
        super().__init__(label=label, command=command, **more)

    def write_input(self, atoms, properties=None, system_changes=None):
        super().write_input(atoms, properties, system_changes)
        self.mine = atoms.positions.copy()
        np.savetxt(Path(self.directory) / f"{self.prefix}.in", self.mine, fmt="%.17g")

    def execute(self):
        read = np.loadtxt(Path(self.directory) / f"{self.prefix}.in")
        note(read.shape == self.mine.shape and np.array_equal(read, self.mine))
        self.computed = Atoms(f"Ar{len(read)}", read, calculator=LennardJones(rc=20))

    def read_results(self):
        self.results = {"energy": self.computed.get_potential_energy(), "forces": self.computed.get_forces()}


class InCurrentFolder(LennardJones):
    """Lennard-Jones that writes to the current folder without asking anybody."""

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        np.savetxt("scratch", atoms.positions, fmt="%.17g")
        super().calculate(atoms, properties, system_changes)
        read = np.loadtxt("scratch")
        note(read.shape == atoms.positions.shape and np.array_equal(read, atoms.positions))


def note(right: bool) -> None:
    """Write to MIXUPS_FILE whether what was read is what was written."""
    with open(os.environ["MIXUPS_FILE"], "a") as file:
        file.write("right\n" if right else "wrong\n")


def broken_beyond(x):
    """Quartic of two variables that raises KeyError right of the axis."""
    if x[0] > 1.2:
        raise KeyError("charge")
    return (x[0] ** 2 - 1) ** 2 + x[1] ** 2


def always_broken(x):
    """Raise ZeroDivisionError."""
    return 1 / 0


class BrokenLater(LennardJones):
    """Lennard-Jones that runs out of memory after 300 calls, all instances together."""

    calls = 0

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        BrokenLater.calls += 1
        if BrokenLater.calls > 300:
            raise MemoryError("out of memory")
        super().calculate(atoms, properties, system_changes)
