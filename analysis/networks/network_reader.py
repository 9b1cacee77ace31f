"""Read a kinetic transition network from a store or a PATHSAMPLE folder."""

from __future__ import annotations

from pathlib import Path

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["is_network_loss", "is_pathsample", "read_network"]


def is_pathsample(path: Path) -> bool:
    """Say whether a folder holds PATHSAMPLE's files."""
    return (path / "min.data").is_file()


def read_network(path: Path) -> KineticTransitionNetwork:
    """Read the network of a store, or of PATHSAMPLE's min.data and ts.data in a folder.

    Raises
    ------
    OSError, ValueError
        If there is neither at that path, or it has no minima.
    """
    known = (
        KineticTransitionNetwork.from_pathsample(path) if is_pathsample(path) else KineticTransitionNetwork.read(path)
    )
    if not known.n_minima:
        raise ValueError(f"{path} has no minima yet: there is nothing to show")
    return known


def is_network_loss(path: Path) -> bool:
    """Say whether a store is of a neural network's loss."""
    if is_pathsample(path):
        return False
    from thalweg.landscapes.storage.store import Store

    held = Store.open(path)
    try:
        return bool(held.description()["calculator"]["name"] == "NetworkLoss")
    finally:
        held.close()
