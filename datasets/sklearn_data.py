"""Datasets that come with scikit-learn: digits, iris, wine and breast cancer."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from thalweg.datasets.labelled_data import Dataset

__all__ = ["breast_cancer", "digits", "iris", "wine"]


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


def iris() -> Dataset:
    """Load the 150 irises that come with scikit-learn, in its order.

    Returns
    -------
    Dataset
        Inputs (150, 4): lengths and widths of sepals and petals in centimetres; three species.
        Source: R. A. Fisher, Annals of Eugenics 7 (1936) 179.

    Examples
    --------
    >>> from thalweg.datasets import iris
    >>> iris()
    Dataset(iris: 150 points, 4 inputs, 3 classes, 0 mislabelled)
    """
    return _table("iris")


def wine() -> Dataset:
    """Load the 178 wines that come with scikit-learn, in its order.

    Returns
    -------
    Dataset
        Inputs (178, 13): results of a chemical analysis in their own units, so that scaling them helps; three
        cultivars. Source: S. Aeberhard, M. Forina, Wine, UCI repository (1991).

    Examples
    --------
    >>> from thalweg.datasets import wine
    >>> wine()
    Dataset(wine: 178 points, 13 inputs, 3 classes, 0 mislabelled)
    """
    return _table("wine")


def breast_cancer() -> Dataset:
    """Load the 569 tumours that come with scikit-learn, in its order.

    Returns
    -------
    Dataset
        Inputs (569, 30): measures of cell nuclei in their own units, so that scaling them helps; malignant (0) and
        benign (1). Source: W. Wolberg et al., Breast Cancer Wisconsin (Diagnostic), UCI repository (1993).

    Examples
    --------
    >>> from thalweg.datasets import breast_cancer
    >>> breast_cancer()
    Dataset(breast_cancer: 569 points, 30 inputs, 2 classes, 0 mislabelled)
    """
    return _table("breast_cancer")


def _table(name: str) -> Dataset:
    """Load one of scikit-learn's tables with the names of its inputs and classes."""
    import sklearn.datasets

    loaded = getattr(sklearn.datasets, f"load_{name}")()
    names = [str(one) for one in loaded.target_names]
    identity = {
        "name": name,
        "source": f"scikit-learn {version('scikit-learn')}",
        "inputs": [str(one) for one in loaded.feature_names],
        "classes": names,
    }
    return Dataset(loaded.data, np.asarray(loaded.target, dtype=np.int64), n_classes=len(names), identity=identity)
