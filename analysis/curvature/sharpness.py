"""Sharpness of minima: measures from the Hessian at each, and how they go with a property such as testing AUC."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.curvature.spectrum import LARGEST_EXACT, free_product
from thalweg.analysis.statistics.rank_correlation import rank_correlation
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape
    from thalweg.potentials.system import System

__all__ = ["SHARPNESS", "RankCorrelation", "keep_sharpness", "rank_correlations", "sharpness_table"]

SHARPNESS = ("largest_eigenvalue", "hessian_trace", "scaled_trace", "squared_norm")
"""Measures of sharpness, see :func:`sharpness_table`."""

_PROBES = 32
_FEWEST = 4  # minima of a rank correlation


def sharpness_table(
    landscape: Landscape, rows: ArrayLike | None = None, *, probes: int = _PROBES
) -> dict[str, NDArray[np.float64]]:
    """Return measures of the sharpness of each minimum.

    - ``largest_eigenvalue`` of the Hessian: the curvature in the steepest direction.
    - ``hessian_trace``, the sum of its eigenvalues: n times the mean curvature.
    - ``scaled_trace``, the sum over coordinates of x_i^2 H_ii: unlike the others it does not change when coordinates
      are rescaled, as the weights below and above a unit can be without changing the network much.
    - ``squared_norm``, the sum of x_i^2.

    The logarithm of the determinant of the Hessian, a further measure, is in the store already as
    ``landscape.minima.log_eigenvalue_product``.

    Parameters
    ----------
    landscape : Landscape
        Landscape of any system.
    rows : array_like of int, optional
        Numbers of the minima; all by default.
    probes : int
        Random vectors for the two traces of systems of more than 1,500 free coordinates; smaller ones are exact.

    Returns
    -------
    dict of str to (k,) ndarray

    References
    ----------
    L. Dinh, R. Pascanu, S. Bengio and Y. Bengio, ICML (2017) 1019, on rescaling; H. Petzka et al., NeurIPS 34 (2021)
    18420, on measures that do not change with it.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.analysis import sharpness_table
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import Himmelblau, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([3.0, 2.0], Himmelblau()), f"{folder}/h.zarr", seed=0) as landscape:
    ...         done = landscape.find_minima(steps=20, workers=1)
    ...         table = sharpness_table(landscape)
    >>> sorted(table), [round(value) for value in sorted(table["hessian_trace"])]
    (['hessian_trace', 'largest_eigenvalue', 'scaled_trace', 'squared_norm'], [108, 134, 145, 204])
    """
    system, coordinates = landscape.system, landscape.minima.coordinates
    chosen = coordinates[:] if rows is None else coordinates[np.atleast_1d(np.asarray(rows, dtype=np.int64))]
    values = np.array([_sharpness(system, x, probes) for x in chosen]).reshape(len(chosen), len(SHARPNESS))
    return dict(zip(SHARPNESS, values.T.copy(), strict=True))


def keep_sharpness(landscape: Landscape, *, probes: int = _PROBES, workers: int | None = None) -> int:
    """Store the measures of :func:`sharpness_table` as properties of the minima that have none yet.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for writing.
    probes : int
        As for :func:`sharpness_table`.
    workers : int, optional
        Threads over minima; all processors by default.

    Returns
    -------
    int
        Number of minima whose sharpness was computed.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.analysis import keep_sharpness
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import Himmelblau, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([3.0, 2.0], Himmelblau()), f"{folder}/h.zarr", seed=0) as landscape:
    ...         done = landscape.find_minima(steps=20, workers=1)
    ...         keep_sharpness(landscape), sorted(landscape.properties)
    (4, ['hessian_trace', 'largest_eigenvalue', 'scaled_trace', 'squared_norm'])
    """
    from thalweg.landscapes import fill_property

    system = landscape.system
    return fill_property(
        landscape,
        SHARPNESS,
        lambda X: np.array([_sharpness(system, x, probes) for x in X]),
        block=8,
        workers=workers if system.threadsafe else 1,
        measure="sharpness",
        probes=None if system.n_free <= LARGEST_EXACT else probes,
    )


def _sharpness(system: System, x: NDArray[np.float64], probes: int) -> tuple[float, float, float, float]:
    free = x[system.free]
    norm = float(free @ free)
    if system.n_free <= LARGEST_EXACT:
        hessian = system.hessian(x)[np.ix_(system.free, system.free)]
        diagonal = hessian.diagonal()
        return float(np.linalg.eigvalsh(hessian)[-1]), float(diagonal.sum()), float(free**2 @ diagonal), norm
    from scipy.sparse.linalg import LinearOperator, eigsh

    n, product = system.n_free, free_product(system, x)
    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=n)
    largest = eigsh(operator, k=1, which="LA", v0=start, tol=1e-4, return_eigenvectors=False)[0]
    signs = np.random.default_rng(1).choice((-1.0, 1.0), (probes, n))
    trace = np.mean([v @ product(v) for v in signs])
    scaled = np.mean([(free * v) @ product(free * v) for v in signs])
    return float(largest), float(trace), float(scaled), norm


@public("thalweg.analysis")
class RankCorrelation(NamedTuple):
    """Spearman's rank correlation of two properties over minima.

    Attributes
    ----------
    rho : float
        Correlation of the ranks, -1 to 1; NaN for fewer than four minima, or where all values are equal.
    pvalue : float
        Probability of at least so strong a correlation by chance, for independent minima.
    minima : int
        Number of minima that have both values.

    Examples
    --------
    >>> from thalweg.analysis import RankCorrelation
    >>> RankCorrelation(rho=0.5, pvalue=0.01, minima=30).rho
    0.5
    """

    rho: float
    pvalue: float
    minima: int


def rank_correlations(landscape: Landscape, name: str = "test_auc") -> dict[str, RankCorrelation]:
    """Return the rank correlation of a property with every other, with the energy and the curvature.

    Parameters
    ----------
    landscape : Landscape
        Landscape whose properties were computed before, by :func:`keep_sharpness` and
        :func:`~thalweg.analysis.keep_scores` for instance.
    name : str
        Property, "energy" or "log_eigenvalue_product".

    Returns
    -------
    dict of str to RankCorrelation
        In the order energy, log_eigenvalue_product, properties by name.

    Raises
    ------
    KeyError
        If there is no such property.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.analysis import keep_sharpness, rank_correlations
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import Himmelblau, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([3.0, 2.0], Himmelblau()), f"{folder}/h.zarr", seed=0) as landscape:
    ...         done = landscape.find_minima(steps=20, workers=1), keep_sharpness(landscape)
    ...         round(rank_correlations(landscape, "hessian_trace")["largest_eigenvalue"].rho, 3)
    0.4
    """
    minima = landscape.minima
    columns = {"energy": minima.energy[:], "log_eigenvalue_product": minima.log_eigenvalue_product[:]}
    columns |= {one: landscape.properties[one] for one in sorted(landscape.properties)}
    if name not in columns:
        raise KeyError(f"there is no property {name!r}; there are {', '.join(columns)}")
    others = {other: values for other, values in columns.items() if other != name}
    return {
        other: RankCorrelation(*rank_correlation(values, columns[name], _FEWEST)) for other, values in others.items()
    }
