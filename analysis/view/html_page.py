"""The page as one HTML file: its own scripts, Plotly's, and data; nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path

from thalweg.analysis.view.encoding import Json, page_json

__all__ = ["page_colours", "page_html", "plotly_script"]

_SCRIPTS = ("data", "tree", "lines", "graph", "structure", "shapes", "details", "route", "table", "controls", "page")
_COLOURS = 32


def plotly_script() -> str:
    """Return the text of plotly.js, which the Python package plotly carries.

    Raises
    ------
    ModuleNotFoundError
        If that is not installed; the message says how to install it.
    """
    try:
        import plotly
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('the page needs plotly: pip install "thalweg[view]"', name="plotly") from error
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def page_colours() -> list[Json]:
    """Return the colours of the graph's branches from low to high values, those of ``thalweg plot``."""
    from matplotlib.colors import to_hex

    from thalweg.analysis.disconnectivity.colour_maps import colour_map

    cmap = colour_map(None)
    return [to_hex(cmap(k / (_COLOURS - 1))) for k in range(_COLOURS)]


def page_html(title: str, data: Mapping[str, Json], *, live: bool) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        Title of the window.
    data : mapping
        What the page is given beside its colours.
    live : bool
        Whether the page may ask the server it came from; otherwise it may connect to nothing.

    Notes
    -----
    A Content-Security-Policy names the two scripts by their digests: the browser runs no other, whatever text a store
    holds. Text goes into the page as JSON without the characters that could end a script.
    """
    from thalweg.landscapes.storage.whole_stores import created_by

    folder = files("thalweg.analysis.view") / "assets"
    own = "".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    # one strict mode for all, and no names beside those of the browser
    scripts = [plotly_script(), f"(function () {{\n{own}}})();\n"]
    parts = {
        "title": escape(title),
        "generator": escape(created_by()),
        "policy": escape(_policy(scripts, live)),
        "style": (folder / "page.css").read_text(encoding="utf-8"),
        "data": page_json({"live": live, "colours": page_colours(), **data}),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    template = (folder / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def _policy(scripts: list[str], live: bool) -> str:
    digests = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    allowed = {
        "default-src": "'none'",
        "script-src": digests,
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "connect-src": "'self'" if live else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())
