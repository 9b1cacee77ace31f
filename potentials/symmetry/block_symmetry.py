"""Exchanges and sign changes of blocks of coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.lazy import public
from thalweg.potentials.symmetry.stabiliser import stabiliser_order

__all__ = ["BlockSymmetry"]

_EQUAL = 1e-6  # distance of equal blocks, relative to the longest where that exceeds 1


@public("thalweg.potentials")
class BlockSymmetry:
    """Symmetry of a function that does not change when blocks of its coordinates are exchanged or change sign.

    Declared by ``Function(energy, ..., symmetry=BlockSymmetry(...))``: minima that differ by such operations alone then
    count once.

    Parameters
    ----------
    groups : (units, size) array_like of int, or sequence of these
        Each group lists blocks that may be exchanged with each other: row i holds the coordinates of block i, in an
        order that corresponds to that of the other blocks. A coordinate belongs to one block at most.
    signs : bool or sequence of bool
        Whether all coordinates of a block may change sign together, for all groups or for each.

    Raises
    ------
    ValueError
        If a group is no table of indices, a coordinate stands in two blocks, or the numbers of signs and groups differ.

    Examples
    --------
    The columns of a matrix X of 3 rows and 2 columns, stored row by row, in a function of X X':

    >>> import numpy as np
    >>> from thalweg.potentials import BlockSymmetry
    >>> columns = BlockSymmetry(np.arange(6).reshape(3, 2).T, signs=True)
    >>> a = np.array([1.0, 4.0, 2.0, 5.0, 3.0, 6.0])
    >>> columns.distance(a, np.array([-4.0, 1.0, -5.0, 2.0, -6.0, 3.0]))  # exchanged, one with its sign changed
    0.0
    """

    def __init__(self, groups: ArrayLike | Sequence[ArrayLike], signs: bool | Sequence[bool] = False):
        self.groups = _tables(groups)
        given = [bool(signs)] * len(self.groups) if isinstance(signs, bool | np.bool_) else [bool(s) for s in signs]
        if len(given) != len(self.groups):
            raise ValueError(
                f"signs must be one for all or one for each of {len(self.groups)} groups, not {len(given)}"
            )
        self.signs = tuple(given)
        every = np.concatenate([table.ravel() for table in self.groups])
        double = np.unique(every)[np.unique(every, return_counts=True)[1] > 1]
        if double.size:
            raise ValueError(f"coordinate {double[0]} stands in two blocks")
        self.coordinates = np.sort(every)

    def __repr__(self) -> str:
        parts = [
            f"{len(table)} blocks of {table.shape[1]}{' up to sign' if sign else ''}"
            for table, sign in zip(self.groups, self.signs, strict=True)
        ]
        return f"BlockSymmetry({', '.join(parts)})"

    def describe(self) -> dict[str, list]:
        """Return JSON-able values that identify the symmetry."""
        return {"groups": [table.tolist() for table in self.groups], "signs": list(self.signs)}

    def align(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the copy of b (n,) nearest to a (n,): the assignment problem is solved."""
        from scipy.optimize import linear_sum_assignment  # takes a third of a second, which few scripts need

        a, copy = np.asarray(a, dtype=np.float64), np.array(b, dtype=np.float64)
        for table, sign in zip(self.groups, self.signs, strict=True):
            overlap = a[table] @ copy[table].T
            chosen = linear_sum_assignment(np.abs(overlap) if sign else overlap, maximize=True)[1]
            turned = np.where(overlap[np.arange(len(table)), chosen] < 0, -1.0, 1.0) if sign else np.ones(len(table))
            copy[table] = copy[table[chosen]] * turned[:, None]
        return copy

    def distance(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Return the Euclidean distance from a (n,) to the nearest copy of b (n,)."""
        return float(np.linalg.norm(self.align(a, b) - a))

    def order(self, x: NDArray[np.float64]) -> int:
        """Return the number of exchanges and sign changes that leave x (n,) unchanged."""
        order = 1
        for table, sign in zip(self.groups, self.signs, strict=True):
            blocks = np.asarray(x)[table]
            limit = _EQUAL * max(1.0, float(np.linalg.norm(blocks, axis=1).max()))
            order *= stabiliser_order(blocks, limit, sign)
        return order

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return x (n,) after random exchanges and sign changes."""
        copy = np.array(x, dtype=np.float64)
        for table, sign in zip(self.groups, self.signs, strict=True):
            turned = rng.choice((-1.0, 1.0), len(table)) if sign else np.ones(len(table))
            copy[table] = copy[table[rng.permutation(len(table))]] * turned[:, None]
        return copy


def _tables(groups: ArrayLike | Sequence[ArrayLike]) -> tuple[NDArray[np.int64], ...]:
    """Return each group as a table of indices, (units, size)."""
    try:
        listed = [groups] if np.ndim(groups) == 2 else list(groups)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # rows of different lengths: several groups
        listed = list(groups)  # type: ignore[arg-type]
    tables = []
    for one in listed:
        table = np.asarray(one)
        if table.ndim != 2 or not table.size or table.dtype.kind not in "iu" or table.min() < 0:
            raise ValueError("groups must be tables of indices, one row a block, such as [[0, 1], [2, 3]]")
        tables.append(table.astype(np.int64))
    if not tables:
        raise ValueError("groups is empty: name at least one group of blocks")
    return tuple(tables)
