"""Lines of the branches of a disconnectivity graph, each of a minimum with an identifier in SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba, to_rgba_array

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase
    from numpy.typing import NDArray

__all__ = ["BranchLines"]


class BranchLines(LineCollection):
    """Broken lines of branches; where they end at minima, SVG gives each the identifier ``minimum-17``.

    Parameters
    ----------
    lines : list of (3, 2) ndarray
        Corners of the lines in data coordinates.
    minima : (k,) ndarray, optional
        Minimum of each line; None for superbasins, whose lines have no identifiers.
    **options
        As of matplotlib's ``LineCollection``.
    """

    def __init__(self, lines: list[NDArray[np.float64]], minima: NDArray[np.int64] | None = None, **options: Any):
        super().__init__(lines, **options)
        self.minima = minima

    def draw(self, renderer: RendererBase) -> None:
        """Draw the lines; matplotlib calls this."""
        # only the renderer of SVG has a writer: the others draw all lines at once, which is faster
        if self.minima is None or not hasattr(renderer, "writer") or not self.get_visible():
            super().draw(renderer)
        else:
            self._draw_one_by_one(renderer, self.minima.tolist())
            self.stale = False

    def _draw_one_by_one(self, renderer: RendererBase, minima: list[int]) -> None:
        context, prefix = renderer.new_gc(), self._prefix()
        self._set_gc_clip(context)  # type: ignore[attr-defined]
        context.set_capstyle(self.get_capstyle() or "projecting")
        context.set_joinstyle(self.get_joinstyle() or "round")
        colours, widths = (
            to_rgba_array(self.get_colors()),
            np.atleast_1d(np.asarray(self.get_linewidth(), dtype=np.float64)).tolist(),
        )
        transform, point = self.get_transform(), float(np.asarray(renderer.points_to_pixels(1.0)))
        for k, (path, minimum) in enumerate(zip(self.get_paths(), minima, strict=True)):
            context.set_foreground(to_rgba(colours[k % len(colours)].tolist()), isRGBA=True)
            context.set_linewidth(point * widths[k % len(widths)])
            renderer.open_group("minimum", gid=f"{prefix}minimum-{minimum}")
            renderer.draw_path(context, path, transform)
            renderer.close_group("minimum")
        context.restore()

    def _prefix(self) -> str:
        """Return what tells the minima of this graph from those of the others in its figure."""
        root = None if self.axes is None else self.axes.get_figure(root=True)
        graphs = (
            [] if root is None else [a for a in root.findobj(BranchLines) if getattr(a, "minima", None) is not None]
        )
        place = graphs.index(self) if self in graphs else 0
        return f"graph{place + 1}-" if place else ""
