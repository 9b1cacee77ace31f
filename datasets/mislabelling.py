"""Mislabelling: labels changed to another class, uniformly or with given probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.transition_models import TransitionLike, describe_transition, transition_rows
from thalweg.potentials.conversion.numeric_options import whole_number

__all__ = ["mislabel"]


def mislabel(
    dataset: Dataset,
    fraction: float | None = None,
    seed: int = 0,
    *,
    transition: TransitionLike | None = None,
    count: int | None = None,
) -> Dataset:
    """Change labels to other classes: a fixed fraction uniformly, or each with its own probabilities.

    Sets of the same seed are nested: a label that is changed at a small fraction is changed at every larger one, and
    to the same class. The same holds for transition matrices whose entries off the diagonal are scaled by a factor.

    Parameters
    ----------
    dataset : Dataset
        Training data with correct labels.
    fraction : float, optional
        Fraction of wrong labels, 0 to 1: exactly ``round(fraction * n)`` labels change, each to one of the other
        classes with equal probability.
    seed : int
        Seed for the choice of labels and of their new classes.
    transition : array_like or callable, optional
        Instead of ``fraction``, the probabilities with which labels change, independently of each other: a matrix
        (classes, classes) whose entry [i, j] is the probability that a label i becomes j; such a matrix for each
        point, (n, classes, classes); or a callable that takes the inputs (n, d) and returns one matrix for each
        point, or takes inputs and labels (n,) and returns the rows that apply, (n, classes). Rows sum to 1.
        :func:`asymmetric_noise`, :func:`overlap_noise` and :func:`adversarial_noise` make such matrices.
    count : int, optional
        Exact number of labels that a transition changes, instead of a number that varies about its mean: those with
        the smallest u / p, where p is the probability that a label changes and u a random number between 0 and 1
        (sequential Poisson sampling). Sets of the same transition and seed are nested.

    Returns
    -------
    Dataset
        The same inputs with the new labels; ``mislabelled`` is True where they were changed.

    Raises
    ------
    TypeError
        If both or neither of ``fraction`` and ``transition`` are given, or ``count`` without a transition.
    ValueError
        If the fraction is outside 0 to 1, a transition does not have the shape or the sums above, there is only one
        class, labels were already changed, or fewer than ``count`` labels can change.

    References
    ----------
    S. R. Chitturi et al., Mach. Learn.: Sci. Technol. 1 (2020) 023002, section 4.1, and section 6 for noise that is
    not uniform. E. Ohlsson, J. Official Stat. 14 (1998) 149, for sequential Poisson sampling.

    Examples
    --------
    >>> from thalweg.datasets import Dataset, mislabel
    >>> data = Dataset([[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1], n_classes=2)
    >>> wrong = mislabel(data, fraction=0.5, seed=0)
    >>> int(wrong.mislabelled.sum()), bool((wrong.labels != data.labels)[wrong.mislabelled].all())
    (2, True)

    Every label 0 becomes 1, and no other label changes:

    >>> mislabel(data, transition=[[0.0, 1.0], [0.0, 1.0]]).labels
    array([1, 1, 1, 1])
    """
    if (fraction is None) == (transition is None):
        raise TypeError("give either fraction, for uniform noise, or transition, for probabilities of your own")
    if count is not None and transition is None:
        raise TypeError("count is the number of labels that a transition changes: give it beside transition")
    if dataset.n_classes < 2:
        raise ValueError("dataset must have at least two classes to mislabel: there is no other class")
    if dataset.mislabelled.any() or dataset.identity.get("mislabelling", {}).get("count"):
        raise ValueError("dataset is already mislabelled: start from the data as they were before")
    if fraction is not None:
        labels = _changed_uniformly(dataset, float(fraction), seed)
        said: dict[str, Any] = {"fraction": float(fraction)}
    else:
        assert transition is not None
        rows = transition_rows(transition, dataset.inputs, dataset.labels, dataset.n_classes)
        exact = None if count is None else whole_number("count", count)
        labels = _changed_by_rows(dataset.labels, rows, seed, exact)
        said = {"transition": describe_transition(transition, rows)} | ({} if exact is None else {"exact": True})
    changed = labels != dataset.labels
    said |= {"seed": int(seed), "count": int(changed.sum())}
    return replace(dataset, labels=labels, mislabelled=changed, identity={**dataset.identity, "mislabelling": said})


def _changed_uniformly(dataset: Dataset, fraction: float, seed: int) -> NDArray[np.int64]:
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction must lie between 0 and 1; it is {fraction}")
    n = len(dataset)
    rng = np.random.default_rng(seed)
    # Both draws cover all points whatever the fraction: that is what nests the sets.
    order = rng.permutation(n)
    shifts = rng.integers(1, dataset.n_classes, n)
    chosen = order[: round(fraction * n)]
    labels = dataset.labels.copy()
    labels[chosen] = (labels[chosen] + shifts[chosen]) % dataset.n_classes
    return labels


def _changed_by_rows(
    labels: NDArray[np.int64], rows: NDArray[np.float64], seed: int, count: int | None
) -> NDArray[np.int64]:
    """Return labels drawn from the probabilities of each point, (n, classes); exactly ``count`` change where given."""
    # one draw says whether a label changes and another to which class: that is what nests the sets
    whether, which = np.random.default_rng(seed).random((2, len(labels)))
    others = rows.copy()
    others[np.arange(len(labels)), labels] = 0.0
    total = np.cumsum(others, axis=1)
    chosen = np.flatnonzero(whether < total[:, -1]) if count is None else _soonest(whether, total[:, -1], count)
    changed = labels.copy()
    below = total[chosen] <= (which[chosen] * total[chosen, -1])[:, None]
    changed[chosen] = below.sum(axis=1)
    return changed


def _soonest(whether: NDArray[np.float64], probabilities: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the points that change first as all probabilities grow by one factor."""
    possible = np.flatnonzero(probabilities > 0.0)
    if count > len(possible):
        raise ValueError(f"count is {count}, and the transition changes no more than {len(possible)} labels")
    order = np.argsort(whether[possible] / probabilities[possible], kind="stable")
    return possible[order[:count]]
