"""Moves that suit a system, and moves by name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from thalweg.optimizers.basin_hopping.moves import AllCoordinates, Move
from thalweg.optimizers.basin_hopping.network_moves import HiddenUnits, SpliceNetworks, is_deep_network
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.potentials.system import System

_SELDOM = 1 / 3  # how often all coordinates are displaced, where molecules are moved as wholes

__all__ = ["MOVES", "default_moves", "moves_by_name"]

MOVES = {
    "all": "moves:AllCoordinates",
    "dihedrals": "molecular_moves:Dihedrals",
    "molecules": "molecular_moves:Molecules",
    "exchange": "molecular_moves:ExchangeAtoms",
    "random": "random_positions:RandomPositions",
    "surface": "moves:SurfaceAtom",
}
"""Moves of atoms by the names that the command line has: module and class."""


def default_moves(system: System) -> tuple[Move, ...] | None:
    """Return the moves that suit a system; None where displacing all coordinates is all.

    Networks with two and more hidden layers have single units drawn again and are combined with the lowest minima
    found, which goes down fastest. Molecules with single bonds turn about these, several molecules are moved as
    wholes, and unlike atoms of a metal change places, each as often as all coordinates are displaced. Where there is
    nothing but several molecules, as in a cluster of water, all coordinates are displaced a third as often: descents
    from torn molecules take five times as many calls. Atoms of Thalweg's own potentials, networks with one hidden
    layer, and systems whose Hessian is never made, have no such moves. Random positions are never chosen: only the
    user knows whether a cell is of a crystal or a liquid.
    """
    if is_deep_network(system) and system.n_free <= LARGEST_MATRIX:
        return HiddenUnits(step=None), SpliceNetworks()
    if system.atoms is None or system.units == "reduced" or system.n_free > LARGEST_MATRIX:
        return None
    # bond graphs take time to load, for which clusters and networks need not wait
    from thalweg.optimizers.basin_hopping.molecular_moves import (
        Dihedrals,
        ExchangeAtoms,
        Molecules,
        exchanges,
        only_molecules,
        torsions,
        turns_as_wholes,
    )

    moves: list[Move] = []
    everything = AllCoordinates()
    if system.permutations == "bonds":
        if torsions(system, system.x)[1]:
            moves.append(Dihedrals())
        if turns_as_wholes(system, system.x):
            moves.append(Molecules())
            everything = AllCoordinates(weight=_SELDOM if only_molecules(system, system.x) else 1.0)
    elif system.permutations == "all" and exchanges(system):
        moves.append(ExchangeAtoms())
    return (everything, *moves) if moves else None


def moves_by_name(names: Sequence[str]) -> list[Move]:
    """Return moves by their names in :data:`MOVES`.

    Raises
    ------
    ValueError
        For a name that there is not.
    """
    unknown = [name for name in names if name not in MOVES]
    if unknown:
        raise ValueError(f"there is no move {', '.join(unknown)}; there are {', '.join(MOVES)}")
    homes = [MOVES[name].split(":") for name in names]
    return [getattr(import_module(f"thalweg.optimizers.basin_hopping.{home}"), kind)() for home, kind in homes]
