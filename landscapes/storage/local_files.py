"""Store backend for local folders, with atomic writes by rename."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.lock import WriterLock
from thalweg.landscapes.storage.scratch import clear_scratch, scratch_folder

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrStore

    from thalweg.landscapes.storage.zarr_files import ZarrFiles

__all__ = [
    "LARGEST",
    "PARTIAL",
    "LocalFiles",
    "StagedFile",
    "StoreFiles",
    "StoreLocation",
    "files_of",
    "is_own",
    "with_name",
]

StoreLocation: TypeAlias = "str | os.PathLike[str] | ZarrStore"
"""Path, URL or zarr store."""

StoreFiles: TypeAlias = "LocalFiles | ZarrFiles"
"""Files of a store, by keys."""

PARTIAL = ".partial"
_AT_ONCE = 8  # files that the disk is waited for: others are taken meanwhile

LARGEST = 2**31
"""Bytes that no file of a store exceeds, whatever it holds."""


def files_of(where: StoreLocation) -> StoreFiles:
    """Return the files of a store.

    Parameters
    ----------
    where : path, URL or zarr store
        A folder; ``"s3://..."`` and the like, as fsspec has them; a file ending in ``.zip``; or an object of zarr.

    Returns
    -------
    LocalFiles or ZarrFiles

    Raises
    ------
    TypeError
        If there is no path, but None, say.
    """
    if where is None or isinstance(where, bool | int | float):
        raise TypeError(f"the path of a store must be a folder's name, a URL or a zarr store; it is {where!r}")
    if isinstance(where, str | os.PathLike) and "://" not in str(where) and not _is_zip(where):
        return LocalFiles(Path(where).expanduser().resolve())
    from thalweg.landscapes.storage.zarr_files import (
        zarr_files,  # zarr takes a while to load, and folders do not need it
    )

    return zarr_files(where)


def _is_zip(path: str | os.PathLike[str]) -> bool:
    return str(path).endswith(".zip") and Path(path).is_file()


class LocalFiles:
    """Files under one folder, by keys such as ``minima/energy/c.0``.

    Parameters
    ----------
    folder : Path
        The store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, limit: int = LARGEST) -> bytes:
        """Return the bytes of ``key``.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        StoreError
            It is longer than ``limit`` bytes, is a link, or no file at all.
        """
        path = self.folder / key
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            raise _foreign(path, mode)
        with open(path, "rb", opener=_open_own) as stream:
            if os.fstat(stream.fileno()).st_size > limit:
                raise StoreError(f"{path} is longer than the {limit} bytes that it may have")
            return stream.read()

    def exists(self, key: str) -> bool:
        """Say whether a file ``key`` is there; a link is none."""
        return stat.S_ISREG(_mode(self.folder / key))

    def size(self, key: str) -> int:
        """Return the bytes of ``key``; 0 where there is no such file."""
        return os.lstat(self.folder / key).st_size if self.exists(key) else 0

    def names(self, key: str) -> list[str]:
        """Return the sorted names of the files in folder ``key``, no links; none where there is no such folder."""
        return [entry.name for entry in self._entries(key) if entry.is_file(follow_symlinks=False)]

    def folders(self, key: str) -> list[str]:
        """Return the sorted names of the folders in folder ``key``, no links; none where there is no such folder."""
        return [entry.name for entry in self._entries(key) if entry.is_dir(follow_symlinks=False)]

    def _entries(self, key: str) -> list[os.DirEntry[str]]:
        if not stat.S_ISDIR(_mode(self.folder / key)):
            return []
        with os.scandir(self.folder / key) as entries:
            return sorted(entries, key=lambda entry: entry.name)

    def check_folders(self, keys: Iterable[str]) -> None:
        """Check that folders of these names, and those they are in, are the store's own, as far as they are there.

        Raises
        ------
        StoreError
            One is a link, which might lead out of the store, or no folder.
        """
        parts = (key.split("/") for key in keys)
        for place in sorted({"/".join(part[: k + 1]) for part in parts for k in range(len(part))}):
            mode = _mode(self.folder / place)
            if mode and not stat.S_ISDIR(mode):
                raise _foreign(self.folder / place, mode)

    def empty(self) -> bool:
        """Say whether nothing is there, or an empty folder."""
        return not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir()))

    def check_free(self) -> None:
        """Raise StoreError where something is in the way of a new store."""
        if not self.empty():
            raise StoreError(f"{self.folder} exists: choose another output")

    def why_no_root(self) -> Exception:
        """Return the error for a place without a landscape."""
        if not self.folder.exists():
            return FileNotFoundError(f"there is no landscape at {self.folder}")
        if not self.folder.is_dir():
            return StoreError(f"{self.folder} is a file: a landscape is a folder")
        what = "an empty folder" if self.empty() else "no zarr version 3 store"
        return StoreError(f"{self.folder} is {what}: a landscape has a file zarr.json there")

    def create(self, write: Callable[[LocalFiles], None]) -> None:
        """Make a store: written beside its place and renamed, so that it is there whole or not at all.

        Parameters
        ----------
        write : callable
            Given the files of the new place, writes all of them.
        """
        with scratch_folder(self.folder) as scratch:
            place = scratch / self.folder.name
            place.mkdir()
            write(LocalFiles(place))
            self.receive(place)

    def receive(self, place: Path) -> None:
        """Move a finished store to its place, where nothing or an empty folder is, once the disk has all of it."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(sync, (place, *place.rglob("*"))):
                pass
        os.replace(place, self.folder)
        LocalFiles(self.folder.parent).sync_folder()

    def lock(self) -> WriterLock:
        """Return the right to write, held until it is released.

        Raises
        ------
        OSError, LockedError
            The folder is read-only or not there; someone else is writing.
        """
        inside = self.folder if self.folder.is_dir() else self.folder.parent
        if not inside.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder to make a store in", str(self.folder.parent))
        for folder in {inside, self.folder.parent}:
            if not os.access(folder, os.W_OK):
                raise PermissionError(
                    errno.EACCES,
                    "read-only: landscapes there can only be opened with Landscape.open(path)",
                    str(folder),
                )
        lock = WriterLock(self.folder)
        clear_scratch(self.folder)
        return lock

    def delete_folder(self, key: str) -> None:
        """Delete the files of array ``key``, and its folder if nothing else is in it."""
        self.check_folders([key])
        for name in self.names(key):
            if is_own(name):
                self.delete(f"{key}/{name}")
        with suppress(OSError):  # there is no such folder, or something else is in it, which is not ours to delete
            (self.folder / key).rmdir()

    def put(self, key: str, data: bytes, durable: bool = True) -> None:
        """Write ``data`` under ``key``, all or nothing, replacing what was there.

        Parameters
        ----------
        key : str
            Where; its folder is made where it is missing.
        data : bytes
            What.
        durable : bool
            Wait until the disk has it.

        Raises
        ------
        OSError
            With the file's name; the old contents are still there.
        """
        self.stage(key, data, durable).publish()

    def stage(self, key: str, data: bytes, durable: bool = True, name: str = "") -> StagedFile:
        """Write ``data`` beside ``key``: publishing it later is a rename, which needs no space on the disk.

        Parameters
        ----------
        key, data, durable
            As for `put`, and so are the errors.
        name : str
            Part of the name of the file beside ``key``, where several are to be staged for one key.
        """
        target = self.folder / key
        self.check_folders([key.rpartition("/")[0]] if "/" in key else [])
        partial = target.with_name(f"{target.name}{name}{PARTIAL}")
        try:
            try:
                write(partial, data, durable)
            except FileNotFoundError:
                self._make_folders(target.parent)
                write(partial, data, durable)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise with_name(error, target) from error
        return StagedFile(partial, target)

    def _make_folders(self, folder: Path) -> None:
        """Make a folder of the store and those above it, but never the store's own, which may have been moved away."""
        if folder != self.folder and not folder.is_dir():
            self._make_folders(folder.parent)
            folder.mkdir(exist_ok=True)

    def delete(self, key: str) -> None:
        """Delete ``key``; nothing happens where it is missing."""
        (self.folder / key).unlink(missing_ok=True)

    def sync_folder(self, key: str = "") -> None:
        """Wait until the disk has the names in folder ``key``, where the system can."""
        sync(self.folder / key)


class StagedFile:
    """A file written beside its place.

    Parameters
    ----------
    partial, target : Path
        Where it is, and where it goes.
    """

    def __init__(self, partial: Path, target: Path) -> None:
        self._partial, self._target = partial, target

    def publish(self) -> None:
        """Put it in its place, replacing what was there."""
        try:
            os.replace(self._partial, self._target)
        except OSError as error:
            self.discard()
            raise with_name(error, self._target) from error

    def discard(self) -> None:
        """Delete it, if it was not published."""
        self._partial.unlink(missing_ok=True)


def is_own(name: str) -> bool:
    """Say whether a file in an array's folder has a name that the format gives it: no other is ever deleted."""
    return re.fullmatch(r"(zarr\.json|c(\.\d{1,19})+)(\.\d)?(\.partial)?", name, re.ASCII) is not None


def _mode(path: Path) -> int:
    """Return the mode of what is at a path, a link itself included; 0 where there is nothing."""
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _foreign(path: Path, mode: int) -> StoreError:
    """Return the error for a link, or for what is neither file nor folder where one of them belongs."""
    if stat.S_ISLNK(mode):
        return StoreError(
            f"{path} is a link: a store's files and folders are its own; copy the store with what it links to, cp -rL"
        )
    return StoreError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no folder'}, which does not belong there")


def _open_own(path: str, flags: int) -> int:
    """Open a file, but no link, and do not wait for whoever writes to a named pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def write(path: Path, data: bytes, durable: bool) -> None:
    """Write a file that is not there: the one function here that fills a disk."""
    try:
        descriptor = os.open(path, _NEW, 0o666)
    except FileExistsError:  # left by a writer that was killed; or a link, whose target is not ours
        path.unlink()
        descriptor = os.open(path, _NEW, 0o666)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def with_name(error: OSError, target: object) -> OSError:
    """Return the error of a failed write, with the file's name and what is left."""
    return OSError(
        error.errno,
        f"{error.strerror or error}: nothing of this commit counts, what was committed before is intact",
        str(target),
    )
