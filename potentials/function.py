"""Potentials made of plain Python callables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.calculator import FlatCalculator, finite_difference_hessian
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.conversion.real_results import real_array, real_number
from thalweg.potentials.lazy import public
from thalweg.potentials.symmetry.block_symmetry import BlockSymmetry
from thalweg.potentials.symmetry.varying_null_modes import orthonormal_tangents

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Matrix, Symmetry, Vector

__all__ = ["Function", "checked_null_modes", "described_null_modes"]


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
    null_modes : (k, n) array_like or callable, optional
        Directions along which the energy never changes, the same at all points; or a function of x that returns
        tangent vectors (k, n) of the motions that leave the energy unchanged, such as rotations of a matrix. Minima
        that differ by such a motion count once, and their zero eigenvalues are expected.
    symmetry : BlockSymmetry, optional
        Exchanges and sign changes of coordinates that leave the energy unchanged; or an object of your own with
        ``align``, ``distance``, ``order`` and ``random_copy``.
    periods : float or (n,) array_like, optional
        Period of each coordinate, such as 2 pi for angles; infinite where it has none.

    Raises
    ------
    TypeError
        If an argument is not callable, or derivatives are given beside compiled functions, which bring their own.
    ValueError
        If null modes or periods have another shape or make no sense.

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
        *,
        null_modes: ArrayLike | Callable[[Vector], ArrayLike] | None = None,
        symmetry: Symmetry | None = None,
        periods: ArrayLike | None = None,
    ):
        super().__init__()
        self.null_modes = checked_null_modes(null_modes)
        self.symmetry = _checked_symmetry(symmetry)
        self.periods = _checked_periods(periods)
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
    def has_gradient(self) -> bool:
        """Whether a gradient was given, or compiled functions, so that none is made of differences of the energy."""
        return self._gradient is not None or self._compiled_functions is not None

    @property
    def has_hessian(self) -> bool:
        """Whether a Hessian was given, or compiled functions, so that none is made of differences."""
        return self._hessian is not None or self._compiled_functions is not None

    @property
    def compiled(self) -> Compiled | None:
        """Compiled functions if the potential was made of them, else None."""
        return self._compiled_functions

    def describe(self) -> dict[str, Any]:
        """Return the name of the function, from which it cannot be built again."""
        described: dict[str, Any] = {"name": "Function", "function": self.function_name}
        described |= described_null_modes(self.null_modes)
        if self.symmetry is not None:
            described["symmetry"] = (
                self.symmetry.describe() if isinstance(self.symmetry, BlockSymmetry) else type(self.symmetry).__name__
            )
        if self.periods is not None:  # an attribute has no infinity
            described["periods"] = np.where(np.isfinite(self.periods), self.periods, 0.0)
        return described

    @property
    def declares_symmetry(self) -> bool:  # type: ignore[override]
        """Whether null modes, a symmetry or periods were given."""
        return any(given is not None for given in (self.null_modes, self.symmetry, self.periods))

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError if null modes or periods have another length than x (n,)."""
        modes = None if callable(self.null_modes) else self.null_modes
        if modes is not None and np.shape(modes)[1] != x.size:
            raise ValueError(f"null_modes have {np.shape(modes)[1]} coordinates, and x has {x.size}")
        if self.periods is not None and self.periods.size not in (1, x.size):
            raise ValueError(f"periods must be one or {x.size}, one for each coordinate; they are {self.periods.size}")

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


def described_null_modes(modes: Matrix | Callable[[Vector], ArrayLike] | None) -> dict[str, Any]:
    """Return what a store keeps of declared null modes: the name of a function, or constant ones."""
    if modes is None:
        return {}
    return {"null_modes": getattr(modes, "__name__", type(modes).__name__) if callable(modes) else modes}


def checked_null_modes(
    modes: ArrayLike | Callable[[Vector], ArrayLike] | None, n: int | None = None
) -> Matrix | Callable[[Vector], ArrayLike] | None:
    """Return declared null modes of n coordinates: a function as it is, constant ones as orthonormal rows (k, n)."""
    if modes is None or callable(modes):
        return modes
    rows = np.atleast_2d(np.asarray(modes, dtype=np.float64))
    if rows.ndim != 2 or not np.isfinite(rows).all() or not rows.any():
        raise ValueError(f"null_modes must be finite directions, shape (k, n), not zero; they are {rows.shape}")
    if n is not None and rows.shape[1] != n:
        raise ValueError(f"null_modes have {rows.shape[1]} coordinates, and x has {n}")
    return orthonormal_tangents(rows, np.zeros(0, dtype=np.int64))


def _checked_symmetry(symmetry: Symmetry | None) -> Symmetry | None:
    needed = ("align", "distance", "order", "random_copy")
    missing = [name for name in needed if symmetry is not None and not callable(getattr(symmetry, name, None))]
    if missing:
        raise TypeError(f"symmetry must be a BlockSymmetry or have {', '.join(needed)}; it has no {missing[0]}")
    return symmetry


def _checked_periods(periods: ArrayLike | None) -> Vector | None:
    if periods is None:
        return None
    checked = np.atleast_1d(np.array(periods, dtype=np.float64))
    if checked.ndim != 1 or not (checked > 0).all():
        raise ValueError(f"periods must be positive, infinite where a coordinate has none; they are {periods!r}")
    return checked
