"""Disconnectivity graphs: trees of the minima that are joined below each energy."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.disconnectivity.drawing import draw
from thalweg.analysis.disconnectivity.layout import Lines, branch_lines
from thalweg.analysis.disconnectivity.style import Style
from thalweg.analysis.disconnectivity.superbasin_tree import ladder, superbasin_tree, superbasins_at
from thalweg.analysis.networks.basins import monotonic_basins
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.networks.network_reader import as_network
from thalweg.optimizers.pictures.files import save_figure
from thalweg.potentials.conversion.numeric_options import positive_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from typing import Unpack

    from thalweg.analysis.disconnectivity.style import StyleOptions
    from thalweg.landscapes import Landscape

__all__ = ["DisconnectivityGraph"]


@public("thalweg.analysis")
class DisconnectivityGraph:
    """The tree of superbasins of a network (Becker and Karplus, J. Chem. Phys. 106 (1997) 1495), and its picture.

    Each branch ends at the energy of its minimum; branches meet at the lowest level of an even ladder at or below
    which their minima are joined. Components that nothing joins stand side by side. Connections through minima that
    are not shown count.

    Parameters
    ----------
    network : KineticTransitionNetwork, Landscape or path
        Minima and transition states to draw: a network, or a landscape or a store, whose last commit is read.
    levels : int or array_like
        Number of levels of the ladder, or their energies, rising.
    emin, emax : float, optional
        The ends of the ladder: the lowest minimum shown, and the energy at which all that is joined is joined.
        Minima above emax are not shown, and what is joined only above it is drawn apart.
    lowest : int, optional
        Number of minima to show, those of lowest energy; all by default.
    connected_to : int or array_like of int, optional
        Show only the components of these minima; all by default.
    monotonic : bool
        Show only the bottoms of monotonic sequence basins (:func:`~thalweg.analysis.monotonic_basins`): one branch
        a funnel. ``lowest`` then counts bottoms.

    Attributes
    ----------
    network : KineticTransitionNetwork
        The network that was given.
    tree : SuperbasinTree
        Superbasins and minima as plain data.

    Raises
    ------
    ValueError, TypeError, IndexError
        If the network has no minima, or an argument makes no sense; it is named.

    Examples
    --------
    >>> from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> DisconnectivityGraph(network).superbasins(2.5)
    [array([0, 1]), array([2])]
    """

    def __init__(
        self,
        network: KineticTransitionNetwork | Landscape | str | os.PathLike[str],
        levels: int | ArrayLike = 50,
        *,
        emin: float | None = None,
        emax: float | None = None,
        lowest: int | None = None,
        connected_to: ArrayLike | None = None,
        monotonic: bool = False,
    ):
        network = as_network(network)
        self.network = network
        self._minima = _chosen_minima(network, lowest, connected_to, monotonic)
        self.tree = superbasin_tree(network, self._minima, ladder(network, self._minima, levels, emin, emax))
        if not self.tree.n_leaves:
            raise ValueError(f"emax is {self.tree.levels[-1]}, below every minimum: nothing is left to show")

    def __repr__(self) -> str:
        tree = self.tree
        return f"<DisconnectivityGraph: {tree.n_leaves} minima, {len(tree.levels)} levels to {tree.levels[-1]:.6g}>"

    @property
    def levels(self) -> NDArray[np.float64]:
        """Energies of the levels, rising."""
        return self.tree.levels

    @property
    def minima(self) -> NDArray[np.int64]:
        """Minima of the network that are shown, rising."""
        return self.tree.leaves

    @cached_property
    def lines(self) -> Lines:
        """Positions and lines of the picture."""
        return branch_lines(self.tree)

    def leaf_of(self, minima: ArrayLike) -> NDArray[np.int64]:
        """Return the leaf of each of some minima, as ``tree`` numbers leaves; -1 for those not shown."""
        chosen = np.atleast_1d(np.asarray(minima, dtype=np.int64))
        place = np.searchsorted(self.minima, chosen)
        place = np.minimum(place, len(self.minima) - 1)
        return np.where(self.minima[place] == chosen, place, -1)

    def superbasins(self, energy: float) -> list[NDArray[np.int64]]:
        """Return the sets of minima joined at or below an energy, the deepest first.

        Parameters
        ----------
        energy : float
            Energy, which need not be one of the levels.

        Returns
        -------
        list of int64 ndarray
            Disjoint; together all shown minima at or below that energy.
        """
        return superbasins_at(self.network, self._minima, energy)

    def plot(self, ax: Axes | None = None, **style: Unpack[StyleOptions]) -> Axes:
        """Draw the graph.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; nothing else is touched then. By default a new figure of pyplot, so that ``plt.show()``
            and notebooks show it, as ASE's plots do.
        colour : str or (n_minima,) array_like, optional
            A property's name, or one value for each minimum of the network. Each branch takes its minimum's
            colour up to where it meets others; by default blue is low, orange high, grey unknown.
        colour_label, energy_label : str, optional
            Beside the colour bar and the energy axis; by default the property's name, and "energy" with its unit.
        cmap : str or Colormap, optional
            Of matplotlib, or "red_to_blue" as in the published graphs; dark blue to orange by default, which rises
            evenly in lightness and which colour-blind readers can tell apart.
        vmin, vmax : float, optional
            The values at the ends of the colours.
        colour_bar : bool, Axes or sequence of Axes
            Whether to explain the colours of values; with axes, the bar stands beside these together.
        legend : bool
            Whether to explain the colours of groups.
        groups : str, mapping of str to minima, or (n_minima,) array_like, optional
            Instead of ``colour``: a colour for each group, see
            :func:`~thalweg.analysis.disconnectivity.colour_maps.group_codes`;
            "basins" for monotonic sequence basins, "groups" for the network's own, or a property's name.
        group_colours : mapping of str to colour, or list, optional
            Ten that differ by default.
        descendants : str or callable, optional
            Colours superbasins, too, by the minima under them: "lowest", "mean", "min", "max" or a function of
            their values; for groups "same" (all are of one group) or "majority" (more than half).
        size_bar : bool or float
            A bar that shows an amount of energy: a round one, the given one, or none.
        labels : array_like of int or mapping of int to str, optional
            Minima to name under their branches, by their index or by a text of your own.
        drawings : mapping of int to (Atoms, image, path or callable), optional
            What to show under chosen minima: a structure; an (rows, columns[, 3 or 4]) array; the path of an image;
            or a function that draws on the matplotlib axes it is given, a decision map, say.
        drawing_size : float
            Width of each drawing, as a part of the width of the axes.
        widths : "size" or (n_minima,) array_like, optional
            Lines widen with the number of minima under them, or with their weight: occupation probabilities, say.
        widest : float
            In points; the line with everything under it.
        linewidth : float, optional
            In points; chosen by the number of minima by default.
        title : str, optional
            Text over the graph.
        show_count : bool
            Whether to say under the graph how many minima it shows, such as "102 of 118 minima", where it leaves
            minima out.
        branch_colour : str
            Colour of what is common to several minima, and of all where nothing else gives one.

        Returns
        -------
        matplotlib Axes
            Heights are energies; minimum ``graph.minima[k]`` ends at ``graph.lines.x[k]``. In SVG, the branch of
            minimum 17 has the identifier "minimum-17" (in the second graph of a figure "graph2-minimum-17").

        Raises
        ------
        TypeError, ValueError, IndexError
            If an argument makes no sense; it is named, and nothing has been drawn.
        """
        unknown = set(style) - set(Style._fields)
        if unknown:
            raise TypeError(f"plot has no argument {min(unknown)!r}; it has {', '.join(sorted(Style._fields))}")
        return draw(self, _new_axes() if ax is None else ax, Style(**style))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        figsize: tuple[float, float] = (6, 6),
        dpi: float = 200,
        metadata: dict[str, str] | None = None,
        **plot: Unpack[StyleOptions],
    ) -> None:
        """Draw the graph into a file, PNG, PDF or SVG by its ending, without pyplot.

        Parameters
        ----------
        path : path
            File to write; an existing one is overwritten.
        figsize : (float, float)
            Width and height in inches.
        dpi : float
            Dots an inch, for PNG.
        metadata : dict, optional
            Metadata of the file, as matplotlib's ``savefig`` takes them.
        **plot
            As for :meth:`plot`.
        """
        dpi, (width, height) = positive_number("dpi", dpi), (positive_number("figsize", size) for size in figsize)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        self.plot(figure.add_subplot(), **plot)
        save_figure(figure, path, dpi=dpi, metadata=metadata)


def _new_axes() -> Axes:
    from matplotlib import pyplot  # only here: whoever passes axes needs no pyplot

    return pyplot.subplots(figsize=(6.0, 6.0), layout="constrained")[1]


def _chosen_minima(
    network: KineticTransitionNetwork, lowest: int | None, connected_to: ArrayLike | None, monotonic: bool
) -> NDArray[np.int64]:
    """Return the minima that may be shown, rising."""
    chosen = np.arange(network.n_minima)
    if not len(chosen):
        raise ValueError("network has no minima: there is nothing to show")
    if connected_to is not None:
        anchors = minimum_indices("connected_to", connected_to, network.n_minima)
        chosen = chosen[np.isin(network.component_labels, network.component_labels[anchors])]
        if not len(chosen):
            raise ValueError("connected_to names no minimum: there is nothing to show")
    if monotonic:
        chosen = chosen[monotonic_basins(network)[chosen] == chosen]
    if lowest is not None:
        if isinstance(lowest, bool) or not isinstance(lowest, (int, np.integer)) or lowest < 1:
            raise ValueError(f"lowest is {lowest!r}; a number of minima, at least 1, is needed")
        chosen = np.sort(chosen[np.argsort(network.energies[chosen], kind="stable")[:lowest]])
    return chosen
