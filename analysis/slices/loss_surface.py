"""Losses or energies on a plane, as a table and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.slices.checks import checked_count, checked_point, checked_span, quantity_of
from thalweg.analysis.slices.directions import direction_of
from thalweg.potentials.conversion.printable import energy_label
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.potentials.protocols import Subject

__all__ = ["LossSurface", "loss_surface"]

_LEVELS = 30
_MARGIN = 0.25  # of a plane through points, beyond them


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class LossSurface:
    """Energies on a grid of a plane, origin + s * first + t * second; :func:`loss_surface` makes it.

    Attributes
    ----------
    s, t : (k,) ndarray
        Positions along the two directions.
    energy : (k, k) ndarray
        Energies; row i is at ``t[i]``, column j at ``s[j]``.
    origin, first, second : (n,) ndarray
        Point and directions of the plane.
    marked : (m, 2) ndarray
        Positions (s, t) of the points through which the plane was laid.
    units : str
        Unit of energy.
    quantity : str
        What is called energy here: "energy", or "loss" of a network.

    Examples
    --------
    >>> from thalweg.analysis import loss_surface
    >>> from thalweg.potentials import Himmelblau, Point
    >>> surface = loss_surface(Point([3.0, 2.0], Himmelblau()), directions=([1, 0], [0, 1]), points=3)
    >>> float(surface.energy.min()), surface.energy.shape
    (0.0, (3, 3))
    """

    s: NDArray[np.float64]
    t: NDArray[np.float64]
    energy: NDArray[np.float64]
    origin: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    marked: NDArray[np.float64]
    units: str = "reduced"
    quantity: str = "energy"

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns of a table by name, one row for each point of the grid."""
        s, t = np.meshgrid(self.s, self.t)
        return {"first": s.ravel(), "second": t.ravel(), "energy": self.energy.ravel()}

    def plot(self, ax: Axes | None = None, *, levels: int = _LEVELS, log: bool = False) -> Axes:
        """Draw the surface as filled contours with the marked points, and return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; new ones by default.
        levels : int
            Number of contours.
        log : bool
            Whether colours follow the logarithm of the energy above the lowest of the surface.
        """
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6, 5), layout="constrained").add_subplot()
        shown, said = self.energy, self.quantity
        if log:
            above = self.energy - self.energy.min()
            floor = above[above > 0].min(initial=1.0)
            shown, said = np.log10(np.maximum(above, floor)), f"log10 of the {self.quantity} above the lowest"
        drawn = ax.contourf(self.s, self.t, shown, levels=levels, cmap="viridis")
        if len(self.marked):
            ax.plot(*self.marked.T, "o", color="white", markeredgecolor="black")
        ax.set_xlabel("first direction")
        ax.set_ylabel("second direction")
        figure = ax.get_figure(root=True)
        if figure is not None:
            figure.colorbar(drawn, ax=ax, label=energy_label(said, self.units))
        return ax

    def merge_tree(self) -> KineticTransitionNetwork:
        """Return the merge tree of the grid, see :func:`~thalweg.analysis.merge_tree`."""
        from thalweg.analysis.slices.merge_tree import merge_tree

        return merge_tree(self.energy)


def loss_surface(
    subject: Subject | System,
    *through: ArrayLike,
    directions: tuple[ArrayLike, ArrayLike] | None = None,
    span: tuple[float, float] | None = None,
    points: int = 51,
    seed: int = 0,
    threads: int | None = None,
) -> LossSurface:
    """Compute energies on a plane: around a point, or through three points.

    Parameters
    ----------
    subject : ase.Atoms, Point, Weights or System
        ``landscape.system`` with coordinates of its minima, for instance.
    *through : (n,) array_like
        No point for the plane around the subject's own coordinates, one for that around this point, or three for the
        plane through them: the first lies at (0, 0), the second at (1, 0), and the second direction is orthogonal
        and as long as the first.
    directions : pair of (n,) array_like, optional
        Directions of a plane around a point, such as two eigenvectors of the Hessian; random by default, and
        filter-normalised for networks.
    span : (float, float), optional
        First and last position along either direction; -1 to 1, or so that three points are inside.
    points : int
        Number of points along either direction, at least 2.
    seed : int
        Seed of random directions.
    threads : int, optional
        Threads over points; all processors by default.

    Raises
    ------
    ValueError
        If coordinates do not fit, there are two points or more than three, or three lie on a line.

    References
    ----------
    H. Li et al., NeurIPS 31 (2018) 6389; T. Garipov et al., NeurIPS 31 (2018) 8789, for planes through three points.

    Examples
    --------
    >>> from thalweg.analysis import loss_surface
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,))
    >>> loss_surface(Weights.random(loss), points=11).energy.shape
    (11, 11)
    """
    system = as_system(subject)
    if len(through) not in (0, 1, 3):
        raise ValueError(f"a plane is laid around one point or through three; {len(through)} are given")
    points = checked_count(points)
    chosen = [checked_point(f"point {k}", system, x) for k, x in enumerate(through)] or [system.x.copy()]
    if len(chosen) == 3:
        if directions is not None:
            raise ValueError("three points give the directions of the plane: leave directions out")
        first, second, marked = _through(*chosen)
    else:
        first, second = _around(system, chosen[0], directions, seed)
        marked = np.zeros((1, 2))
    s, t = _grids(marked, span, points)
    plane = chosen[0] + s[None, :, None] * first + t[:, None, None] * second
    energies = system.energies_gradients(plane.reshape(-1, system.n), threads)[0]
    return LossSurface(
        s, t, energies.reshape(points, points), chosen[0], first, second, marked, system.units, quantity_of(system)
    )


_Plane = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _through(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> _Plane:
    first = b - a
    length = np.linalg.norm(first)
    if length == 0:
        raise ValueError("two of the three points are the same")
    along = (c - a) @ first / length**2
    across = c - a - along * first
    height = np.linalg.norm(across)
    if height <= 1e-12 * length:
        raise ValueError("the three points lie on a line: no plane is laid through them")
    return first, across * (length / height), np.array([[0.0, 0.0], [1.0, 0.0], [along, height / length]])


def _around(
    system: System, x: NDArray[np.float64], directions: tuple[ArrayLike, ArrayLike] | None, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    if directions is None:
        return direction_of(system, x, None, rng), direction_of(system, x, None, rng)
    given = list(directions)
    if len(given) != 2:
        raise ValueError(f"directions must be two; there are {len(given)}")
    return direction_of(system, x, given[0], rng), direction_of(system, x, given[1], rng)


def _grids(
    marked: NDArray[np.float64], span: tuple[float, float] | None, points: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if span is not None:
        low, high = checked_span(span)
        return np.linspace(low, high, points), np.linspace(low, high, points)
    if len(marked) == 1:
        return np.linspace(-1.0, 1.0, points), np.linspace(-1.0, 1.0, points)
    low, high = marked.min(axis=0), marked.max(axis=0)
    margin = _MARGIN * (high - low).max()
    (s0, t0), (s1, t1) = low - margin, high + margin
    return np.linspace(s0, s1, points), np.linspace(t0, t1, points)
