"""Colours of a disconnectivity graph: dark to light for rising values, a colour for each group; readable on white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.networks.basins import monotonic_basins
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

if TYPE_CHECKING:
    from matplotlib.typing import ColorType

__all__ = [
    "DARK_TO_LIGHT",
    "GREY",
    "RED_TO_BLUE",
    "Groups",
    "_basin_names",
    "colour_map",
    "colour_range",
    "colour_values",
    "group_codes",
    "group_palette",
]

GREY = "#9a9a9a"
_MOST_GROUPS = 10

# Matplotlib's plasma, which rises evenly in lightness, without the pale yellow of its end, which vanishes on white.
DARK_TO_LIGHT = LinearSegmentedColormap.from_list(
    "dark_to_light", colormaps["plasma"](np.linspace(0.0, 0.82, 256)).tolist(), N=256
)

# The rainbow of the published graphs without its pale yellow and cyan, which vanish on white.
RED_TO_BLUE = LinearSegmentedColormap.from_list(
    "red_to_blue", ["#b00010", "#e63312", "#f08a00", "#9aa51c", "#1f9a50", "#1186b5", "#2446c8", "#241a86"]
)


def colour_map(cmap: str | Colormap | None) -> Colormap:
    """Return a colour map with grey for missing values; ``None`` is dark to light.

    Parameters
    ----------
    cmap : str or Colormap, optional
        "red_to_blue", "dark_to_light", or one of matplotlib's, by name or as such.

    Raises
    ------
    ValueError, TypeError
        If there is no colour map of that name, or it is something else.
    """
    if cmap is None:
        cmap = DARK_TO_LIGHT
    if isinstance(cmap, str):
        cmap = _named_map(cmap)
    if not isinstance(cmap, Colormap):
        raise TypeError(f"cmap is a {type(cmap).__name__}; the name of a colour map, or a Colormap, is needed")
    return cmap.with_extremes(bad=GREY)


def _named_map(name: str) -> Colormap:
    own = {chosen.name: chosen for chosen in (DARK_TO_LIGHT, RED_TO_BLUE)}
    if name in own:
        return own[name]
    if name not in colormaps:
        close = get_close_matches(name, [*own, *colormaps], 3) or ["viridis", "cividis"]
        raise ValueError(f"cmap: there is no colour map {name!r}; there are {', '.join([*own, *close])} and others")
    return colormaps[name]


def colour_values(network: KineticTransitionNetwork, colour: str | ArrayLike) -> NDArray[np.float64]:
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
        if not np.issubdtype(known[colour].dtype, np.number) and known[colour].dtype != bool:
            raise ValueError(f"colour: the property {colour!r} holds no numbers; give it as groups")
        colour = known[colour]
    values = np.asarray(colour, dtype=np.float64)
    if values.shape != (network.n_minima,):
        raise ValueError(f"colour has shape {values.shape}; one value for each of {network.n_minima} minima is needed")
    return values


def colour_range(values: NDArray[np.float64], vmin: float | None, vmax: float | None) -> Normalize:
    """Return the range that the colours span: that of the finite values where not given."""
    for name, end in (("vmin", vmin), ("vmax", vmax)):
        if end is not None and not np.isfinite(end):
            raise ValueError(f"{name} is {end}; a finite number is needed")
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


class Groups(NamedTuple):
    """Named groups of minima.

    Attributes
    ----------
    names : list of str
        Names of the groups.
    codes : (n_minima,) int64 ndarray
        Group of each minimum, an index into ``names``; -1 for none.
    """

    names: list[str]
    codes: NDArray[np.int64]


def group_codes(network: KineticTransitionNetwork, groups: str | Mapping[str, ArrayLike] | ArrayLike) -> Groups:
    """Return names of groups and the group of each minimum.

    Parameters
    ----------
    network : KineticTransitionNetwork
    groups : str, mapping or (n_minima,) array_like
        "basins": monotonic sequence basins, by their bottoms; "groups": the network's own; the name of a property;
        a mapping of names to minima; or one label a minimum (None, NaN, "" and negative integers for none).
        Of more than ten groups the largest have a colour, the others together are "others".

    Returns
    -------
    Groups

    Raises
    ------
    ValueError
        If there is no such property, a minimum is in two groups, or the length is not the number of minima.
    """
    if isinstance(groups, str) and groups == "groups":
        groups = network.groups
        if not groups:
            raise ValueError("groups: the network has no groups of its own")
    if isinstance(groups, Mapping):
        return _codes_of_sets(network, groups)
    if isinstance(groups, str):
        if groups != "basins" and groups not in network.properties:
            known = ", ".join(["basins", *sorted(network.properties)])
            raise ValueError(f"groups: the network has no property {groups!r}; it has {known}")
        groups = _basin_names(network) if groups == "basins" else network.properties[groups]
    labels = np.asarray(groups)
    if labels.shape != (network.n_minima,):
        raise ValueError(f"groups has shape {labels.shape}; one label for each of {network.n_minima} minima is needed")
    return _codes_of_labels(labels)


def _basin_names(network: KineticTransitionNetwork) -> NDArray[np.str_]:
    """Return the name of the monotonic sequence basin of each minimum, after its bottom."""
    return np.array([f"basin of {bottom}" for bottom in monotonic_basins(network).tolist()])


def _codes_of_sets(network: KineticTransitionNetwork, groups: Mapping[str, ArrayLike]) -> Groups:
    codes = np.full(network.n_minima, -1, dtype=np.int64)
    for code, (name, members) in enumerate(groups.items()):
        chosen = minimum_indices(f"groups[{name!r}]", members, network.n_minima)
        if (codes[chosen] >= 0).any():
            raise ValueError(f"groups: minimum {chosen[codes[chosen] >= 0][0]} is in {name!r} and in another group")
        codes[chosen] = code
    return Groups([str(name) for name in groups], codes)


def _codes_of_labels(labels: NDArray[Any]) -> Groups:
    """Number labels by how many minima have them, the largest group first, in equal cases by their first minimum."""
    none = [label is None or label != label or (isinstance(label, str) and not label) for label in labels.tolist()]
    known = ~np.array(none, dtype=bool)
    if np.issubdtype(labels.dtype, np.integer):
        known &= labels >= 0
    names, first, code, count = np.unique(
        labels[known].astype(str), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -count))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = np.full(len(labels), -1, dtype=np.int64)
    codes[known] = rank[code]
    texts = [str(name) for name in names[order]]
    if len(texts) > _MOST_GROUPS:
        texts = [*texts[:_MOST_GROUPS], "others"]
        codes = np.minimum(codes, _MOST_GROUPS)
    return Groups(texts, codes)


def group_palette(
    names: list[str], colours: Mapping[str, ColorType] | Sequence[ColorType] | None = None
) -> list[ColorType]:
    """Return a colour for each group: your own (a mapping or list), or ten that differ; grey for "others"."""
    if isinstance(colours, Mapping):
        return [colours.get(name, GREY) for name in names]
    if colours is not None:
        if len(colours) < len(names):
            raise ValueError(f"group_colours has {len(colours)} entries; one for each of {len(names)} groups is needed")
        return list(colours)[: len(names)]
    ten = colormaps["tab10"].colors  # type: ignore[attr-defined]
    hues = [*ten[:7], *ten[8:], "#222222"]  # without its grey, which stands for unknown
    return [GREY if k >= _MOST_GROUPS and name == "others" else hues[k % len(hues)] for k, name in enumerate(names)]
