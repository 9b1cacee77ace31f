"""Status codes of searches, and indices into the packed step rules."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Rule", "Status", "current_reason", "reasons"]


class Status(IntEnum):
    """Status of a search; compiled code writes the number, results and stores have :attr:`reason`."""

    CONVERGED = 0
    TOO_MANY_STEPS = 1
    ENERGY_NOT_LOWERED = 2
    NOT_FINITE = 3
    WRONG_INDEX = 4
    ZERO_MODE = 5
    SIDE_FAILED = 6
    SIDE_NOT_BELOW = 7
    ONLY_POSITIVE_CURVATURE = 8
    DIVERGED = 9
    KNOWN = 10
    KINK = 11
    FRAGMENTED = 12
    NO_MINIMUM = 13
    WRONG_PRODUCTS = 14
    IDLE_UNIT = 15

    @property
    def reason(self) -> str:
        """Sentence that results and stores have for this status."""
        return _REASONS[self]

    @classmethod
    def of(cls, reason: str) -> Status:
        """Return the status of a sentence, those of earlier versions included.

        Parameters
        ----------
        reason : str
            Sentence such as :attr:`reason`.

        Raises
        ------
        KeyError
            If no status has this sentence.
        """
        return _STATUSES[reason]


_REASONS = {
    Status.CONVERGED: "converged",
    Status.TOO_MANY_STEPS: "too many steps",
    Status.ENERGY_NOT_LOWERED: "energy could not be lowered",
    Status.NOT_FINITE: "energy or gradient not finite",
    Status.WRONG_INDEX: "wrong number of negative eigenvalues",
    Status.ZERO_MODE: "zero eigenvalue that no symmetry explains",
    Status.SIDE_FAILED: "downhill side did not converge",
    Status.SIDE_NOT_BELOW: "downhill side did not fall below the transition state",
    Status.ONLY_POSITIVE_CURVATURE: "curvature stayed positive all the way up",
    Status.DIVERGED: "uphill search diverged",
    Status.KNOWN: "energy of a known transition state",
    Status.KINK: "not differentiable there: the gradient jumps (a kink)",
    Status.FRAGMENTED: "fell into fragments",
    Status.NO_MINIMUM: "no minimum: the energy falls without end, as a loss without an L2 term may (l2=0)",
    Status.WRONG_PRODUCTS: "products of the Hessian do not agree with the gradients",
    Status.IDLE_UNIT: "no isolated minimum: a hidden unit without weights may have any bias (l2_biases=False)",
}
# What earlier versions wrote into stores
_FORMER = {"the way up has no end, as of an atom that leaves": Status.DIVERGED}
_STATUSES = {**{reason: status for status, reason in _REASONS.items()}, **_FORMER}


def reasons(codes: ArrayLike) -> list[str]:
    """Return the sentence of each status code.

    Parameters
    ----------
    codes : array_like of int, shape (walkers,)
        Values of :class:`Status`.

    Returns
    -------
    list of str, length walkers
    """
    return [Status(int(code)).reason for code in np.asarray(codes)]


def current_reason(reason: str) -> str:
    """Return the sentence that stands today for one that an earlier version may have stored.

    Parameters
    ----------
    reason : str
        Any sentence; one that no version of :class:`Status` had is returned as it is.
    """
    return _FORMER[reason].reason if reason in _FORMER else reason


class Rule(IntEnum):
    """Places of the packed :class:`~thalweg.optimizers.Rules`."""

    MEMORY = 0
    INITIAL_DIAGONAL = 1
    MAX_STEP = 2
    MAX_RISE = 3
    SHRINK = 4
    TRIALS = 5
    RESETS = 6
    SIGNED_CURVATURE = 7
