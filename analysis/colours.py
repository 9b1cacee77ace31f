"""Colours of a disconnectivity graph: red for low values, blue for high, readable on white."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize

from thalweg.analysis.network import KineticTransitionNetwork

__all__ = ["RED_TO_BLUE", "colour_map", "colour_range", "colour_values"]

# The rainbow of the published graphs without its pale yellow and cyan, which vanish on white.
RED_TO_BLUE = LinearSegmentedColormap.from_list(
    "red_to_blue", ["#b00010", "#e63312", "#f08a00", "#9aa51c", "#1f9a50", "#1186b5", "#2446c8", "#241a86"]
)


def colour_map(cmap: str | Colormap | None) -> Colormap:
    """Return a colour map with grey for missing values; ``None`` is red to blue."""
    chosen = RED_TO_BLUE if cmap is None else colormaps[cmap] if isinstance(cmap, str) else cmap
    return chosen.with_extremes(bad="#9a9a9a")


def colour_values(network: KineticTransitionNetwork, colour: Any) -> np.ndarray:
    """Return one float for each minimum of the network.

    Parameters
    ----------
    network : KineticTransitionNetwork
    colour : str or (n_minima,) array_like
        The name of a property, "energy" among them, or the values; NaN where unknown.

    Raises
    ------
    ValueError
        If there is no such property, or the length is not the number of minima.
    """
    if isinstance(colour, str):
        known = {"energy": network.energies, **network.properties}
        if colour not in known:
            raise ValueError(f"colour: the network has no property {colour!r}; it has {', '.join(sorted(known))}")
        colour = known[colour]
    values = np.asarray(colour, dtype=np.float64)
    if values.shape != (network.n_minima,):
        raise ValueError(f"colour has shape {values.shape}; one value for each of {network.n_minima} minima is needed")
    return values


def colour_range(values: np.ndarray, vmin: float | None, vmax: float | None) -> Normalize:
    """Return the range that the colours span: that of the finite values where not given."""
    finite = values[np.isfinite(values)]
    low = float(finite.min(initial=np.inf)) if vmin is None else vmin
    high = float(finite.max(initial=-np.inf)) if vmax is None else vmax
    if not (np.isfinite(low) and np.isfinite(high)):
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5e-3, high + 0.5e-3
    if low > high:
        raise ValueError(f"vmin is {low} and vmax {high}; vmin must be below vmax")
    return Normalize(low, high)
