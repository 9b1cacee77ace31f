"""Figures written to files: in SVG, text stays text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_figure"]


def save_figure(
    figure: Figure, path: str | os.PathLike[str], dpi: float | None = None, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a figure, PNG, PDF or SVG by the ending of the file.

    Parameters
    ----------
    figure : matplotlib Figure
    path : path
        File to write; an existing one is overwritten.
    dpi : float, optional
        Dots per inch, for PNG; the figure's own by default.
    metadata : mapping, optional
        Metadata of the file, as matplotlib's ``savefig`` takes them.
    """
    from matplotlib import rc_context, rcParams

    options: dict[str, Any] = {} if dpi is None else {"dpi": dpi}
    with rc_context():
        # text as text, which programs can search and edit; the same figure gives the same identifiers
        rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "thalweg"})
        figure.savefig(path, metadata=None if metadata is None else dict(metadata), **options)
