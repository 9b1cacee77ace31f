"""What the names that the command line explores stand for, and how much work each gets by default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.analysis.systems.structure_files import AHEAD, DEFAULTS, file_of, read_structure, tolerances_of

if TYPE_CHECKING:
    from thalweg.datasets import Dataset

__all__ = [
    "CLUSTERS",
    "NETWORKS",
    "SURFACES",
    "Explored",
    "Work",
    "build",
    "default_options",
    "default_work",
    "resolve_name",
]


class Work(NamedTuple):
    """How much is done: steps of basin-hopping, and searches for transition states, in total."""

    steps: int
    searches: int


class Network(NamedTuple):
    """Defaults of a network: hidden widths, l2, training points, the class (or "macro") of its AUC, and the work."""

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

SURFACES: tuple[str, ...] = ("MuellerBrown", "SixHumpCamel", "ThreeHumpCamel", "Himmelblau", "WolfeQuapp")
"""Analytic surfaces of two variables, by the names of their classes in :mod:`thalweg.potentials`."""

_SURFACE_WORK = Work(80, 160)

CLUSTERS: tuple[tuple[int, Work], ...] = (
    (3, Work(40, 80)),
    (5, Work(100, 200)),
    (7, Work(200, 3000)),
    (10, Work(1000, 4000)),
    (13, Work(3000, 6000)),
)
"""Work for clusters of up to so many atoms; larger ones get that of the last line."""

STRUCTURE = Work(40, 60)
"""Work for a structure from a file: its calculator may be slow."""

_LARGEST_CLUSTER = 1000
_SIZE = 200_000
_DRAW = 0x7EA1  # tells the random numbers of the draw from those of the exploration


@dataclass(frozen=True)
class Explored:
    """What a name stands for.

    Attributes
    ----------
    name : str
        As :func:`resolve_name` gives it.
    title : str
        What it is, in one line.
    subject : ase.Atoms, Weights or Point
        What a Landscape explores.
    test : Dataset or None
        The testing data of a network.
    reference : int or str
        The class that AUC tells from the rest, or "macro" for the mean over all.
    data : dict
        Where the training and the testing data come from, JSON-able; empty for a cluster.
    tolerances : Tolerances or None
        Of a new store, where the usual ones would not do.
    ahead : int or None
        Tasks in flight of a new store, likewise.
    """

    name: str
    title: str
    subject: Any
    test: Dataset | None = None
    reference: int | str = 0
    data: dict[str, Any] = field(default_factory=dict)
    tolerances: Any = None
    ahead: int | None = None


def resolve_name(name: str) -> str:
    """Return a system's name as it is written, whatever the case it was typed in.

    Parameters
    ----------
    name : str
        D1, D2, D3, MNIST, digits, one of SURFACES, LJ<n> (Lennard-Jones), LJAT<n> (with the Axilrod-Teller term,
        Z = 2), or a file that ASE reads, which stays as it is.

    Raises
    ------
    ValueError
        If nothing has that name.
    """
    for known in (*NETWORKS, *SURFACES):
        if name.lower() == known.lower():
            return known
    found = _cluster(name)
    if found is None and file_of(name) is not None:
        return name
    if found is None:
        known = (
            f"{', '.join((*NETWORKS, *SURFACES))}, LJAT3, LJ<n>, such as LJ7, and files of structures, such as slab.xyz"
        )
        raise ValueError(f"there is no system {name!r}; there are {known}")
    if not 2 <= found[1] <= _LARGEST_CLUSTER:
        raise ValueError(f"{name}: a cluster has between 2 and {_LARGEST_CLUSTER} atoms")
    return f"{found[0]}{found[1]}"


def _cluster(name: str) -> tuple[str, int] | None:
    match = re.fullmatch(r"(LJ|LJAT)(\d{1,9})", name, re.IGNORECASE)
    return (match[1].upper(), int(match[2])) if match else None


def default_options(name: str) -> dict[str, Any]:
    """Return the options that a system has, with their defaults; ``name`` as from :func:`resolve_name`."""
    if name not in NETWORKS:
        return {"seed": 0} if name in SURFACES or _cluster(name) else dict(DEFAULTS)
    network = NETWORKS[name]
    options = {"data": network.data, "errors": 0.0, "hidden": list(network.hidden), "l2": network.l2}
    return {**options, "neighbours": None, "seed": 0} | ({"path": None} if name == "MNIST" else {})


def default_work(name: str) -> Work:
    """Return how much is done by default; ``name`` as from :func:`resolve_name`."""
    if name in NETWORKS:
        return NETWORKS[name].work
    if name in SURFACES:
        return _SURFACE_WORK
    if not _cluster(name):
        return STRUCTURE
    atoms = int(name.lstrip("LJAT"))
    return next((work for size, work in CLUSTERS if atoms <= size), CLUSTERS[-1][1])


def build(name: str, options: Mapping[str, Any], device: str = "auto") -> Explored:
    """Make what a name stands for.

    Parameters
    ----------
    name : str
        As from :func:`resolve_name`.
    options : mapping
        As :func:`default_options` has them: ``data`` training points, ``errors`` in percent, ``hidden`` widths,
        ``l2``, ``neighbours``, ``seed``, and for MNIST ``path``, a folder with its files; for a structure
        ``calculator``, ``parameters`` and ``rms``.
    device : str
        "auto", "cpu" or "cuda", where networks and clusters are computed; no part of what is explored.

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If an option makes no sense, or the data cannot be had; the message names it.
    RuntimeError
        For "cuda" without a GPU.
    """
    if device == "cuda" and name not in NETWORKS and not _cluster(name):
        raise ValueError(f"--device cuda: {name} cannot be computed on a GPU, only networks and clusters can")
    from thalweg.potentials.cuda.availability import checked_device

    device = checked_device(device)
    if name in NETWORKS:
        return _network(name, options, device)
    if name in SURFACES:
        return _surface(name)
    return _cluster_of_atoms(name, device) if _cluster(name) else _structure(name, options)


def _surface(name: str) -> Explored:
    from thalweg import potentials

    surface = getattr(potentials, name)()
    known = f"{len(surface.minima)} minima and {len(surface.transition_states)} transition states are known"
    return Explored(name, f"{name}, two variables: {known}", potentials.Point(surface.bounds.mean(axis=1), surface))


def _structure(name: str, options: Mapping[str, Any]) -> Explored:
    atoms = read_structure(name, options)
    fixed = len(set().union(*(constraint.get_indices() for constraint in atoms.constraints)))
    periodic = ", periodic" if atoms.pbc.any() else ""
    what = f"{atoms.get_chemical_formula()}, {fixed} atoms fixed{periodic}, {options['calculator']}, energies in eV"
    return Explored(name, what, atoms, tolerances=tolerances_of(options), ahead=AHEAD)


def _cluster_of_atoms(name: str, device: str) -> Explored:
    from ase import Atoms

    from thalweg.potentials import LJAT

    kind, n = name.rstrip("0123456789"), int(name.lstrip("LJAT"))
    z = 2.0 if kind == "LJAT" else 0.0
    side = int(np.ceil(n ** (1 / 3)))
    # anywhere will do, so long as no two atoms are in one place: searches start at random
    positions = 1.1 * np.array(list(np.ndindex(side, side, side))[:n], dtype=np.float64)
    what = "Lennard-Jones atoms" + (", Axilrod-Teller Z = 2" if z else "")
    return Explored(name, f"{n} {what}", Atoms(f"Ar{n}", positions=positions, calculator=LJAT(Z=z, device=device)))


def _network(name: str, options: Mapping[str, Any], device: str) -> Explored:
    from thalweg.potentials import NetworkLoss, Weights  # isort: skip  (compiles while a second process does the rest)
    from thalweg.datasets import mislabel

    errors, seed = options["errors"], options["seed"]
    if not 0 <= errors <= 100:
        raise ValueError(f"errors is a percentage, 0 to 100; it is {errors}")
    pool, test = _pools(name, options.get("path"))
    train, rest = _draw(pool, options["data"], seed)
    train = mislabel(train, errors / 100, seed=seed) if errors else train
    loss = NetworkLoss(
        train.inputs,
        train.labels,
        hidden=tuple(options["hidden"]),
        l2=options["l2"],
        n_classes=train.n_classes,
        neighbours=options["neighbours"],
        mislabelled=train.mislabelled,
        device=device,
    )
    test = rest if test is None else test
    data = {"training": dict(train.identity), "testing": dict(test.identity), "testing_points": len(test)}
    weights = Weights.random(loss, seed=seed)
    return Explored(name, _title(loss), weights, test, NETWORKS[name].reference, data)


def _pools(name: str, path: str | os.PathLike | None) -> tuple[Dataset, Dataset | None]:
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


def _title(loss: Any) -> str:
    wrong = 0 if loss.mislabelled is None else int(loss.mislabelled.sum())
    local = "" if loss.neighbours is None else f", {loss.neighbours} neighbours"
    shape = ",".join(str(width) for width in loss.layers)
    return f"network [{shape}], {len(loss.labels)} training points, {wrong} mislabelled, l2 {loss.l2:g}{local}"
