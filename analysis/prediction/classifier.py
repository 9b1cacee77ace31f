"""Scikit-learn classifier that explores the loss of a network, and predicts by one minimum or by an ensemble."""

from __future__ import annotations

import math
import numbers
import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from thalweg.analysis.kinetics.rates import checked_temperature
from thalweg.analysis.prediction.data_arguments import LabelledPoints
from thalweg.analysis.prediction.ensembles import WEIGHTINGS, Ensemble
from thalweg.analysis.prediction.scores import score_table
from thalweg.potentials.lazy import public
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.threads import default_threads

if TYPE_CHECKING:
    from zarr.storage import MemoryStore

    from thalweg.landscapes import Landscape

__all__ = ["LandscapeClassifier"]

PICKS = ("lowest", "validation", "ensemble")
_MOST_STEPS = 200  # of a fit that has found no minimum yet


@public("thalweg.analysis")
class LandscapeClassifier(ClassifierMixin, BaseEstimator):
    """Classifier by a tanh network whose loss is explored: it predicts by one of the minima, or by an ensemble of all.

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
        Temperature of an ensemble with thermal weights; 1/N for N training points by default.
    path : path, optional
        Store that keeps the landscape; fitting the same data with the same settings continues it.
    n_jobs : int, optional
        Threads, as scikit-learn counts them; they do not change the result.
    random_state : int, RandomState or None
        Seed of all searches and of the split; None draws a new one each time.

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

    def __init__(
        self,
        hidden: tuple[int, ...] = (10,),
        l2: float = 1e-4,
        steps: int = 100,
        searches: int = 0,
        starts: int = 16,
        pick: str = "lowest",
        validation_fraction: float = 0.2,
        weighting: str = "equal",
        temperature: float | None = None,
        path: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ):
        self.hidden = hidden
        self.l2 = l2
        self.steps = steps
        self.searches = searches
        self.starts = starts
        self.pick = pick
        self.validation_fraction = validation_fraction
        self.weighting = weighting
        self.temperature = temperature
        self.path = path
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> LandscapeClassifier:
        """Explore the loss of the given data.

        Parameters
        ----------
        X : (N, n_in) array_like
            Finite inputs; columns with a spread of about one help, as for any network.
        y : (N,) array_like
            Classes, such as numbers or names.

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
        seed = _seed(self.random_state)
        train, held = self._split(LabelledPoints(np.asarray(X), codes), seed)
        loss = NetworkLoss(train.inputs, train.labels, hidden=self.hidden, l2=self.l2, n_classes=len(self.classes_))
        self.layers_ = loss.layers
        self._explore(loss, _memory() if self.path is None else self.path, seed, held)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class, (N, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        chosen = np.flatnonzero(self.weights_)
        # a new loss without data, since the fitted classifier must not carry its training data about
        nothing = np.zeros((1, self.layers_[0])), [0]
        network = NetworkLoss(*nothing, hidden=self.layers_[1:-1], n_classes=self.layers_[-1])
        members = Ensemble(self.minima_[chosen], self.weights_[chosen], loss=network)
        return members.probabilities(X, threads=_workers(self.n_jobs))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class, (N,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _check_parameters(self) -> None:
        if self.pick not in PICKS:
            raise ValueError(f"pick is {self.pick!r}; there are {', '.join(PICKS)}")
        for name, least in (("steps", 1), ("searches", 0), ("starts", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
                raise ValueError(f"{name} must be a whole number, at least {least}; it is {value!r}")
        _workers(self.n_jobs)
        if self.weighting not in WEIGHTINGS:
            raise ValueError(f"weighting is {self.weighting!r}; there are {', '.join(WEIGHTINGS)}")
        if self.temperature is not None:
            checked_temperature(self.temperature, None, "reduced")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must lie between 0 and 1; it is {self.validation_fraction}")

    def _split(self, data: LabelledPoints, seed: int) -> tuple[LabelledPoints, LabelledPoints | None]:
        """Return training data, and the held-out data that choose a minimum, if any."""
        if self.pick != "validation":
            return data, None
        X, codes = data
        held, classes = math.ceil(len(codes) * self.validation_fraction), codes.max() + 1
        # each class needs a point on either side, or scikit-learn cannot draw the same share of every class
        alike = codes if min(np.bincount(codes)) > 1 and classes <= min(held, len(codes) - held) else None
        parts = train_test_split(X, codes, test_size=self.validation_fraction, random_state=seed, stratify=alike)
        return LabelledPoints(parts[0], parts[2]), LabelledPoints(parts[1], parts[3])

    def _explore(
        self,
        loss: NetworkLoss,
        path: str | os.PathLike[str] | MemoryStore,
        seed: int,
        held: LabelledPoints | None,
    ) -> None:
        """Fill a store up to the totals of steps and searches, and choose among its minima."""
        from thalweg.landscapes import Landscape
        from thalweg.landscapes.records import SADDLE_SEARCHES

        workers = _workers(self.n_jobs)
        with Landscape(Weights.random(loss, seed), path, seed=seed, tasks_ahead=int(self.starts)) as landscape:
            searches = landscape.searches
            steps = max(0, self.steps - searches.done("basin-hopping"))
            # minimisations fail where units saturate or inputs are not scaled: some succeed in the end
            most = max(_MOST_STEPS, 10 * self.steps)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="none of .* quenches", category=RuntimeWarning)
                landscape.find_minima(steps, workers=workers, progress=False)
                while not len(landscape.minima) and (taken := searches.done("basin-hopping")) < most:
                    landscape.find_minima(min(taken, most - taken), workers=workers, progress=False)
            if not len(landscape.minima):
                raise ValueError(
                    f"no minimum was found in {most} steps: {searches.count()}; scale the inputs to a spread of about "
                    f"one, raise l2 from {self.l2}, or take more steps than {self.steps}"
                )
            done = searches.done(*SADDLE_SEARCHES)
            if self.searches > done:
                landscape.connect(self.searches - done, workers=workers, progress=False)
            self._choose(landscape, held)

    def _choose(self, landscape: Landscape, held: LabelledPoints | None) -> None:
        """Set the minima and their shares in the prediction."""
        self.minima_, self.energies_ = landscape.minima.coordinates[:], landscape.minima.energy[:]
        self.best_index_ = int(self.energies_.argmin())
        if held is not None:
            self.best_index_ = int(score_table(landscape, held, threads=_workers(self.n_jobs))["log_loss"].argmin())
        self.weights_ = np.zeros(len(self.energies_))
        self.weights_[self.best_index_] = 1.0
        if self.pick == "ensemble":
            given = 1 / len(landscape.system.potential.labels) if self.temperature is None else self.temperature
            temperature = None if self.weighting == "equal" else given
            self.weights_ = Ensemble(landscape, self.weighting, temperature).weights.copy()


def _memory() -> MemoryStore:
    """Return a store in memory, for a landscape that is not kept."""
    from zarr.storage import MemoryStore

    return MemoryStore()


def _workers(n_jobs: int | None) -> int:
    """Return the number of threads that scikit-learn's n_jobs means: -1 is all processors, -2 all but one."""
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, numbers.Integral) or n_jobs == 0:
        raise ValueError(f"n_jobs must be a whole number other than 0, or None; it is {n_jobs!r}")
    return int(n_jobs) if n_jobs > 0 else max(1, default_threads() + 1 + int(n_jobs))


def _seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed for scikit-learn's random_state."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, bool) or not isinstance(random_state, numbers.Integral) or random_state < 0:
        raise ValueError(f"random_state must be a whole number, a RandomState or None; it is {random_state!r}")
    return int(random_state)
