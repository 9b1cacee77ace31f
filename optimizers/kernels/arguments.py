"""Argument tuples and result records of compiled searches.

An :class:`Arguments` is the numba type of a ``NamedTuple`` class: compiled code reads ``search.rms``, and Python
passes an instance whose function fields are compiled functions. An array of records holds what searches found, one
walker an entry: ``found["energy"]`` in Python, ``found[row].energy`` in compiled code.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
from numba.extending import models, register_model, typeof_impl

from thalweg.potentials.compiled.signatures import FUNCTION, HESSIAN, floats, integers, matrix, vector

if TYPE_CHECKING:
    from thalweg.potentials.system import System

__all__ = [
    "FOLLOW", "FOLLOW_SIGNATURE", "MINIMUM_SEARCH", "PROBLEM", "RUN", "SADDLE_SEARCH", "STATIONARY_POINT", "WALK",
    "WALK_SIGNATURE", "Arguments", "MinimumSearch", "Problem", "SaddleSearch", "runs", "stationary_pairs",
    "stationary_point", "stationary_points",
]  # fmt: skip

_REAL, _WHOLE = numba.float64, numba.int64


class Arguments(numba.types.NamedTuple):
    """Numba's type of the instances of a NamedTuple class, whose function pointers are compiled functions in Python.

    Parameters
    ----------
    kind : class
        A NamedTuple. Arrays among its fields must be contiguous.
    fields : numba types
        Type of each of its fields.
    """

    def __init__(self, kind: type, *fields: numba.types.Type):
        super().__init__(fields, kind)
        # nested names would be thousands of letters long, and be compared at every call
        digest = hashlib.sha256(str(vars(self)["name"]).encode()).hexdigest()
        self.name = f"{kind.__name__}_{digest[:12]}"
        # the type of an instance need not be found out field by field at every call
        typeof_impl.register(kind)(lambda value, context: self)

    @property
    def key(self) -> str:
        return str(self.name)


register_model(Arguments)(models.TupleModel)


class Problem(NamedTuple):
    """A System as compiled code sees it.

    Attributes
    ----------
    function, hessian : compiled functions of the types FUNCTION and HESSIAN
    integers, floats : (k,) int64 and float64 arrays
        Parameters and data of the potential.
    free, frozen : (k,) int64 arrays
        Indices of free and fixed coordinates.
    rigid : (k, 6) float64 array
        Rigid motions that leave the energy unchanged.
    lattice : (7, 3) or (0, 3) float64 array
        Lattice across which molecules are put together before they are turned.
    constant : (k, n) float64 array
        Null modes that are the same everywhere.
    varying : (0,) or (1,) int64 array
        Address of a function of null modes that differ from point to point; ``constant`` then has as many rows.
    """

    function: Any
    hessian: Any
    integers: np.ndarray
    floats: np.ndarray
    free: np.ndarray
    frozen: np.ndarray
    rigid: np.ndarray
    lattice: np.ndarray
    constant: np.ndarray
    varying: np.ndarray

    @classmethod
    def of(cls, system: System) -> Problem:
        """Return a system as compiled searches take it."""
        function, hessian, integers, floats = system.compiled
        return cls(
            function=function, hessian=hessian, integers=np.ascontiguousarray(integers, dtype=np.int64),
            floats=np.ascontiguousarray(floats, dtype=np.float64), free=system.free, frozen=system.frozen,
            rigid=system.rigid, lattice=system.lattice,
            constant=np.ascontiguousarray(system.constant_null_modes), varying=system.varying_null_modes,
        )  # fmt: skip


PROBLEM = Arguments(Problem, FUNCTION, HESSIAN, integers, floats, integers, integers, matrix, matrix, matrix, integers)

WALK_SIGNATURE = numba.types.Tuple((_REAL, _REAL, _WHOLE, _WHOLE, _WHOLE, _REAL))(
    FUNCTION, integers, floats, integers, vector, _REAL, _WHOLE, vector, vector, matrix
)
"""LBFGS: (function, integers, floats, frozen, rules, rms, most steps, x, gradient, trace) to (energy, rms, steps,
evaluations, status, path length)."""
WALK = numba.types.FunctionType(WALK_SIGNATURE)

FOLLOW_SIGNATURE = numba.types.Tuple((_REAL, _REAL, _WHOLE, _WHOLE, _REAL, _REAL, _WHOLE))(
    PROBLEM, _WHOLE, _REAL, _WHOLE, _REAL, vector, vector
)
"""Second order: (problem, negative eigenvalues, rms, most Hessians, longest step, x, mode) to (energy, rms, steps,
status, lowest eigenvalue, log eigenvalue product, positive eigenvalues)."""
FOLLOW = numba.types.FunctionType(FOLLOW_SIGNATURE)


class MinimumSearch(NamedTuple):
    """Search for minima: LBFGS to a loose gradient, then second order.

    Attributes
    ----------
    problem : Problem
    walk, finish : compiled functions of the types WALK and FOLLOW
        Called as pointers: directly they would be compiled again into every caller.
    rules : (8,) float64 array
        Packed rules of LBFGS.
    switch, rms : float
        Rms gradients at which second order takes over, and at which it ends.
    steps, hessians : int
        Most LBFGS steps, and most Hessians.
    max_step : float
        Longest second-order step at first.
    push : float
        Displacement from a transition state along its downhill mode.
    """

    problem: Problem
    walk: Any
    finish: Any
    rules: np.ndarray
    switch: float
    rms: float
    steps: int
    hessians: int
    max_step: float
    push: float


MINIMUM_SEARCH = Arguments(
    MinimumSearch, PROBLEM, WALK, FOLLOW, vector, _REAL, _REAL, _WHOLE, _WHOLE, _REAL, _REAL
)  # fmt: skip


class SaddleSearch(NamedTuple):
    """Search for transition states.

    Attributes
    ----------
    follow : compiled function of the type FOLLOW
        Goes to a transition state.
    rms : float
        Rms gradient to reach.
    steps : int
        Most Hessians.
    max_step : float
        Longest step at first.
    known : (k,) float64 array
        Ascending energies of transition states whose minima are known.
    within : float
        How far from one of these an energy is known.
    """

    follow: Any
    rms: float
    steps: int
    max_step: float
    known: np.ndarray
    within: float


SADDLE_SEARCH = Arguments(SaddleSearch, FOLLOW, _REAL, _WHOLE, _REAL, vector, _REAL)

RUN = np.dtype(
    [
        ("energy", np.float64), ("rms", np.float64), ("steps", np.int64), ("evaluations", np.int64),
        ("status", np.int64), ("path_length", np.float64),
    ],
    align=True,
)  # fmt: skip
"""What a minimisation by LBFGS found."""

STATIONARY_POINT = np.dtype(
    [
        ("energy", np.float64), ("rms", np.float64), ("steps", np.int64), ("status", np.int64),
        ("lowest_eigenvalue", np.float64), ("log_eigenvalue_product", np.float64), ("modes", np.int64),
        ("path_length", np.float64),
    ],
    align=True,
)  # fmt: skip
"""What a second-order search found: ``modes`` is the number of positive eigenvalues, ``path_length`` that of the way
to a minimum."""

runs = numba.types.Array(numba.from_dtype(RUN), 1, "C")
stationary_point = numba.from_dtype(STATIONARY_POINT)
stationary_points = numba.types.Array(stationary_point, 1, "C")
stationary_pairs = numba.types.Array(stationary_point, 2, "C")
