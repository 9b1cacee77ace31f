"""Scikit-learn classifier that explores the loss of a network, and predicts by one minimum or by an ensemble."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from thalweg.analysis.estimators.exploring_estimator import ExploringEstimator, TrainingData, workers_of
from thalweg.analysis.prediction.ensembles import Ensemble
from thalweg.potentials.lazy import public

__all__ = ["LandscapeClassifier"]


@public("thalweg.analysis")
class LandscapeClassifier(ClassifierMixin, ExploringEstimator):
    """Classifier by a network whose loss is explored: it predicts by one of the minima, or by an ensemble of all.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    l2 : float
        Strength of the L2 term over all weights and biases.
    steps : int
        Basin-hopping steps of all starts together; each is a minimisation. Where none of them ends at a minimum, a fit
        takes more, up to ten times as many and 200 at least.
    searches : int
        Searches for transition states, which find further minima.
    starts : int
        Independent basin-hopping chains, each from a random point.
    pick : {"lowest", "validation", "ensemble"}
        Predict by the minimum of lowest loss, by that of lowest log loss on held-out data, or by all minima.
    validation_fraction : float
        Share of the data that is held out where ``pick`` is "validation".
    weighting : {"equal", "boltzmann", "harmonic"}
        Weights of an ensemble's minima, see :class:`~thalweg.analysis.Ensemble`.
    temperature : float, optional
        Temperature of an ensemble with thermal weights; by default 1/N for N training points, or 1 / (sum of weights).
    path : path, optional
        Store that keeps the landscape; fitting the same data with the same settings continues it.
    n_jobs : int, optional
        Threads, as scikit-learn counts them; they do not change the result.
    random_state : int, RandomState or None
        Seed of all searches and of the split; None draws a new one each time.
    activation : {"tanh", "logistic", "softplus", "gelu", "silu"} or sequence of these
        Activation of the hidden units, one for all layers or one for each.

    Attributes
    ----------
    classes_ : (n_classes,) ndarray
        Names of the classes.
    n_features_in_ : int
        Number of inputs.
    layers_ : tuple of int
        Widths from the inputs to the outputs.
    minima_ : (k, n_weights) ndarray
        Weights of all minima, in the order found.
    energies_ : (k,) ndarray
        Losses of the minima.
    weights_ : (k,) ndarray
        Share of each minimum in the prediction: 1 for the one that was picked, or the ensemble's weights.
    best_index_ : int
        Row of the minimum that was picked; of the lowest one, for an ensemble.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thalweg.analysis import LandscapeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LandscapeClassifier(hidden=(4,), l2=1e-3, steps=10).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _kind = "cross_entropy"

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LandscapeClassifier:
        """Explore the loss of the given data.

        Parameters
        ----------
        X : (N, n_in) array_like
            Finite inputs; columns with a spread of about one help, as for any network.
        y : (N,) array_like
            Classes, such as numbers or names.
        sample_weight : (N,) array_like, optional
            Weight of each datum, at least 0: a weight of 2 is the same as the datum given twice. With ``pick`` as
            "validation" the held-out data are weighted, too.

        Returns
        -------
        LandscapeClassifier
            This classifier.

        Raises
        ------
        ValueError, TypeError
            If data or parameters make no sense, or no minimum was found.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class only, {self.classes_.tolist()[0]!r}; a classifier needs two classes at least"
            )
        self._fit(self._weighted(np.asarray(X), codes, sample_weight), len(self.classes_))
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class, (N, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        chosen = np.flatnonzero(self.weights_)
        members = Ensemble(self.minima_[chosen], self.weights_[chosen], loss=self._network())
        return members.probabilities(X, threads=workers_of(self.n_jobs))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class, (N,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _default_temperature(self, train: TrainingData) -> float:
        return 1 / train.size
