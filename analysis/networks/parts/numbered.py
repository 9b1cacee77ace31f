"""Parts of a network whose minima and transition states go by their numbers in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.networks.parts.selection import Kept, Part, cut, kept_by

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["NumberedPart", "numbered_part"]


@dataclass(frozen=True, eq=False)
class NumberedPart:
    """A part of a network, and the numbers that its points have in the whole.

    Attributes
    ----------
    whole, network : KineticTransitionNetwork
        The whole, and the part, which is numbered anew.
    minima, transition_states : (n,), (m,) int64 arrays
        Numbers in the whole of the part's minima and transition states, rising.
    """

    whole: KineticTransitionNetwork
    network: KineticTransitionNetwork
    minima: NDArray[np.int64]
    transition_states: NDArray[np.int64]

    @property
    def within_whole(self) -> KineticTransitionNetwork:
        """The whole without the transition states that the part leaves out: minima keep their numbers."""
        if self.network is self.whole:
            return self.whole
        return cut(self.whole, np.ones(self.whole.n_minima, dtype=bool), self._kept().transition_states)

    def same_of(self, other: KineticTransitionNetwork) -> KineticTransitionNetwork:
        """Return the same part of another network, whose points have the numbers of the whole."""
        return other if self.network is self.whole else cut(other, *self._kept(), rows=True)

    def _kept(self) -> Kept:
        return Kept(
            np.isin(np.arange(self.whole.n_minima), self.minima),
            np.isin(np.arange(self.whole.n_transition_states), self.transition_states),
        )

    def inside(self, name: str, rows: Sequence[int]) -> list[int]:
        """Return the numbers within the part of minima that are named by those in the whole.

        Parameters
        ----------
        name : str
            Name of the argument, for the error.
        rows : sequence of int
            Numbers in the whole.

        Raises
        ------
        ValueError
            If the part does not have one of them.
        """
        places = np.searchsorted(self.minima, rows)
        for row, place in zip(rows, places.tolist(), strict=True):
            if place == len(self.minima) or self.minima[place] != row:
                raise ValueError(f"{name} names minimum {row}, which the limits of the part leave out")
        return [int(place) for place in places]


def numbered_part(network: KineticTransitionNetwork, part: Part) -> NumberedPart:
    """Return a part of a network with its numbers; the whole where nothing limits it.

    Parameters and errors are those of :func:`~thalweg.analysis.networks.parts.selection.part_of`.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> from thalweg.analysis.networks.parts.numbered import Part, numbered_part
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> part = numbered_part(network, Part([2, 1]))
    >>> part.minima.tolist(), part.transition_states.tolist(), part.inside("start", [2])
    ([1, 2], [1], [1])
    """
    if part.unlimited:
        return NumberedPart(network, network, np.arange(network.n_minima), np.arange(network.n_transition_states))
    kept = kept_by(network, part)
    return NumberedPart(network, cut(network, *kept, rows=True), *(np.flatnonzero(chosen) for chosen in kept))
