"""Ensembles of minima: equal-weight or thermal averages of predictions, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from thalweg.analysis.kinetics.rates import checked_temperature
from thalweg.analysis.prediction.data_arguments import LabelledPoints, data_of, inputs_of
from thalweg.analysis.prediction.minima_arguments import (
    NetworkMinima,
    chosen_minima,
    loss_of,
    minima_of,
    rows_of,
)
from thalweg.analysis.prediction.minima_protocols import (
    HasEnergies,
    HasMinima,
    InputData,
    LandscapeMinima,
    MinimaLike,
    PartOfLandscape,
    TestData,
)
from thalweg.analysis.prediction.probability_blocks import probability_blocks
from thalweg.analysis.prediction.roc import reference_classes
from thalweg.analysis.prediction.scores import SCORES, counts, score_probabilities
from thalweg.potentials.lazy import public
from thalweg.potentials.protocols import ClassifyingPotential
from thalweg.potentials.threads import map_threads

__all__ = ["WEIGHTINGS", "Ensemble", "ensemble_table", "landscape_weights"]

WEIGHTINGS = ("equal", "boltzmann", "harmonic")
"""Names of weightings."""

# A minimum with a smaller share changes no probability in double precision.
_NEGLIGIBLE = 1e-18


@public("thalweg.analysis")
class Ensemble:
    """Ensemble of minima of a network's loss, whose predicted probabilities are averaged; immutable.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima, read when something is predicted; or rows of weights, with ``loss``.
    weighting : str or (k,) array_like
        "equal"; "boltzmann", exp(-E/T); "harmonic", each minimum's share of the partition function by the harmonic
        superposition approximation, which takes its curvatures into account; or weights that are not negative.
    temperature : float, optional
        Fictitious k_B T in the unit of the loss, for the thermal weightings. With T = 1/N for N training points,
        "harmonic" is the Laplace approximation of Bayes' posterior whose prior is the L2 term.
    rows : array_like of int, optional
        Numbers of the minima, counted from 0; all by default. An array of weights has one entry for each of them.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.

    Attributes
    ----------
    weights : (k,) ndarray
        Weights of the minima, which add up to 1; read-only.
    loss : NetworkLoss
        The network.

    Raises
    ------
    ValueError, TypeError, IndexError
        If there are no minima, or weighting, temperature or shapes make no sense; the argument is named.

    Notes
    -----
    Laplace's approximation: D. J. C. MacKay, Neural Computation 4 (1992) 448. Superposition: F. H. Stillinger,
    T. A. Weber, Science 225 (1984) 983.

    Examples
    --------
    >>> from thalweg.analysis import Ensemble
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> ensemble = Ensemble([[0.0] * 12, [0.0] * 11 + [30.0]], loss=loss)  # one undecided, one sure of class 1
    >>> ensemble.probabilities([[0, 1]]).round(3)
    array([[0.25, 0.75]])
    >>> ensemble.predict([[0, 1]])
    array([1])
    """

    def __init__(
        self,
        minima: MinimaLike,
        weighting: str | ArrayLike = "equal",
        temperature: float | None = None,
        *,
        rows: ArrayLike | None = None,
        loss: ClassifyingPotential | None = None,
    ):
        minima = minima_of(minima)
        every = chosen_minima(minima, None, loss, "ensemble")
        if not len(every.weights):
            raise ValueError("there are no minima to make an ensemble of: find some first")
        self.loss = every.loss
        self._coordinates = rows_of(every.weights, rows)
        if not len(self._coordinates):
            raise ValueError("rows names no minima: an ensemble needs one at least")
        stored = _Stored(cast("LandscapeMinima", minima), rows) if isinstance(minima, PartOfLandscape) else None
        weights = _weights(weighting, temperature, NetworkMinima(self._coordinates, self.loss), stored)
        weights.setflags(write=False)
        self.weights = weights

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        return f"<Ensemble: {len(self)} minima, effectively {self.effective_size:.3g}>"

    @property
    def effective_size(self) -> float:
        """Number of minima with equal weights that would be as spread out: 1 / sum of squared weights."""
        return float(1 / (self.weights**2).sum())

    def probabilities(self, data: InputData, threads: int | None = None) -> np.ndarray:
        """Return the averaged probability of each class, (N, n_classes).

        Parameters
        ----------
        data : data set or (N, n_in) array_like
            Data of which only the inputs are used.
        threads : int, optional
            Threads over minima; all processors by default.
        """
        inputs = inputs_of("data", data, self.loss)
        used = np.flatnonzero(self.weights > _NEGLIGIBLE * self.weights.max())
        total = np.zeros((len(inputs), self.loss.n_classes))
        share = self.weights[used] / self.weights[used].sum()
        members = NetworkMinima(self._coordinates[used], self.loss)
        for part, block in probability_blocks(members, inputs, threads):
            total += np.tensordot(share[part], block, axes=1)
        return total

    def predict(self, data: InputData, threads: int | None = None) -> np.ndarray:
        """Return the most probable class, (N,) int64; parameters as for `probabilities`."""
        return self.probabilities(data, threads).argmax(axis=1)

    def scores(self, dataset: TestData, reference: int | str = 0, threads: int | None = None) -> dict[str, float]:
        """Return accuracy, log loss and AUC, as :func:`~thalweg.analysis.score_table` has them for a minimum."""
        classes = reference_classes(reference, self.loss.n_classes)
        inputs, labels = data_of("dataset", dataset, self.loss)
        values = score_probabilities(self.probabilities(inputs, threads), labels, classes)
        return dict(zip(SCORES, values, strict=True))

    def confusion(self, dataset: TestData, threads: int | None = None) -> np.ndarray:
        """Return the numbers of points by class (row) and predicted class (column), (n_classes, n_classes)."""
        inputs, labels = data_of("dataset", dataset, self.loss)
        return counts(self.probabilities(inputs, threads), labels)


def landscape_weights(landscape: HasMinima, weighting: str, temperature: float | None) -> np.ndarray:
    """Return the weights (k,) of an ensemble of all minima of a network, whatever it predicts; they add up to 1.

    Parameters
    ----------
    landscape : Landscape
    weighting, temperature
        As for :class:`Ensemble`.
    """
    minima = landscape.minima
    loss = loss_of(minima, what="network")
    return _weights(weighting, temperature, NetworkMinima(minima.coordinates, loss), _Stored(minima, None))


class _Stored(NamedTuple):
    """Chosen minima of a landscape, whose energies and curvatures are stored."""

    minima: LandscapeMinima
    rows: ArrayLike | None

    def column(self, name: str) -> np.ndarray:
        """Return a column of the chosen minima, (k,)."""
        values = np.asarray(getattr(self.minima, name)[:])
        return values if self.rows is None else values[np.atleast_1d(self.rows)]


def _weights(
    weighting: str | ArrayLike, temperature: float | None, minima: NetworkMinima, stored: _Stored | None
) -> np.ndarray:
    """Return weights that add up to 1."""
    count = len(minima.weights)
    if not isinstance(weighting, str):
        return _own_weights(weighting, temperature, count)
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting is {weighting!r}; there are {', '.join(WEIGHTINGS)}, or weights of your own")
    if weighting == "equal":
        if temperature is not None:
            raise TypeError("temperature means nothing for equal weights")
        return np.full(count, 1 / count)
    temperature = checked_temperature(temperature, None, "reduced")
    energies = _energies(minima) if stored is None else stored.column("energy")
    if weighting == "boltzmann":
        return np.asarray(softmax(-(energies - energies.min()) / temperature))
    return _harmonic(stored, energies, temperature, minima)


def _energies(minima: NetworkMinima) -> np.ndarray:
    """Return the losses of rows of weights, (k,)."""
    if not isinstance(minima.loss, HasEnergies):
        raise TypeError(f"thermal weights need energies, which {type(minima.loss).__name__} does not compute")
    return minima.loss.energies_gradients(np.asarray(minima.weights))[0]


def _own_weights(weighting: ArrayLike, temperature: float | None, count: int) -> np.ndarray:
    if temperature is not None:
        raise TypeError("temperature means nothing for weights of your own")
    weights = np.array(weighting, dtype=np.float64)
    if weights.shape != (count,):
        raise ValueError(f"weighting has shape {weights.shape}; one weight for each of {count} minima is needed")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError("weighting must hold finite numbers that are not negative, and not all zero")
    return np.asarray(weights / weights.sum())


def _harmonic(stored: _Stored | None, energies: np.ndarray, temperature: float, minima: NetworkMinima) -> np.ndarray:
    """Return occupation probabilities by the harmonic superposition approximation."""
    from thalweg.analysis.kinetics.thermodynamics import Thermodynamics
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.symmetry_orders import computed_logarithms

    if stored is None:
        raise TypeError("harmonic weights need a landscape's minima, with their log eigenvalue products")
    orders = stored.column("symmetry_order")
    wells = KineticTransitionNetwork(
        energies,
        [],
        np.empty((0, 2), dtype=np.int64),
        log_eigenvalue_product=stored.column("log_eigenvalue_product"),
        modes=stored.column("modes"),
        symmetry_order=orders,
        properties=computed_logarithms(orders, minima.weights, getattr(minima.loss, "symmetry", None)),
    )
    return np.array(Thermodynamics(wells, [temperature]).occupation[0])


def ensemble_table(
    landscape: HasMinima,
    dataset: TestData,
    temperatures: Sequence[float] = (),
    reference: int | str = 0,
    *,
    rows: ArrayLike | None = None,
    threads: int | None = None,
) -> dict[str, dict[str, float]]:
    """Return scores of single minima and of ensembles side by side.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a network.
    dataset : data set or (inputs, labels)
        Data to predict.
    temperatures : sequence of float
        Fictitious k_B T, each of a Boltzmann and, where all log eigenvalue products are known, a harmonic ensemble.
    reference : int or "macro"
        Class that AUC tells from the rest; or the plain mean over all classes.
    rows : array_like of int, optional
        Numbers of the minima, counted from 0; all by default.
    threads : int, optional
        Threads over minima; all processors by default.

    Returns
    -------
    dict of str to dict of str to float
        Rows ``lowest`` (the minimum of lowest loss), ``best`` (the best minimum by each score, known only in
        hindsight), ``mean`` and ``sd`` (population) over the minima, ``equal``, ``boltzmann <T>`` and ``harmonic <T>``;
        in each ``accuracy``, ``log_loss`` and ``auc``, and in ensembles ``effective_size``. ``pandas.DataFrame`` takes
        it as it is.

    Raises
    ------
    ValueError, TypeError
        If there are no minima, or data, temperatures or reference do not fit.

    Examples
    --------
    >>> from thalweg.analysis import ensemble_table
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,), l2=1e-3)
    >>> with Landscape(Weights.random(loss), "xor.zarr") as landscape:
    ...     done = landscape.find_minima(steps=4, workers=1, progress=False)
    ...     table = ensemble_table(landscape, loss, temperatures=[0.25])
    >>> list(table)
    ['lowest', 'best', 'mean', 'sd', 'equal', 'boltzmann 0.25', 'harmonic 0.25']
    """
    minima = landscape.minima
    members = chosen_minima(minima, None, None, "ensemble")
    classes = reference_classes(reference, members.loss.n_classes)
    data = data_of("dataset", dataset, members.loss)
    ensembles = {"equal": Ensemble(minima, rows=rows)}
    stored = _Stored(minima, rows)
    known = np.isfinite(stored.column("log_eigenvalue_product")).all()
    for temperature in temperatures:
        for name in ("boltzmann", "harmonic") if known else ("boltzmann",):
            ensembles[f"{name} {temperature:g}"] = Ensemble(minima, name, temperature, rows=rows)
    members = members._replace(weights=rows_of(members.weights, rows))
    single, averaged = _pass_over(members, data, classes, list(ensembles.values()), threads)
    lowest = int(stored.column("energy").argmin())
    best = [single[:, k].min() if name == "log_loss" else single[:, k].max() for k, name in enumerate(SCORES)]
    summary = {"lowest": single[lowest], "best": best, "mean": single.mean(axis=0), "sd": single.std(axis=0)}
    table = {name: dict(zip(SCORES, map(float, row), strict=True)) for name, row in summary.items()}
    for (name, ensemble), probabilities in zip(ensembles.items(), averaged, strict=True):
        scores = score_probabilities(probabilities, data.labels, classes)
        table[name] = {**dict(zip(SCORES, scores, strict=True)), "effective_size": ensemble.effective_size}
    return table


def _pass_over(
    minima: NetworkMinima, data: LabelledPoints, classes: range, ensembles: list[Ensemble], threads: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of the minima, and the averages of all ensembles: each minimum predicts once."""
    shares = np.array([ensemble.weights for ensemble in ensembles])
    single = np.empty((len(minima.weights), len(SCORES)))
    averaged = np.zeros((len(ensembles), len(data.inputs), minima.loss.n_classes))
    for part, block in probability_blocks(minima, data.inputs, threads):
        averaged += np.tensordot(shares[:, part], block, axes=1)

        def work(start: int, stop: int, block: np.ndarray = block, first: int = part.start) -> None:
            for k in range(start, stop):
                single[first + k] = score_probabilities(block[k], data.labels, classes)

        map_threads(work, len(block), threads)
    return single, averaged
