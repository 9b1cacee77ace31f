"""Systems that the command line explores, by name or file, and their default options and work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.systems.exploration_target import Explored
from thalweg.analysis.systems.network_systems import (
    NETWORKS,
    UNSTORED,
    NetworkOptions,
    build_network,
    data_file,
    network_defaults,
)
from thalweg.analysis.systems.structure_files import StructureOptions, build_structure, file_of
from thalweg.analysis.systems.work import Work

__all__ = [
    "CLUSTERS",
    "NETWORKS",
    "SURFACES",
    "Explored",
    "Work",
    "build",
    "data_file",
    "default_options",
    "default_work",
    "network_defaults",
    "resolve_name",
    "unstored_options",
]

SURFACES: tuple[str, ...] = ("MuellerBrown", "SixHumpCamel", "ThreeHumpCamel", "Himmelblau", "WolfeQuapp")
"""Analytic surfaces of two variables, by the names of their classes in :mod:`thalweg.potentials`."""

_SURFACE_WORK = Work(80, 160)

CLUSTERS: tuple[tuple[int, Work], ...] = (
    (3, Work(40, 80)),
    (5, Work(100, 200)),
    (7, Work(200, 3000)),
    (10, Work(1000, 4000, 60_000)),
    (13, Work(3000, 6000)),
)
"""Work for clusters of at most the given number of atoms; larger ones get that of the last line."""

_DEEP = 5  # times the steps of a network with one hidden layer

STRUCTURE = Work(40, 60)
"""Work for a structure from a file: its calculator may be slow."""

_LARGEST_CLUSTER = 1000


class _Cluster(NamedTuple):
    """Cluster of Lennard-Jones atoms: "LJ", or "LJAT" with the Axilrod-Teller term, and the number of atoms."""

    kind: str
    atoms: int


def resolve_name(name: str) -> str:
    """Return the usual spelling of a system's name, whatever its case.

    Parameters
    ----------
    name : str
        One of NETWORKS, one of SURFACES, LJ<n> (Lennard-Jones), LJAT<n> (with the Axilrod-Teller term, Z = 2), a file
        of data (.csv, .tsv, .npz, .parquet), or a file that ASE reads; names of files are not changed.

    Raises
    ------
    ValueError
        If there is no system of that name.
    """
    for known in (*NETWORKS, *SURFACES):
        if name.lower() == known.lower():
            return known
    found = _cluster(name)
    if found is None and file_of(name) is not None:
        return name
    if found is None:
        known = (
            f"{', '.join((*NETWORKS, *SURFACES))}, LJAT3, LJ<n>, such as LJ7, files of structures, such as slab.xyz, "
            "and files of data, such as mydata.csv"
        )
        raise ValueError(f"there is no system {name!r}; there are {known}")
    if not 2 <= found.atoms <= _LARGEST_CLUSTER:
        raise ValueError(f"{name}: a cluster has between 2 and {_LARGEST_CLUSTER} atoms")
    return f"{found.kind}{found.atoms}"


def _cluster(name: str) -> _Cluster | None:
    match = re.fullmatch(r"(LJ|LJAT)(\d{1,9})", name, re.IGNORECASE)
    return _Cluster(match[1].upper(), int(match[2])) if match else None


def default_options(name: str) -> dict[str, Any]:
    """Return the default options of a system, as a store keeps them; ``name`` as from :func:`resolve_name`."""
    if network_defaults(name) is not None:
        return NetworkOptions.default(name).stored(name)
    return {"seed": 0} if name in SURFACES or _cluster(name) else StructureOptions().stored()


def unstored_options(name: str) -> dict[str, Any]:
    """Return the default values of options that a store keeps only where they differ; ``name`` as above."""
    if network_defaults(name) is None:
        return {}
    return {option: value for option, value in UNSTORED.items() if option != "pixels" or name == "MNIST"}


def default_work(name: str, options: Mapping[str, Any] | None = None) -> Work:
    """Return the default totals of steps and searches.

    Parameters
    ----------
    name : str
        Name as from :func:`resolve_name`.
    options : mapping, optional
        Options as from :func:`default_options`, of which ``hidden`` matters: networks with two and more hidden layers
        have five times the steps, since their chains go down slowly.
    """
    network = network_defaults(name)
    if network is not None:
        deep = len((options or {}).get("hidden", network.hidden)) > 1
        return network.work._replace(steps=_DEEP * network.work.steps) if deep else network.work
    if name in SURFACES:
        return _SURFACE_WORK
    cluster = _cluster(name)
    if cluster is None:
        return STRUCTURE
    return next((work for size, work in CLUSTERS if cluster.atoms <= size), CLUSTERS[-1][1])


def build(name: str, options: Mapping[str, Any], device: str = "auto") -> Explored:
    """Build the system that a name stands for.

    Parameters
    ----------
    name : str
        Name as :func:`resolve_name` returns it.
    options : mapping
        Options as :func:`default_options` returns them: ``data`` training points, ``errors`` in percent, ``hidden``
        widths, ``l2``, ``neighbours``, ``seed``, ``activation`` and ``loss`` where these are not the defaults, for
        MNIST ``path``, a folder with its files, and ``pixels``, their range, for data of one's own ``target``,
        ``inputs`` and ``scale``; for a structure ``calculator``, ``parameters`` and ``rms``.
    device : str
        "auto", "cpu" or "cuda": where networks and clusters are computed, which does not change what is explored.

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If an option makes no sense, or the data cannot be read or downloaded; the message names it.
    RuntimeError
        For "cuda" without a GPU.
    """
    network = network_defaults(name)
    cluster = None if network is not None or name in SURFACES else _cluster(name)
    if device == "cuda" and network is None and cluster is None:
        raise ValueError(f"--device cuda: {name} cannot be computed on a GPU, only networks and clusters can")
    from thalweg.potentials.cuda.availability import checked_device

    device = checked_device(device)
    if network is not None:
        return build_network(name, NetworkOptions.read(options), device)
    if name in SURFACES:
        return _surface(name)
    return build_structure(name, StructureOptions.read(options)) if cluster is None else _atoms(name, cluster, device)


def _surface(name: str) -> Explored:
    from thalweg import potentials

    surface = getattr(potentials, name)()
    known = f"{len(surface.minima)} minima and {len(surface.transition_states)} transition states are known"
    return Explored(name, f"{name}, two variables: {known}", potentials.Point(surface.bounds.mean(axis=1), surface))


def _atoms(name: str, cluster: _Cluster, device: str) -> Explored:
    from ase import Atoms

    from thalweg.analysis.systems.report import cluster_title
    from thalweg.potentials import LJAT

    n, z = cluster.atoms, 2.0 if cluster.kind == "LJAT" else 0.0
    side = int(np.ceil(n ** (1 / 3)))
    # any positions serve where no two atoms coincide, since searches start at random
    positions = 1.1 * np.array(list(np.ndindex(side, side, side))[:n], dtype=np.float64)
    return Explored(
        name, cluster_title(n, z), Atoms(f"Ar{n}", positions=positions, calculator=LJAT(Z=z, device=device))
    )
