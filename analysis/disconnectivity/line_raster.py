"""Fast rasterisation of many lines, for graphs that matplotlib's line collections draw slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

from thalweg.potentials.compiled.signatures import jit, matrix, vector

if TYPE_CHECKING:
    from matplotlib.axes._base import _AxesBase
    from matplotlib.backend_bases import RendererBase

__all__ = ["CrowdedLines"]

cube = numba.types.Array(numba.float64, 3, "C")


@jit(numba.void(cube, matrix, vector, cube))
def _paint(lines, colours, widths, image):
    """Paint broken lines over an image of premultiplied colours, in the order given, by the area each pixel shares.

    A piece runs along the axis (columns 0, rows 1) in which it is longer, one pixel at a time.
    """
    for line in range(len(lines)):
        for piece in range(lines.shape[1] - 1):
            across = abs(lines[line, piece + 1, 0] - lines[line, piece, 0])
            along = 1 if across <= abs(lines[line, piece + 1, 1] - lines[line, piece, 1]) else 0
            u0, u1 = lines[line, piece, along], lines[line, piece + 1, along]
            v0, v1 = lines[line, piece, 1 - along], lines[line, piece + 1, 1 - along]
            if u0 > u1:
                u0, u1, v0, v1 = u1, u0, v1, v0
            if u0 == u1:
                continue
            slope = (v1 - v0) / (u1 - u0)
            half = 0.5 * widths[line] * np.sqrt(1.0 + slope * slope)
            nu, nv = image.shape[1 - along], image.shape[along]
            for u in range(max(0, int(np.floor(u0))), min(nu, int(np.ceil(u1)))):
                low, high = max(u0, float(u)), min(u1, u + 1.0)
                middle = v0 + slope * (0.5 * (low + high) - u0)
                for v in range(max(0, int(np.floor(middle - half))), min(nv, int(np.ceil(middle + half)))):
                    share = (high - low) * (min(middle + half, v + 1.0) - max(middle - half, float(v)))
                    row, column = (u, v) if along else (v, u)
                    alpha = share * colours[line, 3]
                    for c in range(3):
                        image[row, column, c] += alpha * (colours[line, c] - image[row, column, c])
                    image[row, column, 3] += alpha * (1.0 - image[row, column, 3])


class CrowdedLines(Artist):
    """Broken lines, painted at the resolution of the file; in vector formats they are a picture.

    Parameters
    ----------
    lines : (k, 3, 2) ndarray
        In data coordinates.
    colours : (k, 4) or (4,) ndarray
        RGBA, 0 to 1.
    widths : (k,) ndarray or float
        In points.
    """

    def __init__(self, lines: NDArray[np.float64], colours: NDArray[np.float64], widths: NDArray[np.float64] | float):
        super().__init__()
        self.lines = lines
        self.colours = np.array(np.broadcast_to(colours, (len(lines), 4)), dtype=np.float64, order="C")
        self.widths = np.array(np.broadcast_to(widths, len(lines)), dtype=np.float64)
        self.set_in_layout(False)

    def _home(self) -> _AxesBase:
        if self.axes is None:
            raise RuntimeError("lines have not been added to axes")
        return self.axes

    def image(self, renderer: RendererBase) -> NDArray[np.uint8]:
        """Return what is painted over the axes, rows from the bottom: (rows, columns, 4) uint8."""
        axes = self._home()
        scale, box = renderer.get_image_magnification(), axes.bbox
        size = [max(1, int(np.ceil(length * scale))) for length in (box.height, box.width)]
        image = np.zeros((*size, 4))
        pixels = axes.transData.transform(self.lines.reshape(-1, 2)).reshape(self.lines.shape)
        pixels = np.ascontiguousarray((pixels - [box.x0, box.y0]) * scale)
        point = np.asarray(renderer.points_to_pixels(1.0), dtype=np.float64)
        _paint(pixels, self.colours, self.widths * (point * scale), image)
        clear = image[..., 3] == 0
        image[..., :3] /= np.maximum(image[..., 3:], 1e-12)
        image[clear, :3] = 1.0  # viewers that scale the picture mix it into the colours beside
        return np.round(255 * image).astype(np.uint8)

    def draw(self, renderer: RendererBase) -> None:
        """Paint; matplotlib calls this."""
        if self.get_visible() and len(self.lines):
            context, box = renderer.new_gc(), self._home().bbox
            context.set_clip_rectangle(box)
            renderer.draw_image(context, box.x0, box.y0, self.image(renderer))
            context.restore()
        self.stale = False
