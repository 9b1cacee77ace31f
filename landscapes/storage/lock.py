"""Lock of a store, which has one writer at a time."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import threading
import time
import weakref
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.landscapes.errors import LockedError, StoreError
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.storage.zarr_files import ObjectLock

try:
    import fcntl
except ImportError:  # Windows: a lock left behind cannot be told from one that is held
    fcntl = None  # type: ignore[assignment]

__all__ = ["Turn", "WriterLock", "is_identity", "writer_identity"]

_IDENTITY = {"pid", "host", "since"}  # as former versions wrote it; "program" came later
_BEGINNING = b'{"pid": '
_STEADY = "system/zarr.json"  # a file of every store, written once
_PATIENCE, _MOMENT = 20, 0.05  # how often, and how many seconds apart, a lock of another writer is looked at
_LARGEST = 4096  # bytes of a lock
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}


class WriterLock:
    """Right to write to a store, held until `release` or the death of the process.

    Two things are locked: the file ``<store>.lock``, which names the writer, and, once there is one, the store's
    folder itself, so that a second writer is refused also where the file was deleted. Where folders cannot be locked,
    as on NFS, a file in it that never changes is locked instead.

    Parameters
    ----------
    store : Path
        The store.

    Raises
    ------
    LockedError
        Another writer holds it.
    StoreError
        ``<store>.lock`` is a file of another program, or no file at all; it is left as it is.
    """

    def __init__(self, store: Path) -> None:
        self.path, self._store = store.with_name(store.name + ".lock"), store
        self._process = os.getpid()
        self._was_empty = False  # an empty file that was there: it is left as it was found
        self._inside: list[int] = []  # the open folder of the store, then a file in it where folders are not locked
        self._descriptor: int | None = self._take()
        _HELD.add(self)

    def _take(self) -> int:
        while True:
            descriptor = self._existing()
            if descriptor is None:
                if (made := self._make()) is not None:
                    return made
                continue  # another one was faster
            try:
                self._claim(descriptor)
                if _same_file(descriptor, self.path):
                    if not _content(descriptor):
                        os.write(descriptor, _encoded_identity())
                        self._was_empty = True
                        return descriptor
                    self.path.unlink()  # of a process that died: we hold it, so nobody else takes it for theirs
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder deleted it between our opening and our claim, or we did: make a new one

    def _existing(self) -> int | None:
        """Open the lock that is there, which must be a lock of Thalweg's; return None where there is none."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO) or self.path.is_dir():
                raise self._foreign() from None
            raise
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode) or _holder(_content(descriptor)) is None:
                raise self._foreign()
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _make(self) -> int | None:
        """Make a lock that names us and is held from its first moment; return None where there is one."""
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}-{os.urandom(4).hex()}")
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o644)
        try:
            _flock(descriptor)
            os.write(descriptor, _encoded_identity())
            if not _link(part, self.path):
                os.close(descriptor)
                return None
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            part.unlink(missing_ok=True)
        return descriptor

    def _claim(self, descriptor: int) -> None:
        holder = _holder(_content(descriptor)) or {}
        if not _flock(descriptor):
            raise LockedError(self._message(holder))
        if holder and (fcntl is None or holder.get("host") != socket.gethostname()):
            raise LockedError(f"{self._message(holder)}; if that process is gone, delete {self.path}")

    def _message(self, holder: dict) -> str:
        said = (holder.get(name, "?") for name in ("pid", "host", "since"))
        who = printable("process {} on {} since {}".format(*said))
        return f"{self._store} is being written by {who}: a store has one writer at a time"

    def _foreign(self) -> StoreError:
        return StoreError(
            f"{self.path} is there and is no lock of Thalweg's: move it, or choose another path for the store"
        )

    def hold_folder(self) -> None:
        """Lock the store's folder too, which must be there, and remember which one it is.

        Raises
        ------
        LockedError
            A writer whose lock file was deleted holds it.
        """
        if fcntl is None:
            return
        self._inside.append(os.open(self._store, os.O_RDONLY | os.O_DIRECTORY))
        with suppress(OSError):  # NFS and others lock no folders, but files that are open for writing
            self._hold(self._inside[0])
            return
        with suppress(OSError):  # where not even that is possible, <store>.lock alone guards the store
            self._inside.append(os.open(self._store / _STEADY, os.O_RDWR | _NOFOLLOW))
            self._hold(self._inside[1])

    def _hold(self, descriptor: int) -> None:
        if not _flock(descriptor):
            raise LockedError(
                f"{self._store} is being written by another process, whose lock {self.path} was deleted: "
                "a store has one writer at a time"
            )

    @property
    def inherited(self) -> bool:
        """Whether this process was forked from the one that holds the lock."""
        return os.getpid() != self._process

    def check_process(self) -> None:
        """Raise StoreError in a process that was forked from the writer."""
        if self.inherited:
            raise StoreError(
                f"{self._store} was opened for writing by process {self._process}, and this is process {os.getpid()}, "
                "forked from it: only the process that opened a store writes to it. Nothing was changed"
            )

    def check(self) -> None:
        """Raise unless this process is the writer of the store that is at its path.

        A lock file that was deleted is made anew, as long as no other writer has come.

        Raises
        ------
        StoreError
            This process was forked from the writer, or the store was moved or deleted.
        LockedError
            Another writer has taken the lock.
        """
        self.check_process()
        if self._inside and not _same_file(self._inside[0], self._store, follow=True):
            raise StoreError(
                f"{self._store} is no longer the folder that was opened for writing: it was moved, deleted or "
                "replaced. Nothing was written; what was added is still in memory, and can be committed once it is back"
            )
        if self._descriptor is None or _same_file(self._descriptor, self.path):
            return
        for _ in range(_PATIENCE):  # one that came after the lock was deleted is about to be refused by `hold_folder`
            if not os.path.lexists(self.path) and (descriptor := self._make()) is not None:
                former, self._descriptor, self._was_empty = self._descriptor, descriptor, False
                os.close(former)
                return
            time.sleep(_MOMENT)
        raise LockedError(
            f"the lock {self.path} was replaced while {self._store} was open for writing: another writer has come. "
            "Nothing was written; what was added is still in memory"
        )

    def release(self) -> None:
        """Give the lock back; harmless the second time."""
        if self._descriptor is not None and not self.inherited:
            for descriptor in self._inside:  # first: whoever gets the file finds the folder free
                with suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
            # Deleted while still held: whoever opened the old file notices that it is no longer the one of this name.
            if self._was_empty:
                os.ftruncate(self._descriptor, 0)
            elif _same_file(self._descriptor, self.path):
                self.path.unlink(missing_ok=True)
            if fcntl is not None:  # for a child, too, that is forked before the file is closed here
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self.close_descriptors()

    def close_descriptors(self) -> None:
        """Close the lock's files in this process; where another one holds it too, it stays locked."""
        descriptors = [descriptor for descriptor in (self._descriptor, *self._inside) if descriptor is not None]
        # first: a child that is forked meanwhile must not close a number that may be another file's by then
        self._descriptor, self._inside = None, []
        for descriptor in descriptors:
            os.close(descriptor)


class Turn:
    """Turn of one thread to write to a store, as a context: other threads wait, and the same one may enter it again.

    Entering it raises StoreError where the store is open for reading, or closed, or where this process was forked from
    its writer.

    Parameters
    ----------
    store : str
        The store, for messages.
    lock : WriterLock or ObjectLock, optional
        The lock of the store; none where it is open for reading.
    """

    def __init__(self, store: str, lock: WriterLock | ObjectLock | None) -> None:
        self._store, self.lock = store, lock
        self._guard = threading.RLock()

    def __enter__(self) -> None:
        if self.lock is not None:
            self.lock.check_process()  # first: in a forked child, the thread that holds the guard may not be there
        self._guard.acquire()
        if self.lock is None:
            self._guard.release()
            raise StoreError(f"{self._store} is open for reading: open it with mode='r+' to write to it")

    def __exit__(self, *error: object) -> None:
        self._guard.release()

    def end(self) -> None:
        """Release the lock, when no thread is in its turn; from then on, nobody may enter."""
        if self.lock is None:
            return
        with nullcontext() if self.lock.inherited else self._guard:
            lock, self.lock = self.lock, None
            if lock is not None:
                lock.release()


def writer_identity() -> dict[str, object]:
    """Return who this process is, for whoever finds its lock."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "program": "thalweg"}


def is_identity(found: object) -> bool:
    """Say whether this is what `writer_identity` returns, in this version or a former one."""
    return isinstance(found, dict) and _IDENTITY <= found.keys() <= _IDENTITY | {"program", "token"}


_HELD: weakref.WeakSet[WriterLock] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """Close what a forked child inherited, so that the lock ends with the process that took it."""
    for lock in list(_HELD):
        lock.close_descriptors()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


def _encoded_identity() -> bytes:
    return json.dumps(writer_identity()).encode()


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LARGEST + 1)


def _holder(content: bytes) -> dict | None:
    """Return whom a lock names: nobody where it was cut short, None where it is no lock of Thalweg's."""
    if not content:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):  # killed while writing it, or brackets in brackets
        return {} if _BEGINNING.startswith(content) or content.startswith(_BEGINNING) else None
    return found if is_identity(found) and len(content) <= _LARGEST else None


def _flock(descriptor: int) -> bool:
    """Lock an open file without waiting; return False where another one holds it."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _link(source: Path, target: Path) -> bool:
    """Give a file a second name; return False where there is one already."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):  # a file system without hard links: the best that can be done there
            return False
        os.rename(source, target)
    return True


def _same_file(descriptor: int, path: Path, follow: bool = False) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=follow))
    except (FileNotFoundError, NotADirectoryError):
        return False
