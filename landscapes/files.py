"""Files of a store: every write is one rename, so no reader sees half a file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["PARTIAL", "LocalFiles"]

PARTIAL = ".partial"


class LocalFiles:
    """Files under one folder, by keys such as ``minima/energy/c.0``.

    Parameters
    ----------
    folder : Path
        The store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes:
        """Return the bytes of ``key``; FileNotFoundError where there are none."""
        return (self.folder / key).read_bytes()

    def exists(self, key: str) -> bool:
        """Say whether ``key`` is there."""
        return (self.folder / key).is_file()

    def size(self, key: str) -> int:
        """Return the bytes of ``key``; 0 where there is none."""
        path = self.folder / key
        return path.stat().st_size if path.is_file() else 0

    def names(self, key: str) -> list[str]:
        """Return the sorted names of the files in folder ``key``; none where there is no such folder."""
        folder = self.folder / key
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_file()) if folder.is_dir() else []

    def folders(self, key: str) -> list[str]:
        """Return the sorted names of the folders in folder ``key``; none where there is no such folder."""
        folder = self.folder / key
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []

    def delete_folder(self, key: str) -> None:
        """Delete folder ``key`` with all in it; nothing happens where it is missing."""
        if (self.folder / key).is_dir():
            shutil.rmtree(self.folder / key)

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
        target = self.folder / key
        partial = target.with_name(target.name + PARTIAL)
        try:
            write(partial, data, durable)
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise _with_name(error, target) from error

    def delete(self, key: str) -> None:
        """Delete ``key``; nothing happens where it is missing."""
        (self.folder / key).unlink(missing_ok=True)

    def sync_folder(self, key: str = "") -> None:
        """Wait until the disk has the names in folder ``key``, where the system can."""
        if os.name != "posix":
            return
        descriptor = os.open(self.folder / key, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write(path: Path, data: bytes, durable: bool) -> None:
    """Write a file in place, making its folder where needed: the one function here that fills a disk."""
    try:
        stream = open(path, "wb")  # noqa: SIM115 (closed just below; opened here to make the folder only when needed)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = open(path, "wb")  # noqa: SIM115
    with stream:
        stream.write(data)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())


def _with_name(error: OSError, target: Path) -> OSError:
    return OSError(
        error.errno,
        f"{error.strerror or error}: nothing of this commit counts, what was committed before is intact",
        str(target),
    )
