"""Store backend for zarr stores: object storage, memory or read-only zip."""

from __future__ import annotations

import errno
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zarr.abc.store import RangeByteRequest
from zarr.abc.store import Store as ZarrStore
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore, ZipStore

from thalweg.landscapes.errors import LockedError, StoreError
from thalweg.landscapes.storage.local_files import LARGEST, LocalFiles, is_own, with_name
from thalweg.landscapes.storage.lock import is_identity, writer_identity
from thalweg.potentials.conversion.printable import printable

__all__ = ["Address", "ObjectLock", "StagedObject", "ZarrFiles", "zarr_files"]

LOCK = "writer.lock"
LOCK_BYTES = 4096


class Address(str):
    """Address of something that is no local file; joined by ``/`` like a Path."""

    def __truediv__(self, key: str) -> Address:
        return Address(f"{self.rstrip('/')}/{key}") if key else self

    @property
    def name(self) -> str:
        """Part after the last slash."""
        return self.rstrip("/").rpartition("/")[2]


def zarr_files(where: str | os.PathLike[str] | ZarrStore) -> LocalFiles | ZarrFiles:
    """Return the files at a URL, in a zip file, or in a zarr store."""
    if isinstance(where, LocalStore) and not where.read_only:
        return LocalFiles(Path(where.root).resolve())
    if isinstance(where, ZarrStore):
        return ZarrFiles(where, Address(str(where)))
    if str(where).startswith(("file://", "local://")):
        from fsspec.implementations.local import LocalFileSystem

        return LocalFiles(Path(LocalFileSystem._strip_protocol(str(where))).resolve())
    if "://" in str(where):
        try:
            return ZarrFiles(FsspecStore.from_url(str(where)), Address(where))
        except (ImportError, ValueError) as error:
            raise StoreError(f"{where} cannot be reached: {error}") from error
    try:
        return ZarrFiles(sync(ZipStore.open(where, mode="r")), Address(where))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise StoreError(f"{where} is damaged, or no zip file: {error}") from error


class ZarrFiles:
    """Files by keys, as `LocalFiles` has them.

    A put is as atomic as the store makes it: on object stores one object appears whole or not at all, so a commit,
    which is the put of the root's metadata, is atomic there too. Nothing guards against two writers but a lock object.

    Parameters
    ----------
    store : zarr.abc.store.Store
        Where they are.
    folder : Address
        For messages.
    """

    def __init__(self, store: ZarrStore, folder: Address) -> None:
        self.store, self.folder = store, folder

    def get(self, key: str, limit: int = LARGEST) -> bytes:
        """Return the bytes of ``key``; parameters and errors as for `LocalFiles`."""
        with self._reaching(key):
            # one more than permitted: whatever its length is said to be, no more is read
            found = sync(self.store.get(key, default_buffer_prototype(), RangeByteRequest(0, limit + 1)))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(self.folder / key))
        data = found.to_bytes()
        if len(data) > limit:
            raise StoreError(f"{self.folder / key} is longer than the {limit} bytes that it may have")
        return data

    def check_folders(self, keys: Iterable[str]) -> None:
        """Do nothing: objects have no links."""

    def exists(self, key: str) -> bool:
        """Say whether ``key`` is there."""
        with self._reaching(key):
            return bool(sync(self.store.exists(key)))

    @contextmanager
    def _reaching(self, key: str) -> Iterator[None]:
        """Turn the errors of a store that cannot be reached into OSError, those of a damaged zip file into StoreError.

        Each kind of store has its own; zipfile has many.
        """
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            if isinstance(self.store, ZipStore):
                raise StoreError(f"{self.folder / key} is damaged: {error}") from error
            raise OSError(errno.EIO, f"cannot be read: {error}", str(self.folder / key)) from error

    def size(self, key: str) -> int:
        """Return the bytes of ``key``; 0 where there is none."""
        if not self.exists(key):
            return 0
        if isinstance(self.store, ZipStore):  # zarr would unpack all of it
            return self.store._zf.getinfo(key).file_size
        return int(sync(self.store.getsize(key)))

    def _listed(self, key: str) -> list[str]:
        async def collect() -> list[str]:
            return [name async for name in self.store.list_dir(key)]

        fs = getattr(self.store, "fs", None)
        if fs is not None:
            fs.invalidate_cache()  # others may have written since
        return sorted(sync(collect()))

    def names(self, key: str) -> list[str]:
        """Return the sorted names of the files in ``key``: all of ours have a dot, no folder has."""
        return [name for name in self._listed(key) if "." in name]

    def folders(self, key: str) -> list[str]:
        """Return the sorted names of the folders in ``key``."""
        return [name for name in self._listed(key) if "." not in name]

    def empty(self) -> bool:
        """Say whether nothing is there."""
        return not self._listed("")

    def put(self, key: str, data: bytes, durable: bool = True) -> None:
        """Write ``data`` under ``key``, replacing what was there; OSError with the key's name if that fails."""
        try:
            sync(self.store.set(key, default_buffer_prototype().buffer.from_bytes(data)))
        except Exception as error:  # each kind of store has its own errors
            number = error.errno if isinstance(error, OSError) and error.errno else errno.EIO
            raise with_name(OSError(number, str(error)), self.folder / key) from error

    def stage(self, key: str, data: bytes, durable: bool = True, name: str = "") -> StagedObject:
        """Keep ``data`` in memory until it is to be written under ``key``: objects cannot be renamed."""
        return StagedObject(self, key, data)

    def delete(self, key: str) -> None:
        """Delete ``key``; nothing happens where it is missing."""
        sync(self.store.delete(key))

    def delete_folder(self, key: str) -> None:
        """Delete the objects of array ``key``, and no others."""
        for name in self.names(key):
            if is_own(name):
                self.delete(f"{key}/{name}")

    def sync_folder(self, key: str = "") -> None:
        """Do nothing: what a put has written is written."""

    def why_no_root(self) -> Exception:
        """Return the error for a place without a landscape."""
        if self.empty():
            return FileNotFoundError(f"there is no landscape at {self.folder}")
        return StoreError(f"{self.folder} is no zarr version 3 store: a landscape has zarr.json there")

    def create(self, write: Callable[[ZarrFiles], None]) -> None:
        """Make a store: it is there once its root, which ``write`` puts last, is."""
        try:
            write(self)
        except BaseException:
            sync(self.store.delete_dir(""))
            raise

    def lock(self) -> ObjectLock:
        """Return the right to write, held until it is released."""
        if self.store.read_only:
            raise PermissionError(errno.EACCES, "read-only: it can only be opened for reading", str(self.folder))
        return ObjectLock(self)


class StagedObject:
    """An object that is to be written, as `StagedFile` is to be renamed."""

    def __init__(self, files: ZarrFiles, key: str, data: bytes) -> None:
        self._files, self._key, self._data = files, key, data

    def publish(self) -> None:
        """Write it."""
        self._files.put(self._key, self._data)

    def discard(self) -> None:
        """Do nothing: there is nothing but bytes in memory."""


class ObjectLock:
    """Right to write, as an object that says who has it. It outlives a writer that was killed."""

    def __init__(self, files: ZarrFiles) -> None:
        self._files: ZarrFiles | None = files
        self._process = os.getpid()
        # a token tells two writers of one process and one second apart
        self._mine = json.dumps({**writer_identity(), "token": uuid.uuid4().hex}).encode()
        if files.exists(LOCK):
            raise self._taken(files)
        files.put(LOCK, self._mine)
        if files.get(LOCK, LOCK_BYTES) != self._mine:  # two at the same moment: the later put counts
            raise self._taken(files)

    def _taken(self, files: ZarrFiles) -> LockedError:
        try:
            holder = json.loads(files.get(LOCK, LOCK_BYTES))
        except (ValueError, RecursionError, FileNotFoundError):
            holder = None
        if not is_identity(holder):
            return LockedError(f"{files.folder / LOCK} is no lock of Thalweg's, or cut short: delete it if it may go")
        who = printable(f"process {holder['pid']} on {holder['host']} since {holder['since']}")
        return LockedError(
            f"{files.folder} is being written by {who}: a store has one writer at a time; "
            f"if that process is gone, delete {files.folder / LOCK}"
        )

    def hold_folder(self) -> None:
        """Do nothing: the object alone guards the store."""

    @property
    def inherited(self) -> bool:
        """Whether this process was forked from the one that holds the lock."""
        return os.getpid() != self._process

    def check_process(self) -> None:
        """Raise StoreError in a process that was forked from the writer."""
        if self._files is not None and self.inherited:
            raise StoreError(
                f"{self._files.folder} was opened for writing by process {self._process}, and this is process "
                f"{os.getpid()}, forked from it: only the process that opened a store writes to it. Nothing was changed"
            )

    def check(self) -> None:
        """Raise unless this process is the writer: StoreError in a forked one, LockedError where another has come."""
        self.check_process()
        if self._files is not None and not self._held(self._files):
            raise LockedError(
                f"the lock {self._files.folder / LOCK} was deleted or replaced while the store was open for writing: "
                "another writer may have come. Nothing was written; what was added is still in memory"
            )

    def _held(self, files: ZarrFiles) -> bool:
        return files.exists(LOCK) and files.get(LOCK, LOCK_BYTES) == self._mine

    def release(self) -> None:
        """Give the lock back; harmless the second time, and in a process that was forked from the writer."""
        if self._files is not None and not self.inherited and self._held(self._files):
            self._files.delete(LOCK)
        self._files = None
