"""Results of potentials as real float64 numbers: whatever would lose its meaning in the conversion is refused."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["ResultError", "energy_gradient", "hessian", "hessian_vector", "real_array", "real_number"]

# numpy would read text as numbers, dates as numbers of days, and None as NaN
_REFUSED = {"b": "truth values", "S": "text", "U": "text", "M": "dates", "m": "times"}


class ResultError(TypeError, ValueError):
    """Error of a potential that returned what is no energy, gradient or Hessian.

    It is a fault of the potential everywhere, not the failure of a calculation at one geometry, so it ends a run of
    searches.
    """


class _Potential(Protocol):
    def energy_gradient(self, x: NDArray[np.float64]) -> tuple[Any, Any]: ...


class _Curved(Protocol):
    def hessian(self, x: NDArray[np.float64]) -> Any: ...

    def hessian_vector(self, x: NDArray[np.float64], v: NDArray[np.float64]) -> Any: ...


def energy_gradient(potential: _Potential, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the energy and a copy of the gradient (n,) at x (n,); errors as of :func:`real_array`."""
    name = type(potential).__name__
    energy, gradient = potential.energy_gradient(x)
    gradient = real_array(gradient, x.shape, f"the gradient of {name}").copy()
    return real_number(energy, f"the energy of {name}"), gradient


def hessian(potential: _Curved, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a copy of the Hessian (n, n) at x (n,); errors as of :func:`real_array`."""
    return real_array(potential.hessian(x), (x.size, x.size), f"the Hessian of {type(potential).__name__}").copy()


def hessian_vector(potential: _Curved, x: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a copy of the product (n,) of the Hessian at x (n,) with v (n,); errors as of :func:`real_array`."""
    name = f"the Hessian-vector product of {type(potential).__name__}"
    return real_array(potential.hessian_vector(x, v), x.shape, name).copy()


def real_array(value: Any, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Return a result of a potential as float64.

    Parameters
    ----------
    value : array_like
        What a potential returned, of numpy, JAX, PyTorch on the CPU, or plain Python.
    shape : tuple of int
        The right shape.
    name : str
        What it is, for the error.

    Raises
    ------
    ResultError
        If it is complex, holds anything but numbers, or has another shape; it is a TypeError and a ValueError.
    """
    array = np.asarray(value)
    if array.dtype.kind != "f":
        _check_real(array, name)
        array = array.astype(np.float64)
    if array.shape != shape:
        raise ResultError(f"{name} must have the shape {shape}; it has {array.shape}")
    return np.asarray(array, dtype=np.float64)


def real_number(value: Any, name: str) -> float:
    """Return a result of a potential as a float; an array of one number is one, too.

    Parameters
    ----------
    value : scalar or array_like of one number
        What a potential returned.
    name : str
        What it is, for the error.

    Raises
    ------
    ResultError
        If it is complex, no number, or several; it is a TypeError and a ValueError.
    """
    if type(value) is float:  # most are: no array is made for them
        return value
    array = np.asarray(value)
    if array.size != 1:
        raise ResultError(f"{name} must be one number; it has the shape {array.shape}")
    return float(real_array(array.reshape(()), (), name))


def _check_real(array: NDArray[Any], name: str) -> None:
    """Raise ResultError for an array that is not of numbers on the real line."""
    if np.iscomplexobj(array) or any(isinstance(item, complex | np.complexfloating) for item in _objects(array)):
        raise ResultError(f"{name} must be real; it is complex ({array.dtype})")
    if array.dtype.kind in _REFUSED:
        raise ResultError(f"{name} must be real numbers; it holds {_REFUSED[array.dtype.kind]} ({array.dtype})")
    for item in _objects(array):
        if not hasattr(item, "__float__") or np.ndim(item):
            raise ResultError(f"{name} must be real numbers; it holds {type(item).__name__}")


def _objects(array: NDArray[Any]) -> list[Any]:
    return array.ravel().tolist() if array.dtype.kind == "O" else []
