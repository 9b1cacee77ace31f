"""Anyone's callable as a potential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.potentials.calculator import FlatCalculator, finite_difference_hessian
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.lazy import public

__all__ = ["Function"]


def _numpy(value: Any) -> np.ndarray:
    """Turn what numpy, JAX or PyTorch return into a float64 array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)


@public("thalweg.potentials")
class Function(FlatCalculator):
    """A potential made of callables of a flat vector.

    Parameters
    ----------
    energy : callable or Compiled
        ``energy(x) -> float`` with x of shape (n,), or compiled functions with their integers and floats.
    gradient : callable, optional
        ``gradient(x) -> (n,)``; central differences of the energy where missing.
    hessian : callable, optional
        ``hessian(x) -> (n, n)``; central differences of the gradient (or of the energy) where missing.
    name : str, optional
        What to call it in stores and error messages.

    Notes
    -----
    numpy, JAX and PyTorch results are turned to numpy. What is done by finite differences is said in the repr.
    """

    def __init__(
        self,
        energy: Callable | Compiled,
        gradient: Callable | None = None,
        hessian: Callable | None = None,
        name: str | None = None,
    ):
        super().__init__()
        self._compiled_functions = energy if isinstance(energy, Compiled) else None
        for argument, value in (("energy", energy), ("gradient", gradient), ("hessian", hessian)):
            if value is not None and not callable(value) and not isinstance(value, Compiled):
                raise TypeError(f"{argument} must be callable, not {type(value).__name__}")
        if self._compiled_functions is not None and (gradient is not None or hessian is not None):
            raise TypeError("compiled functions bring their own derivatives: leave gradient and hessian out")
        self._energy, self._gradient, self._hessian = energy, gradient, hessian
        self.function_name = name or getattr(energy, "__name__", type(energy).__name__)

    def __repr__(self) -> str:
        if self._compiled_functions is not None:
            return f"Function({self.function_name}, compiled)"
        parts = [
            f"{part}={'finite differences' if given is None else 'given'}"
            for part, given in (("gradient", self._gradient), ("hessian", self._hessian))
        ]
        return f"Function({self.function_name}, {', '.join(parts)})"

    @property
    def compiled(self) -> Compiled | None:
        return self._compiled_functions

    def describe(self) -> dict[str, Any]:
        return {"name": "Function", "function": self.function_name}

    def energy(self, x: np.ndarray) -> float:
        if isinstance(self._energy, Compiled):
            return super().energy(x)
        value = _numpy(self._energy(self._flat(x).copy()))
        if value.size != 1:
            raise ValueError(f"{self.function_name} must return one number; it returned the shape {value.shape}")
        return float(value.reshape(()))

    def energy_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if self._compiled_functions is not None:
            return super().energy_gradient(x)
        x = self._flat(x)
        if self._gradient is None:
            return self.energy(x), self._difference_gradient(x)
        gradient = _numpy(self._gradient(x.copy()))
        if gradient.shape != x.shape:
            raise ValueError(f"the gradient of {self.function_name} has the shape {gradient.shape}, not {x.shape}")
        return self.energy(x), gradient

    def hessian(self, x: np.ndarray) -> np.ndarray:
        x = self._flat(x)
        if self._compiled_functions is not None:
            return super().hessian(x)
        if self._hessian is None:
            # a gradient that is itself a difference (error 1e-11) needs the longer step
            step = 1e-3 if self._gradient is None else 1e-5
            return finite_difference_hessian(self.energy_gradient, x, step)
        hessian = _numpy(self._hessian(x.copy()))
        if hessian.shape != (x.size, x.size):
            raise ValueError(f"the Hessian of {self.function_name} has the shape {hessian.shape}, not {(x.size,) * 2}")
        return hessian

    def _difference_gradient(self, x: np.ndarray) -> np.ndarray:
        """Fourth-order central differences: error of about 1e-11 for a well-scaled function."""
        gradient = np.empty_like(x)
        for k in range(x.size):
            h = 1e-3 * max(1.0, abs(x[k]))
            values = []
            for multiple in (-2, -1, 1, 2):
                moved = x.copy()
                moved[k] += multiple * h
                values.append(self.energy(moved))
            gradient[k] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
        return gradient
