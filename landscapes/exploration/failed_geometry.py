"""File beside a store with the geometry at which a potential failed."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np

from thalweg.landscapes.records import FailedCall
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.system import System

__all__ = ["write_failed_geometry"]

_BEGINNING = 65536  # bytes in which the mark of this program is


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
        The file: extended xyz for atoms, the coordinates as a column of text for a Point. A file of that name which
        is none of this program's stays, and another name is taken. None where it could not be written: the exception of
        the potential is the one to see.
    """
    folder = store.parent if isinstance(store, Path) else Path.cwd()
    # the name of a store in memory is a number that means nothing to a reader
    in_memory = str(store).startswith("memory://")
    name = "landscape" if in_memory else str(getattr(store, "name", "landscape"))
    name = name.removesuffix(".zarr")
    ending = "txt" if system.atoms is None else "xyz"
    part = folder / f".{name[:100]}.failed-{os.urandom(4).hex()}.{ending}"
    message = printable(f"{call.kind}: {call.message}")
    try:
        if system.atoms is None:
            np.savetxt(part, call.coordinates, fmt="%.17g", header=f"thalweg: {message}")
        else:
            from ase.io import write

            atoms = system.atoms.copy()
            atoms.set_positions(call.coordinates.reshape(-1, 3), apply_constraint=False)
            atoms.info = {"program": "thalweg", "error": message.replace('"', "'")}
            write(part, atoms, format="extxyz")
        path = _free(folder, f"{name}.failed", ending)
        part.replace(path)
    except Exception:
        part.unlink(missing_ok=True)
        return None
    return path


def _free(folder: Path, stem: str, ending: str) -> Path:
    """Return the first name that no file has, or one of this program's: what somebody else has written stays."""
    names = itertools.chain([stem], (f"{stem}-{k}" for k in itertools.count(2)))
    paths = (folder / f"{name}.{ending}" for name in names)
    return next(path for path in paths if not os.path.lexists(path) or _is_own(path))


def _is_own(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return beginning.startswith(b"# thalweg: ") or b" program=thalweg " in beginning
