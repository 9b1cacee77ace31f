"""Decision maps: what a network predicts over a plane of its inputs, with the data on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from thalweg.analysis.disconnectivity.colour_maps import colour_map
from thalweg.analysis.prediction.arguments import data_of, mislabelled_of
from thalweg.analysis.prediction.decision_grids import DecisionGrid, decision_grid, predictor_of
from thalweg.analysis.prediction.ensembles import Ensemble

__all__ = ["class_colours", "plot_decision_map", "plot_decision_maps"]

# Okabe and Ito's, told apart by colour-blind eyes, without black
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_PALEST = 0.25  # how much of its colour a class has where it is no likelier than the others


def class_colours(n_classes: int) -> list[tuple[float, float, float]]:
    """Return one colour a class."""
    if n_classes <= len(_COLOURS):
        return [to_rgb(colour) for colour in _COLOURS[:n_classes]]
    name = "tab10" if n_classes <= 10 else "turbo"
    return [to_rgb(colormaps[name](k if n_classes <= 10 else k / (n_classes - 1))) for k in range(n_classes)]


def plot_decision_map(
    subject: Any,
    minimum: int | None = None,
    ax: Axes | None = None,
    *,
    data: Any = "train",
    probability_of: int | None = None,
    plane: Sequence[int] = (0, 1),
    extent: Sequence[float] | None = None,
    resolution: int = 200,
    others: Any = None,
    points: int = 1000,
    input_names: Sequence[str] | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw what a network predicts over a plane of its inputs, and the data.

    Each place takes the colour of the most probable class, paler where that is less sure. Points are the data, in the
    colour of their label; crosses are mislabelled ones, in the colour of the wrong label.

    Parameters
    ----------
    subject, minimum, plane, extent, resolution, others
        As for :func:`decision_grid`.
    ax : matplotlib Axes, optional
        Where to draw; nothing else is touched then. By default a new figure of pyplot.
    data : "train", data set, (inputs, labels) or None
        What is drawn on top: the training data by default.
    probability_of : int, optional
        Draw the probability of this class instead, with a colour bar, and a line where it is 1/2.
    points : int
        Draw so many data at most, the first, and as many mislabelled ones.
    input_names : sequence of str, optional
        Of all inputs, for the axes.
    title : str, optional
        By default the minimum and its loss.
    legend : bool

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError, IndexError
        As for :func:`decision_grid`, and if the data or the class do not fit the network; nothing was drawn.
    """
    how = {"data": data, "probability_of": probability_of, "plane": plane, "points": points}
    how |= {"extent": extent, "resolution": resolution, "others": others, "input_names": input_names}
    picture = _picture(subject, minimum, title, **how)
    ax = _new_axes() if ax is None else ax
    _draw(ax, picture)
    if legend and (handles := _handles([picture])):
        ax.legend(handles=handles, fontsize="x-small", loc="best")
    return ax


def plot_decision_maps(
    landscape: Any,
    minima: Sequence[int],
    *,
    columns: int = 3,
    size: float = 3.0,
    **how: Any,
) -> Figure:
    """Draw decision maps of several minima side by side, with one legend.

    Parameters
    ----------
    landscape : Landscape
        Of a network.
    minima : sequence of int or Ensemble
        One panel each.
    columns : int
        Panels in a row.
    size : float
        Of a panel, inches.
    **how
        As for :func:`plot_decision_map`.

    Returns
    -------
    matplotlib Figure
        Without pyplot: ``figure.savefig("maps.png")``.
    """
    panels = list(minima)
    if not panels:
        raise ValueError("minima is empty: name one at least")
    rows = -(-len(panels) // columns)
    columns = -(-len(panels) // rows)
    pairs = [(panel, None) if isinstance(panel, Ensemble) else (landscape, panel) for panel in panels]
    pictures = [_picture(subject, minimum, **how) for subject, minimum in pairs]
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
    inputs: np.ndarray
    labels: np.ndarray
    wrong: np.ndarray


class _Picture(NamedTuple):
    """All that is drawn, checked."""

    grid: DecisionGrid
    colours: list[tuple[float, float, float]]
    probability_of: int | None
    top: _Points | None
    plane: tuple[int, int]
    names: tuple[str, str]
    title: str


def _picture(
    subject: Any,
    minimum: int | None,
    title: str | None = None,
    *,
    data: Any = "train",
    probability_of: int | None = None,
    points: int = 1000,
    plane: Sequence[int] = (0, 1),
    input_names: Sequence[str] | None = None,
    **how: Any,
) -> _Picture:
    """Compute and check what is drawn."""
    loss = predictor_of(subject, minimum)[1]
    grid = decision_grid(subject, minimum, plane=plane, **how)
    first, second = plane
    data = loss if isinstance(data, str) and data == "train" else data
    top = None if data is None else _points(data, loss, points)
    if probability_of is not None and probability_of not in range(loss.n_classes):
        raise ValueError(f"probability_of is {probability_of!r}; classes run from 0 to {loss.n_classes - 1}")
    names = [f"input {k}" for k in range(loss.layers[0])] if input_names is None else list(input_names)
    if len(names) != loss.layers[0]:
        raise ValueError(f"input_names must hold {loss.layers[0]} names, one an input; there are {len(names)}")
    title = _title(subject, minimum) if title is None else title
    colours = class_colours(loss.n_classes)
    return _Picture(grid, colours, probability_of, top, (first, second), (names[first], names[second]), title)


def _draw(ax: Axes, picture: _Picture) -> None:
    grid = picture.grid
    _draw_predictions(ax, grid, picture.colours, picture.probability_of)
    if picture.top is not None:
        _draw_points(ax, picture.top, picture.plane, picture.colours)
    ax.set(xlim=grid.edges[:2], ylim=grid.edges[2:], xlabel=picture.names[0], ylabel=picture.names[1])
    ax.set_title(picture.title)


def _points(data: Any, loss: Any, limit: int) -> _Points:
    """Return the data to draw, checked."""
    inputs, labels = data_of("data", data, loss)
    wrong = mislabelled_of("data", data, labels)
    shown = np.sort(np.concatenate([np.flatnonzero(~wrong)[:limit], np.flatnonzero(wrong)[:limit]]))
    return _Points(inputs[shown], labels[shown], wrong[shown])


def _new_axes() -> Axes:
    import matplotlib.pyplot as plt  # only here: it chooses a backend

    return plt.subplots(layout="constrained")[1]


def _draw_predictions(ax: Axes, grid: DecisionGrid, colours: list, probability_of: int | None) -> None:
    shape: dict[str, Any] = {"extent": grid.edges, "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    if probability_of is None:
        n = grid.probabilities.shape[2]
        sure = (grid.probabilities.max(axis=2) - 1 / n) / (1 - 1 / n)
        strength = (_PALEST + (0.8 - _PALEST) * sure)[..., None]
        ax.imshow(1 - strength * (1 - np.array(colours)[grid.classes]), **shape)
        return
    p = grid.probabilities[:, :, probability_of]
    image = ax.imshow(p, cmap=colour_map("viridis"), vmin=0, vmax=1, **shape)
    if p.min() < 0.5 < p.max():
        ax.contour(grid.x, grid.y, p, levels=[0.5], colors="white", linewidths=1)
    ax.figure.colorbar(image, ax=ax, label=f"probability of class {probability_of}")


def _draw_points(ax: Axes, top: _Points, plane: Sequence[int], colours: list) -> None:
    x, y = top.inputs[:, plane[0]], top.inputs[:, plane[1]]
    colour = np.array(colours)[top.labels]
    right, wrong = ~top.wrong, top.wrong
    ax.scatter(x[right], y[right], s=7, c=colour[right], edgecolors="white", linewidths=0.3)
    # a black cross under the coloured one: readable on its own class's background
    ax.scatter(x[wrong], y[wrong], s=16, c="black", marker="x", linewidths=1.8)
    ax.scatter(x[wrong], y[wrong], s=13, c=colour[wrong], marker="x", linewidths=0.9)


def _handles(pictures: list[_Picture]) -> list[Line2D]:
    """Return what a legend must explain."""
    handles = []
    if any(picture.top is not None or picture.probability_of is None for picture in pictures):
        for k, colour in enumerate(pictures[0].colours):
            handles.append(Line2D([], [], linestyle="", marker="s", color=colour, label=f"class {k}"))
    if any(picture.top is not None and picture.top.wrong.any() for picture in pictures):
        handles.append(Line2D([], [], linestyle="", marker="x", color="black", label="mislabelled"))
    return handles


def _title(subject: Any, minimum: int | None) -> str:
    if isinstance(subject, Ensemble):
        return f"ensemble of {len(subject)} minima"
    if not hasattr(subject, "minima"):
        return f"loss {subject.get_potential_energy():.4f}"
    row = subject.minima.lowest() if minimum is None else minimum
    return f"minimum {row}, loss {subject.minima.energy[int(row)]:.4f}"
