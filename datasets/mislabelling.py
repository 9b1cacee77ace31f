"""Mislabelling: a fixed fraction of the labels changed to another class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thalweg.datasets.labelled_data import Dataset

__all__ = ["mislabel"]


def mislabel(dataset: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Change a fixed fraction of the labels, each to one of the other classes with equal probability.

    Sets of the same seed are nested: a label that is changed at a small fraction is changed at every larger one, and
    to the same class.

    Parameters
    ----------
    dataset : Dataset
        Training data with correct labels.
    fraction : float
        Fraction of wrong labels, 0 to 1: exactly ``round(fraction * n)`` labels change.
    seed : int
        Seed for the choice of labels and of their new classes.

    Returns
    -------
    Dataset
        The same inputs with the new labels; ``mislabelled`` is True where they were changed.

    Raises
    ------
    ValueError
        If the fraction is outside 0 to 1, there is only one class, or labels were already changed.

    References
    ----------
    S. R. Chitturi et al., Mach. Learn.: Sci. Technol. 1 (2020) 023002, section 4.1.

    Examples
    --------
    >>> from thalweg.datasets import Dataset, mislabel
    >>> data = Dataset([[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1], n_classes=2)
    >>> wrong = mislabel(data, fraction=0.5, seed=0)
    >>> int(wrong.mislabelled.sum()), bool((wrong.labels != data.labels)[wrong.mislabelled].all())
    (2, True)
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction must lie between 0 and 1; it is {fraction}")
    if dataset.n_classes < 2:
        raise ValueError("dataset must have at least two classes to mislabel: there is no other class")
    if dataset.mislabelled.any() or dataset.identity.get("mislabelling", {}).get("count"):
        raise ValueError("dataset is already mislabelled: start from the data as they were before")
    n = len(dataset)
    rng = np.random.default_rng(seed)
    # Both draws cover all points whatever the fraction: that is what nests the sets.
    order = rng.permutation(n)
    shifts = rng.integers(1, dataset.n_classes, n)
    chosen = order[: round(fraction * n)]
    labels, changed = dataset.labels.copy(), np.zeros(n, dtype=bool)
    labels[chosen] = (labels[chosen] + shifts[chosen]) % dataset.n_classes
    changed[chosen] = True
    said = {"fraction": float(fraction), "seed": int(seed), "count": len(chosen)}
    return replace(dataset, labels=labels, mislabelled=changed, identity={**dataset.identity, "mislabelling": said})
