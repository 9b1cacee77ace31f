"""Potentials, points with coordinates, and the System that presents both to every algorithm."""

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.potentials.calculator import FlatCalculator
    from thalweg.potentials.check import CheckReport, PotentialError, check_potential
    from thalweg.potentials.compiled.signatures import Compiled
    from thalweg.potentials.function import Function
    from thalweg.potentials.ljat.calculator import LJAT
    from thalweg.potentials.neural_network.loss import NetworkLoss
    from thalweg.potentials.neural_network.weights import Weights
    from thalweg.potentials.point import Point
    from thalweg.potentials.surfaces.double_wells import CoupledDoubleWells
    from thalweg.potentials.surfaces.two_dimensional import (
        Himmelblau,
        MuellerBrown,
        SixHumpCamel,
        ThreeHumpCamel,
        WolfeQuapp,
    )
    from thalweg.potentials.symmetry.block_symmetry import BlockSymmetry
    from thalweg.potentials.system import System, as_system

__all__ = [
    "LJAT",
    "BlockSymmetry",
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
    "LJAT": "ljat.calculator",
    "BlockSymmetry": "symmetry.block_symmetry",
    "CheckReport": "check",
    "Compiled": "compiled.signatures",
    "FlatCalculator": "calculator",
    "Function": "function",
    "NetworkLoss": "neural_network.loss",
    "Point": "point",
    "PotentialError": "check",
    "System": "system",
    "Weights": "neural_network.weights",
    "CoupledDoubleWells": "surfaces.double_wells",
    "Himmelblau": "surfaces.two_dimensional",
    "MuellerBrown": "surfaces.two_dimensional",
    "SixHumpCamel": "surfaces.two_dimensional",
    "ThreeHumpCamel": "surfaces.two_dimensional",
    "WolfeQuapp": "surfaces.two_dimensional",
    "as_system": "system",
    "check_potential": "check",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
