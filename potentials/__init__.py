"""What is explored: potentials, points and atoms, and the System that every algorithm sees."""

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.potentials.calculator import FlatCalculator
    from thalweg.potentials.check import CheckReport, PotentialError, check_potential
    from thalweg.potentials.compiled import Compiled
    from thalweg.potentials.function import Function
    from thalweg.potentials.ljat import LJAT
    from thalweg.potentials.network import NetworkLoss
    from thalweg.potentials.point import Point
    from thalweg.potentials.surfaces import Himmelblau, MuellerBrown, SixHumpCamel, ThreeHumpCamel, WolfeQuapp
    from thalweg.potentials.surfaces_wells import CoupledDoubleWells
    from thalweg.potentials.system import System, as_system
    from thalweg.potentials.weights import Weights

__all__ = [
    "LJAT",
    "CheckReport",
    "Compiled",
    "CoupledDoubleWells",
    "FlatCalculator",
    "Function",
    "Himmelblau",
    "MuellerBrown",
    "NetworkLoss",
    "Point",
    "PotentialError",
    "SixHumpCamel",
    "System",
    "ThreeHumpCamel",
    "Weights",
    "WolfeQuapp",
    "as_system",
    "check_potential",
]

_HOMES = {
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
    "CoupledDoubleWells": "surfaces_wells",
    "Himmelblau": "surfaces",
    "MuellerBrown": "surfaces",
    "SixHumpCamel": "surfaces",
    "ThreeHumpCamel": "surfaces",
    "WolfeQuapp": "surfaces",
    "as_system": "system",
    "check_potential": "check",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
