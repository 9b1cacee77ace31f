"""ASE's calculators as potentials: made by name, evaluated at flat coordinates."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, FileIOCalculator, get_calculator_class
from ase.calculators.genericfileio import GenericFileIOCalculator
from numpy.typing import NDArray

from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.conversion.real_results import real_array, real_number

__all__ = [
    "FAILURES",
    "AtomsCalculator",
    "calculator_by_name",
    "class_named",
    "evaluate_atoms",
    "free_hessian",
    "nearest_distance",
]

FAILURES = (CalculationFailed, ArithmeticError, np.linalg.LinAlgError)
"""Exceptions that a calculator may raise at a single geometry: they end a search, all others are passed on."""


_REGISTERED_BY = {"tblite": "tblite.ase"}
"""Modules outside ASE that make a calculator known to ASE by name, once they are imported."""

_QUIET: dict[str, dict[str, Any]] = {"tblite.ase:TBLite": {"verbosity": 0}}
"""Parameters that keep a calculator made by name from writing a page for each call on standard output."""


class AtomsCalculator(Protocol):
    """Calculator with ASE's interface."""

    def get_potential_energy(self, atoms: Atoms) -> float:
        """Return the energy of atoms, in eV."""
        ...

    def get_forces(self, atoms: Atoms) -> NDArray[np.float64]:
        """Return the forces on atoms, shape (atoms, 3), in eV per angstrom."""
        ...


def calculator_by_name(name: str, parameters: Mapping[str, Any] | None = None) -> AtomsCalculator:
    """Make one of ASE's calculators, or any class with their interface.

    Parameters
    ----------
    name : str
        Name in ASE's registry ("emt", "lj", "morse" ...), "tblite", or "module:Class" of a class with ASE's interface.
    parameters : mapping, optional
        Keyword arguments of the class, by which a store describes the calculator.

    Returns
    -------
    calculator

    Raises
    ------
    ValueError
        If there is no such calculator, or the parameters do not suit it.
    """
    kind = class_named(name)
    parameters = {**_QUIET.get(f"{kind.__module__}:{kind.__qualname__}", {}), **(parameters or {})}
    _check_known(kind, name, parameters)
    calculator = _instance(kind, name, parameters)
    if parameters and dict(getattr(calculator, "parameters", None) or {}) == {}:
        # for its description: this class does not remember them itself
        calculator.parameters = parameters
    return calculator


def _check_known(kind: Any, name: str, parameters: dict[str, Any]) -> None:
    """Raise ValueError for parameters that ASE's own calculators would ignore; programs with input files know more."""
    defaults = getattr(kind, "default_parameters", None)
    if not defaults or issubclass(kind, FileIOCalculator | GenericFileIOCalculator):
        return
    known = {*defaults, *inspect.signature(kind).parameters} - {"kwargs", "restart", "atoms"}
    unknown = sorted(parameters.keys() - known)
    if unknown:
        raise ValueError(
            f"the calculator {name} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )


def class_named(name: str) -> Any:
    """Return the class of a calculator by ASE's name or "module:Class"; its module is imported.

    Raises
    ------
    ValueError
        If there is none of that name, or it is no class with the methods of an ASE calculator.
    """
    try:
        if name in _REGISTERED_BY:
            importlib.import_module(_REGISTERED_BY[name])
        found = _imported(name) if ":" in name else get_calculator_class(name)
    except (ImportError, AttributeError, ValueError) as error:
        wanted = 'a name that ASE knows, such as "emt" or "lj", "tblite", or "module:Class"'
        raise ValueError(f"there is no calculator {name!r} ({printable(error)}): give {wanted}") from error
    methods = (getattr(found, method, None) for method in ("get_potential_energy", "get_forces"))
    atoms = isinstance(found, type) and issubclass(found, Atoms)  # which have the same methods
    if not isinstance(found, type) or atoms or not all(callable(method) for method in methods):
        raise ValueError(f"{name} is no ASE calculator: it has no get_potential_energy and get_forces")
    return found


def _imported(path: str) -> Any:
    module, _, names = path.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


def _instance(kind: Any, name: str, parameters: dict[str, Any]) -> Any:
    try:
        return kind(**parameters)
    except Exception as error:
        said = ", ".join(f"{key}={value!r}" for key, value in parameters.items()) or "no parameters"
        raise ValueError(f"the calculator {printable(name)} cannot be made with {said}: {printable(error)}") from error


def evaluate_atoms(
    atoms: Atoms, calculator: AtomsCalculator, x: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Evaluate energy and gradient of a calculator at x, without constraints.

    Parameters
    ----------
    atoms : Atoms
        Species and cell; their positions are overwritten.
    calculator : ASE calculator
    x : ndarray, shape (n,)
        Positions, in angstrom.

    Returns
    -------
    energy : float
        In eV; the free energy where the calculator has one.
    gradient : ndarray, shape (n,)
        In eV per angstrom.

    Raises
    ------
    TypeError, ValueError
        If the calculator returns what is no energy, or forces of another shape.
    """
    consistent = "free_energy" in getattr(calculator, "implemented_properties", ())
    atoms.set_positions(np.reshape(x, (-1, 3)), apply_constraint=False)
    atoms.calc = calculator
    try:
        # overlapping atoms are a failed search, not a warning
        with np.errstate(all="ignore"):
            # forces first: calculators compute the energy on the way
            forces = atoms.get_forces(apply_constraint=False)
            energy = atoms.get_potential_energy(force_consistent=consistent, apply_constraint=False)
    finally:
        atoms.calc = None
    name = type(calculator).__name__
    shape = (3 * len(atoms),) if np.ndim(forces) == 1 else (len(atoms), 3)  # some calculators return flat forces
    gradient = -real_array(forces, shape, f"the forces of {name}").ravel()
    return real_number(energy, f"the energy of {name}"), gradient


def free_hessian(
    energy_gradient: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]],
    x: NDArray[np.float64],
    free: NDArray[np.int64],
    step: float = 1e-4,
) -> NDArray[np.float64]:
    """Return a Hessian (n, n) from central differences over the free coordinates, zero at the others.

    Parameters
    ----------
    energy_gradient : callable
        Function of x (n,) that returns the energy and the gradient (n,).
    x : ndarray, shape (n,)
    free : ndarray of int
        Indices of the coordinates that may move.
    step : float
        Step of the differences, in units of x.
    """
    hessian = np.zeros((x.size, x.size))
    for k in free:
        moved = x.copy()
        moved[k] = x[k] + step
        forward = energy_gradient(moved)[1]
        moved[k] = x[k] - step
        hessian[k, free] = ((forward - energy_gradient(moved)[1]) / (2 * step))[free]
    return 0.5 * (hessian + hessian.T)


def nearest_distance(atoms: Atoms) -> float:
    """Return the mean distance of atoms to their nearest neighbours, periodic images included; 1 for a single atom."""
    if len(atoms) < 2:
        return 1.0
    distances = atoms.get_all_distances(mic=bool(atoms.pbc.any()))
    np.fill_diagonal(distances, np.inf)
    return float(distances.min(axis=1).mean())
