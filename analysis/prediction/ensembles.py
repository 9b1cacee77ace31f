"""Ensembles of minima: their predictions averaged, with equal or thermal weights, and what that gains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from thalweg.analysis.kinetics.rates import checked_temperature
from thalweg.analysis.prediction.arguments import data_of, inputs_of, loss_of, probability_blocks, rows_of, weights_of
from thalweg.analysis.prediction.roc import reference_classes
from thalweg.analysis.prediction.scores import SCORES, counts, score_probabilities
from thalweg.potentials.lazy import public
from thalweg.potentials.threads import map_threads

__all__ = ["WEIGHTINGS", "Ensemble", "ensemble_table"]

WEIGHTINGS = ("equal", "boltzmann", "harmonic")
"""By name; or weights of one's own."""

# A minimum with a smaller share changes no probability in double precision.
_NEGLIGIBLE = 1e-18


@public("thalweg.analysis")
class Ensemble:
    """Minima of a network's loss whose predicted probabilities are averaged; immutable.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima, read when something is predicted; or rows of weights, with ``loss``.
    weighting : str or (k,) array_like
        "equal"; "boltzmann", exp(-E/T); "harmonic", each minimum's share of the partition function by the harmonic
        superposition approximation, which knows how wide it is; or weights of one's own, not negative.
    temperature : float, optional
        Fictitious k_B T in the unit of the loss, for the thermal ones. With T = 1/N, N training points, "harmonic" is
        the Laplace approximation of Bayes' posterior whose prior is the L2 term.
    rows : array_like of int, optional
        Which minima, counted from 0; all by default. ``weighting`` of one's own has one number for each.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.

    Attributes
    ----------
    weights : (k,) ndarray
        Read-only, adding up to 1.
    loss : NetworkLoss

    Raises
    ------
    ValueError, TypeError, IndexError
        If there are no minima, or weighting, temperature or shapes make no sense; the argument is named.

    Notes
    -----
    D. J. C. MacKay, Neural Computation 4 (1992) 448, for Laplace's approximation; F. H. Stillinger, T. A. Weber,
    Science 225 (1984) 983, for superposition.
    """

    def __init__(
        self,
        minima: Any,
        weighting: Any = "equal",
        temperature: float | None = None,
        *,
        rows: Any = None,
        loss: Any = None,
    ):
        minima = getattr(minima, "minima", minima)
        self.loss = loss_of(minima, loss, "ensemble")
        coordinates = weights_of(minima, self.loss)
        if not len(coordinates):
            raise ValueError("there are no minima to make an ensemble of: find some first")
        chosen = slice(None) if rows is None else np.atleast_1d(rows)
        self._coordinates = rows_of(coordinates, rows)
        if not len(self._coordinates):
            raise ValueError("rows names no minima: an ensemble needs one at least")
        weights = _weights(weighting, temperature, minima, chosen, self.loss, self._coordinates)
        weights.setflags(write=False)
        self.weights = weights

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        return f"<Ensemble: {len(self)} minima, effectively {self.effective_size:.3g}>"

    @property
    def effective_size(self) -> float:
        """How many minima with equal weights would be as spread out: 1 / sum of squared weights."""
        return float(1 / (self.weights**2).sum())

    def probabilities(self, data: Any, threads: int | None = None) -> np.ndarray:
        """Return the averaged probability of each class, (N, n_classes).

        Parameters
        ----------
        data : data set or (N, n_in) array_like
            Only its inputs are used.
        threads : int, optional
            Over minima; all processors by default.
        """
        inputs = inputs_of("data", data, self.loss)
        used = np.flatnonzero(self.weights > _NEGLIGIBLE * self.weights.max())
        total = np.zeros((len(inputs), self.loss.n_classes))
        share = self.weights[used] / self.weights[used].sum()
        for part, block in probability_blocks(self._coordinates[used], self.loss, inputs, threads):
            total += np.tensordot(share[part], block, axes=1)
        return total

    def predict(self, data: Any, threads: int | None = None) -> np.ndarray:
        """Return the most probable class, (N,) int64; parameters as for `probabilities`."""
        return self.probabilities(data, threads).argmax(axis=1)

    def scores(self, dataset: Any, reference: int | str = 0, threads: int | None = None) -> dict[str, float]:
        """Return accuracy, log loss and AUC, as :func:`~thalweg.analysis.score_table` has them for a minimum."""
        classes = reference_classes(reference, self.loss.n_classes)
        inputs, labels = data_of("dataset", dataset, self.loss)
        values = score_probabilities(self.probabilities(inputs, threads), labels, classes)
        return dict(zip(SCORES, values, strict=True))

    def confusion(self, dataset: Any, threads: int | None = None) -> np.ndarray:
        """Return how many points of each class (row) are taken for each class (column), (n_classes, n_classes)."""
        inputs, labels = data_of("dataset", dataset, self.loss)
        return counts(self.probabilities(inputs, threads), labels)


def _weights(weighting: Any, temperature: Any, minima: Any, chosen: Any, loss: Any, coordinates: Any) -> np.ndarray:
    """Return weights that add up to 1."""
    if not isinstance(weighting, str):
        return _own_weights(weighting, temperature, len(coordinates))
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting is {weighting!r}; there are {', '.join(WEIGHTINGS)}, or weights of your own")
    if weighting == "equal":
        if temperature is not None:
            raise TypeError("temperature means nothing for equal weights")
        return np.full(len(coordinates), 1 / len(coordinates))
    temperature = checked_temperature(temperature, None, "reduced")
    stored = getattr(minima, "energy", None)
    energies = loss.energies_gradients(np.asarray(coordinates))[0] if stored is None else stored[:][chosen]
    if weighting == "boltzmann":
        return softmax(-(energies - energies.min()) / temperature)
    return _harmonic(minima, chosen, energies, temperature)


def _own_weights(weighting: Any, temperature: Any, count: int) -> np.ndarray:
    if temperature is not None:
        raise TypeError("temperature means nothing for weights of your own")
    weights = np.array(weighting, dtype=np.float64)
    if weights.shape != (count,):
        raise ValueError(f"weighting has shape {weights.shape}; one weight for each of {count} minima is needed")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError("weighting must hold finite numbers that are not negative, and not all zero")
    return weights / weights.sum()


def _harmonic(minima: Any, chosen: Any, energies: np.ndarray, temperature: float) -> np.ndarray:
    """Return occupation probabilities by the harmonic superposition approximation."""
    from thalweg.analysis.kinetics.thermodynamics import Thermodynamics
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    if not hasattr(minima, "log_eigenvalue_product"):
        raise TypeError("harmonic weights need a landscape's minima, with their log eigenvalue products")
    names = ("log_eigenvalue_product", "modes", "symmetry_order")
    columns = {name: getattr(minima, name)[:][chosen] for name in names}
    wells = KineticTransitionNetwork(energies, [], np.empty((0, 2), dtype=np.int64), **columns)
    return np.array(Thermodynamics(wells, [temperature]).occupation[0])


def ensemble_table(
    landscape: Any,
    dataset: Any,
    temperatures: Sequence[float] = (),
    reference: int | str = 0,
    *,
    rows: Any = None,
    threads: int | None = None,
) -> dict[str, dict[str, float]]:
    """Return how well single minima and ensembles predict, side by side.

    Parameters
    ----------
    landscape : Landscape
        Of a network.
    dataset : data set or (inputs, labels)
    temperatures : sequence of float
        Fictitious ones, each for a Boltzmann and, where all log eigenvalue products are there, a harmonic ensemble.
    reference : int or "macro"
        The class that AUC tells from the rest; or the plain mean over all classes.
    rows : array_like of int, optional
        Which minima, counted from 0; all by default.
    threads : int, optional
        Over minima; all processors by default.

    Returns
    -------
    dict of str to dict of str to float
        ``lowest`` (the minimum of lowest loss), ``best`` (by each score the best minimum, known only in hindsight),
        ``mean`` and ``sd`` (population) over the minima, ``equal``, ``boltzmann <T>`` and ``harmonic <T>``; in each
        ``accuracy``, ``log_loss`` and ``auc``, and in ensembles ``effective_size``. pandas makes a table of it.

    Raises
    ------
    ValueError, TypeError
        If there are no minima, or data, temperatures or reference do not fit.
    """
    minima = landscape.minima
    loss = loss_of(minima, None, "ensemble")
    classes = reference_classes(reference, loss.n_classes)
    data = data_of("dataset", dataset, loss)
    ensembles = {"equal": Ensemble(minima, rows=rows)}
    chosen = slice(None) if rows is None else np.atleast_1d(rows)
    known = np.isfinite(minima.log_eigenvalue_product[:][chosen]).all()
    for temperature in temperatures:
        for name in ("boltzmann", "harmonic") if known else ("boltzmann",):
            ensembles[f"{name} {temperature:g}"] = Ensemble(minima, name, temperature, rows=rows)
    coordinates = rows_of(minima.coordinates, rows)
    single, averaged = _pass_over(coordinates, loss, data, classes, list(ensembles.values()), threads)
    lowest = int(minima.energy[:][chosen].argmin())
    best = [single[:, k].min() if name == "log_loss" else single[:, k].max() for k, name in enumerate(SCORES)]
    rows = {"lowest": single[lowest], "best": best, "mean": single.mean(axis=0), "sd": single.std(axis=0)}
    table = {name: dict(zip(SCORES, map(float, row), strict=True)) for name, row in rows.items()}
    for (name, ensemble), probabilities in zip(ensembles.items(), averaged, strict=True):
        scores = score_probabilities(probabilities, data[1], classes)
        table[name] = {**dict(zip(SCORES, scores, strict=True)), "effective_size": ensemble.effective_size}
    return table


def _pass_over(
    coordinates: Any, loss: Any, data: tuple, classes: range, ensembles: list[Ensemble], threads: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of the minima, and the averages of all ensembles: each minimum predicts once."""
    inputs, labels = data
    shares = np.array([ensemble.weights for ensemble in ensembles])
    single = np.empty((len(coordinates), len(SCORES)))
    averaged = np.zeros((len(ensembles), len(inputs), loss.n_classes))
    for part, block in probability_blocks(coordinates, loss, inputs, threads):
        averaged += np.tensordot(shares[:, part], block, axes=1)

        def work(start, stop, block=block, first=part.start):
            for k in range(start, stop):
                single[first + k] = score_probabilities(block[k], labels, classes)

        map_threads(work, len(block), threads)
    return single, averaged
