"""Probabilities with which labels change: by matrices of one's own, by class alone, and where the classes overlap."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.datasets.labelled_data import Dataset
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

__all__ = [
    "TransitionLike",
    "asymmetric_noise",
    "checked_fraction",
    "describe_transition",
    "overlap_noise",
    "transition_rows",
]

TransitionLike: TypeAlias = "ArrayLike | Callable[..., ArrayLike]"
"""Transition matrix, one for each point, or a callable that gives either from the data."""

_ROUNDING = 1e-6  # how far the sum of a row may be from 1
_SHOWN_CLASSES = 20  # a matrix of at most so many classes is kept as it is, a larger one by its digest


def transition_rows(
    transition: TransitionLike, inputs: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Return the probabilities of each point's next label.

    Parameters
    ----------
    transition : array_like or callable
        As :func:`~thalweg.datasets.mislabel` takes it.
    inputs : (n, d) array
    labels : (n,) array of int
    n_classes : int

    Returns
    -------
    (n, n_classes) array

    Raises
    ------
    ValueError
        If the shape is another, an entry is no probability, or a row does not sum to 1.
    """
    n, square = len(labels), (n_classes, n_classes)
    if not callable(transition):
        given, shapes = np.asarray(transition, dtype=np.float64), [square, (n, *square)]
    elif _takes_labels(transition):
        given, shapes = np.asarray(transition(inputs, labels), dtype=np.float64), [(n, n_classes)]
    else:
        given, shapes = np.asarray(transition(inputs), dtype=np.float64), [(n, *square)]
    if given.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"transition must have shape {wanted} for {n} points; it has {given.shape}")
    _check_probabilities(given)
    if given.ndim == 3:
        return given[np.arange(n), labels]
    return given[labels] if given.shape == square and not callable(transition) else given


def _takes_labels(model: Callable[..., ArrayLike]) -> bool:
    """Say whether a callable needs the labels beside the inputs."""
    try:
        parameters = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):  # built in, without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in parameters if one.kind in positional and one.default is inspect.Parameter.empty]
    if len(needed) not in (1, 2):
        raise ValueError(f"transition must take the inputs, or inputs and labels; it takes {len(needed)} arguments")
    return len(needed) == 2


def _check_probabilities(given: NDArray[np.float64]) -> None:
    wrong = ~((given >= 0.0) & (given <= 1.0 + _ROUNDING))
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(f"transition{list(where)} is {given[where]}, which is no probability")
    off = np.abs(given.sum(axis=-1) - 1.0) > _ROUNDING
    if off.any():
        where = tuple(map(int, np.argwhere(off)[0]))
        raise ValueError(f"row {list(where)} of transition sums to {given[where].sum():.6g}; each row must sum to 1")


def describe_transition(transition: TransitionLike, rows: NDArray[np.float64]) -> dict[str, Any]:
    """Return a JSON-able description that tells a transition from others: its name and its numbers or their digest."""
    if callable(transition):
        named = getattr(transition, "__qualname__", type(transition).__qualname__)
        return {"model": str(named), "sha256": _digest(rows)}
    matrix = np.asarray(transition, dtype=np.float64)
    if matrix.ndim == 2 and len(matrix) <= _SHOWN_CLASSES:
        return {"matrix": matrix.tolist()}
    return {"model": "a matrix for each point" if matrix.ndim == 3 else "a matrix", "sha256": _digest(rows)}


def _digest(rows: NDArray[np.float64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<f8").tobytes()).hexdigest()


def asymmetric_noise(n_classes: int, fraction: float) -> NDArray[np.float64]:
    """Transition matrix for errors that depend on the class alone: each class is taken for the next one, at most.

    Class i becomes class i + 1, and the last class becomes class 0, with the same probability; no other changes occur.

    Parameters
    ----------
    n_classes : int
        Number of classes, at least 2.
    fraction : float
        Expected fraction of wrong labels, 0 to 1.

    Returns
    -------
    (n_classes, n_classes) ndarray
        Matrix for :func:`~thalweg.datasets.mislabel`.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or the fraction lies outside its range.

    References
    ----------
    "Pair flipping" in B. Han et al., Co-teaching: robust training of deep neural networks with extremely noisy labels,
    NeurIPS 2018 (arXiv 1804.06872).

    Examples
    --------
    >>> from thalweg.datasets import asymmetric_noise
    >>> asymmetric_noise(3, 0.25)
    array([[0.75, 0.25, 0.  ],
           [0.  , 0.75, 0.25],
           [0.25, 0.  , 0.75]])
    """
    n_classes, fraction = whole_number("n_classes", n_classes, 2), checked_fraction(fraction)
    return (1.0 - fraction) * np.eye(n_classes) + fraction * np.roll(np.eye(n_classes), 1, axis=1)


def checked_fraction(fraction: float) -> float:
    """Return a fraction of labels as a float; ValueError outside 0 to 1, TypeError where it is no number."""
    number = checked_number("fraction", fraction)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"fraction must lie between 0 and 1; it is {fraction}")
    return number


def overlap_noise(
    dataset: Dataset, fraction: float, neighbours: int = 50, reference: Dataset | None = None
) -> NDArray[np.float64]:
    """Transition matrices for errors where the true classes overlap.

    The share p_j(x) of class j among the nearest neighbours of a point x in the reference data estimates how easily x
    is taken for a member of j. A label i of x becomes j with probability min(1, c (1 - p_i)) p_j / (1 - p_i): in
    proportion to p_j, and never where all neighbours are of class i. The factor c is the one for which the expected
    share of wrong labels of the dataset is ``fraction``.

    Parameters
    ----------
    dataset : Dataset
        Training data with correct labels.
    fraction : float
        Expected fraction of wrong labels, 0 to 1.
    neighbours : int
        Number of nearest neighbours, by Euclidean distance of the inputs; the point itself is none of them.
    reference : Dataset, optional
        Data with correct labels in which neighbours are sought; the dataset itself by default. More data than the
        training data estimate the overlap better.

    Returns
    -------
    (n, classes, classes) ndarray
        One matrix for each point, for :func:`~thalweg.datasets.mislabel`.

    Raises
    ------
    ValueError
        If there are too few neighbours, or the classes do not overlap enough for so many errors; the message says
        how many are possible.

    References
    ----------
    The kind of label noise that depends on features: B. Frenay and M. Verleysen, IEEE Trans. Neural Netw. Learn.
    Syst. 25 (2014) 845, "noisy not at random".

    Examples
    --------
    The first point lies far from the other class; the others lie where the classes meet:

    >>> from thalweg.datasets import Dataset, overlap_noise
    >>> data = Dataset([[0.0], [0.1], [0.2], [0.9], [1.0], [1.1]], [0, 0, 0, 0, 1, 1], n_classes=2)
    >>> overlap_noise(data, fraction=0.25, neighbours=2)[[0, 3, 4], [0, 0, 1], [1, 1, 0]]
    array([0.   , 0.75 , 0.375])
    """
    fraction = checked_fraction(fraction)
    shares = _neighbour_shares(dataset, dataset if reference is None else reference, neighbours)
    n, classes = shares.shape
    matrices = np.repeat(shares[:, None, :], classes, axis=1)
    every = np.arange(classes)
    matrices[:, every, every] = 0.0
    confused = matrices.sum(axis=2)  # (n, classes): the share of other classes around each point, for each true class
    factor = _factor_for(confused[np.arange(n), dataset.labels], fraction)
    changed = np.minimum(1.0, factor * confused)
    matrices *= np.divide(changed, confused, out=np.zeros_like(changed), where=confused > 0)[:, :, None]
    matrices[:, every, every] = 1.0 - changed
    return matrices


def _neighbour_shares(dataset: Dataset, reference: Dataset, neighbours: int) -> NDArray[np.float64]:
    """Return the share of each class among the nearest neighbours of each point, (n, classes)."""
    from scipy.spatial import cKDTree

    others = len(reference) - 1
    neighbours = whole_number("neighbours", neighbours)
    if not 1 <= neighbours <= others:
        raise ValueError(f"neighbours must lie between 1 and {others}, the number of other points; it is {neighbours}")
    distances, found = cKDTree(reference.inputs).query(dataset.inputs, k=neighbours + 1)
    # a point of the reference is its own nearest neighbour: leave out the nearest where it coincides, else the last
    itself = distances[:, 0] == 0.0
    kept = np.where(itself[:, None], found[:, 1:], found[:, :-1])
    around = reference.labels[kept]
    return np.stack([(around == k).mean(axis=1) for k in range(dataset.n_classes)], axis=1)


def _factor_for(confused: NDArray[np.float64], fraction: float) -> float:
    """Return the factor c for which min(1, c * confused) has the given mean.

    With the values in descending order, the first m of which reach 1, the mean is (m + c * rest) / n.
    """
    if fraction == 0.0:
        return 0.0
    values = np.sort(confused[confused > 0])[::-1]
    most, wanted = len(values) / max(len(confused), 1), fraction * len(confused)
    if fraction > most:
        raise ValueError(
            f"the classes overlap at {most:.1%} of the points only: {fraction:.1%} of wrong labels are not possible; "
            "take a smaller fraction or more neighbours"
        )
    rest = np.append(np.cumsum(values[::-1])[::-1], 0.0)  # rest[m]: the sum of all but the m largest
    for reached in range(len(values)):
        factor = (wanted - reached) / rest[reached]
        if factor * values[reached] <= 1.0:
            return float(factor)
    return float(1.0 / values[-1])
