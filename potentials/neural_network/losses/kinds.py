"""Losses by name, and their codes in compiled functions."""

from __future__ import annotations

__all__ = ["CROSS_ENTROPY", "LOGISTIC", "LOSSES", "SQUARED_ERROR", "checked_loss"]

CROSS_ENTROPY, LOGISTIC, SQUARED_ERROR = range(3)

LOSSES = {"cross_entropy": CROSS_ENTROPY, "logistic": LOGISTIC, "squared_error": SQUARED_ERROR}
"""Code of each loss: of a softmax of the outputs, of a logistic function of each output, and of the outputs alone."""


def checked_loss(loss: object) -> str:
    """Return the name of a loss, or raise ValueError."""
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; it is {loss!r}")
    return loss
