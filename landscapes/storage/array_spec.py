"""Arrays of a store: type, shape, chunks and permitted values of each, and chunks as bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import google_crc32c
import numcodecs
import numpy as np

__all__ = [
    "LARGEST_COORDINATE",
    "LARGEST_NUMBER",
    "SCALAR_ROWS",
    "ArraySpec",
    "Values",
    "fault",
    "static_array",
    "wrong_rows",
]

SCALAR_ROWS = 16384

LARGEST_COORDINATE = 1e50
"""Magnitude up to which squares, areas and volumes do not overflow."""

LARGEST_NUMBER = 1e300
"""Magnitude up to which sums and differences of energies do not overflow."""

_CODECS = [
    {"name": "bytes", "configuration": {"endian": "little"}},
    {"name": "zstd", "configuration": {"level": 1, "checksum": False}},
    {"name": "crc32c"},
]
_ZSTD = numcodecs.Zstd(level=1)
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Values(Enum):
    """Kinds of values that rows of an array may hold, in the words of docs/format.md."""

    ANY = "any"
    COORDINATE = "a number from -1e+50 to 1e+50"
    NUMBER = "a number from -1e+300 to 1e+300"
    NUMBER_OR_NAN = "a number from -1e+300 to 1e+300, or NaN"
    LENGTH = "a number from 0 to 1e+300, or NaN"
    COUNT = "a whole number from 0 on"
    FLAG = "true or false"
    MINIMUM = "a row of the minima"
    STATE = "a row of the transition states"
    START = "a row of the points, or -1"
    MEANING = "a place in `meanings`"
    END = "rising from 0 to the rows found"


_LEAST = {
    **dict.fromkeys((Values.COUNT, Values.MINIMUM, Values.STATE, Values.MEANING, Values.END), 0),
    Values.START: -1,
}
_COUNTED = (Values.MINIMUM, Values.STATE, Values.START, Values.MEANING)


@dataclass(frozen=True)
class ArraySpec:
    """One growing array: everything about it but its length.

    Parameters
    ----------
    path : str
        ``group/name``.
    dtype : str
        numpy's name of its type.
    dimensions : tuple of str
        Names; the first is the one that grows.
    row : tuple of int
        Shape of one row.
    chunk : int
        Rows of a chunk.
    fill : float | int | bool
        What stands past the end of the last chunk.
    sparse : bool
        Whether a chunk of fill values may be missing.
    values : Values
        Kind of values that its rows may hold.
    """

    path: str
    dtype: str
    dimensions: tuple[str, ...]
    row: tuple[int, ...] = ()
    chunk: int = SCALAR_ROWS
    fill: float | int | bool = field(default=float("nan"), compare=False)
    sparse: bool = False
    values: Values = Values.ANY

    @property
    def name(self) -> str:
        """The name within its group."""
        return self.path.rpartition("/")[2]

    @property
    def row_bytes(self) -> int:
        """Number of bytes of one row."""
        size = np.dtype(self.dtype).itemsize
        for length in self.row:
            size *= length
        return size

    @property
    def largest_file(self) -> int:
        """Number of bytes that no file of a chunk exceeds: zstd makes nothing much longer than it was."""
        unpacked = self.chunk * self.row_bytes
        return unpacked + unpacked // 128 + 1024

    def chunk_key(self, index: int) -> str:
        """Return the file of chunk ``index`` along the first dimension."""
        return f"{self.path}/c.{'.'.join([str(index)] + ['0'] * len(self.row))}"

    def chunk_index(self, name: str) -> int | None:
        """Return the number of the chunk in a file of this name; None where it is no chunk of this array."""
        index = name[2:].partition(".")[0]
        if not (index.isascii() and index.isdecimal() and len(index) < 20):
            return None
        return int(index) if name == self.chunk_key(int(index)).rpartition("/")[2] else None

    def metadata(self, length: int, attributes: dict | None = None) -> dict:
        """Return the zarr v3 metadata of this array with ``length`` rows."""
        fill = "NaN" if isinstance(self.fill, float) and np.isnan(self.fill) else self.fill
        codecs = [{"name": "bytes"}, *_CODECS[1:]] if np.dtype(self.dtype).itemsize == 1 else _CODECS
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [length, *self.row],
            "data_type": self.dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [self.chunk, *(max(size, 1) for size in self.row)]},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": fill,
            "codecs": codecs,
            "dimension_names": list(self.dimensions),
            "attributes": attributes or {},
        }

    def encode(self, rows: np.ndarray) -> bytes:
        """Return the bytes of a chunk holding ``rows``, at most ``chunk`` of them, padded with the fill value."""
        whole = np.full((self.chunk, *self.row), self.fill, dtype=np.dtype(self.dtype).newbyteorder("<"))
        whole[: len(rows)] = rows
        data = _ZSTD.encode(whole)
        return data + int(google_crc32c.value(data)).to_bytes(4, "little")

    def decode(self, data: bytes) -> np.ndarray:
        """Return the rows of a chunk, read-only, padding included.

        Raises
        ------
        ValueError, RuntimeError
            If its bytes were altered, or would unpack to anything but the size of a chunk: that size is compared
            first, so that a few bytes cannot ask for more memory than the array's metadata announce.
        """
        if len(data) < 4 or int(google_crc32c.value(data[:-4])).to_bytes(4, "little") != data[-4:]:
            raise ValueError("its checksum does not match: the file was cut short or altered")
        expected = self.chunk * self.row_bytes
        announced = _announced_size(data[:-4])
        if announced != expected:
            raise ValueError(f"it announces {announced} bytes where {self.chunk} rows of {self.row} take {expected}")
        unpacked = _ZSTD.decode(data[:-4])
        if len(unpacked) != expected:
            raise ValueError(f"it holds {len(unpacked)} bytes where {self.chunk} rows of {self.row} take {expected}")
        if self.dtype == "bool":
            _check_flags(unpacked)
        rows = np.frombuffer(unpacked, dtype=np.dtype(self.dtype).newbyteorder("<"))
        return rows.reshape(self.chunk, *self.row).astype(self.dtype, copy=False)


def static_array(path: str, dtype: np.dtype, shape: tuple[int, ...]) -> ArraySpec:
    """Return the array of ``system/``, one chunk and never growing, of this type and shape."""
    name = path.rpartition("/")[2]
    dimensions = tuple(f"{name}_{axis}" for axis in range(len(shape)))
    fill = float("nan") if dtype.kind == "f" else dtype.type(0).item()
    return ArraySpec(path, dtype.name, dimensions, shape[1:], max(shape[0], 1), fill, math.prod(shape) == 0)


def _announced_size(frame: bytes) -> int | None:
    """Return the size to which a zstd frame says that it unpacks; None where it is no frame, or does not say.

    The header is that of RFC 8878, section 3.1.1.1.
    """
    if len(frame) < 5 or frame[:4] != _ZSTD_MAGIC:
        return None
    descriptor = frame[4]
    single_segment = bool(descriptor & 0x20)
    start = 5 + (not single_segment) + (0, 1, 2, 4)[descriptor & 3]
    length = (int(single_segment), 2, 4, 8)[descriptor >> 6]
    stored = frame[start : start + length]
    if length == 0 or len(stored) < length:
        return None
    return int.from_bytes(stored, "little") + (256 if length == 2 else 0)


def _check_flags(data: bytes) -> None:
    """Raise ValueError where a byte is neither 0 nor 1: numpy would take it for a third truth value."""
    highest = int(np.frombuffer(data, dtype=np.uint8).max(initial=0))
    if highest > 1:
        raise ValueError(f"it holds a truth value of {highest}, which is neither 0 nor 1")


def wrong_rows(values: Values, rows: np.ndarray, limit: int, before: int = 0) -> np.ndarray:
    """Return the indices of the rows whose value is not permitted.

    Parameters
    ----------
    values : Values
        Kind of values.
    rows : (rows, ...) array
        Rows to check.
    limit : int
        Number of things that a row number, a place or an end counts.
    before : int
        Value of the row before the first, which matters where values rise.
    """
    wrong = _wrong(values, rows, limit, before)
    if wrong is None or not wrong.any():
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(wrong.reshape(len(rows), -1).any(axis=1))


def fault(values: Values, value: object, limit: int) -> str:
    """Return what is wrong with a value that is not permitted."""
    return f"{value} is not {values.value}{f': there are {limit}' if values in _COUNTED else ''}"


def _wrong(values: Values, rows: np.ndarray, limit: int, before: int) -> np.ndarray | None:
    """Return a mask of the values that are not permitted; None where any is."""
    if values is Values.COORDINATE:
        return ~(np.abs(rows) <= LARGEST_COORDINATE)
    if values is Values.NUMBER:
        return ~(np.abs(rows) <= LARGEST_NUMBER)
    if values is Values.NUMBER_OR_NAN:
        return np.abs(rows) > LARGEST_NUMBER
    if values is Values.LENGTH:
        return (rows < 0) | (rows > LARGEST_NUMBER)
    if values not in _LEAST:
        return None  # any; flags are checked as bytes, before they are numpy's
    wrong = rows < _LEAST[values]
    if values is Values.END:
        falls = rows < np.concatenate([[rows.dtype.type(before)], rows[:-1]])  # a difference might overflow
        return wrong | (rows > limit) | falls
    return wrong | (rows >= limit) if values in _COUNTED else wrong
