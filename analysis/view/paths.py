"""Lowest-barrier paths for the page: energies along the way, and geometries to animate."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from thalweg.analysis.view.encoding import Json, packed
from thalweg.analysis.view.shapes import kind_of, shape_of
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.analysis.networks.energy_path import LandscapePath
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.landscapes.landscape import Landscape

__all__ = ["animated_path", "stationary_path"]

_POINTS = 40  # of each piece between two minima
_FRAMES = 60
_MOST_FOLLOWED = 12  # transition states that are followed down unasked


def stationary_path(network: KineticTransitionNetwork, first: int, second: int) -> dict[str, Json]:
    """Return the minima and transition states of the lowest-barrier path.

    Returns
    -------
    dict
        ``energy``, ``kind`` ("minimum" or "transition state") and ``row`` of each stationary point, in order.

    Raises
    ------
    ValueError, IndexError
        If there is no such minimum, or no path joins the two.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> from thalweg.analysis.view.paths import stationary_path
    >>> network = KineticTransitionNetwork([0.0, 1.0], [2.0], [[0, 1]])
    >>> stationary_path(network, 0, 1)["energy"]
    [0.0, 2.0, 1.0]
    """
    path = network.lowest_barrier_path(first, second)
    rows = np.empty(2 * len(path) + 1, dtype=np.int64)
    rows[::2], rows[1::2] = path.minima, path.transition_states
    energy = np.empty(len(rows))
    energy[::2], energy[1::2] = network.energies[path.minima], network.ts_energies[path.transition_states]
    kinds = ["transition state" if k % 2 else "minimum" for k in range(len(rows))]
    return {"energy": cast("Json", energy.tolist()), "kind": list(kinds), "row": cast("Json", rows.tolist())}


def animated_path(
    landscape: Landscape, network: KineticTransitionNetwork, first: int, second: int, *, patient: bool = False
) -> dict[str, Json]:
    """Return the path of :func:`stationary_path` with its energies in between and with geometries.

    Parameters
    ----------
    landscape : Landscape
    network : KineticTransitionNetwork
        Its network.
    first, second : int
        Rows of minima.
    patient : bool
        Whether to follow transition states down with a potential written in Python, too, which may take minutes, and
        more than 12 of them.

    Returns
    -------
    dict
        As that of `stationary_path`, with ``length`` of each stationary point; ``line``: lengths and energies of a
        line; ``frames``: geometries with ``at``, their lengths; ``note`` where only stationary points are known;
        ``slow``: whether ``patient`` would give more.

    Raises
    ------
    ValueError, IndexError
        If there is no such minimum, or no path joins the two.
    """
    from thalweg.analysis.networks.energy_path import landscape_path

    seen = stationary_path(network, first, second)
    states = len(seen["row"]) // 2  # type: ignore[arg-type]
    note, slow = "", False
    try:
        slow = not patient and (states > _MOST_FOLLOWED or landscape.system.callback is not None)
        path = landscape_path(landscape, first, second, points=_POINTS, follow=not slow, network=network)
        if slow:
            note = "Only stationary points are shown."
        elif not path.followed.all():
            note = (
                "Some transition states led elsewhere when they were followed down: curves join them to their minima."
            )
    except ValueError as error:  # of a calculator that needs trust, say
        note = f"Only stationary points are shown: {printable(error)}."
        path = landscape_path(landscape, first, second, follow=False, network=network)
    x, y = path.line()
    at, frames = _frames(landscape, path)
    length = path.length[path.stationary].tolist()
    line: dict[str, Json] = {"length": packed(x, "f8"), "energy": packed(y, "f8")}
    return {**seen, "length": length, "line": line, "at": at, "frames": frames, "note": note, "slow": slow}


def _frames(landscape: Landscape, path: LandscapePath) -> tuple[list[Json], list[Json]]:
    """Return the places and the geometries of some points of a path, all stationary ones among them."""
    some = np.linspace(0, len(path.points) - 1, min(_FRAMES, len(path.points))).round().astype(np.int64)
    chosen = np.union1d(some, path.stationary)
    points = path.points
    if kind_of(landscape) == "atoms":
        points = path.continuous(landscape.geometry)
    try:
        frames: list[Json] = [shape_of(landscape, points[k], weights=False) for k in chosen.tolist()]
    except ValueError:  # a network that cannot be built
        return [], []
    return path.length[chosen].tolist(), frames
