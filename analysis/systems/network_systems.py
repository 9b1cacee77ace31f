"""Network losses by name: training data, default settings and NetworkLoss."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thalweg.analysis.systems.exploration_target import Explored
from thalweg.analysis.systems.label_noise import NOISES, with_noise
from thalweg.analysis.systems.work import Work

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.potentials import NetworkLoss

__all__ = [
    "NETWORKS",
    "UNSTORED",
    "Network",
    "NetworkOptions",
    "build_network",
    "data_file",
    "network_defaults",
    "network_title",
    "settings_title",
]

_SIZE = 200_000


class Network(NamedTuple):
    """Defaults of a network.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    l2 : float
        Strength of the L2 term.
    data : int or None
        Number of training points; None for three quarters of all points.
    reference : int or "macro"
        Class that AUC tells from the rest, or the mean over all classes.
    work : Work
    scale : str or None
        Scaling of the inputs, one of :data:`~thalweg.datasets.scaling.SCALES`; None where the inputs have a scale
        already and no option changes it.
    """

    hidden: tuple[int, ...]
    l2: float
    data: int | None
    reference: int | str
    work: Work
    scale: str | None = None


NETWORKS: dict[str, Network] = {
    "D1": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "D2": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "D3": Network((10,), 1e-4, 1000, 0, Work(200, 700)),
    "MNIST": Network((10,), 0.1, 1000, "macro", Work(50, 20)),
    "digits": Network((10,), 1e-2, 1000, "macro", Work(100, 100)),
    "iris": Network((10,), 1e-2, None, "macro", Work(100, 200), "standard"),
    "wine": Network((10,), 1e-2, None, "macro", Work(100, 200), "standard"),
    "breast_cancer": Network((10,), 1e-2, None, "macro", Work(100, 200), "standard"),
}
"""Networks by the name of their data; AUC of more than one kind of outcome is the mean over the classes."""

UNSTORED = {"activation": "tanh", "loss": "cross_entropy", "noise": NOISES[0], "pixels": "0 to 1"}
"""Options of networks that a store keeps only where they have other values than these; pixels are MNIST's."""

TABLE_ENDINGS = (".csv", ".tsv", ".npz", ".parquet")
"""Ends of the names of files of data; the module that reads them loads the compiler, and names are read before."""

_OWN = Network((10,), 1e-2, None, "macro", Work(100, 200), "standard")


def data_file(name: str) -> Path | None:
    """Return the file of data that a system's name refers to, None where it is none."""
    path = Path(name)
    return path if path.suffix.lower() in TABLE_ENDINGS else None


def network_defaults(name: str) -> Network | None:
    """Return the defaults of a network by the name or file of its data; None for a system that is no network."""
    if name in NETWORKS:
        return NETWORKS[name]
    return _OWN if data_file(name) is not None else None


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
    target : str or None
        Column of the labels in a file of data, or array of an .npz file.
    inputs : tuple of str or None
        Columns of a table that are inputs; all others where None.
    scale : str or None
        Scaling of the inputs, by the training data.
    activation : str or tuple of str
        Activation of all hidden layers, or of each.
    loss : str
        "cross_entropy", or "logistic" for data of two classes.
    noise : str
        Kind of the wrong labels, one of :data:`~thalweg.analysis.systems.label_noise.NOISES`.
    pixels : str
        Range of MNIST's pixels, "0 to 1" or "0 to 255".
    """

    data: int | None
    hidden: tuple[int, ...]
    l2: float
    errors: float = 0.0
    neighbours: int | None = None
    seed: int = 0
    path: str | os.PathLike[str] | None = None
    target: str | None = None
    inputs: tuple[str, ...] | None = None
    scale: str | None = None
    activation: str | tuple[str, ...] = "tanh"
    loss: str = "cross_entropy"
    noise: str = NOISES[0]
    pixels: str = "0 to 1"

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> NetworkOptions:
        """Return the options in a mapping such as that of a store; what belongs to no network is left out."""
        known = {name: options[name] for name in cls.__dataclass_fields__ if name in options}
        listed = {key: tuple(known[key]) for key in ("hidden", "inputs") if known.get(key) is not None}
        if not isinstance(known.get("activation", "tanh"), str):
            listed["activation"] = tuple(known["activation"])
        return cls(**known | listed)

    @classmethod
    def default(cls, name: str) -> NetworkOptions:
        """Return the default options of a network by the name or file of its data."""
        network = network_defaults(name)
        if network is None:
            raise ValueError(f"{name} is no network: there are {', '.join(NETWORKS)} and files of data")
        return cls(network.data, network.hidden, network.l2, scale=network.scale)

    def stored(self, name: str) -> dict[str, Any]:
        """Return the options as a store keeps them, JSON-able: those alone that apply to the data of this name."""
        stored: dict[str, Any] = {"data": self.data, "errors": self.errors, "hidden": list(self.hidden), "l2": self.l2}
        stored |= {"neighbours": self.neighbours, "seed": self.seed}
        if name == "MNIST":
            stored["path"] = None if self.path is None else str(self.path)
        if data_file(name) is not None:
            stored |= {"target": self.target, "inputs": None if self.inputs is None else list(self.inputs)}
        if self.scale is not None:
            stored["scale"] = self.scale
        chosen = {"activation": _name_or_names(self.activation), "loss": self.loss, "noise": self.noise}
        chosen["pixels"] = self.pixels
        return stored | {key: value for key, value in chosen.items() if value != UNSTORED[key]}


def _name_or_names(activation: str | Sequence[str]) -> str | list[str]:
    """Return one name where all layers have the same activation, else a list."""
    names = [activation] if isinstance(activation, str) else list(activation)
    return names[0] if len(set(names)) == 1 else names


def build_network(name: str, options: NetworkOptions, device: str) -> Explored:
    """Draw the training points and make the loss.

    Parameters
    ----------
    name : str
        One of :data:`NETWORKS`, or a file of data.
    options : NetworkOptions
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If an option makes no sense, or the data cannot be read or downloaded.
    """
    from thalweg.potentials import NetworkLoss, Weights  # isort: skip  (compiles while a second process does the rest)
    from thalweg.datasets import Scaling

    errors, seed = options.errors, options.seed
    if not 0 <= errors <= 100:
        raise ValueError(f"errors is a percentage, 0 to 100; it is {errors}")
    if options.loss == "squared_error":
        raise ValueError(
            'loss: classes are learned by "cross_entropy" or "logistic"; for numbers make a '
            'NetworkLoss(..., loss="squared_error") in Python'
        )
    pool, test = _pools(name, options)
    train, rest = _draw(pool, options.data, seed)
    if options.scale is not None:
        scaling = Scaling.of(train.inputs, options.scale)
        train, rest, pool = (scaling.apply(data) for data in (train, rest, pool))
    test = rest if test is None else test

    def network(data: Dataset) -> NetworkLoss:
        return NetworkLoss(
            data.inputs,
            data.labels,
            hidden=options.hidden,
            l2=options.l2,
            n_classes=data.n_classes,
            neighbours=options.neighbours,
            mislabelled=data.mislabelled,
            device=device,
            activation=options.activation,
            loss=options.loss,
        )

    train = with_noise(options.noise, train, errors / 100, seed, pool=pool, test=test, network=network)
    loss = network(train)
    identities = {
        "training": dict(train.identity),
        "testing": dict(test.identity),
        "testing_points": len(test),
    }
    weights = Weights.random(loss, seed=seed)
    wrong = 0 if loss.mislabelled is None else int(loss.mislabelled.sum())
    title = network_title(loss.layers, len(loss.inputs), wrong, loss.l2, loss.neighbours)
    title += f", {options.noise} noise" if wrong and options.noise != NOISES[0] else ""
    title += settings_title(loss.describe())
    title += f", pixels {options.pixels}" if options.pixels != UNSTORED["pixels"] else ""
    title += f", inputs scaled: {options.scale}" if options.scale not in (None, "none") else ""
    defaults = network_defaults(name)
    reference = 0 if defaults is None else defaults.reference
    return Explored(name, title, weights, test if len(test) else None, reference, identities)


def _pools(name: str, options: NetworkOptions) -> tuple[Dataset, Dataset | None]:
    """Return the data to draw the training points from, and the testing data where these are others."""
    from thalweg.datasets import dataset, ljat3_outcomes, mnist, read_dataset

    if data_file(name) is not None:
        return read_dataset(name, options.target, options.inputs), None
    if name == "MNIST":
        return mnist(path=options.path, pixels=options.pixels), None
    if name in ("D1", "D2", "D3"):
        return ljat3_outcomes(name, size=_SIZE, seed=0).halves()
    return dataset(name), None


def _draw(pool: Dataset, data: int | None, seed: int) -> tuple[Dataset, Dataset]:
    """Return training points drawn at random, and the rest; more points of one seed contain fewer."""
    data = (3 * len(pool) + 3) // 4 if data is None else data
    if not 1 <= data <= len(pool):
        raise ValueError(f"data must lie between 1 and the {len(pool)} points that there are to draw; it is {data}")
    return pool.draw(data, seed)


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


def settings_title(settings: Mapping[str, Any]) -> str:
    """Return what a network has beside those of a tanh network with cross-entropy, to follow its title; "" for nothing.

    Parameters
    ----------
    settings : mapping
        Description of the loss; settings that it lacks are those of a tanh network with cross-entropy.
    """
    parts = []
    if "activation" in settings:
        named = settings["activation"]
        parts.append(named if isinstance(named, str) else "-".join(named))
    if "loss" in settings:
        parts.append(settings["loss"].replace("_", " "))
    if not settings.get("l2_biases", True):
        parts.append("L2 term without biases")
    parts += [name.replace("_", " ") for name in ("sample_weight", "class_weight") if name in settings]
    return "".join(f", {part}" for part in parts)
