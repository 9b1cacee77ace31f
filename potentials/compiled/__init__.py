"""What compiled code agrees on: two signatures, the decorator that compiles, and C callbacks for Python potentials."""

from thalweg.potentials.compiled.callbacks import Callback
from thalweg.potentials.compiled.signatures import (
    FUNCTION,
    HESSIAN,
    Compiled,
    floats,
    integers,
    jit,
    matrix,
    vector,
)

__all__ = ["FUNCTION", "HESSIAN", "Callback", "Compiled", "floats", "integers", "jit", "matrix", "vector"]
