"""Python potentials in compiled code, through C callbacks.

A potential written in Python (an ASE calculator, a JAX function) enters through a C callback whose address travels in
the integers, so that it needs no compilation of its own.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE, Compiled, jit

__all__ = ["C_SIGNATURE", "Callback", "Failure", "SearchStopped", "call_address"]

_log = logging.getLogger(__name__)


@intrinsic
def call_address(typingctx, address, x, out, n):
    """Call the C function ``double f(double *x, double *out, int64 n)`` at an address, on arrays of any shape."""

    def codegen(context, builder, signature, arguments):
        address, x, out, n = arguments
        pointers = [
            cgutils.create_struct_proxy(kind)(context, builder, value=value).data
            for kind, value in zip(signature.args[1:3], (x, out), strict=True)
        ]
        kinds = [pointers[0].type, pointers[1].type, ir.IntType(64)]
        function = builder.inttoptr(address, ir.FunctionType(ir.DoubleType(), kinds).as_pointer())
        return builder.call(function, [*pointers, n])

    return numba.float64(numba.int64, x, out, numba.int64), codegen


@jit(FUNCTION_SIGNATURE)
def _callback_function(x, gradient_out, integers, floats):
    return call_address(integers[0], x, gradient_out, x.size)


@jit(HESSIAN_SIGNATURE)
def _callback_hessian(x, hessian_out, integers, floats):
    return call_address(integers[1], x, hessian_out, x.size)


C_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double), ctypes.c_int64
)


class SearchStopped(BaseException):
    """Exception that ends a search whose result nobody waits for."""


class Failure(NamedTuple):
    """Exception that a potential raised.

    Attributes
    ----------
    error : Exception
        What it raised.
    x : ndarray, shape (n,)
        Coordinates at which it did.
    text : str
        The traceback.
    """

    error: Exception
    x: NDArray[np.float64]
    text: str


class Callback:
    """Adapter of Python callables to a :class:`Compiled`, which stores their exceptions and returns NaN.

    Compiled code cannot pass a Python exception on, so the first one raised is stored in :attr:`error`, the
    callable is not called again, and :meth:`reraise` raises it after the compiled code has returned.

    Parameters
    ----------
    energy_gradient : callable
        ``energy_gradient(x) -> (float, (n,) array)``.
    hessian : callable
        ``hessian(x) -> (n, n) array``.
    failures : tuple of exception types
        Exceptions that return NaN and are logged but not stored: the next geometry may succeed.
    """

    def __init__(
        self,
        energy_gradient: Callable[[NDArray[np.float64]], tuple[float, ArrayLike]],
        hessian: Callable[[NDArray[np.float64]], ArrayLike],
        failures: tuple[type[Exception], ...] = (),
    ):
        self._failures = failures
        self.error: BaseException | None = None
        self._energy_gradient = energy_gradient
        self._hessian = hessian
        self._keep = (C_SIGNATURE(self._first), C_SIGNATURE(self._second))
        addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in self._keep]
        self.compiled = Compiled(
            _callback_function, _callback_hessian, np.array(addresses, dtype=np.int64), np.zeros(1)
        )

    def _first(self, x, out, n):
        return self._guarded(self._write_gradient, x, out, n)

    def _second(self, x, out, n):
        return self._guarded(self._write_hessian, x, out, n)

    def _guarded(self, write, x, out, n):
        if self.error is None:
            try:
                return write(np.ctypeslib.as_array(x, (n,)).copy(), out, n)
            except self._failures as error:
                _log.info("a calculation failed: %s: %s", type(error).__name__, error)
            except BaseException as error:
                self.error = error
        # differences of gradients look at no energy: what lay in this memory before must not pass for a gradient
        np.ctypeslib.as_array(out, (n,))[:] = np.nan
        return np.nan

    def _write_gradient(self, x, out, n):
        energy, gradient = self._energy_gradient(x)
        np.ctypeslib.as_array(out, (n,))[:] = gradient
        return float(energy)

    def _write_hessian(self, x, out, n):
        np.ctypeslib.as_array(out, (n, n))[:] = self._hessian(x)
        return 0.0

    def reraise(self) -> None:
        """Raise the first exception that a callable raised since the last call, if any."""
        error, self.error = self.error, None
        if error is not None:
            raise error
