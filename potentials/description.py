"""Descriptions of systems as storable scalars and arrays, and their inverse."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from thalweg.potentials.ase_calculators import build_ase_calculator, describe_ase_calculator
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.constraints import constraints_from, described_constraints
from thalweg.potentials.system_symmetry import usual_symmetry

if TYPE_CHECKING:
    from thalweg.potentials.point import Point
    from thalweg.potentials.system import System

__all__ = ["describe_system", "subject_from"]

_CALCULATORS = {
    "LJAT": "thalweg.potentials.ljat.calculator",
    "NetworkLoss": "thalweg.potentials.neural_network.loss",
    "CoupledDoubleWells": "thalweg.potentials.surfaces.double_wells",
    "Himmelblau": "thalweg.potentials.surfaces.two_dimensional",
    "MuellerBrown": "thalweg.potentials.surfaces.two_dimensional",
    "SixHumpCamel": "thalweg.potentials.surfaces.two_dimensional",
    "ThreeHumpCamel": "thalweg.potentials.surfaces.two_dimensional",
    "WolfeQuapp": "thalweg.potentials.surfaces.two_dimensional",
}


def describe_system(system: System) -> dict[str, Any]:
    """Describe a system by scalars, arrays and dictionaries of them, from which it can be built again."""
    atoms, calculator = system.atoms, system.potential
    description: dict[str, Any] = {"kind": "point" if atoms is None else "atoms", "x": system.x.copy()}
    description["frozen"] = system.frozen.astype(np.int64)
    if system.bounds is not None:
        description["bounds"] = system.bounds
    if atoms is not None:
        description["numbers"] = atoms.numbers.astype(np.int64)
        description["cell"] = np.array(atoms.cell.array)
        description["pbc"] = atoms.pbc.astype(bool)
        if system.constraints is not None:
            description |= described_constraints(atoms, system.constraints)
        usual = usual_symmetry(atoms.pbc, atoms.cell.array)
        for name, value in system.symmetry_options().items():
            if not np.array_equal(value, usual[name]):
                description[name] = value
    own = isinstance(calculator, FlatCalculator)
    description["calculator"] = calculator.describe() if own else describe_ase_calculator(calculator)
    return description


def subject_from(description: Mapping[str, Any]) -> Atoms | Point:
    """Build the Atoms or the Point of a description, with the calculator.

    Raises
    ------
    ValueError
        If the potential cannot be built from a name and parameters, such as a Python callable.
    """
    calculator = _build_calculator(description["calculator"])
    frozen = np.asarray(description["frozen"], dtype=np.int64)
    x = np.asarray(description["x"], dtype=np.float64)
    mask = np.isin(np.arange(x.size), frozen)
    if description["kind"] == "point":
        return calculator.point(x, mask)
    cell, pbc = description["cell"], description["pbc"]
    atoms = Atoms(description["numbers"], positions=x.reshape(-1, 3), cell=cell, pbc=pbc, calculator=calculator)
    atoms.set_constraint(constraints_from(mask, description.get("constraints", ())))
    return atoms


def _build_calculator(description: Mapping[str, Any]) -> Any:
    if description.get("ase"):
        return build_ase_calculator(description)
    name = description["name"]
    if name not in _CALCULATORS:
        raise ValueError(f"a potential {name!r} cannot be built from its description: pass the system itself")
    calculator = getattr(importlib.import_module(_CALCULATORS[name]), name)
    return calculator(**{key: value for key, value in description.items() if key != "name"})
