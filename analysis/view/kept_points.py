"""Points that a file holds: the lowest minima and the transition states between them, as far as there is room."""

from __future__ import annotations

import time
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.view.encoding import Json, packed, page_json
from thalweg.analysis.view.viewed_landscape import KINDS, ViewedLandscape

__all__ = ["kept_points"]

_SECONDS = 60.0  # for spectra, which take long where a calculator has no second derivatives


def kept_points(view: ViewedLandscape, room: int) -> dict[str, dict[str, Json]]:
    """Return details of the lowest points of a landscape.

    Parameters
    ----------
    view : ViewedLandscape
    room : int
        Number of characters of JSON that they may take.

    Returns
    -------
    dict
        ``minima`` and ``states``: details by row. Each minimum comes with the transition state that joins it with
        lower ones; structures are laid on each other along the spanning forest, so that a path moves no more than
        it must.
    """
    kept: dict[str, dict[str, Json]] = {kind: {} for kind in KINDS}
    if view.landscape is None:
        return kept
    network = view.network
    tree = _Rooted(network)
    aligned = _Aligned(view, tree)
    end = time.monotonic() + _SECONDS
    for minimum in np.argsort(network.energies, kind="stable").tolist():
        points = [("minima", minimum)]
        if tree.state[minimum] >= 0:
            points.append(("states", int(tree.state[minimum])))
        found = [(kind, row, _details(view, aligned, kind, row, end)) for kind, row in points]
        room -= sum(len(page_json(details)) + 12 for _, _, details in found)
        if room < 0:
            break
        for kind, row, details in found:
            kept[kind][str(row)] = details
    return kept


def _details(view: ViewedLandscape, aligned: _Aligned, kind: str, row: int, end: float) -> dict[str, Json]:
    details = view.point(kind, row, spectra=time.monotonic() < end)
    positions = aligned.positions(kind, row)
    if positions is not None:
        details["shape"] = {"positions": packed(positions, "f4")}
    return details


class _Rooted:
    """The spanning forest with the lowest minimum of each component as its root.

    Attributes
    ----------
    above : (n,) int64 ndarray
        The next minimum towards the root; -1 for a root.
    state : (n,) int64 ndarray
        The transition state between them; -1 for a root.
    """

    def __init__(self, network: KineticTransitionNetwork) -> None:
        n, forest = network.n_minima, network.spanning_forest
        self.above, self.state = np.full(n, -1), np.full(n, -1)
        first, second = network.ts_minima[forest].T
        edges = coo_array((np.ones(len(forest)), (first, second)), shape=(n, n)).tocsr()
        between = {(min(a, b), max(a, b)): t for a, b, t in zip(first.tolist(), second.tolist(), forest, strict=True)}
        for component in network.components:
            root = int(component[np.argmin(network.energies[component])])
            order, before = breadth_first_order(edges, root, directed=False)
            for minimum in order[1:].tolist():
                self.above[minimum] = before[minimum]
                pair = min(minimum, self.above[minimum]), max(minimum, self.above[minimum])
                self.state[minimum] = between[pair]


class _Aligned:
    """Positions of atoms, each laid on the next point towards the root of the spanning forest."""

    def __init__(self, view: ViewedLandscape, tree: _Rooted) -> None:
        self._landscape = cast("Any", view.landscape)
        self._atoms = view.kind == "atoms"
        self._tree = tree
        self._known: dict[tuple[str, int], NDArray[np.float64]] = {}
        self._below = {int(state): k for k, state in enumerate(tree.state) if state >= 0}

    def positions(self, kind: str, row: int) -> NDArray[np.float64] | None:
        """Return the positions of a point; None where the landscape is not of atoms."""
        if not self._atoms:
            return None
        way = [(kind, row)]
        while way[-1] not in self._known and (above := self._next(*way[-1])) is not None:
            way.append(above)
        for point, below in zip(way[::-1], [None, *way[::-1]], strict=False):
            if point not in self._known:
                self._known[point] = self._laid(point, below)
        return self._known[kind, row]

    def _next(self, kind: str, row: int) -> tuple[str, int] | None:
        """Return the next point towards the root: after a minimum comes its transition state."""
        if kind == "states":
            return ("minima", int(self._tree.above[self._below[row]])) if row in self._below else None
        return ("states", int(self._tree.state[row])) if self._tree.state[row] >= 0 else None

    def _laid(self, point: tuple[str, int], below: tuple[str, int] | None) -> NDArray[np.float64]:
        kind, row = point
        points = self._landscape.minima if kind == "minima" else self._landscape.transition_states
        x = np.asarray(points.coordinates[row])
        return x if below is None else self._landscape.geometry.align(self._known[below], x)
