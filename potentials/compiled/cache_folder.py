"""Folder that keeps compiled code: the first of several that can be written.

These are ``NUMBA_CACHE_DIR``, the package's own ``__pycache__``, the user's cache folder and a temporary one.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha1
from pathlib import Path

import numba
from numba.misc.appdirs import AppDirs

__all__ = ["cache_folder"]


@cache
def cache_folder(source_folder: str) -> Path | None:
    """Return where compiled code of the modules in a folder is kept; None where nothing at all can be written.

    A temporary folder is said on stderr, once.
    """
    for folder in _candidates(source_folder):
        if _can_be_written(folder):
            return folder
    temporary = _temporary_folder()
    return None if temporary is None else _inside(temporary, source_folder, create=True)


def _candidates(source_folder: str) -> Iterator[Path]:
    if numba.config.CACHE_DIR:
        yield _inside(Path(numba.config.CACHE_DIR), source_folder)
    yield Path(source_folder, "__pycache__")
    yield _inside(Path(AppDirs("thalweg", appauthor=False).user_cache_dir, "compiled"), source_folder)


def _inside(root: Path, source_folder: str, create: bool = False) -> Path:
    """Return the part of a common folder for the modules of one folder, whose name alone may occur twice."""
    digest = sha1(os.path.abspath(source_folder).encode(), usedforsecurity=False).hexdigest()
    folder = root / f"{os.path.basename(source_folder)}_{digest}"
    if create:
        folder.mkdir(exist_ok=True)
    return folder


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def _temporary_folder() -> Path | None:
    """Return a folder that nobody else can write to, and say so; None if there is none."""
    try:
        folder = _own_folder(Path(tempfile.gettempdir())) or Path(tempfile.mkdtemp(prefix="thalweg-"))
    except OSError:
        _say("no folder can be written: Thalweg compiles anew in each process unless NUMBA_CACHE_DIR names one")
        return None
    _say(f"compiled code is kept in {folder}, which may not last: set NUMBA_CACHE_DIR to a folder that can be written")
    # processes that this one starts use the same folder, and need not say it again
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def _own_folder(parent: Path) -> Path | None:
    """Return the user's folder for compiled code in a folder that everybody writes to; None if it is not safe.

    Code is loaded from it and run: it must be a real folder, belong to the user, and admit nobody else.
    """
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = parent / f"thalweg-compiled-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = not hasattr(os, "getuid") or (found.st_uid == user and not found.st_mode & 0o077)
    return folder if stat.S_ISDIR(found.st_mode) and private and _can_be_written(folder) else None


def _say(text: str) -> None:
    """Write one line to stderr: a warning would be an error under ``python -W error``, a log record unseen."""
    print(f"thalweg: {text}", file=sys.stderr, flush=True)
