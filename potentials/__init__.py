"""What is explored: potentials, points and atoms, and the System that every algorithm sees."""

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled import Compiled
from thalweg.potentials.function import Function
from thalweg.potentials.ljat import LJAT
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

__all__ = ["LJAT", "Compiled", "FlatCalculator", "Function", "Point", "System", "as_system"]
