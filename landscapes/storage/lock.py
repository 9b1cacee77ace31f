"""Lock of a store, which has one writer at a time."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

from thalweg.landscapes.errors import LockedError

try:
    import fcntl
except ImportError:  # Windows: a lock left behind cannot be told from one that is held
    fcntl = None  # type: ignore[assignment]

__all__ = ["WriterLock", "writer_identity"]


class WriterLock:
    """Right to write to a store, held until `release` or the death of the process.

    Parameters
    ----------
    store : Path
        The store; the lock is the file ``<store>.lock`` beside it.

    Raises
    ------
    LockedError
        Another writer holds it.
    """

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".lock")
        self._descriptor: int | None = self._open()

    def _open(self) -> int:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                self._claim(descriptor)
                if _same_file(descriptor, self.path):
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    os.write(descriptor, json.dumps(writer_identity()).encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder deleted it between our opening and our claim: try the new one

    def _claim(self, descriptor: int) -> None:
        holder = _read(descriptor)
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(self._message(holder)) from None
        if holder and (fcntl is None or holder.get("host") != socket.gethostname()):
            raise LockedError(f"{self._message(holder)}; if that process is gone, delete {self.path}")

    def _message(self, holder: dict) -> str:
        who = f"process {holder.get('pid', '?')} on {holder.get('host', '?')} since {holder.get('since', '?')}"
        return f"{str(self.path).removesuffix('.lock')} is being written by {who}: a store has one writer at a time"

    def release(self) -> None:
        """Give the lock back; harmless the second time."""
        if self._descriptor is None:
            return
        # Deleted while still held: whoever opened the old file notices that it is no longer the one of this name.
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def writer_identity() -> dict:
    """Return who this process is, for whoever finds its lock."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}


def _read(descriptor: int) -> dict:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        holder = json.loads(os.read(descriptor, 4096))
    except ValueError:  # empty, or killed while writing it
        return {}
    return holder if isinstance(holder, dict) else {}


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
