"""Summaries of stores: counts, energies, searches and properties."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thalweg.optimizers.kernels.status import current_reason

if TYPE_CHECKING:
    from thalweg.landscapes.discoveries.found_points import Discoveries
    from thalweg.landscapes.storage.store import Store

__all__ = ["EnergyRange", "LowestMinimum", "Spread", "Summary", "summarise"]

_LOWEST = 5


@dataclass(frozen=True)
class Spread:
    """Spread of a property over the minima.

    Attributes
    ----------
    lowest : float
        Value of the lowest minimum; NaN where unknown.
    mean, deviation : float
        Mean and population standard deviation over the minima where it is known.
    known : int
        Number of those minima.
    """

    lowest: float
    mean: float
    deviation: float
    known: int


class LowestMinimum(NamedTuple):
    """Row and energy of a minimum."""

    row: int
    energy: float


class EnergyRange(NamedTuple):
    """Lowest and highest of some energies."""

    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """Contents of a store at the time of reading.

    Attributes
    ----------
    path : str
        Path of the store.
    system : mapping
        Description of the system, with arrays of data and without coordinates.
    attributes : mapping
        Attributes of the store's root: seed, units, tolerances, rules, state.
    minima, transition_states : int
        Numbers of points.
    components : int
        Number of connected components.
    largest : int
        Number of minima in the largest component.
    joined : int
        Number of minima connected to the lowest, itself included.
    lowest : tuple of LowestMinimum
        Rows and energies of the lowest minima, rising.
    highest : float
        Energy of the highest minimum; NaN where there is none.
    barriers : EnergyRange
        Lowest and highest energy of the transition states; NaN where there are none.
    discoveries : Discoveries
        Estimates of the minima and transition states that remain to be found.
    searches : mapping of str to mapping of str to int
        Number of searches by kind and outcome.
    properties : mapping of str to Spread
        Spread of each property over the minima.
    weights_squared : float
        Sum of the squares of the lowest minimum's coordinates, which the L2 term of a loss multiplies.
    vibrating : int or None
        Number of points whose vibrational frequencies are stored; None where they have none: other than atoms in eV.
    """

    path: str
    system: Mapping[str, Any]
    attributes: Mapping[str, Any]
    minima: int
    transition_states: int
    components: int
    largest: int
    joined: int
    lowest: tuple[LowestMinimum, ...]
    highest: float
    barriers: EnergyRange
    discoveries: Discoveries
    searches: Mapping[str, Mapping[str, int]]
    properties: Mapping[str, Spread]
    weights_squared: float
    vibrating: int | None = None

    @property
    def calculator(self) -> Mapping[str, Any]:
        """Description of the calculator; a system of one's own that describes none is called by its kind."""
        calculator: Mapping[str, Any] = self.system.get("calculator") or {"name": self.system.get("kind", "own system")}
        return calculator

    @property
    def labels(self) -> np.ndarray | None:
        """Number of training labels of each class, (n_classes,); None where the system is no network with classes."""
        calculator = self.calculator
        if calculator["name"] != "NetworkLoss" or "labels" not in calculator:
            return None
        return np.bincount(calculator["labels"], minlength=int(calculator["n_classes"] or 0))

    @property
    def calls(self) -> dict[str, int]:
        """Number of calls of an ASE calculator by sequence of tasks; empty for potentials with a Hessian."""
        state = self.attributes["state"]
        counts = {name: one.get("calls", 0) for name, one in state.items() if isinstance(one, Mapping)}
        return {name: count for name, count in counts.items() if isinstance(count, int) and count > 0}

    @property
    def failures(self) -> dict[str, int]:
        """Number of failed searches by reason, the most frequent first."""
        total: dict[str, int] = {}
        for ended in self.searches.values():
            for reason, count in ended.items():
                total[reason] = total.get(reason, 0) + count
        total.pop("converged", None)
        return dict(sorted(total.items(), key=lambda item: -item[1]))


def summarise(path: str | os.PathLike[str]) -> Summary:
    """Read the last commit of a store; only one row of coordinates is read.

    Parameters
    ----------
    path : path
        Path of the store, which may be growing.

    Raises
    ------
    FileNotFoundError, StoreError
        If there is no store, or it is damaged.
    """
    from thalweg.landscapes.storage.store import Store  # imported here since --help does not need it

    store = Store.open(path, mode="r")
    try:
        return _summary(store)
    finally:
        store.close()


def _summary(store: Store) -> Summary:
    from thalweg.landscapes.discoveries.found_points import Discoveries

    energies, barriers = (_read(store, f"{group}/energy") for group in ("minima", "transition_states"))
    ends = _read(store, "transition_states/minima")
    components = _components(ends, len(energies))
    sizes = np.bincount(components)
    gmin = int(np.argmin(energies)) if len(energies) else None
    description = store.description()
    return Summary(
        path=str(store.path),
        system={name: value for name, value in description.items() if name != "x"},
        attributes=store.attributes,
        minima=len(energies),
        transition_states=len(barriers),
        components=len(sizes),
        largest=int(sizes.max(initial=0)),
        joined=0 if gmin is None else int(sizes[components[gmin]]),
        lowest=tuple(LowestMinimum(int(k), float(energies[k])) for k in np.argsort(energies, kind="stable")[:_LOWEST]),
        highest=float(energies.max()) if len(energies) else float("nan"),
        barriers=EnergyRange(*map(float, (barriers.min(), barriers.max()) if len(barriers) else ("nan", "nan"))),
        discoveries=Discoveries(store).update(),
        searches=_searches(store),
        properties={} if gmin is None else _spreads(store, gmin),
        weights_squared=float("nan") if gmin is None else _squared(store, gmin),
        vibrating=_vibrating(store) if "numbers" in description and store.attributes["units"] == "eV" else None,
    )


def _read(store: Store, path: str) -> np.ndarray:
    column = store.columns[path]
    return column.read(0, column.rows)


def _components(ends: np.ndarray, minima: int) -> np.ndarray:
    """Return the number of the connected component of each minimum."""
    if not minima:
        return np.zeros(0, dtype=np.int64)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(minima, minima))
    return connected_components(graph, directed=False)[1]


def _searches(store: Store) -> dict[str, dict[str, int]]:
    """Return the numbers of searches by kind and outcome, success first, then the most frequent."""
    words = {name: store.columns[f"searches/{name}"].attributes.get("meanings", []) for name in ("kind", "status")}
    codes = np.stack([_read(store, f"searches/{name}").astype(np.int64) for name in ("kind", "status")])
    pairs, counts = np.unique(codes, axis=1, return_counts=True)
    result: dict[str, dict[str, int]] = {kind: {} for kind in words["kind"]}
    for pair, count in sorted(zip(pairs.T.tolist(), counts.tolist(), strict=True), key=lambda item: -item[1]):
        ended, reason = result[words["kind"][pair[0]]], current_reason(words["status"][pair[1]])
        ended[reason] = ended.get(reason, 0) + count
    return {kind: _success_first(ended) for kind, ended in result.items()}


def _success_first(ended: dict[str, int]) -> dict[str, int]:
    return dict(sorted(ended.items(), key=lambda item: item[0] != "converged"))


def _spreads(store: Store, gmin: int) -> dict[str, Spread]:
    paths = [path for path in store.columns if path.startswith("properties/")]
    return {path.removeprefix("properties/"): _spread(_read(store, path), gmin) for path in paths}


def _spread(values: np.ndarray, gmin: int) -> Spread:
    known = values[np.isfinite(values)]
    lowest = float(values[gmin]) if gmin < len(values) else float("nan")
    if not len(known):
        return Spread(lowest, float("nan"), float("nan"), 0)
    return Spread(lowest, float(known.mean()), float(known.std()), len(known))


def _squared(store: Store, row: int) -> float:
    x = store.columns["minima/coordinates"].read(row, row + 1)[0]
    return float(x @ x)


def _vibrating(store: Store) -> int:
    """Return the number of points whose vibrational frequencies are stored."""
    paths = [f"{group}/frequencies" for group in ("minima", "transition_states")]
    tables = [_read(store, path) for path in paths if path in store.columns]
    return sum(int(np.isfinite(table).any(axis=1).sum()) for table in tables)
