"""Calculators as a store describes them, and which of these are built without the user's word.

A store may come from anybody, and an ASE calculator may run any program or write any file. So a description is looked
at before anything that it names is imported: Thalweg's own potentials, and calculators that compute in memory and
touch no file, are built; all others need trust.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from ase import Atoms
from ase.calculators.calculator import special
from numpy.typing import NDArray

from thalweg.potentials.ase_calculators import class_named
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.stored_systems.values import shown_value, storable, storable_entries

__all__ = [
    "MissingCalculator",
    "build_calculator",
    "describe_calculator",
    "foreign_calculator",
    "is_registered",
    "needed_code",
]

_PACKAGE = "thalweg.potentials"
_OWN = {
    "LJAT": "thalweg.potentials.ljat.calculator",
    "NetworkLoss": "thalweg.potentials.neural_network.loss",
    "CoupledDoubleWells": "thalweg.potentials.surfaces.double_wells",
    "Himmelblau": "thalweg.potentials.surfaces.two_dimensional",
    "MuellerBrown": "thalweg.potentials.surfaces.two_dimensional",
    "SixHumpCamel": "thalweg.potentials.surfaces.two_dimensional",
    "ThreeHumpCamel": "thalweg.potentials.surfaces.two_dimensional",
    "WolfeQuapp": "thalweg.potentials.surfaces.two_dimensional",
}

_MADE_OF_CODE = {
    "Function": ("a Python function", "Point(x, Function(...))"),
    "thalweg.analysis.models.torch_loss:TorchLoss": ("a model of PyTorch", "from_torch"),
    "thalweg.analysis.models.jax_loss:JaxLoss": ("a model of JAX", "from_jax"),
}
"""Calculators that no description can build: what they are, and what makes the point."""

_PLAIN: dict[str, frozenset[str]] = {
    "ase.calculators.acn:ACN": frozenset({"rc", "width"}),
    "ase.calculators.counterions:AtomicCounterIon": frozenset(
        {"charge", "epsilon", "sigma", "sites_per_mol", "rc", "width"}
    ),
    "ase.calculators.emt:EMT": frozenset({"asap_cutoff"}),
    "ase.calculators.idealgas:IdealGas": frozenset(),
    "ase.calculators.lj:LennardJones": frozenset({"epsilon", "sigma", "rc", "ro", "smooth"}),
    "ase.calculators.morse:MorsePotential": frozenset({"epsilon", "rho0", "r0", "rcut1", "rcut2"}),
    "ase.calculators.tip3p:TIP3P": frozenset({"rc", "width"}),
    "ase.calculators.tip4p:TIP4P": frozenset({"rc", "width"}),
    "tblite.ase:TBLite": frozenset(
        {
            *("method", "charge", "multiplicity", "accuracy", "guess", "max_iterations", "mixer", "mixer_memory"),
            *("mixer_damping", "annealing", "electric_field", "spin_polarization", "solvation", "xtb_config"),
            *("electronic_temperature", "cache_api", "verbosity"),
        }
    ),
}
"""Calculators that compute in memory and touch no file, with the arguments of which that holds.

Their sources were read: others of ASE's read files (EAM), run programs, or take objects that no store holds
(Tersoff, ForceField, HarmonicCalculator, LinearCombinationCalculator).
"""

_ELSEWHERE = {
    "ace": "ase.calculators.acemolecule",
    "gpaw": "gpaw",
    "asap": "asap3",
    "hotbit": "hotbit",
    "tblite": "tblite",
}
"""Homes of calculators that ASE knows by another name than that of their module."""

_NOT_DESCRIBED = {
    *("self", "atoms", "restart", "ignore_bad_restart_file", "label", "directory", "command", "profile"),
    *("device", "txt", "logfile", "log_file", "verbose", "parallel", "workers", "threads", "n_threads", "nthreads"),
}
"""Arguments of constructors that say where and how a calculator works, not what it computes."""


class MissingCalculator:
    """Calculator that stands where a store's own was not built: whatever is asked of it raises an error.

    Parameters
    ----------
    error : Exception
        Error to raise.
    """

    def __init__(self, error: Exception):
        self.error = error

    def get_potential_energy(self, atoms: Atoms) -> float:
        """Raise the error."""
        raise self.error

    def get_forces(self, atoms: Atoms) -> NDArray[Any]:
        """Raise the error."""
        raise self.error

    def energy_gradient(self, x: NDArray[Any], /) -> tuple[float, NDArray[Any]]:
        """Raise the error."""
        raise self.error


def describe_calculator(calculator: Any) -> dict[str, Any]:
    """Describe a calculator by class, parameters and arguments, from which :func:`build_calculator` makes it again.

    Returns
    -------
    dict
        For Thalweg's own potentials ``name`` and parameters. For others ``name``, ``class`` ("module:Class"),
        ``parameters``, ``arguments`` (those of the constructor that are not among the parameters, differ from their
        defaults, and are attributes of the calculator), and ``not_stored``, the names of what no store can hold.
    """
    kind = type(calculator)
    path = f"{kind.__module__}:{kind.__qualname__}"
    if isinstance(calculator, FlatCalculator):
        description = calculator.describe()
        return description if kind.__module__ == _PACKAGE else {**description, "class": path}
    name = str(getattr(calculator, "name", None) or kind.__name__.lower())
    parameters, left = storable_entries(dict(getattr(calculator, "parameters", None) or {}))
    arguments, unknown = _arguments(calculator, parameters.keys() | set(left))
    description = {"name": name, "ase": True, "class": path, "parameters": parameters}
    if arguments:
        description["arguments"] = arguments
    if left or unknown:
        description["not_stored"] = sorted([*left, *unknown])
    return description


def _arguments(calculator: Any, known: set[str]) -> tuple[dict[str, Any], list[str]]:
    """Return arguments of the constructor by name, and the names of those that no store can hold."""
    try:
        signature = inspect.signature(type(calculator).__init__)
    except (TypeError, ValueError):
        return {}, []
    arguments: dict[str, Any] = {}
    unknown: list[str] = []
    for name, parameter in signature.parameters.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        value = _attribute(calculator, name, parameter.default)
        if not named or name in known | _NOT_DESCRIBED or value is parameter.default:
            continue
        try:
            stored = storable(value)
            if not _equal(stored, parameter.default):
                arguments[name] = stored
        except ValueError:
            unknown.append(name)
    return arguments, unknown


def _attribute(calculator: Any, name: str, default: object) -> object:
    """Return what a calculator keeps of an argument; the default where it keeps none by that name."""
    held = getattr(calculator, "__dict__", {})
    return held.get(name, held.get(f"_{name}", default))


def _equal(stored: object, default: object) -> bool:
    try:
        return bool(stored == storable(default))
    except ValueError:  # the default cannot be stored, or arrays are compared
        return False


def is_registered(name: str, path: str) -> bool:
    """Return whether ASE knows the class "module:Class" by this name; nothing is imported."""
    module, _, kind = path.partition(":")
    home = _ELSEWHERE.get(name)
    if home is not None:
        return module == home or module.startswith(f"{home}.")
    inside = module == f"ase.calculators.{name}" or module.startswith(f"ase.calculators.{name}.")
    return inside and kind == special.get(name, name.title())


def _stored_path(description: Mapping[str, Any]) -> str:
    """Return "module:Class" of a described calculator, or its bare name where ASE has to know the class."""
    path = description.get("class")
    if path is not None:
        return str(path)
    name = str(description.get("name"))
    return next((plain for plain in _PLAIN if is_registered(name, plain)), name)


def _stored_arguments(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of a described calculator."""
    if not description.get("ase"):
        return {key: value for key, value in description.items() if key not in ("name", "class")}
    arguments: dict[str, Any] = {}
    for group in ("parameters", "arguments"):
        held = description.get(group, {})
        if not isinstance(held, Mapping):
            raise ValueError(f"{group} of the calculator must be entries by name, not {shown_value(held)}")
        arguments |= held
    return arguments


def foreign_calculator(description: Mapping[str, Any]) -> str | None:
    """Return what would be run to build a described calculator; None where Thalweg builds it without being told to.

    Nothing is imported.

    Parameters
    ----------
    description : mapping
        As :func:`describe_calculator` returns it, perhaps out of somebody else's store.

    Raises
    ------
    ValueError
        If it describes no calculator.
    """
    if not isinstance(description, Mapping):
        raise ValueError(f"the calculator must be described by entries, not by {shown_value(description)}")
    if not description.get("ase") and "class" not in description:
        return None
    path, arguments = _stored_path(description), _stored_arguments(description)
    if description.get("ase") and arguments.keys() <= _PLAIN.get(path, frozenset()) and path in _PLAIN:
        return None
    shown = ", ".join(f"{ascii(key)[1:-1]}={shown_value(value)}" for key, value in arguments.items())
    what = ascii(path)[1:-1] if ":" in path else f"ASE's calculator {path!a}"
    return f"{what} with {shown or 'no parameters'}"


def needed_code(description: Mapping[str, Any]) -> str | None:
    """Return what to do where a calculator is made of code that no store holds, such as a PyTorch module; else None."""
    if not isinstance(description, Mapping):
        return None
    made = _MADE_OF_CODE.get(str(description.get("class", description.get("name"))))
    if made is None:
        return None
    what, maker = made
    return (
        f"it is {what}, of which a store keeps no code. Make the point again with {maker} and pass its calculator, "
        "Landscape.open(path, calculator=point.calc), or go on exploring with Landscape(point, path)"
    )


def build_calculator(description: Mapping[str, Any], *, trust: bool = False) -> Any:
    """Make the calculator of a description again.

    Parameters
    ----------
    description : mapping
        As :func:`describe_calculator` returns it.
    trust : bool
        Whether to import and call whatever class the description names.

    Raises
    ------
    ValueError
        If that needs trust, the class cannot be found or is no calculator, or does not accept the arguments.
    """
    foreign, code = foreign_calculator(description), needed_code(description)
    if code is not None:
        raise ValueError(code)
    if foreign is not None and not trust:
        raise ValueError(f"{foreign} is run only with trust")
    if not description.get("ase") and "class" not in description:
        return _build_own(description)
    if description.get("not_stored"):
        lacking = ", ".join(ascii(name) for name in description["not_stored"])
        raise ValueError(f"the calculator has what no store can hold ({lacking}): pass the calculator")
    path = _stored_path(description)
    try:
        return class_named(path)(**_stored_arguments(description))
    except Exception as error:
        said = foreign or path
        raise ValueError(
            f"the calculator cannot be built, {said} ({type(error).__name__}: {printable(error)}): pass the calculator"
        ) from error


def _build_own(description: Mapping[str, Any]) -> Any:
    name = description.get("name")
    if not isinstance(name, str) or name not in _OWN:
        raise ValueError(
            f"a potential {shown_value(name)} cannot be built from its description: pass the system itself"
        )
    kind = getattr(importlib.import_module(_OWN[name]), name)
    return kind(**_stored_arguments(description))
