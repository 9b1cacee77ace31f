"""What a store holds, in numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from thalweg.landscapes.estimates import Discoveries
    from thalweg.landscapes.storage.store import Store

__all__ = ["Spread", "Summary", "summarise"]

_LOWEST = 5


@dataclass(frozen=True)
class Spread:
    """A property over the minima: of the lowest one, and mean and standard deviation (population) where known."""

    lowest: float
    mean: float
    deviation: float
    known: int


@dataclass(frozen=True)
class Summary:
    """What a store held when it was read.

    Attributes
    ----------
    path : str
        The store.
    system : mapping
        Its description; arrays of data included, coordinates not.
    attributes : mapping
        Those of the store's root: seed, units, tolerances, rules, state.
    minima, transition_states : int
    components : int
        Parts that no transition state joins.
    largest : int
        Minima of the largest of them.
    lowest : tuple of float
        Energies of the lowest minima, rising.
    highest : float
        Energy of the highest minimum; NaN where there is none.
    barriers : (float, float)
        Lowest and highest energy of the transition states; NaN where there are none.
    discoveries : Discoveries
        How many minima and transition states probably remain.
    searches : mapping of str to mapping of str to int
        How many searches of each kind ended in which way.
    properties : mapping of str to Spread
    weights_squared : float
        Sum of the squares of the lowest minimum's coordinates, which the L2 term of a loss multiplies.
    """

    path: str
    system: Mapping[str, Any]
    attributes: Mapping[str, Any]
    minima: int
    transition_states: int
    components: int
    largest: int
    lowest: tuple[float, ...]
    highest: float
    barriers: tuple[float, float]
    discoveries: Discoveries
    searches: Mapping[str, Mapping[str, int]]
    properties: Mapping[str, Spread]
    weights_squared: float

    @property
    def labels(self) -> np.ndarray | None:
        """How many training labels each class has, (classes,); None where nothing is learned."""
        calculator = self.system["calculator"]
        if calculator["name"] != "NetworkLoss":
            return None
        return np.bincount(calculator["labels"], minlength=int(calculator["n_classes"] or 0))

    @property
    def failures(self) -> dict[str, int]:
        """How many searches failed, by reason, the most frequent first."""
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
        Of the store; it may be growing.

    Raises
    ------
    FileNotFoundError, StoreError
        If there is no landscape, or it is damaged.
    """
    from thalweg.landscapes.storage.store import Store  # only here: --help needs none of it

    store = Store.open(path, mode="r")
    try:
        return _summary(store)
    finally:
        store.close()


def _summary(store: Store) -> Summary:
    from thalweg.landscapes.estimates import Discoveries

    energies, barriers = (_read(store, f"{group}/energy") for group in ("minima", "transition_states"))
    ends = _read(store, "transition_states/minima")
    sizes = _component_sizes(ends, len(energies))
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
        lowest=tuple(np.sort(energies)[:_LOWEST].tolist()),
        highest=float(energies.max()) if len(energies) else float("nan"),
        barriers=(float(barriers.min()), float(barriers.max())) if len(barriers) else (float("nan"), float("nan")),
        discoveries=Discoveries(store).update(),
        searches=_searches(store),
        properties={} if gmin is None else _spreads(store, gmin),
        weights_squared=float("nan") if gmin is None else _squared(store, gmin),
    )


def _read(store: Store, path: str) -> np.ndarray:
    column = store.columns[path]
    return column.read(0, column.rows)


def _component_sizes(ends: np.ndarray, minima: int) -> np.ndarray:
    """Return how many minima each connected part has."""
    if not minima:
        return np.zeros(0, dtype=np.int64)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(minima, minima))
    return np.bincount(connected_components(graph, directed=False)[1])


def _searches(store: Store) -> dict[str, dict[str, int]]:
    """Return how many searches of each kind ended in which way, success first, then the most frequent."""
    words = {name: store.columns[f"searches/{name}"].attributes.get("meanings", []) for name in ("kind", "status")}
    codes = np.stack([_read(store, f"searches/{name}").astype(np.int64) for name in ("kind", "status")])
    pairs, counts = np.unique(codes, axis=1, return_counts=True)
    result: dict[str, dict[str, int]] = {kind: {} for kind in words["kind"]}
    for pair, count in sorted(zip(pairs.T.tolist(), counts.tolist(), strict=True), key=lambda item: -item[1]):
        result[words["kind"][pair[0]]][words["status"][pair[1]]] = count
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
