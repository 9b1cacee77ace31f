"""Scikit-learn's handwritten digits of 8 by 8 pixels."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from thalweg.datasets.labelled_data import Dataset

__all__ = ["digits"]


def digits() -> Dataset:
    """Load the 1,797 handwritten digits that come with scikit-learn, in its order.

    Returns
    -------
    Dataset
        Inputs (1797, 64), pixels scaled from 0..16 to 0..1; ten classes.
        Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository (1998).

    Examples
    --------
    >>> from thalweg.datasets import digits
    >>> digits()
    Dataset(digits: 1797 points, 64 inputs, 10 classes, 0 mislabelled)
    """
    from sklearn.datasets import load_digits  # a slow import, for those who ask

    pixels, labels = load_digits(return_X_y=True)
    identity = {"name": "digits", "source": f"scikit-learn {version('scikit-learn')}"}
    return Dataset(pixels / 16.0, np.asarray(labels, dtype=np.int64), n_classes=10, identity=identity)
