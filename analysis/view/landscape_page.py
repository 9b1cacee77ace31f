"""A page in one file that shows landscapes without Thalweg, for browsers and notebooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.analysis.view.class_links import class_link
from thalweg.analysis.view.encoding import Json
from thalweg.analysis.view.html_page import page_html
from thalweg.analysis.view.kept_points import kept_points
from thalweg.analysis.view.viewed_landscape import KINDS, ViewedLandscape
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.landscapes import Landscape

__all__ = ["LARGEST", "MOST_MINIMA", "ROOM", "LandscapePage"]

MOST_MINIMA = 20_000
"""Number of minima up to which a landscape fits in a file."""

ROOM = 2_500_000
"""Characters that geometries, spectra and neighbours of the lowest points may take in a file."""

LARGEST = 30_000_000
"""Bytes of a whole file; browsers take seconds to open larger ones."""


@public("thalweg.analysis")
class LandscapePage:
    """A page that shows landscapes in a browser, in one file that needs neither Thalweg nor a network.

    The file holds the graph and all numbers of every minimum and transition state, and geometries, spectra and
    neighbours of the lowest ones, up to 2.5 million characters; plotly.js takes 4.8 MB of it. ``thalweg view`` shows
    the same from a server on this machine, for landscapes of any size.

    Parameters
    ----------
    *sources : path, Landscape or KineticTransitionNetwork
        Stores, or folders with PATHSAMPLE's files; several are shown side by side.
    names : sequence of str, optional
        Names of the landscapes; those of the stores by default.
    trust : bool
        Whether calculators that the stores name may be run for spectra, see `Landscape.open`.
    height : int
        Height in notebooks, in pixels.

    Raises
    ------
    OSError, ValueError, TypeError
        If a landscape cannot be read, has no minima, or more than 20,000; when the page is made, if it would take more
        than 30 MB, as with very many properties or transition states.
    ModuleNotFoundError
        If plotly is not installed, when the page is made.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, LandscapePage
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> LandscapePage(network, names=["three wells"])
    <LandscapePage: three wells>
    """

    def __init__(
        self,
        *sources: KineticTransitionNetwork | Landscape | str | os.PathLike[str],
        names: Sequence[str] | None = None,
        trust: bool = False,
        height: int = 750,
    ) -> None:
        if not sources:
            raise ValueError("a page needs at least one landscape")
        given = [None] * len(sources) if names is None else list(names)
        if len(given) != len(sources):
            raise ValueError(f"names holds {len(given)} names; one for each of {len(sources)} landscapes is needed")
        self._views = [ViewedLandscape(s, name=n, trust=trust) for s, n in zip(sources, given, strict=True)]
        for view in self._views:
            if view.network.n_minima > MOST_MINIMA:
                raise ValueError(
                    f"{view.name} has {view.network.n_minima} minima; a file holds at most {MOST_MINIMA}: "
                    "`thalweg view` without --output shows any number"
                )
        self.height = int(height)

    def __repr__(self) -> str:
        return f"<LandscapePage: {', '.join(view.name for view in self._views)}>"

    @cached_property
    def html(self) -> str:
        """The whole file."""
        stores: list[Json] = [_kept(view, ROOM // len(self._views)) for view in self._views]
        link = class_link([view.landscape for view in self._views])
        title = ", ".join(view.name for view in self._views)
        html = page_html(title, {"stores": stores, "link": link}, live=False)
        if len(html) > LARGEST:
            raise ValueError(
                f"the file would have {len(html) / 1e6:.1f} MB; at most {LARGEST / 1e6:.1f} MB are written: "
                "`thalweg view` without --output shows landscapes of any size"
            )
        return html

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; an existing one is overwritten."""
        Path(path).write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        # a frame of its own: the page's scripts and the notebook's do not meet
        style = f"width:100%;height:{self.height}px;border:1px solid #ccc"
        return f'<iframe sandbox="allow-scripts allow-downloads" srcdoc="{escape(self.html)}" style="{style}"></iframe>'


def _kept(view: ViewedLandscape, room: int) -> dict[str, Json]:
    columns: dict[str, Json] = {kind: {name: view.column(kind, name) for name in view.columns(kind)} for kind in KINDS}
    points: dict[str, Json] = {**kept_points(view, room)}
    return {"summary": view.summary(), "columns": columns, "points": points}
