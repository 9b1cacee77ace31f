"""Results of searches: immutable arrays, one entry per walker, with a status for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from thalweg.potentials.lazy import public

__all__ = ["MinimiseResult", "TransitionStateResult"]


@public("thalweg.optimizers")
@dataclass(frozen=True)
class MinimiseResult:
    """Minimisations of a batch of walkers.

    Attributes
    ----------
    x : (walkers, n) where each ended; energy, rms : (walkers,); steps, evaluations : (walkers,) int.
    converged : (walkers,) bool.
    reason : list of str, one a walker, "converged" or why not.
    lowest_eigenvalue, log_eigenvalue_product : (walkers,) and modes : (walkers,) int
        Of the Hessian without its null modes, or None where the minimiser did not diagonalise.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import minimise
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> result = minimise(atoms, second_order=True)
    >>> result.reason
    ['converged']
    >>> print(f"{result.energy[0]:.6f}", result.modes[0])
    -3.000000 3
    """

    x: np.ndarray
    energy: np.ndarray
    rms: np.ndarray
    steps: np.ndarray
    evaluations: np.ndarray
    converged: np.ndarray
    reason: list[str]
    lowest_eigenvalue: np.ndarray | None = None
    log_eigenvalue_product: np.ndarray | None = None
    modes: np.ndarray | None = None

    def __repr__(self) -> str:
        return f"<MinimiseResult: {outcomes(self.reason, self.energy[self.converged])}>"


def outcomes(reasons: list[str], energies: np.ndarray) -> str:
    """Return how many walkers ended in which way, and the range of the energies of those that converged."""
    counts = Counter(reasons)
    found = counts.pop("converged", 0)
    ends = [f"{found} of {len(reasons)} converged"]
    if len(energies):
        ends[0] += f", energies from {energies.min():.8g} to {energies.max():.8g}"
    return "; ".join([*ends, *(f"{reason}: {count}" for reason, count in counts.most_common())])


@public("thalweg.optimizers")
@dataclass(frozen=True)
class TransitionStateResult:
    """Transition-state searches of a batch of walkers.

    Attributes
    ----------
    x : (walkers, n) transition states; energy, rms : (walkers,); steps : (walkers,) int.
    converged : (walkers,) bool, True if the search found a transition state and both of its minima.
    reason : list of str, one a walker; "energy of a known transition state" where the search ended there.
    lowest_eigenvalue, log_eigenvalue_product : (walkers,); modes : (walkers,) int
        The one negative eigenvalue; sum of the logarithms of the positive ones, and how many they are.
    minima : (walkers, 2, n) on the side along and against the downhill eigenvector.
    minima_energy, minima_rms, minima_lowest_eigenvalue, minima_log_eigenvalue_product, path_lengths : (walkers, 2).
    minima_modes : (walkers, 2) int.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import find_transition_states
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> result = find_transition_states(atoms)
    >>> result.minima_energy.round(6).tolist()
    [[-6.0, -6.0]]
    """

    x: np.ndarray
    energy: np.ndarray
    rms: np.ndarray
    steps: np.ndarray
    converged: np.ndarray
    reason: list[str]
    lowest_eigenvalue: np.ndarray
    log_eigenvalue_product: np.ndarray
    modes: np.ndarray
    minima: np.ndarray
    minima_energy: np.ndarray
    minima_rms: np.ndarray
    minima_lowest_eigenvalue: np.ndarray
    minima_log_eigenvalue_product: np.ndarray
    minima_modes: np.ndarray
    path_lengths: np.ndarray

    def __repr__(self) -> str:
        return f"<TransitionStateResult: {outcomes(self.reason, self.energy[self.converged])}>"
