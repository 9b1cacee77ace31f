"""Barriers of the straight path between two points, before and after alignment, beside the lowest path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.slices.checks import checked_point
from thalweg.analysis.slices.loss_slice import LossSlice, loss_slice
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from thalweg.landscapes import Landscape
    from thalweg.potentials.protocols import Subject

__all__ = ["LinearBarrier", "linear_barrier"]

_DECADES = 100.0  # factor between the lowest and highest energy from which a logarithmic axis shows more


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class LinearBarrier:
    """Energies along the straight path between two points; :func:`linear_barrier` makes it.

    Attributes
    ----------
    straight : LossSlice
        From the first point to the second as given.
    aligned : LossSlice
        From the first point to the symmetry copy of the second that is nearest.
    path_highest : float or None
        Energy of the highest transition state of the lowest path between two minima of a landscape; None where there
        is none or no landscape was given.

    Examples
    --------
    >>> from thalweg.analysis import linear_barrier
    >>> from thalweg.potentials import Himmelblau, Point
    >>> barrier = linear_barrier(Point([0.0, 0.0], Himmelblau()), [3.0, 2.0], [3.584428, -1.848127])
    >>> barrier
    <LinearBarrier: 13.7122, 13.7122 aligned>
    """

    straight: LossSlice
    aligned: LossSlice
    path_highest: float | None = None

    def __repr__(self) -> str:
        true = "" if self.path is None else f", {self.path:.6g} by the lowest path"
        return f"<LinearBarrier: {self.before:.6g}, {self.after:.6g} aligned{true}>"

    @property
    def before(self) -> float:
        """Barrier of the straight path as given: the largest excess over the line between the two energies."""
        return _excess(self.straight)

    @property
    def after(self) -> float:
        """Barrier of the straight path after alignment."""
        return _excess(self.aligned)

    @property
    def path(self) -> float | None:
        """Height of the lowest path above the higher of the two minima; None where it is not known."""
        if self.path_highest is None:
            return None
        return float(self.path_highest - max(self.straight.energy[0], self.straight.energy[-1]))

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns of a table by name."""
        return {**self.straight.columns(), "energy_aligned": self.aligned.energy}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw both straight paths and the height of the lowest one, and return the axes.

        Where the energies are positive and span a factor of 100, their axis is logarithmic.
        """
        ax = self.straight.plot(ax, label="as given", color="tab:orange")
        self.aligned.plot(ax, label="aligned", color="tab:blue")
        if self.path_highest is not None:
            ax.axhline(self.path_highest, color="black", linestyle=":", label="highest point of the lowest path")
        energies = np.concatenate([self.straight.energy, self.aligned.energy])
        if energies.min() > 0 and energies.max() > _DECADES * energies.min():
            ax.set_yscale("log")
        # above the axes, where it hides no curve
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize="small")
        return ax


def _excess(line: LossSlice) -> float:
    """Return the largest height above the straight line between the energies of both ends."""
    t = (line.t - line.t[0]) / (line.t[-1] - line.t[0])
    return float(np.max(line.energy - ((1 - t) * line.energy[0] + t * line.energy[-1])))


def linear_barrier(
    subject: Landscape | Subject | System, a: int | ArrayLike, b: int | ArrayLike, *, points: int = 101
) -> LinearBarrier:
    """Compute the barrier of the straight path between two points before and after alignment ("re-basin").

    Networks that were trained from two starts are often separated by a barrier only because their hidden units stand
    in another order. Alignment moves the second network to the nearest of its symmetry copies.

    Parameters
    ----------
    subject : Landscape, ase.Atoms, Point, Weights or System
        A landscape also tells the lowest path between two of its minima.
    a, b : int or (n,) array_like
        Rows of minima of a landscape, or coordinates.
    points : int
        Number of points on each path, at least 2.

    Raises
    ------
    TypeError, ValueError, IndexError
        If a row is given without a landscape, there is no such minimum, or coordinates do not fit.

    References
    ----------
    J. Frankle et al., ICML (2020) 3259; R. Entezari et al., ICLR (2022); S. K. Ainsworth, J. Hayase and S. Srinivasa,
    ICLR (2023), "Git Re-Basin".

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.analysis import linear_barrier
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,))
    >>> x = Weights.random(loss, seed=1).x
    >>> copy = loss.symmetry.random_copy(x, np.random.default_rng(5))
    >>> barrier = linear_barrier(Weights(loss), x, copy)
    >>> barrier.before > 1e-3, barrier.after < 1e-12
    (True, True)
    """
    from thalweg.landscapes import Landscape
    from thalweg.potentials.system import as_system

    landscape = subject if isinstance(subject, Landscape) else None
    system = as_system(subject.system if isinstance(subject, Landscape) else subject)
    first, second = (_point(name, landscape, system, given) for name, given in (("a", a), ("b", b)))
    straight = loss_slice(system, first, second, points=points)
    aligned = loss_slice(system, first, system.align(first, second), points=points)
    highest = None
    if landscape is not None and _is_row(a) and _is_row(b):
        path = landscape.lowest_path(int(np.asarray(a)), int(np.asarray(b)))
        highest = None if path is None else float(path.energy)
    return LinearBarrier(straight, aligned, highest)


def _is_row(given: int | ArrayLike) -> bool:
    return np.ndim(given) == 0 and not isinstance(given, bool) and np.asarray(given).dtype.kind in "iu"


def _point(name: str, landscape: Landscape | None, system: System, given: int | ArrayLike) -> np.ndarray:
    if not _is_row(given):
        return checked_point(name, system, given)
    if landscape is None:
        raise TypeError(f"{name} is {given!r}: rows of minima need a landscape; give coordinates")
    row, known = int(np.asarray(given)), len(landscape.minima)
    if not 0 <= row < known:
        raise IndexError(f"{name} is {row}: there are {known} minima, numbered from 0")
    return np.asarray(landscape.minima.coordinates[row])
