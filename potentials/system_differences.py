"""Second derivatives of a system: the potential's own, or differences of the gradients of a calculator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms

from thalweg.potentials.ase_calculators import free_hessian
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.constraints import Constraints
from thalweg.potentials.conversion import real_results
from thalweg.potentials.differences.hessian_model import HessianModel
from thalweg.potentials.differences.noise import NO_NOISE, Noise, measured_noise
from thalweg.potentials.protocols import Integers, Mask, Matrix, Vector

__all__ = ["SystemDifferences"]


class SystemDifferences:
    """Hessians, their products, and the noise of a :class:`~thalweg.potentials.System`, of which this is a base class.

    Attributes
    ----------
    x, free, frozen, potential, atoms, constraints
        As the System has them.
    """

    x: Vector
    free: Integers
    frozen: Integers
    potential: Any
    atoms: Atoms | None
    constraints: Constraints | None
    energy_gradient: Callable[[Vector], tuple[float, Vector]]
    null_modes: Callable[[Vector], Matrix]
    distance: Callable[[Vector, Vector], float]
    _free_mask: Mask

    @cached_property
    def noise(self) -> Noise:
        """Noise of an ASE calculator's gradients, measured at the own coordinates."""
        own = isinstance(self.potential, FlatCalculator)
        return NO_NOISE if own else measured_noise(self.energy_gradient, self.x, self.free)

    @cached_property
    def hessian_model(self) -> HessianModel | None:
        """Hessian that searches update on their way, for atoms with a calculator that has none; None for others."""
        if self.atoms is None or isinstance(self.potential, FlatCalculator):
            return None
        return HessianModel(
            self.energy_gradient, self.null_modes, self.distance, self.free, lambda: self.noise.difference_step
        )

    def hessian(self, x: Vector) -> Matrix:
        """Return the second derivatives (n, n) at x (n,), with zero rows and columns at frozen entries."""
        if isinstance(self.potential, FlatCalculator) and self.constraints is None:
            hessian = real_results.hessian(self.potential, np.asarray(x))
        else:
            hessian = free_hessian(self.energy_gradient, np.array(x), self.free, self.noise.difference_step)
        hessian[self.frozen, :] = 0.0
        hessian[:, self.frozen] = 0.0
        return hessian

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the product (n,) of the Hessian at x with v (n,); by differences for ASE's calculators."""
        v = np.where(self._free_mask, v, 0.0)
        if isinstance(self.potential, FlatCalculator) and self.constraints is None:
            product = real_results.hessian_vector(self.potential, np.asarray(x), v)
        else:
            length = np.linalg.norm(v)
            h = self.noise.difference_step / length if length > 0 else 1.0
            product = (self.energy_gradient(x + h * v)[1] - self.energy_gradient(x - h * v)[1]) / (2 * h)
        product[self.frozen] = 0.0
        return product
