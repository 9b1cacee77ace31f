"""What compiled code agrees on: two function signatures, one decorator, and a way in for plain Python callables.

Every optimizer is compiled once, against function pointers of the types :data:`FUNCTION` and :data:`HESSIAN`.
A potential written in Python (an ASE calculator, a JAX function) enters through a C callback whose address
travels in the integers, so that it needs no compilation of its own.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

_log = logging.getLogger(__name__)

__all__ = ["FUNCTION", "HESSIAN", "Callback", "Compiled", "floats", "integers", "jit", "matrix", "vector"]

vector = numba.types.Array(numba.float64, 1, "C")
matrix = numba.types.Array(numba.float64, 2, "C")
integers = numba.types.Array(numba.int64, 1, "C")
floats = vector

FUNCTION_SIGNATURE = numba.float64(vector, vector, integers, floats)
HESSIAN_SIGNATURE = numba.float64(vector, matrix, integers, floats)
FUNCTION = numba.types.FunctionType(FUNCTION_SIGNATURE)
HESSIAN = numba.types.FunctionType(HESSIAN_SIGNATURE)


def jit(signature: Any, **options: Any) -> Callable[[Callable], Any]:
    """Compile ahead for one signature, cached on disk, without the GIL and without division checks.

    Parameters
    ----------
    signature : numba signature
        What the function takes and returns; it is compiled at import, or read from numba's cache.
    **options
        Passed to :func:`numba.njit`, over the defaults ``cache=True, nogil=True, error_model="numpy"``.
    """
    return numba.njit(signature, **{"cache": True, "nogil": True, "error_model": "numpy", **options})


class Compiled(NamedTuple):
    """A potential as compiled code sees it.

    Attributes
    ----------
    function : compiled function of type ``FUNCTION``
        Energy returned, gradient written to its second argument.
    hessian : compiled function of type ``HESSIAN``
        Energy returned, the whole symmetric matrix written to its second argument.
    integers, floats : ndarray
        Parameters and data of the potential, int64 and float64.
    """

    function: Any
    hessian: Any
    integers: np.ndarray
    floats: np.ndarray

    def __reduce__(self) -> tuple:
        # by name where there is one: Numba would send the source, to be compiled again without what it calls by symbol
        return _compiled, (_reference(self.function), _reference(self.hessian), self.integers, self.floats)


def _reference(function: Any) -> Any:
    """Return the (module, name) of a compiled function where it can be imported from there, itself otherwise."""
    python: Any = getattr(function, "py_func", None)
    module = sys.modules.get(getattr(python, "__module__", ""))
    if module is None or module.__name__ == "__main__" or getattr(module, python.__name__, None) is not function:
        return function
    return module.__name__, python.__name__


def _compiled(function: Any, hessian: Any, integers: np.ndarray, floats: np.ndarray) -> Compiled:
    """Make a Compiled again from what `_reference` gave."""
    found = [getattr(import_module(one[0]), one[1]) if isinstance(one, tuple) else one for one in (function, hessian)]
    return Compiled(found[0], found[1], integers, floats)


@intrinsic
def _call_address(typingctx, address, x, out, n):
    """Call the C function ``double f(double *x, double *out, int64 n)`` at an address."""

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
    return _call_address(integers[0], x, gradient_out, x.size)


@jit(HESSIAN_SIGNATURE)
def _callback_hessian(x, hessian_out, integers, floats):
    return _call_address(integers[1], x, hessian_out, x.size)


_C_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double), ctypes.c_int64
)


class Callback:
    """Python callables dressed as a :class:`Compiled`; exceptions become NaN and are kept.

    Compiled code cannot pass a Python exception on, so the first one raised is stored in :attr:`error`, the
    callable is not called again, and :meth:`reraise` raises it once the compiled code has returned.

    Parameters
    ----------
    energy_gradient : callable
        ``energy_gradient(x) -> (float, (n,) array)``.
    hessian : callable
        ``hessian(x) -> (n, n) array``.
    failures : tuple of exception types
        Become NaN and are forgotten but for a line in the log: the next geometry may do.
    """

    def __init__(self, energy_gradient: Callable, hessian: Callable, failures: tuple[type[Exception], ...] = ()):
        self._failures = failures
        self.error: BaseException | None = None
        self._energy_gradient = energy_gradient
        self._hessian = hessian
        self._keep = (_C_SIGNATURE(self._first), _C_SIGNATURE(self._second))
        addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in self._keep]
        self.compiled = Compiled(
            _callback_function, _callback_hessian, np.array(addresses, dtype=np.int64), np.zeros(1)
        )

    def _first(self, x, out, n):
        return self._guarded(self._write_gradient, x, out, n)

    def _second(self, x, out, n):
        return self._guarded(self._write_hessian, x, out, n)

    def _guarded(self, write, x, out, n):
        if self.error is not None:
            return np.nan
        try:
            return write(np.ctypeslib.as_array(x, (n,)).copy(), out, n)
        except self._failures as error:
            _log.info("a calculation failed: %s: %s", type(error).__name__, error)
            return np.nan
        except BaseException as error:
            self.error = error
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
