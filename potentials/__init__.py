"""What is explored: potentials, points and atoms, and the System that every algorithm sees."""

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
