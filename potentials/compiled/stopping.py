"""Compiled potentials that can be stopped: their searches end at the next gradient.

Compiled searches know nothing of time. A flag in memory, which the potential reads before each gradient, makes it
return NaN; whatever the search, it then ends at once, and nobody waits for its result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from thalweg.potentials.compiled.callbacks import Callback, SearchStopped
from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE, Compiled, jit

__all__ = ["Interruptible", "Stoppable"]

# Seconds of a gradient of which asking for a flag first is less than a thousandth
_A_MOMENT = 2e-5
_HEADER = 3  # addresses of the flag, of the function and of the Hessian, before the potential's own integers


@intrinsic
def _is_set(typingctx, address):
    """Return the int64 at an address."""

    def codegen(context, builder, signature, arguments):
        kind = context.get_value_type(numba.int64)
        return builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))

    return numba.int64(numba.int64), codegen


@intrinsic
def _call(typingctx, address, x, out, integers, floats):
    """Call the compiled function of a potential at an address."""
    kinds = (x, out, integers, floats)

    def codegen(context, builder, signature, arguments):
        convention = context.call_conv
        pointer = convention.get_function_type(numba.float64, kinds).as_pointer()
        function = builder.inttoptr(arguments[0], pointer)
        status, result = convention.call_function(builder, function, numba.float64, kinds, arguments[1:])
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result

    return numba.float64(numba.int64, *kinds), codegen


@jit(FUNCTION_SIGNATURE)
def _stoppable_function(x, gradient_out, integers, floats):
    if _is_set(integers[0]):
        return np.nan
    return _call(integers[1], x, gradient_out, integers[_HEADER:], floats)


@jit(HESSIAN_SIGNATURE)
def _stoppable_hessian(x, hessian_out, integers, floats):
    if _is_set(integers[0]):
        hessian_out[:] = np.nan
        return np.nan
    return _call(integers[2], x, hessian_out, integers[_HEADER:], floats)


class Stoppable:
    """Compiled functions that return NaN as soon as they are told to stop, the same numbers as before until then.

    Parameters
    ----------
    compiled : Compiled
        The potential's own functions.

    Raises
    ------
    TypeError
        If these were not compiled ahead, so that they have no address.
    """

    def __init__(self, compiled: Compiled):
        self._flag, self._keep = np.zeros(1, dtype=np.int64), compiled
        addresses = [
            self._flag.ctypes.data,
            _address(compiled.function, FUNCTION_SIGNATURE),
            _address(compiled.hessian, HESSIAN_SIGNATURE),
        ]
        integers = np.concatenate([np.array(addresses, dtype=np.int64), compiled.integers])
        self.compiled = Compiled(_stoppable_function, _stoppable_hessian, integers, compiled.floats)

    def stop(self) -> None:
        """Let functions return NaN from now on."""
        self._flag[0] = 1

    def go_on(self) -> None:
        """Let functions compute again."""
        self._flag[0] = 0


def _address(function: Any, signature: Any) -> int:
    """Return the address of the machine code of a function of one signature."""
    found = getattr(function, "overloads", {}).get(signature.args)
    if found is None:
        raise TypeError(f"{function!r} was not compiled for {signature}")
    return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


class Interruptible:
    """Base class of systems whose searches can be ended from outside.

    Attributes
    ----------
    interrupted : callable or None
        Asked before each call of a potential written in Python whether to end the search by SearchStopped.
    stopped : bool
        Whether all searches are to end.
    """

    interrupted: Callable[[], bool] | None = None
    stopped = False
    stopper: Stoppable | None = None

    @property
    def callback(self) -> Callback | None:
        """C callback through which compiled searches call a potential written in Python."""
        return None

    def stoppable(self, compiled: Compiled) -> Compiled:
        """Return the functions of a compiled potential, those that can be stopped if :meth:`make_stoppable` has run."""
        return compiled if self.stopper is None else self.stopper.compiled

    def make_stoppable(self, compiled: Compiled, x: NDArray[np.float64]) -> None:
        """Let :meth:`stop` end searches on a compiled potential too, where a gradient takes more than a moment.

        Numbers do not change; on a potential as fast as that of a few atoms no search takes long.

        Parameters
        ----------
        compiled : Compiled
            Functions of the potential.
        x : ndarray, shape (n,)
            Where the time of a gradient is measured.
        """
        seconds, gradient = math.inf, np.empty_like(x)
        for _ in range(2):  # the first time, anything may be slow
            began = time.perf_counter()
            compiled.function(x, gradient, compiled.integers, compiled.floats)
            seconds = time.perf_counter() - began
        if self.stopper is None and seconds > _A_MOMENT:
            with suppress(TypeError):  # a user's own function need not have been compiled ahead
                self.stopper = Stoppable(compiled)

    def check_stopped(self) -> None:
        """Raise SearchStopped where searches are to end."""
        if self.stopped or (self.interrupted is not None and self.interrupted()):
            raise SearchStopped

    def stop(self) -> None:
        """End searches in other threads at their next call of the potential, until :meth:`go_on`.

        Of compiled potentials only of those that :meth:`make_stoppable` has prepared.
        """
        self.stopped = True
        if self.callback is not None:
            self.callback.error = self.callback.error or SearchStopped()
        if self.stopper is not None:
            self.stopper.stop()

    def go_on(self) -> None:
        """Take back :meth:`stop`, after those searches have ended."""
        self.stopped = False
        if self.callback is not None:
            self.callback.error = None
        if self.stopper is not None:
            self.stopper.go_on()
