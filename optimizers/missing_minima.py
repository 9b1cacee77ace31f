"""Searches that end where no isolated minimum can be: the energy falls for ever, or coordinates have no effect.

Where gradients vanish at infinity, a search on its way there may seem to have converged, or end for any other reason.
The bias of a hidden unit without other weights changes nothing where the L2 term does not count it: a zero eigenvalue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.calculator import FlatCalculator

if TYPE_CHECKING:
    from thalweg.potentials.system import System

__all__ = ["may_fall_without_end", "with_missing_minima"]

# Newton's step to a minimum, gradient over lowest eigenvalue, below which it is believed: on the way to infinity the
# gradient and the curvature vanish together
_NEAR = 1e-4


def may_fall_without_end(system: System) -> bool:
    """Return whether a potential may know that its energy falls without end."""
    potential = system.potential
    return isinstance(potential, FlatCalculator) and (
        type(potential).falls_without_end is not FlatCalculator.falls_without_end
    )


def with_missing_minima(
    system: System,
    status: np.ndarray,
    X: np.ndarray,
    rms: np.ndarray | None = None,
    lowest: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> np.ndarray:
    """Return status codes with :attr:`Status.NO_MINIMUM` for searches that end where there can be none.

    A zero eigenvalue of coordinates without effect becomes :attr:`Status.IDLE_UNIT`.

    Parameters
    ----------
    system : System
    status : (walkers,) ndarray of int
    X : (walkers, n) ndarray
        Where the searches ended.
    rms, lowest : (walkers,) ndarray, optional
        Rms gradient and lowest eigenvalue there: a minimum of large curvature is believed.
    ends : (walkers, 2, n) ndarray, optional
        Where the minimisations from a transition state to both sides ended; X is not looked at then.
    """
    if not may_fall_without_end(system):
        return status
    said, potential = status.copy(), system.potential
    for row, code in enumerate(status):
        near = rms is not None and lowest is not None and rms[row] * np.sqrt(system.n_free) < _NEAR * lowest[row]
        if code == Status.ZERO_MODE and np.isfinite(X[row]).all() and potential.has_idle_coordinates(X[row]):
            said[row] = Status.IDLE_UNIT
            continue
        if code == Status.CONVERGED and (near or ends is not None):
            continue
        places = X[row][None] if ends is None or code != Status.SIDE_FAILED else ends[row]
        if any(np.isfinite(x).all() and potential.falls_without_end(x) for x in places):
            said[row] = Status.NO_MINIMUM
    return said
