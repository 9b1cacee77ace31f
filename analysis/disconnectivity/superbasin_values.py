"""Values and groups of superbasins, from those of the minima under them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.disconnectivity.superbasin_tree import SuperbasinTree

__all__ = ["common_group", "over_descendants", "summed"]


def summed(tree: SuperbasinTree, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of a quantity over the leaves of each node, (n_nodes,); NaN counts as nothing."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values[tree.leaf_order], nan=0.0))])
    result = total[tree.first_leaf + tree.size] - total[tree.first_leaf]
    result[: tree.n_leaves] = np.nan_to_num(values, nan=0.0)
    return result


def _extreme(tree: SuperbasinTree, values: NDArray[np.float64], ufunc: np.ufunc) -> NDArray[np.float64]:
    result = np.concatenate([values, np.full(tree.n_nodes - tree.n_leaves, np.nan)])
    for nodes in tree.by_level:
        inside = nodes[tree.parent[nodes] >= 0]
        ufunc.at(result, tree.parent[inside], result[inside])
    return result


def _mean(tree: SuperbasinTree, values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = summed(tree, np.isfinite(values).astype(np.float64))
    with np.errstate(invalid="ignore"):
        return summed(tree, values) / known


_NAMED: dict[str, Callable[[SuperbasinTree, NDArray[np.float64]], NDArray[np.float64]]] = {
    "lowest": lambda tree, values: values[tree.lowest],
    "mean": _mean,
    "min": lambda tree, values: _extreme(tree, values, np.fmin),
    "max": lambda tree, values: _extreme(tree, values, np.fmax),
}


def over_descendants(
    tree: SuperbasinTree, values: NDArray[np.float64], how: str | Callable[[NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """Return a function of the values of the leaves under each superbasin.

    Parameters
    ----------
    tree : SuperbasinTree
    values : (n_leaves,) float64 array
        NaN where unknown.
    how : str or callable
        "lowest" (that of the deepest leaf), "mean", "min", "max" (of the known ones); or what turns an array of
        values into one number.

    Returns
    -------
    (n_nodes - n_leaves,) ndarray
        One value a superbasin; NaN where all under it is unknown.

    Raises
    ------
    ValueError
        If there is no such function.
    """
    if callable(how):
        return np.array([how(values[tree.descendants(k)]) for k in range(tree.n_leaves, tree.n_nodes)], dtype=float)
    if how not in _NAMED:
        raise ValueError(f"descendants is {how!r}; for values it is {', '.join(map(repr, _NAMED))} or a function")
    return _NAMED[how](tree, values)[tree.n_leaves :]


def common_group(
    tree: SuperbasinTree, codes: NDArray[np.int64], how: str | Callable[[NDArray[np.float64]], float]
) -> NDArray[np.int64]:
    """Return the group to which each superbasin belongs by the leaves under it.

    Parameters
    ----------
    tree : SuperbasinTree
    codes : (n_leaves,) int64 array
        Group of each leaf, from 0; -1 for none.
    how : str
        "same": all leaves are of one group; "majority": more than half are.

    Returns
    -------
    (n_nodes - n_leaves,) int64 ndarray
        -1 for none.
    """
    if how not in ("same", "majority"):
        raise ValueError(f"descendants is {how!r}; for groups it is 'same' or 'majority'")
    result = np.full(tree.n_nodes, -1, dtype=np.int64)
    for code in range(codes.max(initial=-1) + 1):
        share = summed(tree, (codes == code).astype(np.float64))
        result[share == tree.size if how == "same" else 2 * share > tree.size] = code
    return result[tree.n_leaves :]
