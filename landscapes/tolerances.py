"""Tolerances for duplicates and for stationarity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.potentials.conversion.numeric_options import checked_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.potentials.noise import Noise

__all__ = ["Tolerances", "believed"]


@public("thalweg.landscapes")
@dataclass(frozen=True)
class Tolerances:
    """Tolerances of a landscape, stored with it: which points are in it depends on them.

    Of an ASE calculator, what is not given follows from what is, and from the calculator's noise. A landscape that
    exists keeps its own tolerances; what is given must agree with them.

    Parameters
    ----------
    energy : float
        Two points can be the same when their energies differ by at most this.
    distance : float
        Two such points are the same when, aligned over all symmetry operations, they are no further apart than this.
    gradient_rms : float
        The largest rms gradient of a stored point.
    eigenvalue : float
        How far below zero the lowest eigenvalue of a minimum may lie, by rounding.

    Raises
    ------
    ValueError
        If one is negative or not finite.

    Examples
    --------
    >>> from thalweg.landscapes import Tolerances
    >>> Tolerances(energy=1e-6)
    Tolerances(energy=1e-06, distance=0.01, gradient_rms=1e-08, eigenvalue=0.0)
    """

    energy: float = 1e-7
    distance: float = 1e-2
    gradient_rms: float = 1e-8
    eigenvalue: float = 0.0

    def __new__(cls, *args: Any, **entries: Any) -> Tolerances:
        """Make tolerances that remember which of them were given."""
        made = super().__new__(cls)
        names = [field.name for field in fields(cls)]
        # without arguments, as in a copy of a pickle, the defaults are meant
        object.__setattr__(made, "_given", (*names[: len(args)], *entries) or tuple(names))
        return made

    @property
    def given(self) -> dict[str, float]:
        """Tolerances that were given, by name; all of them where none was."""
        return {name: getattr(self, name) for name in self.__dict__.get("_given", asdict(self))}

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= checked_number(f"tolerance {name}", value) < np.inf:
                raise ValueError(f"tolerance {name} must be finite and not negative, not {value}")
            object.__setattr__(self, name, float(value))

    @classmethod
    def converged_to(cls, rms: float, distance: float | None = None) -> Tolerances:
        """Return the tolerances of points whose rms gradient, in eV/angstrom, is at most this.

        The error of an energy is about the square of the gradient over a curvature, 0.01 eV/angstrom**2 in soft
        directions. A ``distance`` that is missing is 0.01 angstrom, or in a new landscape what a calculator's noise
        asks for (``System.noise.distance``).
        """
        own = {} if distance is None else {"distance": distance}
        return cls(gradient_rms=rms, energy=max(1e-7, 100.0 * rms**2), **own)

    def completed(self, noise: Noise) -> Tolerances:
        """Return the tolerances with what was not given chosen by a calculator's noise, in eV and angstrom."""
        given = self.given
        chosen = Tolerances.converged_to(given.get("gradient_rms", noise.gradient_rms), noise.distance)
        return replace(chosen, **given)

    def to_dict(self) -> dict[str, float]:
        """Return the tolerances by name."""
        return asdict(self)


_LOOSEST = {"energy": 0.25, "distance": 0.5, "gradient_rms": 5e-2, "eigenvalue": 1e-2}
_OWN = Tolerances()
_OWN_FOR_EV = Tolerances.converged_to(1e-6)


def believed(stored: Tolerances, units: str) -> Tolerances:
    """Return the tolerances by which stored points are verified: the program's own where the stored are too loose.

    A gradient below a tolerance of 1e300 says nothing. Nobody explores with an energy tolerance above 0.25, a
    distance tolerance above 0.5, points of rms gradient above 0.05, or minima with eigenvalues below -0.01.

    Parameters
    ----------
    stored : Tolerances
        Tolerances in the store.
    units : str
        Its unit of energy, ``"eV"`` or ``"reduced"``.
    """
    own = _OWN_FOR_EV if units == "eV" else _OWN
    too_loose = {name: getattr(own, name) for name, loosest in _LOOSEST.items() if getattr(stored, name) > loosest}
    return replace(stored, **too_loose)
