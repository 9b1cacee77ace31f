"""How much of a rate each of the fastest paths carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.kinetics.boundary_chain import Ends, checked_sets, lumped
from thalweg.analysis.kinetics.extended_range import coalesced, to_log
from thalweg.analysis.kinetics.passages.steady_state import steady_state_rate
from thalweg.analysis.kinetics.solvers import Elimination
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics
    from thalweg.analysis.networks.lowest_barrier_paths import Path

__all__ = ["PathShare", "path_shares"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class PathShare:
    """A path, and how much of the steady-state rate constant it carries.

    Attributes
    ----------
    path : Path
        Minima from the source to the target, none twice.
    probability : float
        Product of the branching probabilities along the path: the chance that a walk which starts at its first
        minimum goes straight along it.
    rate_constant : float
        What such walks contribute to the steady-state rate constant.
    share : float
        Part of the steady-state rate constant that is carried by all walks which follow the path once their
        loops are left out. The shares of all paths add up to 1.

    Examples
    --------
    >>> from thalweg.analysis import Kinetics
    >>> square = Kinetics.from_rates([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 3], [0, 1, 3, 0]])
    >>> found = square.path_shares(source=0, target=3, count=2)
    >>> [(p.path.minima.tolist(), round(p.probability, 9), round(p.share, 9)) for p in found]
    [([0, 2, 3], 0.375, 0.6), ([0, 1, 3], 0.25, 0.4)]
    """

    path: Path
    probability: float
    rate_constant: float
    share: float

    def __repr__(self) -> str:
        states = self.path.minima.tolist()
        route = " - ".join(map(str, states if len(states) <= 8 else [*states[:4], "...", *states[-3:]]))
        return f"<PathShare: {route}, probability {self.probability:.4g}, share {self.share:.4g}>"


def path_shares(kinetics: Kinetics, source: ArrayLike, target: ArrayLike, count: int) -> list[PathShare]:
    """Return the fastest paths with the probability and the share of the rate that each of them carries.

    Parameters
    ----------
    kinetics : Kinetics
    source, target : array_like of int
        States, none in both.
    count : int
        How many paths, those of :func:`~thalweg.analysis.kinetics.fastest_paths.fastest_paths`, in its order.

    Returns
    -------
    list of PathShare

    Raises
    ------
    ValueError
        If the sets overlap or are not connected, or count is not positive.

    Notes
    -----
    A walk from the source to the target becomes a path without loops when every loop is left out in the order in
    which the walk closes it. The rate of all walks that become one path is the product of the rates k along it times
    det(L without its inner states) / det(L), where L is the matrix of minus the rates between the states outside
    source and target, with rates out of them on its diagonal (G. F. Lawler, Duke Math. J. 47 (1980) 655).
    Graph transformation gives both determinants without subtraction.
    """
    ends = checked_sets(kinetics, source, target)
    paths = kinetics.fastest_paths(*ends, count)
    own = to_log(coalesced(kinetics.extended_rates, kinetics.row, kinetics.n_states))
    eliminated, interior = kinetics.prepared("graph transformation", ends.target, ends.source)
    assert isinstance(eliminated, Elimination)
    whole = _log_determinant(eliminated)
    every = float(to_log(steady_state_rate(kinetics, *ends, "auto")))
    return [_shared(kinetics, ends, path, own, interior, whole, every) for path in paths]


def _shared(
    kinetics: Kinetics,
    ends: Ends,
    path: Path,
    escape: NDArray[np.float64],
    interior: NDArray[np.int64],
    whole: float,
    every: float,
) -> PathShare:
    states = path.minima
    steps = _log_rates(kinetics, states)
    weight = to_log(kinetics.source_weights(ends.source)[ends.source == states[0]])[0]
    straight = float((steps - escape[states[:-1]]).sum())
    direct = float(weight + escape[states[0]] + straight)
    aside = interior[~np.isin(interior, states[1:-1])]
    off_the_path = _log_determinant(Elimination(lumped(kinetics, aside, tuple(ends)))) if len(aside) else 0.0
    walks = float(weight + steps.sum()) + off_the_path - whole
    with np.errstate(under="ignore"):
        return PathShare(path, float(np.exp(straight)), float(np.exp(direct)), float(np.exp(walks - every)))


def _log_rates(kinetics: Kinetics, states: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithms of the rates from each state of a path to the next."""
    rows = [slice(kinetics.indptr[a], kinetics.indptr[a + 1]) for a in states[:-1]]
    place = [row.start + np.searchsorted(kinetics.indices[row], b) for row, b in zip(rows, states[1:], strict=True)]
    return to_log(kinetics.extended_rates[place])


def _log_determinant(eliminated: Elimination) -> float:
    """Return the logarithm of the determinant of the rate matrix, sign changed, of the interior states."""
    return float(to_log(eliminated.factor.total[: eliminated.chain.n_interior]).sum())
