"""Growth of a store with its searches, and the sizes of its arrays on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thalweg.analysis.systems.text_table import TextColumn, text_table
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.storage.store import Store

__all__ = ["ArraySize", "Growth", "array_sizes", "growth", "inspection_text"]


class Growth(NamedTuple):
    """Numbers of minima and transition states that were known after a number of searches."""

    searches: int
    minima: int
    transition_states: int


class ArraySize(NamedTuple):
    """Size of a stored array.

    Attributes
    ----------
    path : str
    shape : tuple of int
    dtype : str
    chunk : int
        Number of rows in a chunk.
    chunks : int
        Number of chunks on disk.
    bytes : int
        Size of these on disk.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    chunk: int
    chunks: int
    bytes: int


def growth(store: Store, marks: int = 8) -> list[Growth]:
    """Return the growth of a landscape at equal steps of the number of searches.

    Parameters
    ----------
    store : Store
        Open store; chunks of ``searches`` are read one after the other.
    marks : int
        Number of steps.

    Returns
    -------
    list of Growth
        Empty where there are no searches.
    """
    searches = store.rows("searches")
    ends = np.unique(np.linspace(0, searches, marks + 1).astype(np.int64))[
        1:
    ]  # fewer steps where there are few searches
    known = [_known(store, name, ends) for name in ("minima", "transition_states")]
    return [Growth(int(end), int(a), int(b)) for end, a, b in zip(ends, *known, strict=True)]


def _known(store: Store, name: str, ends: np.ndarray) -> list[int]:
    """Return the numbers of points found by the first ``ends`` searches: rows are numbered in the order found."""
    found, last = store.columns[f"searches/{name}"], store.columns[f"searches/{name}_end"]
    result, before, known = [], 0, 0
    for end in ends:
        upto = int(last.read(end - 1, end)[0])
        for low in range(before, upto, found.spec.chunk):
            rows = found.read(low, min(low + found.spec.chunk, upto))
            known = max(known, int(rows.max(initial=-1)) + 1)
        result.append(known)
        before = upto
    return result


def array_sizes(store: Store) -> list[ArraySize]:
    """Return the sizes of all growing arrays on disk."""
    result = []
    for path, column in sorted(store.columns.items()):
        sizes = [store.files.size(f"{path}/{name}") for name in store.files.names(path) if name.startswith("c.")]
        result.append(ArraySize(path, column.shape, column.spec.dtype, column.spec.chunk, len(sizes), sum(sizes)))
    return result


def inspection_text(store: Store, width: int = 120) -> str:
    """Return growth and sizes as text in lines of at most so many characters."""
    parts = [_growth_lines(store, width), _size_lines(store, width)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _growth_lines(store: Store, width: int) -> list[str]:
    steps = growth(store)
    heads = ("after searches", "minima", "transition states")
    columns = [TextColumn(head, [str(step[k]) for step in steps]) for k, head in enumerate(heads)]
    return text_table(columns, width) if steps else []


def _size_lines(store: Store, width: int) -> list[str]:
    sizes = array_sizes(store)
    total = sum(size.bytes for size in sizes)
    columns = [
        TextColumn("array", [*(printable(size.path) for size in sizes), "in all"], left=True),
        TextColumn("shape", [*(" x ".join(map(str, size.shape)) for size in sizes), ""], spare=1),
        TextColumn("type", [*(printable(size.dtype) for size in sizes), ""], left=True, spare=4),
        TextColumn("chunk", [*(str(size.chunk) for size in sizes), ""], spare=3),
        TextColumn("chunks", [*(str(size.chunks) for size in sizes), ""], spare=2),
        TextColumn("KiB", [f"{size / 1024:.1f}" for size in [*(size.bytes for size in sizes), total]]),
    ]
    return text_table(columns, width)
