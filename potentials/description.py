"""Descriptions of systems as storable scalars and arrays, and their inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.constraints import constraints_from, described_constraints
from thalweg.potentials.point import Point
from thalweg.potentials.stored_systems.atoms import atoms_from, describe_atoms
from thalweg.potentials.stored_systems.calculators import build_calculator, describe_calculator, is_registered
from thalweg.potentials.system_symmetry import usual_symmetry

if TYPE_CHECKING:
    from thalweg.potentials.system import System

__all__ = ["describe_system", "former_description", "subject_from"]

_SINCE_VERSION_2 = {
    *("masses", "tags", "initial_charges", "initial_magmoms", "arrays", "info", "left_out", "reference"),
}


def describe_system(system: System) -> dict[str, Any]:
    """Describe a system by scalars, arrays and dictionaries of them, from which it can be built again."""
    atoms, calculator = system.atoms, system.potential
    description: dict[str, Any] = {"kind": "point" if atoms is None else "atoms", "x": system.x.copy()}
    description["frozen"] = system.frozen.astype(np.int64)
    if system.bounds is not None:
        description["bounds"] = system.bounds
    if atoms is not None:
        description |= describe_atoms(atoms)
        if system.constraints is not None:
            description |= described_constraints(atoms, system.constraints)
        usual = usual_symmetry(atoms.pbc, atoms.cell.array)
        for name, value in system.symmetry_options().items():
            if not np.array_equal(value, usual[name]):
                description[name] = value
    description["calculator"] = describe_calculator(calculator)
    return description


def former_description(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description as stores of format version 1 had it, with which their own are compared."""
    former = {name: value for name, value in description.items() if name not in _SINCE_VERSION_2}
    calculator = dict(former["calculator"])
    for name in ("arguments", "not_stored"):
        calculator.pop(name, None)
    # it was written for classes alone that ASE does not know by name
    if not calculator.get("ase") or is_registered(str(calculator.get("name")), str(calculator.get("class"))):
        calculator.pop("class", None)
    return {**former, "calculator": calculator}


def subject_from(description: Mapping[str, Any], calculator: Any = None, *, trust: bool = False) -> Atoms | Point:
    """Build the Atoms or the Point of a description, with the calculator.

    Parameters
    ----------
    description : mapping
        As :func:`describe_system` returns it.
    calculator : FlatCalculator or ASE calculator, optional
        Calculator in place of the described one.
    trust : bool
        Whether to import and call whatever class the description names; without, only Thalweg's own potentials and
        calculators that compute in memory are built.

    Raises
    ------
    ValueError
        If the potential cannot be built from its description, such as a Python callable, or needs trust.
    """
    if calculator is None:
        calculator = build_calculator(description["calculator"], trust=trust)
    frozen = np.asarray(description["frozen"], dtype=np.int64)
    x = np.asarray(description["x"], dtype=np.float64)
    mask = np.isin(np.arange(x.size), frozen)
    if description["kind"] == "point":
        return calculator.point(x, mask) if isinstance(calculator, FlatCalculator) else Point(x, calculator, mask)
    atoms = atoms_from(description, x)
    atoms.calc = calculator
    atoms.set_constraint(constraints_from(mask, description.get("constraints", ())))
    return atoms
