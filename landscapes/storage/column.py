"""Growing arrays of a store: committed chunks on disk, uncommitted rows in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.array_spec import ArraySpec, Values, fault, wrong_rows
from thalweg.landscapes.storage.local_files import PARTIAL, StoreFiles, is_own

__all__ = ["ChunkCache", "Column"]

_UNCHECKED = 64 * 2**20  # bytes that may be set aside before it is known that their chunks are there


class ChunkCache:
    """The chunks read last, up to a number of bytes.

    Parameters
    ----------
    limit : int
        Bytes.
    """

    def __init__(self, limit: int = 256 * 2**20) -> None:
        self.limit = limit
        self.size = 0
        self._chunks: OrderedDict[str, np.ndarray] = OrderedDict()
        self._guard = threading.Lock()  # one thread may read while another adds and commits

    def get(self, key: str) -> np.ndarray | None:
        """Return the chunk, or None."""
        with self._guard:
            if key in self._chunks:
                self._chunks.move_to_end(key)
            return self._chunks.get(key)

    def put(self, key: str, chunk: np.ndarray) -> None:
        """Keep a chunk, letting go those unused for longest."""
        with self._guard:
            known = self._chunks.pop(key, None)
            self._chunks[key] = chunk
            self.size += chunk.nbytes - (0 if known is None else known.nbytes)
            while self.size > self.limit and len(self._chunks) > 1:
                self.size -= self._chunks.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let go of all."""
        with self._guard:
            self._chunks.clear()
            self.size = 0


class Column:
    """A growing array.

    The first rows are read from disk, chunk by chunk; the rows after them are in memory. A reader has all
    on disk; a writer keeps the partly filled last chunk, and what was added since, in memory. Whatever is read from
    disk is compared with the format first: the size of a chunk, and the values of its committed rows.

    Parameters
    ----------
    spec : ArraySpec
        Type, shape and chunks of the array.
    files : LocalFiles or ZarrFiles
        Files of the store.
    cache : ChunkCache
        Shared by the columns of a store.
    committed : int
        Rows on disk that count.
    writable : bool
        Whether rows will be added.
    limit : callable, optional
        Returns how many rows, or meanings, there are of what the values of this array count.
    """

    def __init__(
        self,
        spec: ArraySpec,
        files: StoreFiles,
        cache: ChunkCache,
        committed: int,
        writable: bool,
        limit: Callable[[], int] | None = None,
    ) -> None:
        self.spec, self.files, self.cache = spec, files, cache
        self.limit = limit or (lambda: 0)
        self.committed = self.rows = committed
        self._unchecked = _UNCHECKED // max(spec.row_bytes, 1)  # rows
        self.attributes: dict = {}
        # first row in memory, and the rows: one pair, so that a thread that reads while another commits sees both
        # of before or both of after
        self._tail = committed, np.empty((0, *spec.row), dtype=spec.dtype)
        if writable and committed % spec.chunk:
            start = committed - committed % spec.chunk
            index = committed // spec.chunk  # never cached: it will change
            self._tail = start, self._load(index, spec.chunk_key(index))[: committed - start].copy()

    def unchecked(self) -> Column:
        """Return the committed rows as they are, whatever values they hold, for a search for all that is wrong."""
        spec = replace(self.spec, values=Values.ANY)
        return Column(spec, self.files, ChunkCache(0), self.committed, False, self.limit)

    def __len__(self) -> int:
        return self.rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows so far, and the shape of each."""
        return (self.rows, *self.spec.row)

    def extend(self, rows: np.ndarray) -> None:
        """Add rows, in memory."""
        buffer, used = self._room(len(rows))
        buffer[used : used + len(rows)] = rows
        self.rows += len(rows)

    def append(self, row: ArrayLike) -> None:
        """Add one row, in memory."""
        start, buffer = self._tail
        place = self.rows - start
        if place == len(buffer):
            buffer, place = self._room(1)
        buffer[place] = row
        self.rows += 1

    def _room(self, more: int) -> tuple[np.ndarray, int]:
        """Make room for more rows in memory; return the rows there, and where the first new one goes."""
        start, buffer = self._tail
        used = self.rows - start
        if used + more > len(buffer):
            grown = np.empty((max(2 * (used + more), 64), *self.spec.row), dtype=self.spec.dtype)
            grown[:used] = buffer[:used]
            self._tail = start, grown
            return grown, used
        return buffer, used

    def truncate(self, rows: int) -> None:
        """Forget rows added since the last commit, down to ``rows``."""
        self.rows = max(min(self.rows, rows), self.committed)

    def grow(self, rows: int) -> None:
        """Lengthen an array that may lack chunks: its new rows are fill values, on disk as they are."""
        self.rows = self.committed = rows
        self._tail = rows, self._tail[1]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return rows ``start`` to ``stop`` (excluded) as an array of one's own, touching only their chunks."""
        first, buffer = self._tail
        if first <= start < stop:
            return buffer[start - first : stop - first].copy()
        if stop - start > self._unchecked:
            self.check_complete()
        result = np.empty((max(stop - start, 0), *self.spec.row), dtype=self.spec.dtype)
        for index, low, high in self._pieces(start, min(stop, first)):
            result[low - start : high - start] = self._chunk(index)[
                low - index * self.spec.chunk : high - index * self.spec.chunk
            ]
        low = max(start, first)
        if low < stop:
            result[low - start :] = buffer[low - first : stop - first]
        return result

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows of an index array, each chunk read once."""
        first, buffer = self._tail
        result = np.empty((len(indices), *self.spec.row), dtype=self.spec.dtype)
        inside = indices >= first
        result[inside] = buffer[indices[inside] - first]
        chunks = indices // self.spec.chunk
        for index in np.unique(chunks[~inside]):
            here = (chunks == index) & ~inside
            result[here] = self._chunk(int(index))[indices[here] - index * self.spec.chunk]
        return result

    def pending(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files, key and bytes, that must be written for all rows to be on disk."""
        if self.rows == self.committed:
            return
        start, buffer = self._tail
        for index, low, high in self._pieces(start, self.rows):
            yield self.spec.chunk_key(index), self.spec.encode(buffer[low - start : high - start])

    def settle(self) -> None:
        """Take note that all rows are committed: full chunks leave memory."""
        start, buffer = self._tail
        full = self.rows - self.rows % self.spec.chunk
        if full > start:
            self._tail = full, buffer[full - start : self.rows - start].copy()
        self.committed = self.rows

    def check_present(self) -> None:
        """Raise StoreError where the first or last committed chunk is missing."""
        for index in {0, max(self.committed - 1, 0) // self.spec.chunk}:
            if self.committed and not self.spec.sparse and not self.files.exists(self.spec.chunk_key(index)):
                raise self._missing(index)

    def check_complete(self) -> None:
        """Raise StoreError where any committed chunk is missing: so many rows are only announced."""
        if self.spec.sparse or self.committed <= 2 * self.spec.chunk:  # `check_present` has looked at both
            return
        names = set(self.files.names(self.spec.path))
        for index in range(self._chunks()):
            if self.spec.chunk_key(index).rpartition("/")[2] not in names:
                raise self._missing(index)

    def cut(self) -> None:
        """Delete chunks past the committed length and what a killed writer left half-written, and nothing else."""
        for name in self.files.names(self.spec.path):
            index = self.spec.chunk_index(name)
            past = index is not None and index >= self._chunks()
            if past or (name.endswith(PARTIAL) and is_own(name)):
                self.files.delete(f"{self.spec.path}/{name}")

    def _chunks(self) -> int:
        """Return the number of committed chunks."""
        return -(-self.committed // self.spec.chunk)

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield (chunk, first row, row after the last) covering rows ``start`` to ``stop``."""
        while start < stop:
            index = start // self.spec.chunk
            high = min((index + 1) * self.spec.chunk, stop)
            yield index, start, high
            start = high

    def _chunk(self, index: int) -> np.ndarray:
        key = self.spec.chunk_key(index)
        chunk = self.cache.get(key)
        if chunk is None:
            chunk = self._load(index, key)
            self.cache.put(key, chunk)
        return chunk

    def _load(self, index: int, key: str) -> np.ndarray:
        try:
            chunk = self.spec.decode(self.files.get(key, self.spec.largest_file))
            self._check(index, chunk)
        except FileNotFoundError:
            if not self.spec.sparse:
                raise self._missing(index) from None
            return np.full((self.spec.chunk, *self.spec.row), self.spec.fill, dtype=self.spec.dtype)
        except StoreError as error:
            raise StoreError(f"array {self.spec.path}, chunk {index}: {error}") from error
        except (ValueError, RuntimeError, NotADirectoryError) as error:
            raise StoreError(
                f"array {self.spec.path}, chunk {index} ({self.files.folder / key}) is damaged: {error}"
            ) from error
        return chunk

    def _check(self, index: int, chunk: np.ndarray) -> None:
        """Raise ValueError where a committed row holds what it must not."""
        first, before = index * self.spec.chunk, 0
        if self.spec.values is Values.END and index:
            previous = self.files.get(self.spec.chunk_key(index - 1), self.spec.largest_file)
            before = int(self.spec.decode(previous)[-1])
        rows = chunk[: max(self.committed - first, 0)]
        for row in wrong_rows(self.spec.values, rows, self.limit(), before).tolist():
            raise ValueError(f"row {first + row}: {fault(self.spec.values, rows[row], self.limit())}")

    def _missing(self, index: int) -> StoreError:
        path = self.files.folder / self.spec.chunk_key(index)
        return StoreError(f"array {self.spec.path}, chunk {index} is missing: there should be a file {path}")
