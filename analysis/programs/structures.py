"""Stationary points of a landscape as structures of ASE, in files that its tools read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.landscapes import Landscape

__all__ = ["FORMATS", "printable_info", "structures", "write_structures"]

FORMATS = {"extxyz": "extxyz", "traj": "traj", "db": "db"}
"""Formats of files of structures, and what ASE calls them."""

_OWN = (
    "kind", "row", "lowest_eigenvalue", "log_eigenvalue_product", "symmetry_order", "verified", "minimum_a",
    "minimum_b",
)  # fmt: skip

_RESULTS = {
    *("energy", "free_energy", "energies", "forces", "stress", "stresses", "dipole", "charges", "magmom", "magmoms"),
    *("dielectric_tensor", "born_effective_charges", "polarization"),
}
"""Names of what ASE's calculators compute: a reader takes entries of these names for results."""


def structures(landscape: Landscape, *, frequencies: bool = False) -> Iterator[Atoms]:
    """Yield all minima and then all transition states of a landscape as Atoms.

    Each has its energy as the result of a single-point calculator, and in ``info`` what is known of it: ``kind``
    ("minimum" or "transition state"), ``row``, ``verified``, ``log_eigenvalue_product``, ``symmetry_order``,
    ``lowest_eigenvalue``, of a transition state also ``minimum_a`` and ``minimum_b``; ``frequencies`` in cm^-1,
    imaginary ones as negative numbers, where they are stored.

    Parameters
    ----------
    landscape : Landscape
        A landscape of atoms. Its calculator is built only for frequencies.
    frequencies : bool
        Whether frequencies that are not stored are computed.

    Raises
    ------
    ValueError
        If the points are no atoms, or frequencies are to be computed in reduced units.
    """
    system = landscape.geometry
    if system.atoms is None:
        raise ValueError(
            f"{landscape.path} has no atoms: structures can be written of molecules, clusters and crystals"
        )
    for kind, points in (("minimum", landscape.minima), ("transition state", landscape.transition_states)):
        names = ("energy", "lowest_eigenvalue", "log_eigenvalue_product", "symmetry_order", "verified")
        columns = {name: getattr(points, name)[:] for name in names}
        ends = landscape.transition_states.minima[:] if kind == "transition state" else None
        row = 0
        for _, block in points.coordinates.chunks():
            for x in block:
                info = {"kind": kind, "row": row}
                info |= {name: values[row].item() for name, values in columns.items() if name != "energy"}
                if ends is not None:
                    info |= {"minimum_a": int(ends[row, 0]), "minimum_b": int(ends[row, 1])}
                known = landscape.frequencies(kind, row) if frequencies else points.stored_frequencies(row)
                if known is not None:
                    info["frequencies"] = known
                yield _structure(system.subject(x), float(columns["energy"][row]), info)
                row += 1


def _structure(atoms: Atoms | Point, energy: float, info: dict[str, Any]) -> Atoms:
    from ase import Atoms as AtomsOfAse
    from ase.calculators.singlepoint import SinglePointCalculator

    assert isinstance(atoms, AtomsOfAse)
    atoms.info = printable_info(atoms.info) | info
    for name in set(atoms.arrays) & _RESULTS:  # a reader would take them for those of the calculator
        atoms.set_array(f"stored_{name}", atoms.arrays.pop(name))
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms


def printable_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the explored atoms have in ``info``, as it may stand beside what is known of a point.

    No text has control characters, which would end a line of a file or steer a terminal; an entry named like a result
    of a calculator, or like one of :func:`structures`, is called ``stored_<name>``.
    """
    taken = _RESULTS | {*_OWN, "frequencies"}
    names = {name: printable(name) for name in info}
    return {f"stored_{names[name]}" if name in taken else names[name]: _printable(info[name]) for name in info}


def _printable(value: Any) -> Any:
    """Return a value of ``info`` whose texts, also those inside lists and mappings, have no control characters."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(name): _printable(item) for name, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


def write_structures(landscape: Landscape, file: Path, form: str, *, frequencies: bool = False) -> int:
    """Write all minima and transition states to a file, one after the other.

    Parameters
    ----------
    landscape : Landscape
        As for :func:`structures`, with its errors.
    file : Path
        Where to write; nothing is there.
    form : {"extxyz", "traj", "db"}
        Format. In a database of ASE the entries of ``info`` are columns that can be selected by, such as
        ``row=3,kind=minimum``; arrays are in its ``data``.

    Returns
    -------
    int
        Number of structures.
    """
    count = 0
    if form == "db":
        from ase.db import connect

        with connect(str(file), type="db", append=False) as database:
            for atoms in structures(landscape, frequencies=frequencies):
                columns, data = _columns(atoms.info)
                database.write(atoms, data=data, **columns)
                count += 1
        return count
    from ase.io import write
    from ase.io.trajectory import Trajectory

    if form == "traj":
        with Trajectory(str(file), "w") as trajectory:
            for atoms in structures(landscape, frequencies=frequencies):
                trajectory.write(atoms)
                count += 1
        return count
    with file.open("w") as out:
        for atoms in structures(landscape, frequencies=frequencies):
            write(out, atoms, format="extxyz")
            count += 1
    return count


def _columns(info: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a database of ASE takes as columns, and the rest: arrays, and what the user's ``info`` has."""
    columns = {name: info[name] for name in _OWN if name in info and np.isfinite(_number(info[name]))}
    return columns, {name: value for name, value in info.items() if name not in columns}


def _number(value: object) -> float:
    return float(value) if isinstance(value, bool | int | float) else 0.0
