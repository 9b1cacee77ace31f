"""What can be wrong with a store."""

from __future__ import annotations

from thalweg.potentials.lazy import public

__all__ = ["LockedError", "RejectedError", "StoreError", "UnknownArrivalError"]


@public("thalweg.landscapes")
class StoreError(ValueError):
    """A store that is no landscape, is damaged, or does not fit what was asked of it; the message names the file."""


@public("thalweg.landscapes")
class LockedError(StoreError):
    """Another process is writing to this store; the message names it."""


@public("thalweg.landscapes")
class RejectedError(ValueError):
    """A stationary point that may not enter a landscape.

    Attributes
    ----------
    reason : str
        A few words, the same for every point rejected for this reason.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@public("thalweg.landscapes")
class UnknownArrivalError(ValueError):
    """A search says that it ended at a known transition state, but the landscape has none there."""
