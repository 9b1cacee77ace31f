"""Quenches of a basin-hopping chain: as the chain collects them, and as it returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thalweg.optimizers.kernels.arguments import STATIONARY_POINT
from thalweg.optimizers.kernels.basin_hopping import OUTCOME
from thalweg.potentials.lazy import public

__all__ = ["BasinHoppingResult", "Quenches"]


class Quenches(NamedTuple):
    """Quenches of a chain: final coordinates (rows, n), records of the points found, and records of acceptance."""

    x: np.ndarray
    found: np.ndarray
    outcomes: np.ndarray

    @classmethod
    def room(cls, rows: int, n: int) -> Quenches:
        """Return uninitialised arrays for a number of quenches of n coordinates."""
        return cls(x=np.empty((rows, n)), found=np.empty(rows, STATIONARY_POINT), outcomes=np.empty(rows, OUTCOME))

    def first(self, rows: int) -> Quenches:
        """Return the first rows."""
        return Quenches(*(part[:rows] for part in self))


@public("thalweg.optimizers")
@dataclass(frozen=True)
class BasinHoppingResult:
    """Every quench of a basin-hopping chain, in order.

    Attributes
    ----------
    x : (quenches, n) where each ended; energy, rms : (quenches,); steps : (quenches,) int.
    converged : (quenches,) bool, whether the gradient vanished; reason : list of str.
    proved : (quenches,) bool, True for a minimum that its Hessian proves: those of new energies, or all if asked for.
    lowest_eigenvalue, log_eigenvalue_product : (quenches,); modes : (quenches,) int
        Of the Hessian without its null modes, where proved.
    accepted : (quenches,) bool, whether the chain moved there.
    move : (quenches,) int, which of the moves led there, -1 for the start.
    ended : (quenches,) or None, energies of an ASE calculator where descents ended, before a proof's last steps.
    final_x : (n,) the minimum where the chain stands; final_energy : float, NaN if it never reached one.
    final_steps : (moves,) the size of each move at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from thalweg.optimizers import basin_hopping_steps
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> result = basin_hopping_steps(atoms, atoms.positions, None, np.random.default_rng(0), 5, 0.4, 0.8)
    >>> len(result), result.move.tolist()
    (6, [-1, 0, 0, 0, 0, 0])
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
    accepted: np.ndarray
    proved: np.ndarray
    move: np.ndarray
    final_x: np.ndarray
    final_energy: float
    final_steps: np.ndarray
    ended: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.energy)
