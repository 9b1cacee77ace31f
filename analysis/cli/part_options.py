"""Options of the command line that limit a network to a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.option_groups import from_option
from thalweg.analysis.cli.option_types import Energy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.parts.numbered import NumberedPart

__all__ = ["PartOptions"]


@dataclass(frozen=True)
class PartOptions:
    """Limits of a part, as ``KineticTransitionNetwork.part`` takes them; None or 0 where one was omitted."""

    below: float | str | None = from_option(
        click.option(
            "--below",
            type=Energy(),
            help="Leave out minima and transition states above this energy; +0.01 is 0.01 above the lowest minimum.",
        )
    )
    max_ts_energy: float | str | None = from_option(
        click.option(
            "--max-ts-energy", type=Energy(), help="Leave out transition states above this energy, or +0.01 likewise."
        )
    )
    max_barrier: float | None = from_option(
        click.option(
            "--max-barrier", type=float, help="Leave out transition states with barriers above this from both sides."
        )
    )
    min_connections: int = from_option(
        click.option(
            "--min-connections",
            type=click.IntRange(min=0),
            default=0,
            help="Leave out minima joined with fewer other minima than this, again and again.",
        ),
        default=0,
    )

    @property
    def given(self) -> list[str]:
        """Names of the options that limit something."""
        return [
            f"--{name.replace('_', '-')}"
            for name, limit in vars(self).items()
            if limit is not None and (name != "min_connections" or limit)
        ]

    def of(self, network: KineticTransitionNetwork, connected_to: ArrayLike | None = None) -> NumberedPart:
        """Return the part of a network; errors as for ``KineticTransitionNetwork.part``."""
        from thalweg.analysis.networks.parts.numbered import Part, numbered_part
        from thalweg.landscapes.energy_limit import EnergyLimit

        lowest = float(network.energies.min(initial=float("inf")))
        limits = {
            name: None if value is None else EnergyLimit.read(value).energy(lowest)
            for name, value in (("below", self.below), ("max_ts_energy", self.max_ts_energy))
        }
        part = Part(
            **limits, max_barrier=self.max_barrier, min_connections=self.min_connections, connected_to=connected_to
        )
        return numbered_part(network, part)
