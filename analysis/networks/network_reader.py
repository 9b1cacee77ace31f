"""Read a kinetic transition network from a store or a PATHSAMPLE folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["as_network", "is_pathsample", "read_network"]


def as_network(subject: KineticTransitionNetwork | Landscape | str | os.PathLike[str]) -> KineticTransitionNetwork:
    """Return the network that is given, or read that of a landscape, of a store, or of a folder of PATHSAMPLE's.

    Raises
    ------
    TypeError
        If it is none of these.
    OSError, ValueError
        If it cannot be read, or has no minima.
    """
    if isinstance(subject, KineticTransitionNetwork):
        return subject
    if isinstance(subject, str | os.PathLike):
        return read_network(Path(subject))
    from thalweg.landscapes import Landscape

    if not isinstance(subject, Landscape):
        wanted = "a KineticTransitionNetwork, a Landscape or the path of a store is needed"
        raise TypeError(f"network is a {type(subject).__name__}; {wanted}")
    return KineticTransitionNetwork.read(subject)


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
