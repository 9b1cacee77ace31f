"""Adversarial label noise: the labels whose change raises a network's clean testing loss most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.transition_models import checked_fraction
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

if TYPE_CHECKING:
    from thalweg.potentials import NetworkLoss

__all__ = ["adversarial_noise"]

_RMS = 1e-8  # rms gradient to which networks are trained
_LARGEST_DENSE = 1000  # weights up to which the Hessian is factorised; above, products with vectors solve for it
_NUDGE = 1e-4  # length of the step of the central difference of the outputs


def adversarial_noise(
    loss: NetworkLoss, fraction: float, test: Dataset, *, networks: int = 5, step: float = 0.05, seed: int = 0
) -> NDArray[np.float64]:
    """Transition matrices for the labels whose change raises the clean testing loss of a network most.

    The adversary knows the network, its training data and the testing data, and works greedily, in rounds:

    1. Some networks are trained from random weights (in later rounds from where they were) on the present labels.
    2. At each of these minima W the effect of changing the label of one of the n training points from i to j on the
       mean testing loss L, without its L2 term, is estimated to first order, by influence functions: the minimum moves
       by -H^-1 (grad log p_i - grad log p_j) / n, so that L changes by v . (grad log p_j - grad log p_i) / n with
       v = H^-1 grad L. H is the Hessian of the training loss. The estimates of the networks are averaged.
    3. Of the points whose labels are still correct, those with the largest effects are changed, each to the class of
       its largest effect: ``step`` of all points in each round, fewer in the last one.

    Sets are nested: a label that is changed at a small fraction is changed, to the same class, at every larger one.
    The greedy choice need not be the best set of labels, which nobody can find but for the smallest data.

    Parameters
    ----------
    loss : NetworkLoss
        Loss of the network that is attacked, on the training data with correct labels. Data have no weights.
    fraction : float
        Fraction of wrong labels, 0 to 1: exactly ``round(fraction * n)`` labels change.
    test : Dataset
        Testing data with correct labels.
    networks : int
        Number of minima over which effects are averaged.
    step : float
        Fraction of the labels that are changed between two trainings. Smaller steps follow the minima more closely,
        and take longer.
    seed : int
        Seed of the first weights.

    Returns
    -------
    (n, classes, classes) ndarray
        One matrix of zeros and ones for each point, for :func:`~thalweg.datasets.mislabel`.

    Raises
    ------
    ValueError
        If the loss has no classes, or weights of its data, or if a number lies outside its range.
    RuntimeError
        If no training ends at a minimum.

    References
    ----------
    P. W. Koh and P. Liang, Understanding black-box predictions via influence functions, ICML 2017 (arXiv 1703.04730).
    The attack on labels: H. Xiao, H. Xiao, C. Eckert, Adversarial label flips attack on support vector machines, ECAI
    2012.

    Examples
    --------
    The testing data have their border at 0.5. One wrong label moves that of the network most at the point 0.6:

    >>> import numpy as np
    >>> from thalweg.datasets import Dataset, adversarial_noise, mislabel
    >>> from thalweg.potentials import NetworkLoss
    >>> x = np.linspace(0, 1, 11)[:, None]
    >>> data = Dataset(x, (x[:, 0] > 0.55).astype(int), n_classes=2)
    >>> loss = NetworkLoss(data.inputs, data.labels, hidden=(), l2=1e-2)
    >>> wrong = mislabel(data, transition=adversarial_noise(loss, 0.1, test=data))
    >>> int(wrong.mislabelled.sum())
    1
    """
    fraction, step = checked_fraction(fraction), checked_number("step", step)
    if not 0.0 < step <= 1.0:
        raise ValueError(f"step must be above 0 and at most 1; it is {step}")
    networks = whole_number("networks", networks, 1)
    _check_loss(loss, test)
    labels, n = np.array(loss.labels), len(loss.labels)
    wanted, a_round = round(fraction * n), max(1, round(step * n))
    rng = np.random.default_rng(seed)
    weights = np.array([loss.random_coordinates(loss.n_weights, rng) for _ in range(networks)])
    correct, testing = np.ones(n, dtype=bool), _without_l2(loss, test)
    while (missing := wanted - int((~correct).sum())) > 0:
        present = loss.with_data(loss.inputs, labels)
        weights = _trained(present, weights)
        effects = np.mean([_effects(present, x, testing) for x in weights], axis=0)
        effects[~correct] = -np.inf
        chosen = np.argsort(-effects.max(axis=1), kind="stable")[: min(a_round, missing)]
        labels[chosen] = effects[chosen].argmax(axis=1)
        correct[chosen] = False
    matrices = np.tile(np.eye(loss.n_classes), (n, 1, 1))
    matrices[np.arange(n), loss.labels] = np.eye(loss.n_classes)[labels]
    return matrices


def _check_loss(loss: NetworkLoss, test: Dataset) -> None:
    if not loss.classifies:
        raise ValueError(f"loss must have one class for each point; {loss} has none")
    if loss.sample_weight is not None or loss.class_weight is not None:
        raise ValueError("loss has weights of its data (sample_weight, class_weight): the adversary takes none")
    if loss.n_classes < 2:
        raise ValueError("loss must have at least two classes: there is no other class")
    if not len(test):
        raise ValueError("test has no points: the adversary needs testing data")
    if test.mislabelled.any():
        raise ValueError("test is mislabelled: the adversary needs testing data with correct labels")


def _without_l2(loss: NetworkLoss, data: Dataset) -> NetworkLoss:
    """Return the loss of the same network on other data, without an L2 term."""
    settings = {name: value for name, value in loss.describe().items() if name not in ("name", "mislabelled")}
    return type(loss)(**settings | {"inputs": data.inputs, "labels": data.labels, "l2": 0.0})


def _trained(loss: NetworkLoss, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the minima (networks, n_weights) that trainings from these weights end at; those that fail are left out.

    Raises
    ------
    RuntimeError
        If all fail.
    """
    from thalweg.optimizers import minimise
    from thalweg.potentials import Weights

    found = minimise(Weights(loss), weights, rms=_RMS, second_order=True)
    if not found.converged.any():
        raise RuntimeError(f"no training of the attacked network ends at a minimum: {found.reason[0]}")
    return np.asarray(found.x[found.converged])


def _effects(loss: NetworkLoss, x: NDArray[np.float64], testing: NetworkLoss) -> NDArray[np.float64]:
    """Return the estimated change of the testing loss by every change of one label, (n, classes); -inf for none."""
    gradient = testing.energy_gradient(x)[1]
    direction = _solved(loss, x, gradient)
    nudge = _NUDGE / max(float(np.linalg.norm(direction)), np.finfo(float).tiny)
    there, back = (_scores(loss, x + sign * nudge * direction) for sign in (1, -1))
    slopes = (there - back) / (2 * nudge * len(loss.labels))
    every = np.arange(len(loss.labels))
    effects = slopes - slopes[every, loss.labels][:, None]
    effects[every, loss.labels] = -np.inf
    return effects


def _scores(loss: NetworkLoss, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log probabilities of the training points, (n, classes), up to a number that all classes share."""
    outputs = loss.outputs(x, loss.inputs)
    return outputs if outputs.shape[1] == loss.n_classes else np.concatenate([0 * outputs, outputs], axis=1)


def _solved(loss: NetworkLoss, x: NDArray[np.float64], gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return H^-1 times a gradient at a minimum; 0 at frozen weights."""
    from scipy.linalg import lstsq
    from scipy.sparse.linalg import LinearOperator, cg

    free, result = np.flatnonzero(loss.mask), np.zeros_like(gradient)
    if len(free) <= _LARGEST_DENSE:
        result[free] = lstsq(loss.hessian(x)[np.ix_(free, free)], gradient[free])[0]
        return result

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.zeros_like(gradient)
        whole[free] = np.ravel(v)
        return loss.hessian_vector(x, whole)[free]

    hessian = LinearOperator((len(free), len(free)), matvec=product, dtype=np.float64)
    result[free] = cg(hessian, gradient[free], rtol=1e-6, maxiter=len(free))[0]
    return result
