"""Independent basin-hopping chains, the strategy of `Landscape.find_minima`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thalweg.landscapes.records import BASIN_HOPPING, AddedSearch, TaskResult
from thalweg.landscapes.strategies.base import Choice, Strategy

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["BasinHoppingChains"]


class BasinHoppingChains(Strategy):
    """Independent basin-hopping chains; task k takes chain k modulo their number some steps further.

    Parameters
    ----------
    landscape, chosen, batch
        As for `Strategy`; of steps.
    """

    name = "find_minima"

    def __init__(self, landscape: Landscape, chosen: Sequence[Choice] = (), batch: int = 20) -> None:
        super().__init__(landscape, chosen, batch)
        # where the chains are; -1 for one that has found no minimum yet
        self.chains = list(self.remembered("chains") or [-1] * landscape.tasks_ahead)

    def choose(self, number: int, size: int) -> Choice:
        return Choice(BASIN_HOPPING, size, ((self.chains[number % len(self.chains)], -1),))

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        if result.current >= 0:
            number = result.searches[result.current].task
            rows = added[result.current].minima
            # a chain that left the bounds begins again at a random point
            self.chains[number % len(self.chains)] = rows[0] if rows else -1

    def state(self) -> dict[str, Any]:
        return {"chains": self.chains}
