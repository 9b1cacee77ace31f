"""HTML table of a landscape, as notebooks show it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["landscape_html", "table_html"]


def table_html(title: str, rows: dict[str, str]) -> str:
    """Return a table of names and values under a title, all text escaped."""
    lines = (f"<tr><th style='text-align:left'>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in rows.items())
    return f"<b>{_text(title)}</b><table>{''.join(lines)}</table>"


def _text(text: str) -> str:
    return escape(printable(text))


def landscape_html(landscape: Landscape) -> str:
    """Return a summary of a landscape as a small table; coordinates are not read.

    Parameters
    ----------
    landscape : Landscape
        Open for reading or writing.
    """
    minima, states = landscape.minima, landscape.transition_states
    searches = landscape.searches
    ended = searches.count() if len(searches) else {}
    failed = sum(count for reason, count in ended.items() if reason != "converged")
    rows = {
        "minima": str(len(minima)),
        "transition states": str(len(states)),
        "searches": f"{len(searches)}, of which {failed} failed",
        "coordinates": f"{minima.coordinates.shape[1]} numbers each",
        "units": landscape.units,
        "seed": str(landscape.seed),
        "properties": ", ".join(sorted(landscape.properties)) or "none",
    }
    if len(minima):
        row = minima.lowest()
        rows["lowest minimum"] = f"number {row}, energy {minima.energy[row]:.10g}"
    return table_html(f"Landscape {landscape.path.name}", rows)
