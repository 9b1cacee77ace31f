"""Coupled double wells in any number of dimensions, with a known number of stationary points."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np

from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.lazy import public
from thalweg.potentials.surfaces.two_dimensional import Surface, polynomial

__all__ = ["CoupledDoubleWells"]

# The number of stationary points is proved for couplings up to 0.64 (see the class); this leaves a margin
_STRONGEST = 0.5

_MOST_LISTED = 16


@public("thalweg.potentials")
class CoupledDoubleWells(Surface):
    """Chain of n double wells with bilinear coupling of neighbours, in n dimensions.

    The energy is sum_i (x_i^2 - 1)^2 + coupling sum_i x_i x_(i+1). There are 2^n minima and n 2^(n-1) transition
    states among 3^n stationary points; they are listed for at most 16 coordinates.

    Parameters
    ----------
    n : int
        Number of coordinates.
    coupling : float
        Strength of the coupling of neighbours, between -0.5 and 0.5.

    Raises
    ------
    TypeError
        If n is not a whole number, or the coupling not a number.
    ValueError
        If n is less than 1, or the coupling is too strong for the numbers of stationary points to be certain.

    Notes
    -----
    At a stationary point every coordinate solves 4 x^3 - 4 x = -h with ``|h| <= 2 |c| m``, where the largest
    coordinate m has ``4 m^3 - 4 m <= 2 |c| m``, so ``m^2 <= 1 + |c| / 2``. If ``|h|`` stays below 8 / 3^1.5, this cubic
    has three real roots, one in each of x < -3^-0.5, the middle, and x > 3^-0.5. Choose one of the three for each
    coordinate: solving for all coordinates in turn is then a contraction in the largest difference while
    ``2 |c| < |12 x^2 - 4|`` at all these roots, so each of the 3^n choices has exactly one stationary point; and by
    Gershgorin's theorem as many negative eigenvalues as coordinates in the middle. Both conditions hold up to
    ``|c| = 0.64``.

    Examples
    --------
    >>> from thalweg.potentials import CoupledDoubleWells
    >>> wells = CoupledDoubleWells(n=3, coupling=0.1)
    >>> wells.n_minima, wells.n_transition_states, wells.minima.shape
    (8, 12, (8, 3))
    """

    default_parameters = {"n": 2, "coupling": 0.2}  # noqa: RUF012  (ASE's own convention)

    def __init__(self, n: int = 2, coupling: float = 0.2):
        super().__init__(n=n, coupling=coupling)

    def set(self, **parameters: object) -> dict[str, Any]:
        """Set n and the coupling; as in ASE, return the parameters that changed."""
        if "n" in parameters:
            parameters["n"] = _checked_size(parameters["n"])
        if "coupling" in parameters:
            parameters["coupling"] = _checked_coupling(parameters["coupling"])
        for known in ("_minima", "_transition_states"):
            self.__dict__.pop(known, None)
        return super().set(**parameters)

    @property
    def n(self) -> int:  # type: ignore[override]
        """Number of coordinates."""
        return self.parameters["n"]

    @property
    def n_minima(self) -> int:
        """Number of minima, 2^n."""
        return 2**self.n

    @property
    def n_transition_states(self) -> int:
        """Number of transition states, n 2^(n-1)."""
        return self.n * 2 ** (self.n - 1)

    @property
    def _bounds(self) -> np.ndarray:  # type: ignore[override]
        return np.tile([-1.5, 1.5], (self.n, 1))

    @cached_property
    def _minima(self) -> np.ndarray:  # type: ignore[override]
        return self._stationary(0)

    @cached_property
    def _transition_states(self) -> np.ndarray:  # type: ignore[override]
        return self._stationary(1)

    def _compile(self) -> Compiled:
        wells = [(a, {k: p}) for k in range(self.n) for a, p in ((1.0, 4), (-2.0, 2))]
        coupling = [(self.parameters["coupling"], {k: 1, k + 1: 1}) for k in range(self.n - 1)]
        return polynomial([*wells, *coupling, (float(self.n), {})])

    def _stationary(self, middle: int) -> np.ndarray:
        """Return the stationary points with ``middle`` coordinates between the wells, by Newton's method."""
        if self.n > _MOST_LISTED:
            raise ValueError(f"{self.n_minima} minima are too many to list: n must be at most {_MOST_LISTED} for that")
        rows = []
        for where in combinations(range(self.n), middle):
            for signs in product((-1.0, 1.0), repeat=self.n - middle):
                rows.append(np.insert(signs, np.subtract(where, range(middle)), 0.0) if middle else signs)
        x = np.array(rows, dtype=np.float64)
        for _ in range(200):
            slope = 4 * x**3 - 4 * x
            slope[:, 1:] += self.parameters["coupling"] * x[:, :-1]
            slope[:, :-1] += self.parameters["coupling"] * x[:, 1:]
            x -= slope / (12 * x**2 - 4)
            if np.abs(slope).max() < 1e-14:
                break
        energies = self.energies_gradients(x)[0]
        return x[np.argsort(energies, kind="stable")]


def _checked_size(n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"n must be a whole number, not {type(n).__name__}")
    if n < 1:
        raise ValueError(f"n must be at least 1; it is {n}")
    return int(n)


def _checked_coupling(coupling: object) -> float:
    if isinstance(coupling, bool) or not isinstance(coupling, int | float | np.integer | np.floating):
        raise TypeError(f"coupling must be a number, not {type(coupling).__name__}")
    coupling = float(coupling)
    if not abs(coupling) <= _STRONGEST:
        raise ValueError(f"coupling must lie between {-_STRONGEST} and {_STRONGEST}; it is {coupling}")
    return coupling
