"""Labels above and below points of a picture, turned and moved aside where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PointLabel", "add_labels", "spread"]

_SIZE = 8.0  # of the letters, in points
_GAP = 4.0  # in points, between a point and its label
_LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0}
_MARGIN = 1.2  # layouts that are computed later may leave the axes narrower


class PointLabel(NamedTuple):
    """A text at a point of the axes.

    Attributes
    ----------
    x, y : float
        The point, in data coordinates.
    text : str
    above : bool
        Whether the text stands above the point rather than below.
    """

    x: float
    y: float
    text: str
    above: bool = False


class _Size(NamedTuple):
    """Width and height of a text in points."""

    width: float
    height: float


def spread(wanted: NDArray[np.float64], gaps: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return the places nearest to those wanted (least squares) that are apart from each other.

    Parameters
    ----------
    wanted : (k,) ndarray
        Places, rising.
    gaps : (k - 1,) ndarray
        Smallest distance between each place and the next.
    low, high : float
        Ends between which all places lie, if there is room for all.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.optimizers.pictures.labels import spread
    >>> spread(np.array([1.0, 1.0, 5.0]), np.array([2.0, 2.0]), 0.0, 10.0).tolist()
    [0.0, 2.0, 5.0]
    """
    from scipy.optimize import isotonic_regression

    offset = np.concatenate([[0.0], np.cumsum(gaps)])
    placed = isotonic_regression(wanted - offset).x
    return np.clip(placed, low, max(low, high - offset[-1])) + offset


def add_labels(ax: Axes, labels: Sequence[PointLabel]) -> None:
    """Write labels on axes whose limits are set; where labels would overlap they are turned, and moved aside.

    The limits of the vertical axis are widened where a label would leave the axes.

    Parameters
    ----------
    ax : matplotlib Axes
    labels : sequence of PointLabel
    """
    for above in (False, True):
        side = sorted((label for label in labels if label.above is above), key=lambda label: label.x)
        if side:
            _add_side(ax, side, above)


def _add_side(ax: Axes, labels: Sequence[PointLabel], above: bool) -> None:
    """Write the labels of one side, sorted by their place."""
    sizes = [_size(label.text) for label in labels]
    x = _points(ax, labels)[:, 0] / _MARGIN
    widths, heights = np.array([[size.width + 2, size.height] for size in sizes]).T
    fit = bool((np.diff(x) >= (widths[1:] + widths[:-1]) / 2).all())
    turned = not fit and bool((widths > heights).any())
    shifts = np.zeros(len(labels))
    if not fit:
        across = heights if turned else widths
        left, right = (float(end) / _MARGIN for end in _across(ax))
        shifts = (spread(x, (across[1:] + across[:-1]) / 2, left, right) - x) * _MARGIN
    lengths = widths if turned else heights
    _make_room(ax, labels, lengths + 2 * _GAP, above)
    for label, shift in zip(labels, shifts.tolist(), strict=True):
        moved = abs(shift) > 0.5
        place = (shift, (2.0 if moved else 1.0) * (_GAP if above else -_GAP))
        if moved:  # a line of its own: that of an annotation counts as part of its text
            ax.annotate("", (label.x, label.y), place, textcoords="offset points", arrowprops=_LEADER)
        ax.annotate(
            label.text,
            (label.x, label.y),
            place,
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            fontsize=_SIZE,
            rotation="vertical" if turned else "horizontal",
        )


def _size(text: str) -> _Size:
    from matplotlib.textpath import TextPath

    box = TextPath((0.0, 0.0), text or " ", size=_SIZE).get_extents()
    return _Size(float(np.nan_to_num(box.width)), 1.3 * _SIZE)


def _points(ax: Axes, labels: Sequence[PointLabel]) -> NDArray[np.float64]:
    """Return the places of labels in points (1/72 inch)."""
    return ax.transData.transform([(label.x, label.y) for label in labels]) * (72.0 / ax.figure.dpi)


def _across(ax: Axes) -> tuple[float, float]:
    """Return the left and the right end of the axes in points."""
    box = ax.get_window_extent()
    return box.x0 * 72.0 / ax.figure.dpi, box.x1 * 72.0 / ax.figure.dpi


def _make_room(ax: Axes, labels: Sequence[PointLabel], lengths: NDArray[np.float64], above: bool) -> None:
    """Widen the limits of the vertical axis so that labels of these lengths in points stay inside."""
    height = ax.get_window_extent().height * 72.0 / ax.figure.dpi / _MARGIN
    part = np.minimum(lengths / height, 0.6)
    y, (low, high) = np.array([label.y for label in labels]), ax.get_ylim()
    if above:
        ax.set_ylim(low, max(high, float(((y - part * low) / (1 - part)).max())))
    else:
        ax.set_ylim(min(low, float(((y - part * high) / (1 - part)).min())), high)
