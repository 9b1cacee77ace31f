"""Reader of IDX files, the format of MNIST."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

_KINDS = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


LARGEST = 2**28
"""Bytes that an array may have: five times the 60,000 images of MNIST."""

_MOST_AXES = 8


def read_idx(path: str | os.PathLike[str], largest: int = LARGEST) -> NDArray[Any]:
    """Return the array in an IDX file, gzipped or not.

    Parameters
    ----------
    path : path
        The file; its content tells whether it is gzipped.
    largest : int
        Number of bytes that the array may have. No more is unpacked, whatever the header or the gzip file say.

    Returns
    -------
    ndarray
        Array of the file's own type and shape, in this machine's byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not IDX, its length is not what its header says, or the array is larger than ``largest``.
    """
    with _unpacked(Path(path)) as file:
        beginning = file.read(4)
        if len(beginning) < 4 or beginning[:2] != b"\0\0" or beginning[2] not in _KINDS or beginning[3] == 0:
            raise ValueError(f"{path} is not an IDX file: it starts with {beginning.hex(' ') or 'nothing'}")
        kind, axes = np.dtype(_KINDS[beginning[2]]), beginning[3]
        if axes > _MOST_AXES:
            raise ValueError(f"{path} announces an array of {axes} axes; at most {_MOST_AXES} are read")
        lengths = file.read(4 * axes)
        if len(lengths) < 4 * axes:
            found = 4 + len(lengths)
            raise ValueError(f"{path} is cut short: {found} bytes, and its header alone takes {4 + 4 * axes}")
        shape = struct.unpack(f">{axes}I", lengths)
        size = kind.itemsize * math.prod(shape)
        if kind.itemsize * math.prod(length or 1 for length in shape) > largest:
            more = f"an array of shape {shape}, more than the {largest} bytes that are read"
            raise ValueError(f"{path} announces {more}: it is damaged or cut short, or another kind of file")
        content = file.read(size + 1)
    if len(content) != size:
        what = f"is cut short: {len(content)} bytes" if len(content) < size else "is too long: more bytes"
        raise ValueError(f"{path} {what} after its header, and {size} for its shape {shape}")
    return np.frombuffer(content, dtype=kind).reshape(shape).astype(kind.newbyteorder("="))


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, gzipped or not; only what is read of it is unpacked."""
    with open(path, "rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is a damaged or truncated gzip file: {error}") from error
