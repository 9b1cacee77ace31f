"""Potentials made of plain Python callables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from thalweg.potentials.calculator import FlatCalculator, finite_difference_hessian
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.conversion.real_results import real_array, real_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Matrix, Vector

__all__ = ["Function"]


@runtime_checkable
class _Tensor(Protocol):
    """Tensor of PyTorch, which numpy does not convert while it is part of a graph."""

    def detach(self) -> Any:
        """Return the tensor outside its graph."""
        ...


def _plain(value: Any) -> Any:
    """Return a result of PyTorch as an array, others as they are."""
    if isinstance(value, _Tensor):
        value = value.detach().cpu().numpy()
    return value


@public("thalweg.potentials")
class Function(FlatCalculator):
    """Potential made of callables of a flat vector.

    Parameters
    ----------
    energy : callable or Compiled
        ``energy(x) -> float`` with x of shape (n,), or compiled functions with their integers and floats.
    gradient : callable, optional
        ``gradient(x) -> (n,)``; central differences of the energy if not given.
    hessian : callable, optional
        ``hessian(x) -> (n, n)``; central differences of the gradient (or of the energy) if not given.
    name : str, optional
        Name in stores and error messages.

    Raises
    ------
    TypeError
        If an argument is not callable, or derivatives are given beside compiled functions, which bring their own.

    Notes
    -----
    Results of numpy, JAX and PyTorch are converted to numpy. The repr says which derivatives are finite differences.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.potentials import Function
    >>> bowl = Function(lambda x: float(x @ x), gradient=lambda x: 2.0 * x, name="bowl")
    >>> bowl
    Function(bowl, gradient=given, hessian=finite differences)
    >>> bowl.energy(np.array([1.0, 2.0]))
    5.0
    """

    def __init__(
        self,
        energy: Callable[[Vector], Any] | Compiled,
        gradient: Callable[[Vector], Any] | None = None,
        hessian: Callable[[Vector], Any] | None = None,
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
        """Compiled functions if the potential was made of them, else None."""
        return self._compiled_functions

    def describe(self) -> dict[str, Any]:
        """Return the name of the function, from which it cannot be built again."""
        return {"name": "Function", "function": self.function_name}

    def energy(self, x: Vector) -> float:
        """Return the energy at x (n,)."""
        if isinstance(self._energy, Compiled):
            return super().energy(x)
        return real_number(_plain(self._energy(self._flat(x).copy())), f"what {self.function_name} returns")

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the energy and the gradient (n,) at x (n,)."""
        if self._compiled_functions is not None:
            return super().energy_gradient(x)
        x = self._flat(x)
        if self._gradient is None:
            return self.energy(x), self._difference_gradient(x)
        gradient = _plain(self._gradient(x.copy()))
        return self.energy(x), real_array(gradient, x.shape, f"the gradient of {self.function_name}")

    def hessian(self, x: Vector) -> Matrix:
        """Return the second derivatives (n, n) at x (n,)."""
        x = self._flat(x)
        if self._compiled_functions is not None:
            return super().hessian(x)
        if self._hessian is None:
            # a gradient that is itself a difference (error 1e-11) needs the longer step
            step = 1e-3 if self._gradient is None else 1e-5
            return finite_difference_hessian(self.energy_gradient, x, step)
        hessian = _plain(self._hessian(x.copy()))
        return real_array(hessian, (x.size, x.size), f"the Hessian of {self.function_name}")

    def _difference_gradient(self, x: Vector) -> Vector:
        """Return fourth-order central differences, with an error of about 1e-11 for a well-scaled function."""
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
