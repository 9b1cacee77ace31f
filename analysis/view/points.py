"""What the page says of one point: its neighbours, its spectrum and its geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.analysis.view.encoding import Json, packed
from thalweg.analysis.view.shapes import shape_of
from thalweg.analysis.view.spectra import spectrum
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.landscapes.landscape import Landscape

__all__ = ["point_details"]

_MOST_NEIGHBOURS = 50


def point_details(
    network: KineticTransitionNetwork, landscape: Landscape | None, kind: str, row: int, *, spectra: bool = True
) -> dict[str, Json]:
    """Return neighbours, spectrum and geometry of a minimum, or of a transition state.

    Parameters
    ----------
    network : KineticTransitionNetwork
    landscape : Landscape or None
        Where the coordinates are; without, there is neither spectrum nor geometry.
    kind : {"minima", "states"}
    row : int
        Row of the point.
    spectra : bool
        Whether to compute the spectrum.

    Returns
    -------
    dict
        ``neighbours``: rows of (state, its energy, barrier, minimum, its energy), the lowest first, and ``more``, the
        number of those left out. ``spectrum``: ``values`` and ``label``, or ``missing`` with the reason. ``shape``.
    """
    details = _neighbours(network, row) if kind == "minima" else _sides(network, row)
    if landscape is None:
        return details
    points = landscape.minima if kind == "minima" else landscape.transition_states
    x = np.asarray(points.coordinates[row])
    try:
        if not spectra:
            raise ValueError("not computed: it would have taken too long for all points")
        found = spectrum(landscape, kind, row)
        details["spectrum"] = {"values": packed(found.values, "f4"), "label": found.label}
    except (ValueError, ArithmeticError) as error:  # of a calculator that needs trust, or that fails
        details["spectrum"] = {"missing": printable(error)}
    try:
        details["shape"] = shape_of(landscape, x)
    except ValueError as error:
        details["shape"] = {"missing": printable(error)}
    return details


def _neighbours(network: KineticTransitionNetwork, row: int) -> dict[str, Json]:
    """Return the transition states around a minimum, the lowest first."""
    ends = network.ts_minima
    around = np.flatnonzero((ends == row).any(axis=1))
    around = around[np.argsort(network.ts_energies[around], kind="stable")]
    here = float(network.energies[row])
    rows: list[Json] = []
    for state in around[:_MOST_NEIGHBOURS].tolist():
        other = int(ends[state].sum() - row)
        energy = float(network.ts_energies[state])
        rows.append([state, energy, energy - here, other, float(network.energies[other])])
    return {"neighbours": rows, "more": max(0, len(around) - _MOST_NEIGHBOURS)}


def _sides(network: KineticTransitionNetwork, row: int) -> dict[str, Json]:
    """Return the two minima that a transition state joins."""
    energy = float(network.ts_energies[row])
    rows: list[Json] = []
    for end in network.ts_minima[row].tolist():
        there = float(network.energies[end])
        rows.append([row, energy, energy - there, end, there])
    return {"neighbours": rows, "more": 0}
