"""The two signatures of compiled potentials, and the decorator that compiles every function of Thalweg.

Every optimizer is compiled once, against function pointers of the types :data:`FUNCTION` and :data:`HESSIAN`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
from numba.core.typeinfer import register_dispatcher
from numpy.typing import NDArray

from thalweg.potentials.compiled.code_cache import CodeCache
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from numba.core.typing import Signature

__all__ = [
    "FUNCTION", "FUNCTION_SIGNATURE", "HESSIAN", "HESSIAN_SIGNATURE", "Compiled", "floats", "integers", "jit", "matrix",
    "vector",
]  # fmt: skip

vector = numba.types.Array(numba.float64, 1, "C")
matrix = numba.types.Array(numba.float64, 2, "C")
integers = numba.types.Array(numba.int64, 1, "C")
floats = vector

FUNCTION_SIGNATURE = numba.float64(vector, vector, integers, floats)
HESSIAN_SIGNATURE = numba.float64(vector, matrix, integers, floats)
FUNCTION = numba.types.FunctionType(FUNCTION_SIGNATURE)
HESSIAN = numba.types.FunctionType(HESSIAN_SIGNATURE)


def jit(signature: Signature | None = None, **options: object) -> Callable[[Callable], Any]:
    """Compile ahead for one signature, cached on disk, without the GIL and without division checks.

    The cache is keyed by the content of the function's module and of all modules of Thalweg that this imports, see
    :mod:`~thalweg.potentials.compiled.code_cache`.

    Parameters
    ----------
    signature : numba signature, optional
        Types of the arguments and of what is returned: the function is compiled at import, or read from the cache.
        Without one it is compiled only as a part of its callers.
    **options
        Passed to :func:`numba.njit`, over the defaults ``nogil=True, error_model="numpy"``.
    """

    def decorate(function: Callable) -> Any:
        dispatcher = numba.njit(**{"nogil": True, "error_model": "numpy", **options})(function)
        if signature is None or numba.config.DISABLE_JIT:
            return dispatcher
        dispatcher._cache = CodeCache(function)
        with register_dispatcher(dispatcher):  # by name, for functions that call themselves
            dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return decorate


@public("thalweg.potentials")
class Compiled(NamedTuple):
    """Compiled functions of a potential, with its parameters and data.

    Attributes
    ----------
    function : compiled function of type ``FUNCTION``
        ``function(x, gradient_out, integers, floats)`` returns the energy and writes the gradient (n,).
    hessian : compiled function of type ``HESSIAN``
        ``hessian(x, hessian_out, integers, floats)`` returns the energy and writes the symmetric matrix (n, n).
    integers : ndarray of int64, shape (k,)
        Integer parameters and data of the potential.
    floats : ndarray of float64, shape (m,)
        Other parameters and data of the potential.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.potentials import Himmelblau
    >>> function, hessian, integers, floats = Himmelblau().compiled
    >>> gradient = np.empty(2)
    >>> function(np.array([3.0, 2.0]), gradient, integers, floats), gradient
    (0.0, array([0., 0.]))
    """

    function: Any
    hessian: Any
    integers: NDArray[np.int64]
    floats: NDArray[np.float64]

    def __reduce__(self) -> tuple[Any, ...]:
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
