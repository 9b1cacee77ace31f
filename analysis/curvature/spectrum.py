"""Spectrum of the Hessian at one point: all eigenvalues of small systems, estimates for large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from thalweg.analysis.curvature.quadrature import Product, Quadrature, lanczos_quadrature
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from thalweg.potentials.protocols import Subject

__all__ = ["HessianSpectrum", "free_product", "hessian_spectrum"]

LARGEST_EXACT = 1500
"""Free coordinates up to which all eigenvalues are computed where nothing else is asked for."""

_GRID = 400


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class HessianSpectrum:
    """Eigenvalues of the Hessian over the free coordinates, null modes included: all of them, or estimates.

    :func:`hessian_spectrum` makes it.

    Attributes
    ----------
    n : int
        Number of eigenvalues.
    lowest, highest : (k,) ndarray
        Extreme eigenvalues, ascending.
    trace, trace_error : float
        Sum of the eigenvalues, and the standard error of its estimate (0 if exact).
    eigenvalues : (n,) ndarray or None
        All eigenvalues, ascending, where they were computed.
    quadratures : tuple of Quadrature
        Nodes and weights of each probe; empty if exact.

    Examples
    --------
    >>> from thalweg.analysis import hessian_spectrum
    >>> from thalweg.potentials import Himmelblau, Point
    >>> spectrum = hessian_spectrum(Point([3.0, 2.0], Himmelblau()))
    >>> spectrum
    <HessianSpectrum: 2 eigenvalues from 25.7157 to 82.2843, trace 108>
    >>> spectrum.count_below(30.0)
    1.0
    """

    n: int
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    trace: float
    trace_error: float
    eigenvalues: NDArray[np.float64] | None
    quadratures: tuple[Quadrature, ...]

    def __repr__(self) -> str:
        error = "" if self.exact else f" ± {self.trace_error:.2g}"
        ends = f"from {self.lowest[0]:.6g} to {self.highest[-1]:.6g}"
        return f"<HessianSpectrum: {self.n} eigenvalues {ends}, trace {self.trace:.6g}{error}>"

    @property
    def exact(self) -> bool:
        """Whether all eigenvalues were computed."""
        return self.eigenvalues is not None

    def count_below(self, value: float) -> float:
        """Return the number of eigenvalues below a value; an estimate, which need not be whole, unless exact."""
        nodes, weights = self._nodes_and_weights()
        return float(self.n * weights[nodes < value].sum())

    def density(
        self, grid: ArrayLike | None = None, width: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the density of eigenvalues, smoothed by a Gaussian, on a grid.

        Parameters
        ----------
        grid : (g,) array_like, optional
            Eigenvalues at which the density is given; 400 from the lowest to the highest by default.
        width : float, optional
            Standard deviation of the Gaussian; a hundredth of the range of the spectrum by default.

        Returns
        -------
        grid, density : (g,) ndarray
            The integral of the density over all eigenvalues is 1.
        """
        low, high = float(self.lowest[0]), float(self.highest[-1])
        spread = (high - low) or max(abs(high), 1.0)
        width = 0.01 * spread if width is None else float(width)
        if not width > 0:
            raise ValueError(f"width must be positive; it is {width}")
        at = np.linspace(low - 0.05 * spread, high + 0.05 * spread, _GRID) if grid is None else np.asarray(grid, float)
        nodes, weights = self._nodes_and_weights()
        scaled = (at[:, None] - nodes) / width
        return at, (np.exp(-0.5 * scaled**2) @ weights) / (width * np.sqrt(2 * np.pi))

    def plot(self, ax: Axes | None = None, width: float | None = None) -> Axes:
        """Draw the density of eigenvalues, on a logarithmic scale, and return the axes."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6, 4), layout="constrained").add_subplot()
        grid, density = self.density(width=width)
        floor = 0.1 / (self.n * max(grid[-1] - grid[0], 1e-300))
        ax.semilogy(grid, np.maximum(density, floor))
        ax.set_ylim(bottom=floor)
        ax.set_xlabel("Hessian eigenvalue")
        ax.set_ylabel("density" + ("" if self.exact else ", estimated"))
        return ax

    def _nodes_and_weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.eigenvalues is not None:
            return self.eigenvalues, np.full(self.n, 1.0 / self.n)
        nodes = np.concatenate([one.nodes for one in self.quadratures])
        return nodes, np.concatenate([one.weights for one in self.quadratures]) / len(self.quadratures)


def hessian_spectrum(
    subject: Subject | System,
    x: ArrayLike | None = None,
    *,
    extreme: int = 5,
    probes: int = 10,
    steps: int = 80,
    exact: bool | None = None,
    seed: int = 0,
) -> HessianSpectrum:
    """Compute or estimate the spectrum of the Hessian at a point.

    All eigenvalues of small systems are computed. For large ones only products of the Hessian with vectors are: extreme
    eigenvalues come from Lanczos iterations, the trace from Hutchinson's estimate with random signs, and the density
    from stochastic Lanczos quadrature of the same probes.

    Parameters
    ----------
    subject : ase.Atoms, Point, Weights or System
        ``landscape.system`` with ``x = landscape.minima.coordinates[3]`` takes a stored minimum.
    x : (n,) array_like, optional
        Coordinates of the Hessian; the subject's own by default.
    extreme : int
        Number of eigenvalues at either end.
    probes, steps : int
        Number of random vectors, and of products for each.
    exact : bool, optional
        Whether all eigenvalues are computed; by default up to 1,500 free coordinates.
    seed : int
        Seed of the random vectors.

    Raises
    ------
    ValueError
        If x does not fit, or a number makes no sense.
    ArpackNoConvergence
        If the extreme eigenvalues do not converge.

    References
    ----------
    M. F. Hutchinson, Commun. Stat. Simul. Comput. 19 (1990) 433; S. Ubaru, J. Chen and Y. Saad, SIAM J. Matrix Anal.
    Appl. 38 (2017) 1075.

    Examples
    --------
    >>> from thalweg.analysis import hessian_spectrum
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,), l2=0.1)
    >>> spectrum = hessian_spectrum(Weights(loss))
    >>> spectrum.n, round(float(spectrum.lowest[0]), 6), spectrum.exact
    (17, -0.327046, True)
    """
    system = as_system(subject)
    x = np.array(system.x if x is None else x, dtype=np.float64).ravel()
    if x.size != system.n:
        raise ValueError(f"x must have {system.n} coordinates; it has {x.size}")
    for name, value in (("extreme", extreme), ("probes", probes), ("steps", steps)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; it is {value!r}")
    n = system.n_free
    if exact or (exact is None and n <= LARGEST_EXACT):
        matrix = system.hessian(x)[np.ix_(system.free, system.free)]
        values = np.asarray(np.linalg.eigvalsh(matrix), dtype=np.float64)
        k = min(extreme, n)
        return HessianSpectrum(n, values[:k], values[n - k :], float(values.sum()), 0.0, values, ())
    product = free_product(system, x)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (probes, n))
    quadratures = tuple(lanczos_quadrature(product, start, steps) for start in signs)
    traces = n * np.array([one.mean for one in quadratures])
    error = float(traces.std(ddof=1) / np.sqrt(probes)) if probes > 1 else float("nan")
    k = min(extreme, n - 1)
    lowest, highest = _extreme(product, n, k)
    return HessianSpectrum(n, lowest, highest, float(traces.mean()), error, None, quadratures)


def free_product(system: System, x: NDArray[np.float64]) -> Product:
    """Return the product of the Hessian at x, over the free coordinates, as a function of a vector (n_free,)."""

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.zeros(system.n)
        whole[system.free] = np.ravel(v)
        return system.hessian_vector(x, whole)[system.free]

    return product


def _extreme(product: Product, n: int, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=n)  # scipy's own start differs from run to run
    size = min(n, max(40, 4 * k))
    lowest, highest = (
        np.sort(eigsh(operator, k=k, which=which, v0=start, ncv=size, tol=1e-6, return_eigenvectors=False))
        for which in ("SA", "LA")
    )
    return lowest, highest
