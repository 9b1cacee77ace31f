"""Checks of numeric options: one wording for whatever is no number, not finite, or out of range."""

from __future__ import annotations

import math
import numbers

import numpy as np

__all__ = ["checked_number", "finite_number", "positive_number", "whole_number"]


def checked_number(name: str, value: object) -> float:
    """Return an option as a float, which may be infinite or NaN; an array of one number without axes is one, too.

    Raises
    ------
    TypeError
        If it is no real number.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number; it is {value!r}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def finite_number(name: str, value: object) -> float:
    """Return an option as a float; TypeError where it is no number, ValueError where it is not finite."""
    number = checked_number(name, value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; it is {value}")
    return number


def positive_number(name: str, value: object, *, zero: bool = False, infinite: bool = False) -> float:
    """Return an option as a float that is positive and finite.

    Parameters
    ----------
    name : str
        Its name, for the error.
    value : object
        What was given.
    zero, infinite : bool
        Whether it may be 0, or infinite.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is out of range or NaN.
    """
    number = checked_number(name, value)
    large_enough = number >= 0 if zero else number > 0
    if not large_enough or (number == math.inf and not infinite):
        if zero:
            wanted = "not be negative" if infinite else "be finite and not negative"
        else:
            wanted = "be positive" if infinite else "be positive and finite"
        raise ValueError(f"{name} must {wanted}; it is {value}")
    return number


def whole_number(name: str, value: object, least: int = 0, most: int | None = None) -> int:
    """Return an option as an int in a range; a float without a fraction is one, too.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it has a fraction, is not finite, or is out of range.
    """
    number = checked_number(name, value)
    # ints are compared as they are: large ones would be rounded
    exact = int(value) if isinstance(value, numbers.Integral) else number
    if not (number.is_integer() and exact >= least and (most is None or exact <= most)):
        wanted = f"at most {most}" if most is not None and number.is_integer() and exact > most else f"at least {least}"
        raise ValueError(f"{name} must be a whole number, {wanted}; it is {value}")
    return int(exact)
