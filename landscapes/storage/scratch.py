"""Scratch folder beside a new store, in which the store is made before it is moved to its place."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.landscapes.storage.lock import is_identity, writer_identity

__all__ = ["clear_scratch", "scratch_folder"]

_MARK = ".thalweg-scratch"
"""File in a scratch folder, by which it is known to be Thalweg's."""


@contextmanager
def scratch_folder(final: Path) -> Iterator[Path]:
    """Make a folder beside a path, marked as Thalweg's, and delete it with all in it at the end.

    Parameters
    ----------
    final : Path
        Path of the new store, whose lock the caller holds.

    Yields
    ------
    Path
        The folder: ``<final>.new``, or with a number where something of that name is there.
    """
    folder = next(path for path in _names(final) if _made(path))
    try:
        mark = os.open(folder / _MARK, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(mark, json.dumps(writer_identity()).encode())
        finally:
            os.close(mark)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_scratch(final: Path) -> None:
    """Delete the scratch folders that killed processes left beside a path, whose lock the caller holds."""
    for folder in itertools.takewhile(os.path.lexists, _names(final)):
        if _ours(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _names(final: Path) -> Iterator[Path]:
    yield final.with_name(f"{final.name}.new")
    yield from (final.with_name(f"{final.name}.new-{number}") for number in itertools.count(2))


def _made(folder: Path) -> bool:
    """Make a folder; say no where something of that name is there."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _ours(folder: Path) -> bool:
    """Say whether a folder, not a link to one, has the mark."""
    mark = folder / _MARK
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode) or not stat.S_ISREG(mark.lstat().st_mode):
            return False
        return mark.stat().st_size < 4096 and is_identity(json.loads(mark.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return False
