"""Compiled code: the two signatures of potentials, the decorator that compiles, C callbacks for Python potentials."""

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
from thalweg.potentials.lazy import lazy_names

__all__ = ["FUNCTION", "HESSIAN", "Callback", "Compiled", "floats", "integers", "jit", "matrix", "vector"]

# Pickles written while this package was a module find what makes their compiled functions here
__getattr__, __dir__ = lazy_names(__name__, {"_compiled": "signatures"})
