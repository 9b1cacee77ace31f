"""Reader of IDX files, the format of MNIST."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

_KINDS = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Return the array in an IDX file, gzipped or not.

    Parameters
    ----------
    path : path
        The file; its content tells whether it is gzipped.

    Returns
    -------
    ndarray
        Array of the file's own type and shape, in this machine's byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not IDX, or its length is not what its header says.
    """
    content = _content(Path(path))
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _KINDS or content[3] == 0:
        raise ValueError(f"{path} is not an IDX file: it starts with {content[:4].hex(' ') or 'nothing'}")
    kind, start = np.dtype(_KINDS[content[2]]), 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path} is cut short: {len(content)} bytes, and its header alone takes {start}")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    # Python's integers: a header of nonsense must not overflow.
    expected = start + kind.itemsize * int(np.prod(shape, dtype=object))
    if len(content) != expected:
        what = "is cut short" if len(content) < expected else "is too long"
        raise ValueError(f"{path} {what}: {len(content)} bytes, and {expected} for its shape {shape}")
    return np.frombuffer(content, dtype=kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unzipped."""
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is a damaged or truncated gzip file: {error}") from error
