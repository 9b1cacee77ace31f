"""Decision maps: pictures of a network's predictions over a plane of its inputs, with the data on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from thalweg.analysis.disconnectivity.colour_maps import colour_map
from thalweg.analysis.prediction.data_arguments import data_of, mislabelled_of, training_data
from thalweg.analysis.prediction.decision_grids import DecisionGrid, decision_grid, predictor_of
from thalweg.analysis.prediction.ensembles import Ensemble
from thalweg.analysis.prediction.minima_protocols import HasMinima, TestData
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.conversion.printable import plain_label
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import ClassifyingPotential

if TYPE_CHECKING:
    from thalweg.datasets import Scaling

__all__ = ["class_colours", "plot_decision_map", "plot_decision_maps"]

# Okabe and Ito's colours, which colour-blind eyes tell apart, without black
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_PALEST = 0.25  # share of its colour that a class has where it is no likelier than the others

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""


def class_colours(n_classes: int) -> list[Colour]:
    """Return one colour for each class."""
    if n_classes <= len(_COLOURS):
        return [to_rgb(colour) for colour in _COLOURS[:n_classes]]
    name = "tab10" if n_classes <= 10 else "turbo"
    return [to_rgb(colormaps[name](k if n_classes <= 10 else k / (n_classes - 1))) for k in range(n_classes)]


@dataclass(frozen=True)
class _MapSettings:
    """Settings of a decision map, as :func:`plot_decision_map` describes them."""

    data: TestData | Literal["train"] | None
    probability_of: int | None
    plane: Sequence[int]
    extent: ArrayLike | None
    resolution: int
    others: ArrayLike | None
    points: int
    input_names: Sequence[str] | None
    class_names: Sequence[str] | None
    scaling: Scaling | None
    title: str | None


def plot_decision_map(
    subject: HasMinima | Point | Ensemble,
    minimum: int | None = None,
    ax: Axes | None = None,
    *,
    data: TestData | Literal["train"] | None = "train",
    probability_of: int | None = None,
    plane: Sequence[int] = (0, 1),
    extent: ArrayLike | None = None,
    resolution: int = 200,
    others: ArrayLike | None = None,
    points: int = 1000,
    input_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    scaling: Scaling | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the predictions of a network over a plane of its inputs, and the data.

    Each place has the colour of the most probable class, paler where that class is less certain. Points are the data,
    in the colour of their label; crosses are mislabelled data, in the colour of the wrong label.

    Parameters
    ----------
    subject, minimum, plane, extent, resolution, others
        As for :func:`decision_grid`.
    ax : matplotlib Axes, optional
        Axes to draw in; nothing else is touched then. By default a new figure of pyplot.
    data : "train", data set, (inputs, labels) or None
        Data on top; the training data by default.
    probability_of : int, optional
        Draw the probability of this class instead, with a colour bar, and a line where it is 1/2.
    points : int
        Largest number of data that are drawn, the first ones, and of mislabelled data.
    input_names, class_names : sequence of str, optional
        Names of all inputs, for the axes, and of all classes, for the legend.
    scaling : Scaling, optional
        Scaling of the network's inputs: the axes then have the values before it.
    title : str, optional
        Title; by default the minimum and its loss.
    legend : bool
        Whether to draw a legend of classes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError, IndexError
        As for :func:`decision_grid`, and if the data or the class do not fit the network; nothing was drawn.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from thalweg.analysis import plot_decision_map
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> ax = plot_decision_map(Weights(loss), ax=Figure().subplots(), resolution=10)
    >>> ax.get_title()
    'loss 0.6931'
    """
    settings = _MapSettings(
        data, probability_of, plane, extent, resolution, others, points, input_names, class_names, scaling, title
    )
    picture = _picture(subject, minimum, settings)
    ax = _new_axes() if ax is None else ax
    _draw(ax, picture)
    if legend and (handles := _handles([picture])):
        ax.legend(handles=handles, fontsize="x-small", loc="best")
    return ax


def plot_decision_maps(
    landscape: HasMinima,
    minima: Sequence[int | Ensemble],
    *,
    columns: int = 3,
    size: float = 3.0,
    data: TestData | Literal["train"] | None = "train",
    probability_of: int | None = None,
    plane: Sequence[int] = (0, 1),
    extent: ArrayLike | None = None,
    resolution: int = 200,
    others: ArrayLike | None = None,
    points: int = 1000,
    input_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    scaling: Scaling | None = None,
    title: str | None = None,
) -> Figure:
    """Draw decision maps of several minima side by side, with one legend.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a network.
    minima : sequence of int or Ensemble
        Minimum or ensemble of each panel.
    columns : int
        Largest number of panels in a row.
    size : float
        Width and height of a panel in inches.
    data, probability_of, plane, extent, resolution, others, points, input_names, class_names, scaling, title
        As for :func:`plot_decision_map`.

    Returns
    -------
    matplotlib Figure
        Figure without pyplot, which ``figure.savefig("maps.png")`` writes.

    Examples
    --------
    >>> from thalweg.analysis import plot_decision_maps
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,), l2=1e-3)
    >>> with Landscape(Weights.random(loss), "xor.zarr") as landscape:
    ...     done = landscape.find_minima(steps=4, workers=1, progress=False)
    ...     figure = plot_decision_maps(landscape, [landscape.minima.lowest()], resolution=10)
    >>> len(figure.axes)
    1
    """
    settings = _MapSettings(
        data, probability_of, plane, extent, resolution, others, points, input_names, class_names, scaling, title
    )
    panels = list(minima)
    if not panels:
        raise ValueError("minima is empty: name at least one")
    rows = -(-len(panels) // columns)
    columns = -(-len(panels) // rows)
    pictures = [
        _picture(panel, None, settings) if isinstance(panel, Ensemble) else _picture(landscape, panel, settings)
        for panel in panels
    ]
    figure = Figure(figsize=(size * columns + 1.2, size * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, picture in zip(axes, pictures, strict=False):
        _draw(ax, picture)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    if handles := _handles(pictures):
        figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


class _Points(NamedTuple):
    """Data to draw: inputs (N, n_in), labels (N,), and which labels are wrong (N,)."""

    inputs: np.ndarray
    labels: np.ndarray
    wrong: np.ndarray


class _Picture(NamedTuple):
    """Checked parts of a decision map."""

    grid: DecisionGrid
    colours: list[Colour]
    probability_of: int | None
    top: _Points | None
    plane: tuple[int, int]
    names: tuple[str, str]
    classes: list[str]
    scaling: Scaling | None
    title: str

    def unscaled(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Return values of the plane's first or second input as they were before the scaling."""
        if self.scaling is None:
            return values
        k = self.plane[axis]
        return values * self.scaling.width[k] + self.scaling.shift[k]

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Edges of the picture on its axes: left, right, bottom, top."""
        edges = np.array(self.grid.edges)
        left, right = self.unscaled(edges[:2], 0).tolist()
        bottom, top = self.unscaled(edges[2:], 1).tolist()
        return left, right, bottom, top


def _picture(subject: HasMinima | Point | Ensemble, minimum: int | None, settings: _MapSettings) -> _Picture:
    """Compute and check the parts of a decision map."""
    loss = predictor_of(subject, minimum).loss
    grid = decision_grid(
        subject,
        minimum,
        plane=settings.plane,
        extent=settings.extent,
        resolution=settings.resolution,
        others=settings.others,
    )
    first, second = settings.plane
    top = None if settings.data is None else _points(settings.data, loss, settings.points)
    chosen = settings.probability_of
    if chosen is not None and chosen not in range(loss.n_classes):
        raise ValueError(f"probability_of is {chosen!r}; classes run from 0 to {loss.n_classes - 1}")
    names = _names("input_names", settings.input_names, "input", loss.layers[0])
    classes = _names("class_names", settings.class_names, "class", loss.n_classes)
    if settings.scaling is not None and len(settings.scaling.shift) != loss.layers[0]:
        raise ValueError(f"scaling is of {len(settings.scaling.shift)} inputs; the network has {loss.layers[0]}")
    title = _title(subject, minimum) if settings.title is None else settings.title
    axes = names[first], names[second]
    return _Picture(
        grid, class_colours(loss.n_classes), chosen, top, (first, second), axes, classes, settings.scaling, title
    )


def _names(option: str, given: Sequence[str] | None, what: str, count: int) -> list[str]:
    """Return the names of all inputs or classes; their numbers where none are given."""
    names = [f"{what} {k}" for k in range(count)] if given is None else [plain_label(name) for name in given]
    if len(names) != count:
        raise ValueError(f"{option} must hold {count} names, one for each {what}; there are {len(names)}")
    return names


def _draw(ax: Axes, picture: _Picture) -> None:
    _draw_predictions(ax, picture)
    if picture.top is not None:
        _draw_points(ax, picture, picture.top)
    left, right, bottom, top = picture.edges
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel=picture.names[0], ylabel=picture.names[1])
    ax.set_title(picture.title)


def _points(given: TestData | Literal["train"], loss: ClassifyingPotential, limit: int) -> _Points:
    """Return the data to draw, checked."""
    data = training_data(loss) if isinstance(given, str) and given == "train" else given
    limit = whole_number("points", limit)
    inputs, labels = data_of("data", data, loss)
    wrong = mislabelled_of("data", data, labels)
    shown = np.sort(np.concatenate([np.flatnonzero(~wrong)[:limit], np.flatnonzero(wrong)[:limit]]))
    return _Points(inputs[shown], labels[shown], wrong[shown])


def _new_axes() -> Axes:
    import matplotlib.pyplot as plt  # only here: it chooses a backend

    return plt.subplots(layout="constrained")[1]


def _draw_predictions(ax: Axes, picture: _Picture) -> None:
    grid, chosen = picture.grid, picture.probability_of
    shape: dict[str, Any] = {"extent": picture.edges, "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    if chosen is None:
        n = grid.probabilities.shape[2]
        sure = (grid.probabilities.max(axis=2) - 1 / n) / (1 - 1 / n)
        strength = (_PALEST + (0.8 - _PALEST) * sure)[..., None]
        ax.imshow(1 - strength * (1 - np.array(picture.colours)[grid.classes]), **shape)
        return
    p = grid.probabilities[:, :, chosen]
    image = ax.imshow(p, cmap=colour_map("viridis"), vmin=0, vmax=1, **shape)
    if p.min() < 0.5 < p.max():
        x, y = picture.unscaled(grid.x, 0), picture.unscaled(grid.y, 1)
        ax.contour(x, y, p, levels=[0.5], colors="white", linewidths=1)
    ax.figure.colorbar(image, ax=ax, label=f"probability of {picture.classes[chosen]}")


def _draw_points(ax: Axes, picture: _Picture, top: _Points) -> None:
    x, y = (picture.unscaled(top.inputs[:, k], axis) for axis, k in enumerate(picture.plane))
    colour = np.array(picture.colours)[top.labels]
    right, wrong = ~top.wrong, top.wrong
    ax.scatter(x[right], y[right], s=7, c=colour[right], edgecolors="white", linewidths=0.3)
    # a black cross under the coloured one: readable on its own class's background
    ax.scatter(x[wrong], y[wrong], s=16, c="black", marker="x", linewidths=1.8)
    ax.scatter(x[wrong], y[wrong], s=13, c=colour[wrong], marker="x", linewidths=0.9)


def _handles(pictures: list[_Picture]) -> list[Line2D]:
    """Return the entries of a legend: classes by colour, and crosses for wrong labels."""
    handles = []
    if any(picture.top is not None or picture.probability_of is None for picture in pictures):
        for name, colour in zip(pictures[0].classes, pictures[0].colours, strict=True):
            handles.append(Line2D([], [], linestyle="", marker="s", color=colour, label=name))
    if any(picture.top is not None and picture.top.wrong.any() for picture in pictures):
        handles.append(Line2D([], [], linestyle="", marker="x", color="black", label="mislabelled"))
    return handles


def _title(subject: HasMinima | Point | Ensemble, minimum: int | None) -> str:
    if isinstance(subject, Ensemble):
        return f"ensemble of {len(subject)} minima"
    if not isinstance(subject, HasMinima):
        return f"loss {subject.get_potential_energy():.4f}"
    row = subject.minima.lowest() if minimum is None else minimum
    return f"minimum {row}, loss {subject.minima.energy[int(row)]:.4f}"
