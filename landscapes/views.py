"""Views of a store: minima, transition states, searches and properties, as arrays that are read when indexed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from thalweg.landscapes.property_names import check_property_name
from thalweg.landscapes.records import Minimum, TransitionState
from thalweg.landscapes.storage.column import Column
from thalweg.landscapes.storage.schema import property_spec
from thalweg.landscapes.storage.store import Store
from thalweg.optimizers.kernels.status import current_reason
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.storage.description import Json
    from thalweg.landscapes.stored_landscape import StoredLandscape

__all__ = ["Minima", "Properties", "Searches", "StoredArray", "TransitionStates"]


class StoredArray:
    """An array of a landscape; indexing reads the chunks that are needed and returns numpy arrays.

    ``array[:]`` is all of it, and numpy functions take it as it is.

    Parameters
    ----------
    column : Column
        Column of the store.
    convert : callable, optional
        Function applied to rows that were read.
    """

    def __init__(self, column: Column, convert: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        self._column, self._convert = column, convert

    @property
    def shape(self) -> tuple[int, ...]:
        """As numpy's."""
        return self._column.shape

    @property
    def ndim(self) -> int:
        """As numpy's."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """As numpy's."""
        return self._converted(np.empty((0, *self.shape[1:]), dtype=self._column.spec.dtype)).dtype

    def __len__(self) -> int:
        return self._column.rows

    def __getitem__(self, key: Any) -> Any:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if first is Ellipsis:
            return self[:][key]
        if isinstance(first, int | np.integer):
            row = range(len(self))[first]  # IndexError where there is no such row
            return self._converted(self._column.read(row, row + 1))[(0, *rest)]
        values = self._converted(self._rows(first))
        return values[(slice(None), *rest)] if rest else values

    def _rows(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._column.read(start, stop)
            return self._column.take(np.arange(start, stop, step))
        numbers = np.arange(len(self))[key]
        return self._column.take(numbers.ravel()).reshape(*numbers.shape, *self.shape[1:])

    def _converted(self, values: np.ndarray) -> np.ndarray:
        return values if self._convert is None else self._convert(values)

    def __iter__(self) -> Iterator[Any]:
        for _, values in self.chunks():
            yield from values

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a stored array is read into a new one: copy=False cannot be met")
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (slice, rows) chunk by chunk, so that memory stays bounded."""
        for start in range(0, len(self), self._column.spec.chunk):
            rows = slice(start, min(start + self._column.spec.chunk, len(self)))
            yield rows, self[rows]

    def __repr__(self) -> str:
        return f"<stored array {printable(self._column.spec.path)}, shape {self.shape}, {self.dtype}>"


class _Rows:
    """Arrays of one group, by name."""

    _group: str

    def __init__(self, landscape: StoredLandscape, store: Store) -> None:
        self._landscape, self._store = landscape, store

    @property
    def landscape(self) -> StoredLandscape:
        """Landscape that the arrays belong to."""
        return self._landscape

    def __len__(self) -> int:
        return self._store.rows(self._group)

    def __getattr__(self, name: str) -> StoredArray:
        if name.startswith("_") or f"{self._group}/{name}" not in self._store.columns:
            raise AttributeError(f"{self._group} has no array {name!r}; it has {', '.join(self.names)}")
        return StoredArray(self._store.columns[f"{self._group}/{name}"])

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return [path.rpartition("/")[2] for path in self._store.columns if path.startswith(self._group + "/")]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def __repr__(self) -> str:
        return f"<{len(self)} {self._group.replace('_', ' ')} of {printable(self._store.path.name)}>"

    def _record(self, row: int) -> dict[str, Any]:
        row = range(len(self))[row]
        names = (
            "energy",
            "coordinates",
            "gradient_rms",
            "lowest_eigenvalue",
            "log_eigenvalue_product",
            "modes",
            "symmetry_order",
        )
        values = {name: getattr(self, name)[row] for name in names}
        record = {name: value if name == "coordinates" else value.item() for name, value in values.items()}
        return record | {"frequencies": self.stored_frequencies(row)}

    def stored_frequencies(self, row: int) -> np.ndarray | None:
        """Return the stored vibrational frequencies of a point, (k,), in cm^-1; None where there are none."""
        if "frequencies" not in self.names:
            return None
        values: np.ndarray = self.__getattr__("frequencies")[row]
        return None if np.isnan(values).all() else values[~np.isnan(values)]


class Minima(_Rows):
    """The minima of a landscape: ``len(minima)``, ``minima.energy[:10]``, ``minima[3]``.

    Attributes
    ----------
    energy, gradient_rms, lowest_eigenvalue, log_eigenvalue_product : (m,) StoredArray of float64
    modes, symmetry_order : (m,) StoredArray of integers
    coordinates : (m, n) StoredArray of float64
    verified : (m,) StoredArray of bool
    """

    _group = "minima"
    energy: StoredArray
    coordinates: StoredArray
    gradient_rms: StoredArray
    lowest_eigenvalue: StoredArray
    log_eigenvalue_product: StoredArray
    modes: StoredArray
    symmetry_order: StoredArray
    verified: StoredArray

    def __getitem__(self, row: int) -> Minimum:
        return Minimum(**self._record(row))

    def lowest(self) -> int:
        """Return the row of the lowest minimum; ValueError where there is none."""
        if not len(self):
            raise ValueError(f"{self._store.path} has no minima yet")
        return int(np.argmin(self.energy[:]))

    def times_found(self) -> np.ndarray:
        """Return how often searches arrived at each minimum, (m,) int64."""
        return np.bincount(self._landscape.searches.minima[:], minlength=len(self))


class TransitionStates(_Rows):
    """The transition states of a landscape: ``transition_states.energy[:10]``, ``transition_states.minima[:]``.

    Attributes
    ----------
    energy, coordinates, gradient_rms, lowest_eigenvalue, log_eigenvalue_product, modes, symmetry_order, verified
        As for `Minima`.
    minima : (t, 2) StoredArray of int64
        The minima that each joins; equal where both sides lead to copies of one minimum.
    path_length : (t, 2) StoredArray of float64
        Lengths of the paths down to them.
    """

    _group = "transition_states"
    energy: StoredArray
    coordinates: StoredArray
    gradient_rms: StoredArray
    lowest_eigenvalue: StoredArray
    log_eigenvalue_product: StoredArray
    modes: StoredArray
    symmetry_order: StoredArray
    verified: StoredArray
    minima: StoredArray
    path_length: StoredArray

    def __getitem__(self, row: int) -> TransitionState:
        ends = self.minima[row]
        minima = (self._landscape.minima[int(ends[0])], self._landscape.minima[int(ends[1])])
        return TransitionState(**self._record(row), minima=minima, path_lengths=tuple(self.path_length[row].tolist()))

    def times_found(self) -> np.ndarray:
        """Return how often searches arrived at each transition state, (t,) int64."""
        return np.bincount(self._landscape.searches.transition_states[:], minlength=len(self))


class Searches(_Rows):
    """All searches, failures too.

    Attributes
    ----------
    task, steps, minima_end, transition_states_end : (s,) StoredArray of int64
    kind, status : (s,) StoredArray of strings
    start : (s, 2) StoredArray of int64
    energy : (s,) StoredArray of float64
    minima : (f,) StoredArray of int64
        Minima that searches arrived at: those of search i from ``minima_end[i-1]`` to ``minima_end[i]``.
    transition_states : (g,) StoredArray of int64
        Transition states likewise.
    """

    _group = "searches"
    task: StoredArray
    steps: StoredArray
    start: StoredArray
    energy: StoredArray
    minima_end: StoredArray
    transition_states_end: StoredArray
    minima: StoredArray
    transition_states: StoredArray

    @property
    def kind(self) -> StoredArray:
        """Kind of each search, as strings."""
        return self._words("kind")

    @property
    def status(self) -> StoredArray:
        """Status of each search: converged, or the reason of its failure, as strings."""
        return self._words("status")

    def _words(self, name: str) -> StoredArray:
        column = self._store.columns[f"searches/{name}"]
        words = np.array([current_reason(word) for word in column.attributes.get("meanings") or [""]])
        return StoredArray(column, lambda codes: words[codes])

    def done(self, *kinds: str) -> int:
        """Return the number of searches of these kinds, failures included."""
        return int(np.isin(self.kind[:], kinds).sum())

    def count(self, kind: str | None = None) -> dict[str, int]:
        """Return the number of searches, of one kind or of all, by status, the most frequent first."""
        status, kinds = self.status[:], self.kind[:]
        chosen = status if kind is None else status[kinds == kind]
        words, counts = np.unique(chosen, return_counts=True)
        return {str(words[i]): int(counts[i]) for i in np.argsort(-counts, kind="stable")}


class Properties(MutableMapping[str, np.ndarray]):
    """Quantities computed later, one number a minimum: ``properties["test_auc"] = array``.

    Setting commits. Minima added later have NaN.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, name: str) -> np.ndarray:
        column = self._column(name)
        values = np.full(self._store.rows("minima"), np.nan)
        values[: column.rows] = column.read(0, column.rows)
        return values

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        self.set(name, values)

    def set(self, name: str, values: ArrayLike, **computed_from: Json) -> None:
        """Store a property, replacing one of the same name.

        Parameters
        ----------
        name : str
            Letters, digits and underscores; not one of the names that tables and graphs have for something else.
        values : (m,) array_like
            One number a minimum; NaN where not known.
        **computed_from
            Source of the values, as JSON has it: kept as the attributes of the property.

        Raises
        ------
        ValueError
            If the name or the shape of the values is wrong, or the name is that of something else, such as ``energy``.
        """
        if name not in self:  # stores that were written before names were reserved keep theirs
            check_property_name(name)
        values = np.asarray(values, dtype=np.float64)
        attributes = json.loads(json.dumps(computed_from, allow_nan=False))
        with self._store.writing():  # no minimum comes in between
            expected = (self._store.rows("minima"),)
            if values.shape != expected:
                raise ValueError(
                    f"property {name!r} must have one number a minimum, shape {expected}, not {values.shape}"
                )
            self._store.write_property(property_spec(name), values, attributes)

    def attributes(self, name: str) -> Mapping[str, Any]:
        """Return the source of a property, as it was given when the property was stored."""
        return dict(self._column(name).attributes)

    def __delitem__(self, name: str) -> None:
        self._column(name)
        self._store.delete_property(f"properties/{name}")

    def _column(self, name: str) -> Column:
        try:
            return self._store.columns[f"properties/{name}"]
        except KeyError:
            raise KeyError(f"there is no property {name!r}; there are {sorted(self) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        return (path.removeprefix("properties/") for path in self._store.columns if path.startswith("properties/"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<properties {', '.join(map(printable, self)) or 'none'}>"
