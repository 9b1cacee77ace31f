"""Energies along a path, as a table and as a picture."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.optimizers.pictures.files import save_figure
from thalweg.optimizers.pictures.labels import PointLabel, add_labels
from thalweg.potentials.conversion.printable import plain_label, printable

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

__all__ = ["PICTURES", "Curve"]

PICTURES = (".png", ".pdf", ".svg")
"""Endings of the pictures that a curve can be saved as."""

_MARKS = {"minimum": ("o", "tab:blue"), "transition state": ("^", "tab:red"), "highest image": ("^", "tab:red")}
_NAMED = 25
_DRAWN = 600  # points of the line in a picture, about


class Curve:
    """Energy along a path: what bands, pathways and paths through a landscape have in common.

    Attributes
    ----------
    energy : (k,) energies; length : (k,) distance along the path.
    units : str, of energy: "reduced", or "eV" with lengths in angstrom.
    mass_weighted : bool, whether lengths are mass-weighted, times the root of the atomic mass unit.
    kinds : (k,) str, what each point is: "minimum", "transition state", "image" ...; "" between these.
    """

    energy: np.ndarray
    length: np.ndarray
    units: str
    mass_weighted: bool = False

    if TYPE_CHECKING:  # at run time it would be a default of the field of this name

        @property
        def kinds(self) -> np.ndarray: ...

    def columns(self) -> dict[str, np.ndarray]:
        """Return the table's columns by name; units are in the names where there are any."""
        unit = "" if self.units == "reduced" else "_angstrom"
        length = f"length_sqrt_u{unit}" if self.mass_weighted else f"length{unit}"
        energy = "energy" if self.units == "reduced" else f"energy_{printable(self.units)}"
        return {"kind": np.asarray(self.kinds, dtype=str), length: self.length, energy: self.energy}

    def table(self) -> pandas.DataFrame:
        """Return a pandas table, one row a point.

        Raises
        ------
        ImportError
            If pandas is not installed (the extra ``tables``); :meth:`columns` needs none.
        """
        import pandas

        return pandas.DataFrame(self.columns())

    def save(
        self, path: str | os.PathLike[str], *, metadata: dict[str, str] | None = None, **plot: bool | None
    ) -> None:
        """Write the table (.csv) or the picture (.png, .pdf, .svg), by the ending.

        Parameters
        ----------
        path : path
        metadata : dict, optional
            Metadata of a picture, as matplotlib's ``savefig`` takes them.
        **plot
            For a picture, as :meth:`plot`.

        Raises
        ------
        ValueError
            For another ending.
        """
        ending = Path(path).suffix.lower()
        if ending == ".csv":
            self._write_table(path)
        elif ending in PICTURES:
            self._draw(path, metadata, plot)
        else:
            raise ValueError(f"{path} must end in .csv, {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")

    def _write_table(self, path: str | os.PathLike[str]) -> None:
        columns = self.columns()
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        with open(path, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([list(columns), *rows])

    def _draw(self, path: str | os.PathLike[str], metadata: dict[str, str] | None, plot: dict[str, Any]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4), layout="constrained")
        FigureCanvasAgg(figure)
        self.plot(figure.add_subplot(), **plot)
        save_figure(figure, path, dpi=200, metadata=metadata)

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Return lengths and energies of the line to draw: smooth through all points, without further extrema."""
        if len(self.energy) < 3 or not (np.diff(self.length) > 0).all() or not np.isfinite(self.energy).all():
            return self.length, self.energy
        from scipy.interpolate import PchipInterpolator

        # evenly, since where a piece has three points alone they lie far apart
        s = np.union1d(self.length, np.linspace(self.length[0], self.length[-1], _DRAWN))
        return s, PchipInterpolator(self.length, self.energy)(s)

    def plot(self, ax: Axes | None = None, *, relative: bool = False, named: bool | None = None) -> Axes:
        """Draw energy against distance along the path.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure of pyplot by default.
        relative : bool
            Whether energies count from the first point.
        named : bool, optional
            Whether minima and transition states have their energies beside them; by default where they are few.

        Returns
        -------
        matplotlib Axes
        """
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=(6.0, 4.0), layout="constrained")[1]
        zero = self.energy[0] if relative else 0.0
        s, energy = self.line()
        ax.plot(s, energy - zero, color="black", linewidth=1.0, zorder=1)
        kinds = np.asarray(self.kinds)
        for kind, (marker, colour) in _MARKS.items():
            chosen = kinds == kind
            heights = self.energy[chosen] - zero
            ax.scatter(self.length[chosen], heights, s=20, color=colour, marker=marker, zorder=2)
        reduced = self.units == "reduced"
        unit = "" if reduced else "\u00c5"
        if self.mass_weighted:
            unit = f"u$^{{1/2}}$ {unit}".rstrip()
        ax.set_xlabel(f"path length / {unit}" if unit else "path length")
        ax.set_ylabel(
            ("energy" if reduced else f"energy / {plain_label(self.units)}") + (" above the first point" * relative)
        )
        ax.ticklabel_format(axis="y", useOffset=False)
        ax.margins(y=0.12)
        marked = np.flatnonzero(np.isin(kinds, list(_MARKS)))
        if named or (named is None and len(marked) <= _NAMED):
            self._name(ax, marked, zero)
        return ax

    def _name(self, ax: Axes, marked: np.ndarray, zero: float) -> None:
        """Write the energies of minima below them, and those of other points above."""
        heights = self.energy - zero
        labels = [
            PointLabel(float(self.length[k]), float(heights[k]), f"{heights[k]:.4f}", self.kinds[k] != "minimum")
            for k in marked
        ]
        add_labels(ax, labels)
