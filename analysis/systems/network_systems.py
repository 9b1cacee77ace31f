"""Network losses by name: training data, default settings and NetworkLoss."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.analysis.systems.exploration_target import Explored
from thalweg.analysis.systems.work import Work

if TYPE_CHECKING:
    from thalweg.datasets import Dataset

__all__ = ["NETWORKS", "Network", "NetworkOptions", "build_network", "network_title"]

_SIZE = 200_000
_DRAW = 0x7EA1  # tells the random numbers of the draw from those of the exploration


class Network(NamedTuple):
    """Defaults of a network.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    l2 : float
        Strength of the L2 term.
    data : int
        Number of training points.
    reference : int or "macro"
        Class that AUC tells from the rest, or the mean over all classes.
    work : Work
    """

    hidden: tuple[int, ...]
    l2: float
    data: int
    reference: int | str
    work: Work


NETWORKS: dict[str, Network] = {
    "D1": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "D2": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "D3": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "MNIST": Network((10,), 0.1, 1000, "macro", Work(50, 20)),
    "digits": Network((10,), 1e-2, 1000, "macro", Work(100, 100)),
}
"""Networks by the name of their data; AUC of more than one kind of outcome is the mean over the classes."""


@dataclass(frozen=True)
class NetworkOptions:
    """Options of a network.

    Attributes
    ----------
    data : int
        Number of training points.
    hidden : sequence of int
        Widths of the hidden layers.
    l2 : float
        Strength of the L2 term.
    errors : float
        Percentage of the training labels that are made wrong.
    neighbours : int or None
        Connections of each unit to the layer below; all where None.
    seed : int
        Seed of the draw of training points, of the wrong labels and of the first weights.
    path : path or None
        Folder with the files of MNIST; they are downloaded where None.
    """

    data: int
    hidden: tuple[int, ...]
    l2: float
    errors: float = 0.0
    neighbours: int | None = None
    seed: int = 0
    path: str | os.PathLike[str] | None = None

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> NetworkOptions:
        """Return the options in a mapping such as that of a store; what belongs to no network is left out."""
        known = {name: options[name] for name in cls.__dataclass_fields__ if name in options}
        return cls(**known | {"hidden": tuple(known["hidden"])})

    @classmethod
    def default(cls, name: str) -> NetworkOptions:
        """Return the default options of a network in :data:`NETWORKS`."""
        network = NETWORKS[name]
        return cls(network.data, network.hidden, network.l2)

    def stored(self, name: str) -> dict[str, Any]:
        """Return the options as a store keeps them, JSON-able; ``path`` of MNIST alone."""
        options = {"data": self.data, "errors": self.errors, "hidden": list(self.hidden), "l2": self.l2}
        path = {} if self.path is None else {"path": str(self.path)}
        return {**options, "neighbours": self.neighbours, "seed": self.seed} | (
            {"path": None} | path if name == "MNIST" else {}
        )


def build_network(name: str, options: NetworkOptions, device: str) -> Explored:
    """Draw the training points and make the loss.

    Parameters
    ----------
    name : str
        One of :data:`NETWORKS`.
    options : NetworkOptions
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If an option makes no sense, or the data cannot be read or downloaded.
    """
    from thalweg.potentials import NetworkLoss, Weights  # isort: skip  (compiles while a second process does the rest)
    from thalweg.datasets import mislabel

    errors, seed = options.errors, options.seed
    if not 0 <= errors <= 100:
        raise ValueError(f"errors is a percentage, 0 to 100; it is {errors}")
    pool, test = _pools(name, options.path)
    train, rest = _draw(pool, options.data, seed)
    train = mislabel(train, errors / 100, seed=seed) if errors else train
    loss = NetworkLoss(
        train.inputs,
        train.labels,
        hidden=options.hidden,
        l2=options.l2,
        n_classes=train.n_classes,
        neighbours=options.neighbours,
        mislabelled=train.mislabelled,
        device=device,
    )
    test = rest if test is None else test
    data = {"training": dict(train.identity), "testing": dict(test.identity), "testing_points": len(test)}
    weights = Weights.random(loss, seed=seed)
    wrong = 0 if loss.mislabelled is None else int(loss.mislabelled.sum())
    title = network_title(loss.layers, len(loss.labels), wrong, loss.l2, loss.neighbours)
    return Explored(name, title, weights, test, NETWORKS[name].reference, data)


def _pools(name: str, path: str | os.PathLike[str] | None) -> tuple[Dataset, Dataset | None]:
    """Return the data to draw the training points from, and the testing data where these are others."""
    from thalweg.datasets import digits, ljat3_outcomes, mnist

    if name == "MNIST":
        return mnist(path=path), None
    if name == "digits":
        return digits(), None
    return ljat3_outcomes(name, size=_SIZE, seed=0).halves()


def _draw(pool: Dataset, data: int, seed: int) -> tuple[Dataset, Dataset]:
    """Return training points drawn at random, and the rest; more points of one seed contain fewer."""
    if not 1 <= data <= len(pool):
        raise ValueError(f"data must lie between 1 and the {len(pool)} points that there are to draw; it is {data}")
    order = np.random.default_rng([_DRAW, seed]).permutation(len(pool))
    return pool[order[:data]], pool[order[data:]]


def network_title(layers: Sequence[int], points: int, wrong: int, l2: float, neighbours: int | None) -> str:
    """Return a network and its training data in one line.

    Parameters
    ----------
    layers : sequence of int
        Widths from the inputs to the outputs.
    points, wrong : int
        Numbers of training points and of mislabelled ones.
    l2 : float
    neighbours : int or None
    """
    local = "" if neighbours is None else f", {neighbours} neighbours"
    return f"network [{','.join(map(str, layers))}], {points} training points, {wrong} mislabelled, l2 {l2:g}{local}"
