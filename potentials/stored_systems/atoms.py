"""Atoms as storable values: species, cell, masses, and whatever else of them a calculator may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from thalweg.potentials.stored_systems.values import storable_entries

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Vector

__all__ = ["atoms_from", "describe_atoms"]

_TELLING = ("tags", "initial_charges", "initial_magmoms")
"""Arrays of atoms that tell equal atoms apart, stored where an entry is not zero."""

_ELSEWHERE = {"numbers", "positions", "masses", "momenta", *_TELLING}
"""Arrays of atoms that are stored by names of their own, or do not belong to a system."""


def describe_atoms(atoms: Atoms) -> dict[str, Any]:
    """Describe atoms without their positions and constraints.

    Returns
    -------
    dict
        ``numbers``, ``cell``, ``pbc`` and ``masses``; ``tags``, ``initial_charges`` and ``initial_magmoms`` where they
        are not all zero; further arrays of the atoms under ``arrays``, and their ``info``, where there are any;
        ``left_out``, the names of entries that no store can hold, such as objects.
    """
    description: dict[str, Any] = {
        "numbers": atoms.numbers.astype(np.int64),
        "cell": np.array(atoms.cell.array),
        "pbc": atoms.pbc.astype(bool),
        "masses": np.array(atoms.get_masses(), dtype=np.float64),
    }
    for name in _TELLING:
        if atoms.has(name) and np.any(atoms.arrays[name]):
            kind = np.int64 if name == "tags" else np.float64
            description[name] = np.array(atoms.arrays[name], dtype=kind)
    others = {name: values for name, values in atoms.arrays.items() if name not in _ELSEWHERE}
    for group, entries in (("arrays", others), ("info", atoms.info)):
        kept, left = storable_entries(entries)
        if kept:
            description[group] = kept
        if left:
            description.setdefault("left_out", []).extend(f"{group}: {name}" for name in left)
    return description


def atoms_from(description: Mapping[str, Any], x: Vector) -> Atoms:
    """Make the atoms of a description at the positions x (n,), without calculator and constraints.

    Raises
    ------
    ValueError
        If ``arrays`` holds what every atom has, such as numbers, or an array does not fit.
    """
    atoms = Atoms(
        description["numbers"],
        positions=x.reshape(-1, 3),
        cell=description["cell"],
        pbc=description["pbc"],
        info=dict(description.get("info", {})),
    )
    masses = description.get("masses")
    if masses is not None and not np.array_equal(masses, atoms.get_masses()):
        atoms.set_masses(masses)
    for name in _TELLING:
        if name in description:
            atoms.set_array(name, np.asarray(description[name]))
    for name, values in description.get("arrays", {}).items():
        if name in _ELSEWHERE:
            raise ValueError(f"arrays/{name} is no array of one's own: atoms have it by a name of its own")
        atoms.set_array(name, np.asarray(values))
    return atoms
