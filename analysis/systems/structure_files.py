"""Structures from files, with any of ASE's calculators, as systems that the command line explores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["AHEAD", "DEFAULTS", "file_of", "read_structure", "tolerances_of"]

DEFAULTS: dict[str, Any] = {"calculator": None, "parameters": {}, "rms": 1e-6, "seed": 0}
"""Options of a structure: the calculator's name, its parameters, the largest rms gradient of a stored point."""

AHEAD = 4
"""Tasks in flight: one calculator does one at a time, and what is in flight begins at random."""


def file_of(name: str) -> Path | None:
    """Return the file that a system's name means, None where it means none; "file@3" is the third frame of a file."""
    path = Path(name.rpartition("@")[0] or name)
    return path if path.suffix or path.is_file() else None


def read_structure(name: str, options: Mapping[str, Any]) -> Any:
    """Read atoms by ASE, constraints included, and give them their calculator.

    Parameters
    ----------
    name : str
        A file in any format of :func:`ase.io.read`; the last frame of several, or "file@0" and so on.
    options : mapping
        As :data:`DEFAULTS` has them.

    Returns
    -------
    ase.Atoms

    Raises
    ------
    ValueError
        If no calculator is named, the file cannot be read, or the calculator cannot compute the structure.
    FileNotFoundError
        If there is no file.
    """
    from ase.io import read

    from thalweg.potentials.ase_calculators import calculator_by_name
    from thalweg.potentials.system import as_system

    file = file_of(name)
    if file is None or not file.exists():
        raise FileNotFoundError(f"there is no file {file or name}")
    if not options["calculator"]:
        raise ValueError(f"{name} needs a --calculator: emt, lj, another that ASE knows, or module:Class")
    calculator = calculator_by_name(options["calculator"], options["parameters"])
    try:
        atoms = read(name)
    except Exception as error:
        raise ValueError(f"ASE cannot read {name}: {type(error).__name__}: {error}") from error
    atoms.calc = calculator
    try:
        as_system(atoms).energy_gradient(atoms.positions.ravel())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ValueError(f"the calculator {options['calculator']} cannot compute {name}: {said}") from error
    return atoms


def tolerances_of(options: Mapping[str, Any]) -> Any:
    """Return the tolerances of a landscape whose points are converged to ``rms``.

    Energies are known to about the square of the gradient over a curvature: of 0.01 eV/angstrom**2 where soft.
    """
    from thalweg.landscapes.tolerances import Tolerances

    return Tolerances(gradient_rms=options["rms"], energy=max(1e-7, 100.0 * options["rms"] ** 2))
