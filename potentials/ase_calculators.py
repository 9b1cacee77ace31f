"""ASE's calculators as potentials: by name, described for a store, and asked for energy and gradient."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, FileIOCalculator, get_calculator_class
from ase.calculators.genericfileio import GenericFileIOCalculator

__all__ = [
    "FAILURES",
    "build_ase_calculator",
    "calculator_by_name",
    "describe_ase_calculator",
    "evaluate_atoms",
    "free_hessian",
    "nearest_distance",
]

FAILURES = (CalculationFailed, ArithmeticError, np.linalg.LinAlgError)
"""What a calculator may raise at one geometry and not at the next: a failed search. All else is raised."""

_STEP = 1e-4  # angstrom, of gradient differences


def calculator_by_name(name: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """Make one of ASE's calculators, or anyone's.

    Parameters
    ----------
    name : str
        As ASE registers it ("emt", "lj", "morse" ...), or "module:Class" of any class with ASE's interface.
    parameters : mapping, optional
        Keyword arguments of the class; a store describes the calculator by them.

    Raises
    ------
    ValueError
        If there is no such calculator, or the parameters do not suit it.
    """
    kind, parameters = _class(name), dict(parameters or {})
    _check_known(kind, name, parameters)
    calculator = _instance(kind, name, parameters)
    if parameters and dict(getattr(calculator, "parameters", None) or {}) == {}:
        # for describe_ase_calculator: this class does not remember them itself
        calculator.parameters = parameters
    return calculator


def _check_known(kind: Any, name: str, parameters: dict[str, Any]) -> None:
    """Refuse parameters that ASE's own calculators would keep and ignore; programs with input files know more."""
    defaults = getattr(kind, "default_parameters", None)
    if not defaults or issubclass(kind, FileIOCalculator | GenericFileIOCalculator):
        return
    known = {*defaults, *inspect.signature(kind).parameters} - {"kwargs", "restart", "atoms"}
    unknown = sorted(parameters.keys() - known)
    if unknown:
        raise ValueError(
            f"the calculator {name} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )


def _class(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute) if colon else get_calculator_class(name)
    except (ImportError, AttributeError, ValueError) as error:
        wanted = 'a name that ASE knows, such as "emt" or "lj", or "module:Class"'
        raise ValueError(f"there is no calculator {name!r} ({error}): give {wanted}") from error
    # names come out of stores too: nothing but calculators is called
    if not (callable(getattr(found, "get_potential_energy", None)) and callable(getattr(found, "get_forces", None))):
        raise ValueError(f"{name} is no ASE calculator: it has no get_potential_energy and get_forces")
    return found


def _instance(kind: Any, name: str, parameters: dict[str, Any]) -> Any:
    try:
        return kind(**parameters)
    except Exception as error:
        said = ", ".join(f"{key}={value!r}" for key, value in parameters.items()) or "no parameters"
        raise ValueError(f"the calculator {name} cannot be made with {said}: {error}") from error


def describe_ase_calculator(calculator: Any) -> dict[str, Any]:
    """Return name, class and parameters, from which :func:`build_ase_calculator` makes it again."""
    kind = type(calculator)
    name = str(getattr(calculator, "name", None) or kind.__name__.lower())
    description: dict[str, Any] = {"name": name, "ase": True}
    if not _registered(name, kind):
        description["class"] = f"{kind.__module__}:{kind.__qualname__}"
    return {**description, "parameters": dict(getattr(calculator, "parameters", None) or {})}


def _registered(name: str, kind: type) -> bool:
    try:
        return get_calculator_class(name) is kind
    except (ImportError, AttributeError, ValueError):
        return False


def build_ase_calculator(description: Mapping[str, Any]) -> Any:
    """Make the calculator of a description again.

    Raises
    ------
    ValueError
        If its class cannot be found here, or does not take the parameters that it was described by.
    """
    name = description.get("class", description["name"])
    try:
        return _instance(_class(name), name, dict(description["parameters"]))
    except ValueError as error:
        raise ValueError(f"{error}; pass the atoms with their calculator instead") from error


def evaluate_atoms(atoms: Atoms, calculator: Any, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Return energy, the one that the forces belong to, and gradient (n,) at x, constraints not applied."""
    consistent = "free_energy" in getattr(calculator, "implemented_properties", ())
    atoms.set_positions(np.reshape(x, (-1, 3)), apply_constraint=False)
    atoms.calc = calculator
    try:
        # overlapping atoms are a failed search, not a warning
        with np.errstate(all="ignore"):
            # forces first: calculators compute the energy on the way
            gradient = -np.asarray(atoms.get_forces(apply_constraint=False), dtype=np.float64).ravel()
            energy = float(atoms.get_potential_energy(force_consistent=consistent))
    finally:
        atoms.calc = None
    return energy, gradient


def free_hessian(gradient: Callable[[np.ndarray], np.ndarray], x: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return central differences (n, n) of a gradient over the free coordinates alone, zero elsewhere."""
    hessian = np.zeros((x.size, x.size))
    for k in free:
        moved = x.copy()
        moved[k] = x[k] + _STEP
        forward = gradient(moved)
        moved[k] = x[k] - _STEP
        hessian[k, free] = ((forward - gradient(moved)) / (2 * _STEP))[free]
    return 0.5 * (hessian + hessian.T)


def nearest_distance(atoms: Atoms) -> float:
    """Return the mean distance of an atom to its nearest neighbour, periodic images included; 1 for one atom."""
    if len(atoms) < 2:
        return 1.0
    distances = atoms.get_all_distances(mic=bool(atoms.pbc.any()))
    np.fill_diagonal(distances, np.inf)
    return float(distances.min(axis=1).mean())
