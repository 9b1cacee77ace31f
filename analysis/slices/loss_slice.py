"""Losses or energies along a straight line."""

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

    from thalweg.potentials.protocols import Subject

__all__ = ["LossSlice", "loss_slice"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class LossSlice:
    """Energies along a straight line, start + t * direction; :func:`loss_slice` makes it.

    Attributes
    ----------
    t : (k,) ndarray
        Positions on the line, ascending.
    energy : (k,) ndarray
        Energies there.
    start, direction : (n,) ndarray
    units : str
        Unit of energy.
    quantity : str
        What is called energy here: "energy", or "loss" of a network.

    Examples
    --------
    >>> from thalweg.analysis import loss_slice
    >>> from thalweg.potentials import Himmelblau, Point
    >>> line = loss_slice(Point([3.0, 2.0], Himmelblau()), direction=[1.0, 0.0], points=3)
    >>> line.t, line.energy
    (array([-1.,  0.,  1.]), array([26.,  0., 50.]))
    """

    t: NDArray[np.float64]
    energy: NDArray[np.float64]
    start: NDArray[np.float64]
    direction: NDArray[np.float64]
    units: str = "reduced"
    quantity: str = "energy"

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns of a table by name."""
        return {"position": self.t, "energy": self.energy}

    def plot(self, ax: Axes | None = None, **style: object) -> Axes:
        """Draw the energies and return the axes; keywords go to ``Axes.plot``."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(6, 4), layout="constrained").add_subplot()
        ax.plot(self.t, self.energy, **style)  # type: ignore[arg-type]
        ax.set_xlabel("position on the line")
        ax.set_ylabel(energy_label(self.quantity, self.units))
        return ax


def loss_slice(
    subject: Subject | System,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    *,
    direction: ArrayLike | None = None,
    span: tuple[float, float] | None = None,
    points: int = 101,
    seed: int = 0,
    threads: int | None = None,
) -> LossSlice:
    """Compute energies along a straight line: between two points, or from a point in a direction.

    Parameters
    ----------
    subject : ase.Atoms, Point, Weights or System
        ``landscape.system`` with coordinates of its minima, for instance.
    start : (n,) array_like, optional
        Coordinates at t = 0; the subject's own by default.
    end : (n,) array_like, optional
        Coordinates at t = 1, instead of a direction.
    direction : (n,) array_like, optional
        Direction; random where neither end nor direction is given, and filter-normalised for networks, so that t = 1
        is a step as large as the weights.
    span : (float, float), optional
        First and last t; 0 to 1 between two points, else -1 to 1.
    points : int
        Number of points, at least 2.
    seed : int
        Seed of a random direction.
    threads : int, optional
        Threads over points; all processors by default.

    Raises
    ------
    ValueError
        If coordinates do not fit, or both end and direction are given.

    References
    ----------
    I. J. Goodfellow, O. Vinyals and A. M. Saxe, ICLR (2015); H. Li et al., NeurIPS 31 (2018) 6389.

    Examples
    --------
    >>> from thalweg.analysis import loss_slice
    >>> from thalweg.potentials import Himmelblau, Point
    >>> between = loss_slice(Point([0.0, 0.0], Himmelblau()), [3.0, 2.0], [3.584428, -1.848127], points=5)
    >>> between.energy.round(2).tolist()
    [0.0, 7.71, 13.71, 7.71, 0.0]
    """
    system = as_system(subject)
    first = checked_point("start", system, system.x if start is None else start)
    if end is not None and direction is not None:
        raise ValueError("give either end, another point of the line, or direction")
    if end is not None:
        along = checked_point("end", system, end) - first
    else:
        along = direction_of(system, first, direction, np.random.default_rng(seed))
    low, high = checked_span(((0.0, 1.0) if end is not None else (-1.0, 1.0)) if span is None else span)
    points = checked_count(points)
    t = np.linspace(low, high, points)
    energies = system.energies_gradients(first + t[:, None] * along, threads)[0]
    return LossSlice(t, energies, first, along, system.units, quantity_of(system))
