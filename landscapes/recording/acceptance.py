"""Criteria by which a stationary point is accepted into a landscape."""

from __future__ import annotations

import math

import numpy as np

from thalweg.landscapes.errors import RejectedError
from thalweg.landscapes.records import Minimum, TransitionState
from thalweg.landscapes.storage.array_spec import LARGEST_COORDINATE, LARGEST_NUMBER
from thalweg.landscapes.tolerances import Tolerances

__all__ = ["check_minimum", "check_transition_state"]


def check_minimum(minimum: Minimum, n: int, tolerances: Tolerances) -> None:
    """Check a minimum.

    Parameters
    ----------
    minimum : Minimum
        Minimum that a search found.
    n : int
        Length that its coordinates must have.
    tolerances : Tolerances
        Tolerances of the landscape.

    Raises
    ------
    ValueError
        The coordinates have the wrong shape: a mistake of the caller's.
    RejectedError
        It has numbers that are not finite, too large a gradient, or a negative eigenvalue.
    """
    _check_point(minimum, "minimum", n, tolerances)
    if minimum.lowest_eigenvalue < -tolerances.eigenvalue:
        raise RejectedError(
            "negative eigenvalue at a minimum",
            f"minimum: lowest_eigenvalue is {minimum.lowest_eigenvalue}; a minimum has no negative one",
        )


def check_transition_state(state: TransitionState, n: int, tolerances: Tolerances) -> None:
    """Check a transition state and its two minima; path lengths may be NaN, not known.

    Raises
    ------
    ValueError
        As for `check_minimum`, or where there are not two minima and two path lengths.
    RejectedError
        As for `check_minimum`, or where not exactly one eigenvalue is negative, or a minimum lies above it.
    """
    if len(state.minima) != 2 or len(state.path_lengths) != 2:
        raise ValueError("a transition state has two minima and two path_lengths, one a side")
    _check_point(state, "transition state", n, tolerances)
    if state.n_negative != 1 or not state.lowest_eigenvalue < -tolerances.eigenvalue:
        raise RejectedError(
            "not exactly one negative eigenvalue",
            f"transition state: n_negative is {state.n_negative}, lowest_eigenvalue {state.lowest_eigenvalue}; "
            "exactly one eigenvalue must be negative",
        )
    if not all(math.isnan(length) or 0 <= length <= LARGEST_NUMBER for length in state.path_lengths):
        raise RejectedError("path length not finite", f"transition state: path_lengths are {state.path_lengths}")
    for minimum in state.minima:
        check_minimum(minimum, n, tolerances)
        if minimum.energy > state.energy + tolerances.energy:
            raise RejectedError(
                "minimum above its transition state",
                f"transition state: its energy {state.energy} is below that of its minimum, {minimum.energy}",
            )


def _check_point(point: Minimum | TransitionState, what: str, n: int, tolerances: Tolerances) -> None:
    if point.coordinates.shape != (n,):
        raise ValueError(f"{what}: coordinates must have shape ({n},), not {point.coordinates.shape}")
    if point.modes < 0 or point.symmetry_order < 0:
        raise ValueError(f"{what}: modes and symmetry_order must not be negative")
    for name in ("energy", "gradient_rms", "lowest_eigenvalue"):
        if not abs(getattr(point, name)) <= LARGEST_NUMBER:
            raise RejectedError("numbers not finite", f"{what}: {name} is not finite, or beyond {LARGEST_NUMBER:g}")
    # NaN where nobody computes all eigenvalues: of large systems the lowest ones are the proof
    if math.isinf(point.log_eigenvalue_product):
        raise RejectedError("numbers not finite", f"{what}: log_eigenvalue_product is not finite")
    if not (np.abs(point.coordinates) <= LARGEST_COORDINATE).all():
        raise RejectedError(
            "numbers not finite", f"{what}: coordinates is not finite, or beyond {LARGEST_COORDINATE:g}"
        )
    if not point.gradient_rms <= tolerances.gradient_rms:
        raise RejectedError(
            "gradient too large",
            f"{what}: gradient_rms is {point.gradient_rms}; at most {tolerances.gradient_rms} may enter",
        )
