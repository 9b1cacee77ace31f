"""File beside a store with the geometry at which a potential failed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from thalweg.landscapes.records import FailedCall
from thalweg.potentials.system import System

__all__ = ["write_failed_geometry"]


def write_failed_geometry(system: System, store: object, call: FailedCall) -> Path | None:
    """Write the geometry of a failed call beside the store, or in the current folder where the store is none.

    Parameters
    ----------
    system : System
        What is explored.
    store : path or address
        The store.
    call : FailedCall
        The call.

    Returns
    -------
    Path or None
        The file: extended xyz for atoms, the coordinates as a column of text for a Point. None where it could not be
        written: the exception of the potential is the one to see.
    """
    folder = store.parent if isinstance(store, Path) else Path.cwd()
    name = str(getattr(store, "name", "landscape")).removesuffix(".zarr")
    path = folder / f"{name}.failed.{'txt' if system.atoms is None else 'xyz'}"
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if system.atoms is None:
            np.savetxt(part, call.coordinates, fmt="%.17g", header=f"{call.kind}: {call.message}")
        else:
            from ase.io import write

            atoms = system.atoms.copy()
            atoms.set_positions(call.coordinates.reshape(-1, 3), apply_constraint=False)
            atoms.info["error"] = f"{call.kind}: {call.message}".replace('"', "'").replace("\n", " ")
            write(part, atoms, format="extxyz")
        part.replace(path)
    except Exception:
        part.unlink(missing_ok=True)
        return None
    return path
