"""Upper limit of energy of a low-lying region: an energy, or a height above the lowest minimum."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from thalweg.potentials.conversion.numeric_options import finite_number

__all__ = ["EnergyLimit"]

_HEIGHT = re.compile(r"\s*\+\s*(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class EnergyLimit:
    """Energy below which stationary points count.

    Parameters
    ----------
    value : float
        The energy, or the height above the lowest minimum.
    above_lowest : bool
        Whether it is a height.
    """

    value: float
    above_lowest: bool = False

    @classmethod
    def read(cls, below: object) -> EnergyLimit:
        """Return the limit that a number says, or a text such as ``"+0.01"``: 0.01 above the lowest minimum.

        Raises
        ------
        ValueError
            If a text says neither, or the number is not finite; TypeError where it is something else.
        """
        if isinstance(below, EnergyLimit):
            return below
        if not isinstance(below, str):
            return cls(finite_number("below", below))
        if height := _HEIGHT.fullmatch(below):
            return cls(finite_number("below", float(height[1])), above_lowest=True)
        try:
            energy = float(below)
        except ValueError:
            energy = math.nan
        if not math.isfinite(energy):
            raise ValueError(
                f'below must be an energy, or a height above the lowest minimum as "+0.01"; it is {below!r}'
            )
        return cls(energy)

    def energy(self, lowest: float) -> float:
        """Return the limit where the lowest minimum has this energy."""
        return lowest + self.value if self.above_lowest else self.value

    def __str__(self) -> str:
        return f"+{self.value:g}" if self.above_lowest else f"{self.value:.10g}"

    def stored(self) -> float | str:
        """Return the limit as JSON keeps it, and as `read` takes it."""
        return f"+{self.value!r}" if self.above_lowest else self.value

    def checked(self, lowest: float) -> float:
        """Return the limit in energy.

        Raises
        ------
        ValueError
            If no minimum lies below it.
        """
        limit = self.energy(lowest)
        if not lowest <= limit:
            raise ValueError(f"no minimum lies below {self}: the lowest known has {lowest:.10g}")
        return limit
