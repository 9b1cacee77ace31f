"""What is explored: potentials, points and atoms, and the System that every algorithm sees."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.potentials.calculator import FlatCalculator
    from thalweg.potentials.check import CheckReport, PotentialError, check_potential
    from thalweg.potentials.compiled import Compiled
    from thalweg.potentials.function import Function
    from thalweg.potentials.ljat import LJAT
    from thalweg.potentials.network import NetworkLoss
    from thalweg.potentials.point import Point
    from thalweg.potentials.system import System, as_system
    from thalweg.potentials.weights import Weights

__all__ = [
    "LJAT",
    "CheckReport",
    "Compiled",
    "FlatCalculator",
    "Function",
    "NetworkLoss",
    "Point",
    "PotentialError",
    "System",
    "Weights",
    "as_system",
    "check_potential",
]

_MODULES = {
    "LJAT": "ljat",
    "CheckReport": "check",
    "Compiled": "compiled",
    "FlatCalculator": "calculator",
    "Function": "function",
    "NetworkLoss": "network",
    "Point": "point",
    "PotentialError": "check",
    "System": "system",
    "Weights": "weights",
    "as_system": "system",
    "check_potential": "check",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for: each compiles, or reads from numba's cache, what it needs."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
