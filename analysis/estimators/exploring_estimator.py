"""Base class of scikit-learn estimators that explore a network's loss and predict by its minima."""

from __future__ import annotations

import math
import numbers
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from thalweg.analysis.kinetics.rates import checked_temperature
from thalweg.analysis.prediction.ensembles import WEIGHTINGS, landscape_weights
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.threads import default_threads

if TYPE_CHECKING:
    from zarr.storage import MemoryStore

    from thalweg.landscapes import Landscape

__all__ = ["ExploringEstimator", "TrainingData", "workers_of"]

PICKS = ("lowest", "validation", "ensemble")
_MOST_STEPS = 200  # of a fit that has found no minimum yet


class TrainingData(NamedTuple):
    """Data of a fit.

    Attributes
    ----------
    inputs : (N, n_in) ndarray
    targets : (N,) or (N, outputs) ndarray
        Codes of classes, or numbers.
    weights : (N,) ndarray, or None
        Weight of each datum.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None

    @property
    def size(self) -> float:
        """Number of data, each counted as often as its weight says."""
        return float(len(self.targets) if self.weights is None else self.weights.sum())


class ExploringEstimator(BaseEstimator):
    """Estimator by a network whose loss is explored; its parameters are described in the classes derived from it."""

    _kind: str
    """Loss of a datum, as NetworkLoss names it."""

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
        activation: str | Sequence[str] = "tanh",
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
        self.activation = activation

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a pickled state, also one of before there were other activations than tanh."""
        super().__setstate__({"activation": "tanh", **state})

    def _check_parameters(self) -> None:
        if self.pick not in PICKS:
            raise ValueError(f"pick is {self.pick!r}; there are {', '.join(PICKS)}")
        for name, least in (("steps", 1), ("searches", 0), ("starts", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
                raise ValueError(f"{name} must be a whole number, at least {least}; it is {value!r}")
        workers_of(self.n_jobs)
        if self.weighting not in WEIGHTINGS:
            raise ValueError(f"weighting is {self.weighting!r}; there are {', '.join(WEIGHTINGS)}")
        if self.temperature is not None:
            checked_temperature(self.temperature, None, "reduced")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must lie between 0 and 1; it is {self.validation_fraction}")

    def _weighted(self, X: np.ndarray, targets: np.ndarray, sample_weight: ArrayLike | None) -> TrainingData:
        """Return the data with their weights; those that weigh nothing are left out."""
        if sample_weight is None:
            return TrainingData(X, targets, None)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        counted = weights > 0
        return TrainingData(X[counted], targets[counted], weights[counted])

    def _fit(self, data: TrainingData, n_classes: int | None) -> None:
        """Explore the loss of the data, and choose among its minima."""
        seed = _seed(self.random_state)
        train, held = self._split(data, seed, n_classes)
        loss = self._loss(train, self.l2, n_classes)
        self.layers_ = loss.layers
        path = _memory() if self.path is None else self.path
        from thalweg.landscapes import Landscape

        with Landscape(Weights.random(loss, seed), path, seed=seed, tasks_ahead=int(self.starts)) as landscape:
            self._explore(landscape)
            self._choose(landscape, train, None if held is None else self._loss(held, 0.0, n_classes))

    def _loss(self, data: TrainingData, l2: float, n_classes: int | None) -> NetworkLoss:
        return NetworkLoss(
            data.inputs,
            data.targets,
            hidden=self.hidden,
            l2=l2,
            n_classes=n_classes,
            activation=self.activation,
            loss=self._kind,
            sample_weight=data.weights,
        )

    def _network(self) -> NetworkLoss:
        """Return the fitted network with one made-up datum, since a fitted model must not carry its data about."""
        inputs, hidden, outputs = np.zeros((1, self.layers_[0])), self.layers_[1:-1], self.layers_[-1]
        classifies = self._kind == "cross_entropy"
        targets = np.zeros(1, dtype=np.int64) if classifies else np.zeros((1, outputs))
        n_classes = outputs if classifies else None
        return NetworkLoss(inputs, targets, hidden, n_classes=n_classes, activation=self.activation, loss=self._kind)

    def _split(self, data: TrainingData, seed: int, n_classes: int | None) -> tuple[TrainingData, TrainingData | None]:
        """Return training data, and the held-out data that choose a minimum, if any."""
        if self.pick != "validation":
            return data, None
        n = len(data.targets)
        alike, held = None, math.ceil(n * self.validation_fraction)
        if n_classes is not None and n_classes <= min(held, n - held):
            # each class needs a point on either side, or scikit-learn cannot draw the same share of every class
            counts = np.bincount(data.targets)
            alike = data.targets if min(counts[counts > 0]) > 1 else None
        rows = train_test_split(np.arange(n), test_size=self.validation_fraction, random_state=seed, stratify=alike)
        weights = data.weights
        parts = [
            TrainingData(data.inputs[part], data.targets[part], None if weights is None else weights[part])
            for part in rows
        ]
        return parts[0], parts[1]

    def _explore(self, landscape: Landscape) -> None:
        """Fill a landscape up to the totals of steps and searches."""
        from thalweg.landscapes.records import SADDLE_SEARCHES

        workers, searches = workers_of(self.n_jobs), landscape.searches
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

    def _choose(self, landscape: Landscape, train: TrainingData, held: NetworkLoss | None) -> None:
        """Set the minima and their shares in the prediction."""
        self.minima_, self.energies_ = landscape.minima.coordinates[:], landscape.minima.energy[:]
        self.best_index_ = int(self.energies_.argmin())
        if held is not None:
            self.best_index_ = int(held.energies_gradients(self.minima_)[0].argmin())
        self.weights_ = np.zeros(len(self.energies_))
        self.weights_[self.best_index_] = 1.0
        if self.pick == "ensemble":
            given = self._default_temperature(train) if self.temperature is None else self.temperature
            temperature = None if self.weighting == "equal" else given
            self.weights_ = landscape_weights(landscape, self.weighting, temperature)

    def _default_temperature(self, train: TrainingData) -> float:
        """Return the temperature at which Boltzmann factors of the loss are likelihoods times the L2 term's prior."""
        raise NotImplementedError


def _memory() -> MemoryStore:
    """Return a store in memory, for a landscape that is not kept."""
    from zarr.storage import MemoryStore

    return MemoryStore()


def workers_of(n_jobs: int | None) -> int:
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
