"""Structures from files, with any of ASE's calculators, as systems that the command line explores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.analysis.systems.announced_atoms import check_announced_atoms
from thalweg.analysis.systems.exploration_target import Explored
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.landscapes.tolerances import Tolerances

__all__ = [
    "AHEAD",
    "StructureOptions",
    "build_structure",
    "check_stored_structure",
    "file_of",
    "read_structure",
    "tolerances_of",
]

AHEAD = 4
"""Tasks in flight: one calculator does one at a time, and tasks in flight at the beginning start at random."""


@dataclass(frozen=True)
class StructureOptions:
    """Options of a structure from a file.

    Attributes
    ----------
    calculator : str or None
        Name of the calculator: one of ASE's, or "module:Class".
    parameters : mapping
        Keywords of the calculator.
    rms : float or None
        Largest rms gradient of a stored point, eV/angstrom; by the noise of the calculator where None.
    permutations, inversion, substrate : optional
        Which points are the same, as a Landscape takes them; None where the structure is to tell.
    moves : sequence of str, optional
        Basin-hopping moves by name; those that suit the structure where missing.
    seed : int
        Seed of the searches.
    """

    calculator: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rms: float | None = None
    permutations: str | None = None
    inversion: bool | None = None
    substrate: bool | None = None
    moves: Sequence[str] | None = None
    seed: int = 0

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> StructureOptions:
        """Return the options in a mapping such as that of a store; what belongs to no structure is left out."""
        return cls(**{name: options[name] for name in cls.__dataclass_fields__ if name in options})

    def foreign(self) -> str | None:
        """Return what would be run to make the calculator; None where it computes in memory and touches no file."""
        from thalweg.potentials.stored_systems.calculators import foreign_calculator

        if self.calculator is None:
            return None
        name = str(self.calculator)
        return foreign_calculator(
            {"name": name, "ase": True, "parameters": self.parameters} | ({"class": name} if ":" in name else {})
        )

    def symmetry(self) -> dict[str, Any]:
        """Return which points are the same, as a Landscape takes it."""
        return {"permutations": self.permutations, "inversion": self.inversion, "substrate": self.substrate}

    def stored(self) -> dict[str, Any]:
        """Return the options as a store keeps them, JSON-able."""
        return asdict(self)


def file_of(name: str) -> Path | None:
    """Return the file that a system's name refers to, None where it does not; "file@3" is frame 3 of a file."""
    path = _file_and_frame(name)[0]
    return path if path.suffix or path.is_file() else None


def _file_and_frame(name: str) -> tuple[Path, str | None]:
    """Return the path in a system's name, and which of its frames is meant; None for the last."""
    path, _, frame = name.rpartition("@")
    # a folder may be named user@host, and a file may have an @ in its own name
    if not path or "/" in frame or os.sep in frame or Path(name).exists():
        return Path(name), None
    return Path(path), frame


def build_structure(name: str, options: StructureOptions) -> Explored:
    """Return the structure of a file as a system; parameters and errors as for :func:`read_structure`."""
    atoms = read_structure(name, options)
    fixed = len(set().union(*(constraint.get_indices() for constraint in atoms.constraints)))
    periodic = ", periodic" if atoms.pbc.any() else ""
    what = f"{atoms.get_chemical_formula()}, {fixed} atoms fixed{periodic}, {options.calculator}, energies in eV"
    symmetry = options.symmetry()
    return Explored(
        name, what, atoms, tolerances=tolerances_of(options), ahead=AHEAD, symmetry=symmetry, moves=options.moves
    )


def read_structure(name: str, options: StructureOptions) -> Atoms:
    """Read atoms by ASE, constraints included, and give them their calculator.

    Parameters
    ----------
    name : str
        A file in any format of :func:`ase.io.read`; the last frame of several, or "file@0" and so on.
    options : StructureOptions

    Returns
    -------
    ase.Atoms

    Raises
    ------
    ValueError
        If no calculator is named, the file cannot be read, or the calculator cannot compute the structure.
    FileNotFoundError
        If the file does not exist.
    """
    from thalweg.potentials.ase_calculators import calculator_by_name
    from thalweg.potentials.system import as_system

    _existing(name)
    if options.moves is not None:
        from thalweg.optimizers.basin_hopping.default_moves import moves_by_name

        moves_by_name(options.moves)
    if not options.calculator:
        raise ValueError(f"{name} needs a --calculator: emt, lj, another that ASE knows, or module:Class")
    calculator = calculator_by_name(options.calculator, options.parameters)
    atoms = _read_atoms(name)
    atoms.calc = calculator
    try:
        as_system(atoms).energy_gradient(atoms.positions.ravel())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ValueError(f"the calculator {options.calculator} cannot compute {name}: {said}") from error
    return atoms


def _read_atoms(name: str) -> Atoms:
    """Read atoms by ASE, constraints included; errors as for :func:`read_structure`."""
    from ase.io import read

    file, frame = _existing(name)
    check_announced_atoms(file)
    try:
        atoms = read(file, index=frame, do_not_split_by_at_sign=True)
    except Exception as error:
        raise ValueError(f"ASE cannot read {name}: {type(error).__name__}: {printable(error)}") from error
    if isinstance(atoms, list):
        raise ValueError(f"{name} means several structures: name one of them, such as {file}@0 or {file}@-1")
    return atoms


def _existing(name: str) -> tuple[Path, str | None]:
    """Return file and frame of a system's name; FileNotFoundError where there is no such file."""
    file, frame = _file_and_frame(name)
    if not file.exists():
        raise FileNotFoundError(f"there is no file {file}")
    return file, frame


def check_stored_structure(name: str, options: StructureOptions, store: Path, trust: bool) -> None:
    """Check, before any calculator is made, that a store is of the structure in a file, and may name its calculator.

    Parameters
    ----------
    name : str
        The file, as :func:`read_structure` takes it.
    options : StructureOptions
        Options with which the exploration goes on.
    store : Path
        The store.
    trust : bool
        Whether the user has named the calculator, or trusts the store.

    Raises
    ------
    StoreError
        If the store is of another structure; UntrustedError if it names a calculator that needs trust.
    ValueError, FileNotFoundError
        If the file cannot be read.
    """
    from thalweg.landscapes import Landscape, UntrustedError
    from thalweg.landscapes.storage.compatibility import check_same
    from thalweg.landscapes.system_loading import stored_symmetry
    from thalweg.potentials.stored_systems.calculators import MissingCalculator
    from thalweg.potentials.system import as_system

    foreign = options.foreign()
    error = UntrustedError(
        f"{store} is of a calculator that is run only if you say so: {foreign}. It may do anything that you may. Name "
        "it again by --calculator and --parameters, or add --trust if you trust whoever made the store"
    )
    atoms = _read_atoms(name)
    atoms.calc = MissingCalculator(error)
    stored = Landscape.open(store)._store.description()
    system = as_system(atoms, **stored_symmetry(stored, options.symmetry()))
    check_same(store, {**system.describe(), "calculator": stored.get("calculator", {})}, {})
    if foreign is not None and not trust:
        raise error


def tolerances_of(options: StructureOptions) -> Tolerances | None:
    """Return the tolerances of a landscape whose points are converged to ``rms``; None where none was given."""
    from thalweg.landscapes.tolerances import Tolerances

    return None if options.rms is None else Tolerances.converged_to(options.rms)
