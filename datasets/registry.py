"""Every dataset by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.ljat3 import BOXES, ljat3_outcomes
from thalweg.datasets.mnist_files import mnist
from thalweg.datasets.sklearn_digits import digits

__all__ = ["DATASETS", "dataset"]

DATASETS: dict[str, Callable[..., Dataset]] = {
    **{box: partial(ljat3_outcomes, box) for box in BOXES},
    "MNIST": mnist,
    "digits": digits,
}
"""What there is, by name."""


def dataset(name: str, **options: Any) -> Dataset:
    """Return a dataset by its name.

    Parameters
    ----------
    name : str
        One of :data:`DATASETS`; upper or lower case does not matter.
    **options
        Passed on: see :func:`~thalweg.datasets.ljat3_outcomes`, :func:`~thalweg.datasets.mnist` and
        :func:`~thalweg.datasets.digits`.

    Raises
    ------
    ValueError
        If there is no dataset of that name.
    """
    for known, make in DATASETS.items():
        if str(name).lower() == known.lower():
            return make(**options)
    raise ValueError(f"there is no dataset {name!r}; there are {', '.join(DATASETS)}")
