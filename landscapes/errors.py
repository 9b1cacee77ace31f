"""What can be wrong with a store."""

from __future__ import annotations

__all__ = ["LockedError", "RejectedError", "StoreError", "UnknownArrivalError"]


class StoreError(ValueError):
    """A store that is no landscape, is damaged, or does not fit what was asked of it; the message names the file."""


class LockedError(StoreError):
    """Another process is writing to this store; the message names it."""


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


class UnknownArrivalError(ValueError):
    """A search says that it ended at a known transition state, but the landscape has none there."""
