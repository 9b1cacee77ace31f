"""Scikit-learn regressor that explores the squared error of a network, and predicts by one minimum or an ensemble."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from thalweg.analysis.estimators.exploring_estimator import ExploringEstimator, TrainingData, workers_of
from thalweg.potentials.lazy import public
from thalweg.potentials.threads import map_threads

__all__ = ["LandscapeRegressor"]


@public("thalweg.analysis")
class LandscapeRegressor(RegressorMixin, ExploringEstimator):
    """Regressor by a network whose squared error is explored: it predicts by one of the minima, or by an ensemble.

    The loss is the mean over the data of the sum over outputs of (prediction - target)^2, plus the L2 term. Targets are
    taken as they come: give them a spread of about one, for which scikit-learn has ``TransformedTargetRegressor``.

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
        Predict by the minimum of lowest loss, by that of lowest squared error on held-out data, or by the mean of all.
    validation_fraction : float
        Share of the data that is held out where ``pick`` is "validation".
    weighting : {"equal", "boltzmann", "harmonic"}
        Weights of an ensemble's minima, see :class:`~thalweg.analysis.Ensemble`.
    temperature : float, optional
        Temperature of an ensemble with thermal weights, in the unit of the loss. By default 2 E / (N outputs), E being
        the lowest loss and N the number of training points or the sum of their weights: Gaussian noise of the variance
        that the lowest minimum leaves makes exp(-loss / temperature) the likelihood.
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
    >>> import numpy as np
    >>> from thalweg.analysis import LandscapeRegressor
    >>> X = np.linspace(-2, 2, 40)[:, None]
    >>> model = LandscapeRegressor(hidden=(4,), l2=1e-5, steps=10).fit(X, np.sin(2 * X[:, 0]))
    >>> bool(model.score(X, np.sin(2 * X[:, 0])) > 0.99)
    True
    """

    _kind = "squared_error"

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's tags: several outputs are allowed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LandscapeRegressor:
        """Explore the squared error of the given data.

        Parameters
        ----------
        X : (N, n_in) array_like
            Finite inputs; columns with a spread of about one help, as for any network.
        y : (N,) or (N, outputs) array_like
            Finite targets; predictions have the same shape.
        sample_weight : (N,) array_like, optional
            Weight of each datum, at least 0: a weight of 2 is the same as the datum given twice. With ``pick`` as
            "validation" the held-out data are weighted, too.

        Returns
        -------
        LandscapeRegressor
            This regressor.

        Raises
        ------
        ValueError, TypeError
            If data or parameters make no sense, or no minimum was found.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, order="C", multi_output=True, y_numeric=True)
        targets = np.array(y, dtype=np.float64)
        self._one_output = targets.ndim == 1
        self._fit(self._weighted(np.asarray(X), targets, sample_weight), None)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the predictions, (N,) or (N, outputs) as the targets were."""
        check_is_fitted(self)
        X = np.asarray(validate_data(self, X, dtype=np.float64, order="C", reset=False))
        network, chosen = self._network(), np.flatnonzero(self.weights_)
        outputs = np.empty((len(chosen), len(X), self.layers_[-1]))

        def work(start: int, stop: int) -> None:
            for k in range(start, stop):
                outputs[k] = network.outputs(self.minima_[chosen[k]], X)

        map_threads(work, len(chosen), workers_of(self.n_jobs))
        mean = np.tensordot(self.weights_[chosen], outputs, axes=1)
        return mean[:, 0] if self._one_output else mean

    def _default_temperature(self, train: TrainingData) -> float:
        temperature = 2 * float(self.energies_.min()) / (train.size * self.layers_[-1])
        return max(temperature, sys.float_info.min)  # data that are met exactly leave no noise
