"""A Gaussian process as the potential of a Point, on which every optimizer runs without calls of the calculator."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.surrogate.gaussian_process import GaussianProcess
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.point import Point
from thalweg.potentials.system import System

__all__ = ["Prediction", "predicted_system"]


class Prediction(FlatCalculator):
    """The mean of a Gaussian process.

    Parameters
    ----------
    process : GaussianProcess
        A process that has been fitted.
    """

    def __init__(self, process: GaussianProcess) -> None:
        super().__init__()
        self._functions = process.compiled

    @property
    def compiled(self) -> Compiled:
        return self._functions


def predicted_system(system: System, process: GaussianProcess) -> System:
    """Return a system with the coordinates of another, whose energies a Gaussian process predicts."""
    still = np.ones(system.n, dtype=bool)
    still[system.free] = False
    return System(Point(system.x, Prediction(process), still))
