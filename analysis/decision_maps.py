"""Decision maps: what a network predicts over a plane of its inputs, with the data on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from thalweg.analysis.colours import colour_map
from thalweg.analysis.ensembles import Ensemble
from thalweg.analysis.trained import data_of, minimum_weights, mislabelled_of

__all__ = ["DecisionGrid", "class_colours", "decision_grid", "plot_decision_map", "plot_decision_maps"]

# Okabe and Ito's, told apart by colour-blind eyes, without black
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_PALEST = 0.25  # how much of its colour a class has where it is no likelier than the others
_MARGIN = 0.03


class DecisionGrid(NamedTuple):
    """Predictions over a plane of inputs.

    Attributes
    ----------
    x, y : (columns,), (rows,) ndarray
        Values of the two inputs.
    probabilities : (rows, columns, n_classes) ndarray
    """

    x: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """The most probable class, (rows, columns)."""
        return self.probabilities.argmax(axis=2)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the picture whose pixels are centred at the points."""
        dx, dy = (0.5 * (values[1] - values[0]) for values in (self.x, self.y))
        return self.x[0] - dx, self.x[-1] + dx, self.y[0] - dy, self.y[-1] + dy


def class_colours(n_classes: int) -> list[tuple[float, float, float]]:
    """Return one colour a class."""
    if n_classes <= len(_COLOURS):
        return [to_rgb(colour) for colour in _COLOURS[:n_classes]]
    name = "tab10" if n_classes <= 10 else "turbo"
    return [tuple(colormaps[name](k if n_classes <= 10 else k / (n_classes - 1))[:3]) for k in range(n_classes)]


def _predictor(subject: Any, minimum: int | None) -> tuple[Callable[[np.ndarray], np.ndarray], Any]:
    """Return what gives probabilities at inputs, and the loss."""
    if isinstance(subject, Ensemble):
        if minimum is not None:
            raise TypeError(f"minimum is {minimum!r}, but an Ensemble is all of its minima together")
        return subject.probabilities, subject.loss
    weights = minimum_weights(subject, minimum)
    return lambda inputs: weights.calc.probabilities(weights.x, inputs), weights.calc


def _checked_plane(loss: Any, plane: Any) -> tuple[int, int]:
    width = loss.layers[0]
    if width < 2:
        raise ValueError("a decision map needs a network of two inputs at least; this one has 1")
    chosen = tuple(plane)
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) for k in chosen)
    if not whole or len(chosen) != 2 or len({*chosen}) != 2 or not all(0 <= k < width for k in chosen):
        raise ValueError(f"plane must name two different inputs between 0 and {width - 1}; it is {plane!r}")
    return int(chosen[0]), int(chosen[1])


def _checked_extent(extent: Any, inputs: np.ndarray) -> tuple[float, float, float, float]:
    if extent is None:
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        pad = np.where(high > low, _MARGIN * (high - low), 0.5)
        (a, c), (b, d) = low - pad, high + pad
        return float(a), float(b), float(c), float(d)
    values = np.asarray(extent, dtype=np.float64)
    if values.shape != (4,) or not np.isfinite(values).all() or values[0] >= values[1] or values[2] >= values[3]:
        raise ValueError(f"extent must be (left, right, bottom, top), rising and finite; it is {extent!r}")
    return tuple(values.tolist())


def decision_grid(
    subject: Any,
    minimum: int | None = None,
    *,
    plane: Sequence[int] = (0, 1),
    extent: Sequence[float] | None = None,
    resolution: int = 200,
    others: Any = None,
) -> DecisionGrid:
    """Return what a network predicts over a plane of its inputs, as plain arrays.

    Parameters
    ----------
    subject : Landscape, Weights or Ensemble
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.
    plane : pair of int
        The two inputs that vary.
    extent : (left, right, bottom, top), optional
        By default the span of the training inputs and a little more.
    resolution : int
        Points a side.
    others : (n_in,) array_like, optional
        What the other inputs are; the mean of the training inputs by default.

    Returns
    -------
    DecisionGrid

    Raises
    ------
    ValueError, TypeError, IndexError
        If this is no network of two inputs or more, it has no such minimum, or an argument makes no sense.
    """
    predict, loss = _predictor(subject, minimum)
    first, second = _checked_plane(loss, plane)
    if isinstance(resolution, bool) or not isinstance(resolution, int | np.integer) or resolution < 2:
        raise ValueError(f"resolution must be a whole number, at least 2; it is {resolution!r}")
    left, right, bottom, top = _checked_extent(extent, loss.inputs[:, [first, second]])
    middle = loss.inputs.mean(axis=0) if others is None else np.asarray(others, dtype=np.float64)
    if middle.shape != (loss.layers[0],) or not np.isfinite(middle).all():
        raise ValueError(f"others must hold {loss.layers[0]} finite numbers, one an input; its shape is {middle.shape}")
    x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    inputs = np.tile(middle, (resolution * resolution, 1))
    inputs[:, first], inputs[:, second] = (values.ravel() for values in np.meshgrid(x, y))
    return DecisionGrid(x, y, predict(inputs).reshape(resolution, resolution, -1))


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
    loss = _predictor(subject, minimum)[1]
    grid = decision_grid(subject, minimum, plane=plane, extent=extent, resolution=resolution, others=others)
    top = None if data is None else _points(loss if isinstance(data, str) and data == "train" else data, loss, points)
    if probability_of is not None and probability_of not in range(loss.n_classes):
        raise ValueError(f"probability_of is {probability_of!r}; classes run from 0 to {loss.n_classes - 1}")
    ax = _new_axes() if ax is None else ax
    colours = class_colours(loss.n_classes)
    _draw_predictions(ax, grid, colours, probability_of)
    if top is not None:
        _draw_points(ax, top, plane, colours)
    names = [f"input {k}" for k in range(loss.layers[0])] if input_names is None else input_names
    ax.set(xlim=grid.edges[:2], ylim=grid.edges[2:], xlabel=names[plane[0]], ylabel=names[plane[1]])
    ax.set_title(_title(subject, minimum) if title is None else title)
    if legend:
        _legend(ax, colours, top)
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
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(size * columns + 1.2, size * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, panel in zip(axes, panels, strict=False):
        subject, minimum = (panel, None) if isinstance(panel, Ensemble) else (landscape, panel)
        plot_decision_map(subject, minimum, ax, legend=False, **how)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    handles = _handles(class_colours(landscape.system.potential.n_classes), how.get("data", "train") is not None)
    figure.legend(handles=handles, loc="outside right center", frameon=False)
    return figure


class _Points(NamedTuple):
    inputs: np.ndarray
    labels: np.ndarray
    wrong: np.ndarray


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
    shape = {"extent": grid.edges, "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
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
    ax.scatter(x[wrong], y[wrong], s=26, c="black", marker="x", linewidths=2.2)
    ax.scatter(x[wrong], y[wrong], s=22, c=colour[wrong], marker="x", linewidths=1.2)


def _handles(colours: list, crosses: bool) -> list[Line2D]:
    handles = [
        Line2D([], [], linestyle="", marker="s", color=colour, label=f"class {k}") for k, colour in enumerate(colours)
    ]
    if crosses:
        handles.append(Line2D([], [], linestyle="", marker="x", color="black", label="mislabelled"))
    return handles


def _legend(ax: Axes, colours: list, top: _Points | None) -> None:
    ax.legend(handles=_handles(colours, top is not None and bool(top.wrong.any())), fontsize="x-small", loc="best")


def _title(subject: Any, minimum: int | None) -> str:
    if isinstance(subject, Ensemble):
        return f"ensemble of {len(subject)} minima"
    if not hasattr(subject, "minima"):
        return f"loss {subject.get_potential_energy():.4f}"
    row = subject.minima.lowest() if minimum is None else minimum
    return f"minimum {row}, loss {subject.minima.energy[int(row)]:.4f}"
