"""Functions that compiled code calls by a symbol's name, so that each is compiled once whoever calls it.

Where one compiled function calls another, Numba links the callee's code into the caller, optimises it there again and
again makes machine code of it, at every level of calls: most of the time that the network's kernels took to compile.
A function made by :func:`linked` is machine code of its own, cached on disk like any other; callers hold only the
name, under which importing its module makes it known to LLVM. It must not raise, and Python cannot call it.

The name holds the module that defines the function. Code of a caller that was compiled before the function moved asks
for the old name, even where the caller's module still imports the function from where it was; calling a name that
LLVM does not know ends the process. The cache therefore keeps with the code of each caller the names that it asks for,
and where one of them is not known the caller is compiled anew, see :mod:`~thalweg.potentials.compiled.code_cache`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import llvmlite.binding
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import lower_builtin

from thalweg.potentials.compiled.code_cache import LINKED
from thalweg.potentials.compiled.signatures import jit

if TYPE_CHECKING:
    from numba.core.typing import Signature

__all__ = ["linked"]


def _call(symbol: str) -> Callable:
    """Return the function that writes a call of the named function in LLVM's language."""

    def lower(context, builder, signature, arguments):
        convention, kinds = context.call_conv, (signature.return_type, signature.args)
        function = cgutils.get_or_insert_function(builder.module, convention.get_function_type(*kinds), symbol)
        _, result = convention.call_function(builder, function, *kinds, arguments)
        return context.get_dummy_value() if signature.return_type == types.void else result

    return lower


def linked(signature: Signature, *, counted: bool = True, **options: object) -> Callable[[Callable], Callable]:
    """Compile ahead for one signature, to be called by name from compiled code only.

    Parameters
    ----------
    signature : numba signature
        With its return type; arguments are converted to it as in any call.
    counted : bool
        Whether references to arrays are counted. A function that neither makes nor returns an array, and calls none
        that does, needs no counts: counting up and down takes longer than a short loop.
    **options
        Passed to :func:`~thalweg.potentials.compiled.signatures.jit`, over the default ``fastmath={"contract"}``.
    """

    def decorate(function: Callable) -> Callable:
        # The types are part of the name, as in C++: code that was compiled for others must not find this function.
        # Its content is not, so that code that knows the name alone goes on with the function's newest version.
        symbol = f"{LINKED}{function.__module__}.{function.__qualname__}{signature}"
        options_ = {"fastmath": {"contract"}, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, **options}
        if not counted:
            options_["_nrt"] = False
        compiled = jit(signature, **options_)(function)
        result = compiled.overloads[signature.args]
        address = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
        llvmlite.binding.add_symbol(symbol, address)
        template = type(function.__name__, (ConcreteTemplate,), {"key": function, "cases": [signature]})
        infer_global(function, types.Function(template))
        lower_builtin(function, *signature.args)(_call(symbol))
        function.compiled = compiled  # type: ignore[attr-defined]  # the machine code lives as long as this
        return function

    return decorate
