"""Stationary points in the SQLite databases of pele, read as data of unknown origin.

pele keeps coordinates as pickled arrays, and a pickle may run any program when it is loaded. Here it is loaded by an
interpreter in which only the names that an array's pickle has exist, each bound to a stand-in that keeps its
arguments: nothing of numpy is called, and the numbers are taken from the bytes afterwards.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.programs.foreign_points import ForeignPoints, rows_of_numbers

__all__ = ["is_database", "pickled_vector", "read_pele"]

_MAGIC = b"SQLite format 3\x00"
_BESIDE = 4096  # bytes of a pickle beside the numbers
_MOST = 10_000_000  # rows of a table

_OPCODES = {
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "PUT", "BINPUT", "GET", "BINGET", "LONG_BINGET"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "STRING", "SHORT_BINSTRING", "BINSTRING"),
    *("SHORT_BINBYTES", "BINBYTES", "BYTEARRAY8", "NONE", "NEWFALSE", "NEWTRUE"),
    *("INT", "BININT", "BININT1", "BININT2", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"),
}
"""Operations of the pickles of arrays."""


def is_database(path: Path) -> bool:
    """Say whether a file is one of SQLite's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_pele(path: Path, n: int) -> ForeignPoints:
    """Read minima and transition states from a database of pele.

    The file is opened for reading only, and neither views nor anything else that a database may compute is read.
    Points that pele has marked as invalid are left out, and with a minimum its transition states.

    Parameters
    ----------
    path : Path
        The database, of schema version 1 or 2.
    n : int
        Number of coordinates of a point.

    Raises
    ------
    ValueError
        If it is no such database, or a point is not n numbers of double precision.
    """
    if not is_database(path):
        raise ValueError(f"{path} is no database of SQLite, as pele's are")
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.execute("PRAGMA query_only = ON")
            database.execute("PRAGMA trusted_schema = OFF")
            names, minima = [], []
            for number, blob in _rows(database, path, "tbl_minima", ("_id", "coords"), n):
                names.append(number)
                minima.append(_vector(path, f"minimum {number}", blob, n))
            rows, ends, states = {name: row for row, name in enumerate(names)}, [], []
            columns = ("_id", "coords", "_minimum1_id", "_minimum2_id")
            for number, blob, *pair in _rows(database, path, "tbl_transition_states", columns, n):
                if all(end in rows for end in pair):
                    ends.append([rows[end] for end in pair])
                    states.append(_vector(path, f"transition state {number}", blob, n))
    except sqlite3.Error as error:
        raise ValueError(f"{path} cannot be read as a database of pele: {error}") from None
    return ForeignPoints(
        rows_of_numbers(minima, n), rows_of_numbers(states, n), np.array(ends, dtype=np.int64).reshape(-1, 2)
    )


def _rows(
    database: sqlite3.Connection, path: Path, table: str, columns: tuple[str, ...], n: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of a table's rows; no blob longer than coordinates are is read."""
    kinds = [kind for (kind,) in database.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,))]
    held = {name: hidden for _, name, *_, hidden in database.execute(f"PRAGMA table_xinfo({table})")}
    missing = [name for name in columns if held.get(name) != 0]
    if kinds != ["table"] or missing:
        raise ValueError(f"{path} is no database of pele: it has no table {table} with {', '.join(missing or columns)}")
    valid = "WHERE invalid IS NULL OR invalid = 0" if held.get("invalid") == 0 else ""
    shown = ", ".join(
        f"CASE WHEN length(coords) <= {8 * n + _BESIDE} THEN coords END" if name == "coords" else name
        for name in columns
    )
    yield from database.execute(f"SELECT {shown} FROM {table} {valid} ORDER BY _id LIMIT {_MOST}")


def _vector(path: Path, what: str, blob: object, n: int) -> list[float]:
    if not isinstance(blob, bytes):
        raise ValueError(f"{path}: coordinates of {what} are no pickled array of {n} numbers")
    try:
        values = pickled_vector(blob)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{path}: coordinates of {what} cannot be read: {error}") from None
    if len(values) != n:
        raise ValueError(f"{path}: {what} has {len(values)} coordinates; the system has {n}")
    return values.tolist()


class _Kept:
    """Stand-in that keeps what a pickle calls it with."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments, self.state = arguments, None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Type(_Kept):
    """Stand-in for numpy.dtype."""


class _Array(_Kept):
    """Stand-in for an array that is built empty and filled later."""


class _Buffer(_Kept):
    """Stand-in for an array that is built from bytes."""


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise ValueError("its bytes are not encoded as pickle encodes them")
    return text.encode("latin1")


_NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): None,
    ("_codecs", "encode"): _encoded,
}
for _module in ("numpy.core", "numpy._core"):
    _NAMES[f"{_module}.multiarray", "_reconstruct"] = _Array
    _NAMES[f"{_module}.numeric", "_frombuffer"] = _Buffer


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise ValueError(f"it names {module}.{name}, which no array of numbers does")
        return _NAMES[module, name]


def pickled_vector(blob: bytes) -> NDArray[np.float64]:
    """Return the numbers of a pickled array, (n,), without running what the pickle asks for.

    Parameters
    ----------
    blob : bytes
        A pickle of an array of double precision.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    for opcode, argument, _ in pickletools.genops(blob):
        if opcode.name not in _OPCODES:
            raise ValueError(f"it is no pickled array: it has the operation {opcode.name}")
        if opcode.name in ("PUT", "BINPUT") and int(str(argument)) > len(blob):
            raise ValueError("it is no pickled array: it refers to more objects than it has")
    kept = _Reader(io.BytesIO(blob)).load()
    if isinstance(kept, _Buffer):
        data, kind, shape, _ = kept.arguments
    elif isinstance(kept, _Array) and kept.state is not None:
        _, shape, kind, _, data = kept.state
    else:
        raise ValueError("it is no pickled array")
    if not isinstance(kind, _Type) or kind.arguments[0] != "f8" or not kind.state or kind.state[1] not in ("<", ">"):
        raise ValueError("it is no array of double precision")
    if not isinstance(data, bytes | bytearray) or not isinstance(shape, tuple) or 8 * shape[0] != len(data):
        raise ValueError("its bytes are not those of its shape")
    return np.frombuffer(bytes(data), dtype=f"{kind.state[1]}f8").astype(np.float64)
