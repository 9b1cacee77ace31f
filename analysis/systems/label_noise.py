"""Kinds of label noise by name, as options and definition files give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.potentials import NetworkLoss

__all__ = ["NOISES", "with_noise"]

NOISES = ("uniform", "asymmetric", "overlap", "adversarial")
"""Kinds of label noise; the first is the default."""

_REFERENCE = 20_000  # points with correct labels that tell where classes overlap
_NEIGHBOURS = 50


def with_noise(
    kind: str,
    train: Dataset,
    fraction: float,
    seed: int,
    *,
    pool: Dataset,
    test: Dataset,
    network: Callable[[Dataset], NetworkLoss],
) -> Dataset:
    """Return training data with wrong labels of a kind.

    Parameters
    ----------
    kind : str
        One of :data:`NOISES`.
    train : Dataset
        Training data with correct labels.
    fraction : float
        Fraction of wrong labels; ``round(fraction * n)`` of them are wrong.
    seed : int
        Seed of the choice of labels, or of the first weights of the networks that an adversary attacks.
    pool : Dataset
        Data with correct labels from which the training data were drawn, scaled as they are: its first points tell
        where the classes overlap.
    test : Dataset
        Testing data, whose loss an adversary raises.
    network : callable
        Function that returns the loss of the network, which an adversary attacks, on given data.

    Raises
    ------
    ValueError
        If there is no such kind, or so many errors of this kind are not possible.
    """
    from thalweg.datasets import adversarial_noise, asymmetric_noise, mislabel, overlap_noise

    if kind not in NOISES:
        raise ValueError(f"noise must be one of {', '.join(NOISES)}; it is {kind!r}")
    if not fraction:
        return train
    if kind == "uniform":
        return mislabel(train, fraction, seed=seed)
    if kind == "asymmetric":
        transition = asymmetric_noise(train.n_classes, fraction)
    elif kind == "overlap":
        reference = pool[:_REFERENCE]
        transition = overlap_noise(train, fraction, min(_NEIGHBOURS, len(reference) - 1), reference)
    else:
        transition = adversarial_noise(network(train), fraction, test, seed=seed)
    return mislabel(train, transition=transition, count=round(fraction * len(train)), seed=seed)
