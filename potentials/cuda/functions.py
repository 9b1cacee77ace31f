"""Device functions of a potential: the part that each calculator brings to run on a GPU. Loads no numba.cuda."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["DeviceFunction", "DeviceFunctions", "DevicePotential", "Packed"]

DeviceFunction: TypeAlias = Callable[..., Any]
"""Function that numba compiles for a GPU, to be called by kernels."""

Packed: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Integers and floats, one-dimensional, that device functions take."""


@dataclass(frozen=True)
class DeviceFunctions:
    """Functions that evaluate one walker with one block of a GPU, and their parameters.

    Attributes
    ----------
    gradient : device function
        ``gradient(x, gradient_out, integers, floats, scratch, w, room)`` returns the energy to every thread.
    product : device function
        ``product(x, v, out, integers, floats, scratch, w)`` writes the Hessian times v.
    pack : callable
        Returns the integers and floats; called when they are sent to the device.
    threads, product_threads : int
        Threads of a block for ``gradient`` and for ``product``.
    rows, product_rows : int
        Rows of scratch for each of them, one float64 a thread each.
    constant : bool
        Whether integers and floats never change, so that they stay on the device once sent.
    """

    gradient: DeviceFunction
    product: DeviceFunction
    pack: Callable[[], Packed]
    threads: int
    product_threads: int
    rows: int = 0
    product_rows: int = 0
    constant: bool = False


@runtime_checkable
class DevicePotential(Protocol):
    """Potential that may be evaluated on a GPU."""

    @property
    def device(self) -> str:
        """Device that batches are evaluated on: "cpu", "cuda" or "auto"."""
        ...

    def device_functions(self, n: int) -> DeviceFunctions | None:
        """Return the device functions for n coordinates, or None if there are none."""
        ...

    def energy_gradient(self, x: NDArray[np.float64], /) -> tuple[float, NDArray[np.float64]]:
        """Return the energy and the gradient (n,) at x (n,), computed on the CPU."""
        ...
