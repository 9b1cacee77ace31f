"""Wrong labels on purpose: a fixed share of them, each moved to another class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thalweg.datasets.labelled_data import Dataset

__all__ = ["mislabel"]


def mislabel(dataset: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Change a fixed fraction of the labels, each to one of the other classes with equal probability.

    Section 4.1 of Chitturi et al., Mach. Learn.: Sci. Technol. 1 (2020) 023002. Sets of the same seed are
    nested: what is changed at a small fraction is changed at every larger one, and to the same class.

    Parameters
    ----------
    dataset : Dataset
        Training data, with labels as they should be.
    fraction : float
        0 to 1; exactly ``round(fraction * n)`` labels change.
    seed : int
        Which labels change, and to what, is drawn from it.

    Returns
    -------
    Dataset
        The same inputs, the new labels, and ``mislabelled`` True where they were changed.

    Raises
    ------
    ValueError
        If the fraction is outside 0 to 1, there is only one class, or labels were already changed.
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
