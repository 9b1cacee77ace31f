"""Store of a landscape: create, open, commit; a commit replaces the root's ``zarr.json`` (see ``root``)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.column import ChunkCache, Column
from thalweg.landscapes.storage.description import build_description, check_description, flatten_description
from thalweg.landscapes.storage.local_files import PARTIAL, StagedFile, StoreFiles, StoreLocation, files_of, is_own
from thalweg.landscapes.storage.lock import Turn, WriterLock
from thalweg.landscapes.storage.root import ROOT, Root, read_root
from thalweg.landscapes.storage.root_checks import check_attributes
from thalweg.landscapes.storage.schema import (
    FORMAT,
    FORMAT_VERSION,
    ONE_OF_EACH_LENGTH,
    ArraySpec,
    counted,
    frequency_arrays,
    landscape_arrays,
)
from thalweg.landscapes.storage.whole_stores import build_store, created_by, encoded
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.storage.zarr_files import ObjectLock, StagedObject

__all__ = ["Store"]

_WRITER_CACHE = 512 * 2**20  # bytes: recognising a duplicate reads coordinates from all over the landscape
_WRITERS = 8  # files written at once: a disk that is made to wait for one file takes others meanwhile


class Store:
    """An open landscape store; made by `create` and `open`.

    Attributes
    ----------
    path : Path or Address
        The folder, or what stands for it in messages where it is none.
    columns : dict of Column
        Every growing array by path.
    attributes : dict
        The root's attributes; a writer's changes are written by the next commit.
    """

    def __init__(self, files: StoreFiles, lock: WriterLock | ObjectLock | None) -> None:
        self.path, self.files = files.folder, files
        self._turn = Turn(str(files.folder), lock)
        self._cache = ChunkCache(_WRITER_CACHE) if lock is not None else ChunkCache()
        try:
            if lock is not None:
                lock.hold_folder()
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        root, self._on_disk = read_root(self.files)
        self.attributes, self._root = copy.deepcopy(root.attributes), root
        self.columns: dict[str, Column] = {}
        for path, (spec, length) in root.arrays.items():
            if not path.startswith("system/"):
                self.columns[path] = self._column(spec, length, self.writable, root.array_attributes[path])
        for column in self.columns.values():
            column.check_present()
        for path in ONE_OF_EACH_LENGTH:
            self.columns[path].check_complete()

    def _column(self, spec: ArraySpec, length: int, writable: bool, attributes: dict) -> Column:
        """Return an array of this store, with attributes of its own."""
        kept = copy.deepcopy(attributes)
        column = Column(spec, self.files, self._cache, length, writable, lambda: counted(spec, kept, self._length))
        column.attributes = kept
        return column

    def _length(self, path: str) -> int:
        """Return the number of rows of an array, which may not have been made yet."""
        return self.columns[path].rows if path in self.columns else self._root.arrays[path][1]

    @classmethod
    def create(
        cls, path: StoreLocation, description: Mapping[str, Any], n: int, attributes: Mapping[str, Any]
    ) -> Store:
        """Make a store and open it for writing.

        Parameters
        ----------
        path : path
            Place of the new store, where nothing or an empty folder is.
        description : mapping
            Description of the system.
        n : int
            Length of coordinate vectors.
        attributes : mapping
            Further attributes of the root.

        Raises
        ------
        StoreError, LockedError, OSError
            Something else is there, someone else is making it, or it cannot be written.
        """
        files = files_of(path)
        if not files.empty():
            raise StoreError(f"{files.folder} is not empty and no landscape: choose another path")
        root = Root.new({"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": created_by(), **attributes})
        groups, arrays = flatten_description(description, "system")
        root.groups |= groups
        check_attributes(root.attributes)
        lock = files.lock()
        try:
            more = frequency_arrays(n) if "numbers" in description and root.attributes.get("units") == "eV" else {}
            files.create(lambda place: build_store(place, root, arrays, landscape_arrays(n) | more))
            return cls(files, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: StoreLocation, mode: str = "r") -> Store:
        """Open a store: ``"r"`` to read, ``"r+"`` to write too.

        Raises
        ------
        FileNotFoundError
            Nothing is there.
        StoreError
            It is no landscape, of a newer format, or damaged; LockedError where another process writes to it.
        """
        if mode not in ("r", "r+"):
            raise ValueError(f"mode must be 'r' or 'r+', not {mode!r}")
        files = files_of(path)
        if mode == "r":
            return cls(files, None)
        cls(files, None)  # whatever is wrong is found before anything is written
        store = cls(files, files.lock())
        try:
            store._cut_back()
        except BaseException:
            store.close()
            raise
        return store

    def last_commit(self) -> Store:
        """Return the last commit of the same store, open for reading."""
        return Store(self.files, None)

    @property
    def writable(self) -> bool:
        """Whether rows may be added."""
        return self._turn.lock is not None

    def writing(self) -> Turn:
        """Return a context in which no other thread changes the store; a thread that is in it may enter it again.

        Entering it raises StoreError where the store is open for reading, or closed, or where this process was forked
        from its writer.
        """
        return self._turn

    def _check_alone(self) -> None:
        """Raise unless this is still the only writer, and the store as this writer left it."""
        if self._turn.lock is not None:
            self._turn.lock.check()
        if self.files.size(ROOT) != len(self._on_disk) or self.files.get(ROOT, len(self._on_disk)) != self._on_disk:
            raise StoreError(
                f"{self.files.folder / ROOT} is not as this writer left it: another program has written to the store, "
                "or replaced it. Nothing was written; what was added is still in memory"
            )

    def rows(self, group: str) -> int:
        """Return the number of rows of minima, transition_states or searches, uncommitted ones included."""
        return self.columns[f"{group}/energy"].rows

    @property
    def dirty(self) -> bool:
        """Whether there is something to commit."""
        grown = any(column.rows != column.committed for column in self.columns.values())
        return (
            grown
            or self.attributes != self._root.attributes
            or self._column_attributes() != self._root.array_attributes
        )

    def _column_attributes(self) -> dict[str, dict]:
        kept = {path: held for path, held in self._root.array_attributes.items() if path.startswith("system/")}
        return kept | {path: column.attributes for path, column in self.columns.items()}

    def description(self) -> dict[str, Any]:
        """Return the system's description as it was stored."""
        arrays = {}
        for path, (spec, length) in self._root.arrays.items():
            if path.startswith("system/"):
                arrays[path] = Column(spec, self.files, ChunkCache(), length, False).read(0, length)
        groups = {path: held for path, held in self._root.groups.items() if (path + "/").startswith("system/")}
        description = build_description(groups, arrays, "system")
        try:
            check_description(description, self.columns["minima/coordinates"].spec.row[0])
        except ValueError as error:
            raise StoreError(f"{self.path / ROOT}: {printable(error)}") from error
        return description

    def add_array(self, spec: ArraySpec, values: np.ndarray) -> None:
        """Commit what was added, then an array beside the points, with a row for each: a store of old has none.

        Parameters
        ----------
        spec : ArraySpec
            Array that the format permits, and that is not there.
        values : (rows, ...) array
            Its rows.
        """
        with self.writing():
            self.write_property(spec, values, {})
            self.columns[spec.path] = self._column(spec, len(values), self.writable, {})

    def write_property(self, spec: ArraySpec, values: np.ndarray, attributes: dict) -> None:
        """Commit what was added, then a property of all minima, replacing one of the same name.

        Parameters
        ----------
        spec : ArraySpec
            The array.
        values : (minima,) array
            Its rows.
        attributes : dict
            Source of the values.
        """
        with self.writing():
            self.commit()
            column = self._column(spec, len(values), False, attributes)
            others = {path: held for path, held in self.columns.items() if path != spec.path}
            whole = self._root.updated(self.attributes, others | {spec.path: column})
            chunks = {
                spec.chunk_key(index): spec.encode(values[low : low + spec.chunk])
                for index, low in enumerate(range(0, len(values), spec.chunk))
            }
            chunks[f"{spec.path}/{ROOT}"] = encoded(whole.array_metadata(spec.path))
            self._swap(spec.path, chunks, others, whole)
            self.columns = others | {spec.path: column}

    def _swap(self, path: str, chunks: dict[str, bytes], others: dict[str, Column], whole: Root) -> None:
        """Replace an array: all files are written beside their places before the first of them counts."""
        known = path in self.columns
        without = self._root.updated(self.attributes, others)
        staged: list[StagedFile | StagedObject] = []
        try:
            self._check_alone()
            for key, data in chunks.items():
                staged.append(self.files.stage(key, data))
            roots = [without.encode(), whole.encode()]
            staged += [self.files.stage(ROOT, data, name=f".{k}") for k, data in enumerate(roots)]
            self._check_alone()
            if known:  # no root names it while its files change
                self._publish_root(staged[-2], without, roots[0])
                self.columns = others
            self._cache.clear()
            for file in staged[: len(chunks)]:  # renames: the disk needs no space for them
                file.publish()
            for folder in (path, path.rpartition("/")[0]):  # its name is new where the array is
                self.files.sync_folder(folder)
            self._publish_root(staged[-1], whole, roots[1])
        except OSError:
            if not known:
                self.files.delete_folder(path)
            raise
        finally:
            for file in staged:
                file.discard()

    def _publish_root(self, staged: StagedFile | StagedObject, root: Root, data: bytes) -> None:
        """Put a root in its place: from now on it counts."""
        staged.publish()
        self._root, self._on_disk = root, data
        self.files.sync_folder()

    def delete_property(self, path: str) -> None:
        """Commit what was added, and take a property out, if it is there."""
        with self.writing():
            column = self.columns.pop(path, None)
            try:
                self.commit()  # no root names it any more before its files change
            except BaseException:
                if column is not None:
                    self.columns[path] = column
                raise
            self._cache.clear()
            self.files.delete_folder(path)

    def rewrite(self, path: str, values: np.ndarray) -> None:
        """Change committed rows of an array, chunk by chunk, each of them whole or not at all.

        Parameters
        ----------
        path : str
            The array. Nothing has been added since the last commit.
        values : (rows, ...) array
            All of its rows.
        """
        with self.writing():
            spec, committed = self.columns[path].spec, self.columns[path].committed
            if self.dirty or len(values) != committed:
                raise ValueError(
                    f"{path} has {committed} committed rows, not {len(values)}, or there is more to commit"
                )
            self._check_alone()
            values, stored = np.asarray(values, dtype=spec.dtype), self.columns[path].read(0, committed)
            for index, low in enumerate(range(0, committed, spec.chunk)):
                part = slice(low, low + spec.chunk)
                if values[part].tobytes() != stored[part].tobytes():
                    self.files.put(spec.chunk_key(index), spec.encode(values[part]))
            self.files.sync_folder(path)
            self._cache.clear()
            self.columns[path] = self._column(spec, committed, self.writable, self.columns[path].attributes)

    def refresh(self) -> None:
        """See what has been committed since: for readers."""
        self._cache.clear()
        self._load()

    def commit(self) -> None:
        """Commit all added rows, or none.

        Their chunks are written first; renaming the root's ``zarr.json``, last, makes them count.

        Raises
        ------
        OSError
            The disk is full, say. The store holds the last commit; what was added is kept in memory, and the commit may
            be tried again.
        StoreError
            This process is not, or no longer, the one writer of the store, or the store was moved or replaced: nothing
            was written, and what was added is kept in memory.
        """
        with self.writing():
            for column in self.columns.values():
                if column.spec.sparse:
                    column.grow(self.rows("minima"))
            if self.dirty:
                self._commit()

    def _commit(self) -> None:
        self._check_alone()
        root = self._root.updated(self.attributes, self.columns)
        data = root.encode()  # first: whatever is wrong with it is found before anything is written
        grown = [column for column in self.columns.values() if self._root.differs(root, column.spec.path)]
        with ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(lambda column: self._write(column, root), grown):
                pass
            # The names of the chunks too, before the root's; together, which costs the disk little more than one.
            for _ in pool.map(lambda column: self.files.sync_folder(column.spec.path), grown):
                pass
        staged = self.files.stage(ROOT, data)
        try:
            self._check_alone()
            self._publish_root(staged, root, data)
        finally:
            staged.discard()
        for column in self.columns.values():
            column.settle()

    def _write(self, column: Column, root: Root) -> None:
        for key, data in column.pending():
            self.files.put(key, data)
        # For whoever opens an array by its own path: the root's copy is what counts, so the disk may take its time.
        self.files.put(f"{column.spec.path}/{ROOT}", encoded(root.array_metadata(column.spec.path)), durable=False)

    def _cut_back(self) -> None:
        for name in self.files.folders("properties"):
            if f"properties/{name}" not in self.columns:  # killed while it was being written
                self.files.delete_folder(f"properties/{name}")
        for path, column in self.columns.items():
            column.cut()
            whole = encoded(self._root.array_metadata(path))
            key = f"{path}/{ROOT}"
            if self.files.size(key) != len(whole) or self.files.get(key, len(whole)) != whole:
                self.files.put(key, whole, durable=False)
        for name in self.files.names(""):
            if name.startswith(ROOT) and name.endswith(PARTIAL) and is_own(name):
                self.files.delete(name)

    def close(self) -> None:
        """Let the lock go, uncommitted rows with it."""
        self._turn.end()
