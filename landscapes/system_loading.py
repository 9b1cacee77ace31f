"""Build a System from Atoms, a Point or Weights, or from a store's description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from thalweg.landscapes.errors import StoreError, UntrustedError
from thalweg.landscapes.tolerances import Tolerances
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.protocols import ExploredSystem, GradientPotential, SearchedSystem, Vector

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.potentials.ase_calculators import AtomsCalculator
    from thalweg.potentials.bounds import BoundsLike
    from thalweg.potentials.noise import Noise
    from thalweg.potentials.point import Point
    from thalweg.potentials.system import System

__all__ = [
    "CalculatorLike",
    "SystemLike",
    "default_rules_of",
    "default_tolerances",
    "geometry_of",
    "noise_attributes",
    "noise_of",
    "rebuilt",
    "stored_symmetry",
    "stored_system",
    "system_of",
    "units_of",
    "with_noise",
]

SystemLike: TypeAlias = "Atoms | Point | ExploredSystem"
"""Atoms or a Point with a calculator, or a system."""

CalculatorLike: TypeAlias = "AtomsCalculator | GradientPotential | Callable[[Vector], Any]"
"""ASE calculator, potential of flat vectors, or callable ``energy(x)``."""


def system_of(subject: SystemLike | Mapping[str, Any], bounds: BoundsLike | None = None, **symmetry: Any) -> System:
    """Return the system of Atoms, of a Point, or of a stored description.

    Parameters
    ----------
    subject : ase.Atoms, Point, System or mapping
        Whatever has ``n``, ``describe``, ``distance`` and ``order`` is taken as it is: a landscape can store its
        points, though nothing can search in it.
    bounds : array_like or scipy.optimize.Bounds, optional
        As `System` takes them.
    **symmetry
        What counts as the same, as `System` takes it; None counts as missing.
    """
    symmetry = {name: value for name, value in symmetry.items() if value is not None}
    if bounds is None and not symmetry and isinstance(subject, ExploredSystem):
        return cast("System", subject)
    from thalweg.potentials.system import System, as_system  # slow to load, and a reader seldom needs it

    if isinstance(subject, Mapping):
        return System.from_description(dict(subject))
    return as_system(cast("Atoms | Point", subject), bounds, **symmetry)


def stored_symmetry(description: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts as the same by the description of a store, unless it is given.

    Defaults depend on the structure that a user happens to hold, and measured ones take calls of the calculator: those
    of an existing store are its own.
    """
    if description.get("kind") != "atoms":
        return dict(given)
    from thalweg.potentials.system_symmetry import usual_symmetry

    usual = usual_symmetry(np.asarray(description["pbc"]), np.asarray(description["cell"]))
    stored = {name: description.get(name, value) for name, value in usual.items()}
    return stored | {name: value for name, value in given.items() if value is not None}


def stored_system(
    where: object, description: Mapping[str, Any], *, trust: bool = False, calculator: CalculatorLike | None = None
) -> System:
    """Build the system of a store.

    Parameters
    ----------
    where : object
        The store, for messages.
    description : mapping
        Description of its system.
    trust : bool
        Whether to import and call whatever calculator it names.
    calculator : ASE calculator, FlatCalculator or callable, optional
        Calculator in place of the described one.

    Raises
    ------
    UntrustedError
        If the calculator is run only with trust; nothing was imported.
    StoreError
        If the system cannot be built from its description.
    """
    from thalweg.potentials.stored_systems.calculators import foreign_calculator, needed_code
    from thalweg.potentials.system import System  # slow to load, as above

    try:
        code = None if calculator is not None else needed_code(description["calculator"])
        if code is not None:
            raise StoreError(f"{where}: the calculator cannot be built, with trust or without: {code}")
        foreign = None if trust or calculator is not None else foreign_calculator(description["calculator"])
        if foreign is not None:
            raise UntrustedError(
                f"{where} is of a calculator that is run only if you trust the store: {foreign}. It may do anything "
                "that you may. If you trust whoever made the store, add --trust (in Python "
                "Landscape.open(..., trust=True)); or pass a calculator, Landscape.open(..., calculator=...)"
            )
        return System.from_description(dict(description), calculator, trust=trust)
    except StoreError:
        raise
    except Exception as error:  # whatever a potential makes of parameters that somebody else has written
        said = printable(error if type(error) is ValueError else f"{type(error).__name__}: {error}")
        said = said if len(said) <= 500 else f"{said[:497]}..."
        raise StoreError(f"{where}: the explored system cannot be built: {said}") from error


def geometry_of(where: object, description: Mapping[str, Any]) -> System:
    """Build the system of a store without a calculator that needs trust: what is computed with that raises an error.

    Distances, symmetry and structures need none, but for points of a potential that may bring a symmetry of its own.

    Raises
    ------
    StoreError
        If there is such a potential, or the description is of no system.
    """
    from thalweg.potentials.stored_systems.calculators import MissingCalculator

    try:
        return stored_system(where, description)
    except StoreError as error:
        calculator = description.get("calculator")
        if description.get("kind") == "point" and not (
            isinstance(calculator, Mapping) and calculator.get("name") == "Function"
        ):
            raise
        return stored_system(where, description, calculator=MissingCalculator(error))


def rebuilt(system: System, description: Mapping[str, Any]) -> System:
    """Return the system with the coordinates it was stored with, on which random starts may depend."""
    if not isinstance(system, SearchedSystem):
        return system
    make: Callable[..., System] = type(system)
    options = system.symmetry_options() if hasattr(system, "symmetry_options") else {}
    return make(system.subject(description["x"]), bounds=system.bounds, **options)


def default_rules_of(system: ExploredSystem) -> dict[str, Any] | None:
    """Return the rules of the minimiser that suit a system; None for one in which nothing can search."""
    if not isinstance(system, SearchedSystem):
        return None
    from thalweg.optimizers.rules import default_rules

    return default_rules(cast("System", system)).to_dict()


def default_tolerances(system: ExploredSystem, given: Tolerances | None = None) -> Tolerances:
    """Return the tolerances of a new landscape: what was given, the rest by the noise of an ASE calculator."""
    if not isinstance(system, SearchedSystem) or system.units != "eV":
        return given or Tolerances()
    noise = noise_of(cast("System", system))
    if noise is None:
        return given or Tolerances()
    return Tolerances.converged_to(noise.gradient_rms, noise.distance) if given is None else given.completed(noise)


def noise_of(system: System) -> Noise | None:
    """Return the noise of a calculator; None for one that cannot be computed here: searches meet that again."""
    try:
        return system.noise
    except Exception:
        return None


def noise_attributes(system: ExploredSystem) -> dict[str, Any]:
    """Return what a store keeps of a calculator's noise; nothing for potentials without any."""
    if not isinstance(system, SearchedSystem) or system.units != "eV":
        return {}
    noise = noise_of(cast("System", system))
    return {} if noise is None else {"noise": noise._asdict()}


def with_noise(system: System, attributes: Mapping[str, Any]) -> System:
    """Return the system with the noise that its store keeps, so that the step of differences is always the same."""
    stored = attributes.get("noise")
    if stored is not None and isinstance(system, SearchedSystem):
        from thalweg.potentials.noise import Noise as Measured

        system.noise = Measured(**stored)
    return system


def units_of(system: ExploredSystem) -> str:
    """Return the unit of energy; "reduced" for a system in which nothing can search."""
    return system.units if isinstance(system, SearchedSystem) else "reduced"
