"""Registry of all datasets by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.ljat3 import BOXES, ljat3_outcomes
from thalweg.datasets.mnist_files import mnist
from thalweg.datasets.sklearn_data import breast_cancer, digits, iris, wine

__all__ = ["DATASETS", "dataset"]

DATASETS: dict[str, Callable[..., Dataset]] = {
    **{box: partial(ljat3_outcomes, box) for box in BOXES},
    "MNIST": mnist,
    "digits": digits,
    "iris": iris,
    "wine": wine,
    "breast_cancer": breast_cancer,
}
"""Function that makes each dataset, by name."""


def dataset(name: str, **options: object) -> Dataset:
    """Make a dataset by its name.

    Parameters
    ----------
    name : str
        Name in :data:`DATASETS`, in upper or lower case.
    **options
        Arguments of :func:`~thalweg.datasets.ljat3_outcomes`, :func:`~thalweg.datasets.mnist`;
        the sets of scikit-learn take none.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no dataset of that name.

    Examples
    --------
    >>> from thalweg.datasets import dataset
    >>> dataset("d1", size=20, cache=False)
    Dataset(D1: 20 points, 2 inputs, 4 classes, 0 mislabelled)
    """
    for known, make in DATASETS.items():
        if str(name).lower() == known.lower():
            return make(**options)
    raise ValueError(f"there is no dataset {name!r}; there are {', '.join(DATASETS)}")
