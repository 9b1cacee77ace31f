"""Build of the site: ``sphinx-build -W docs build/site``.

Pages are the Markdown files beside this one, which GitHub shows, too. What is generated goes to ``docs/generated``:
the reference from the packages' ``__all__``, the pages of the project from the files in the root, and the gallery.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import thalweg

os.environ.setdefault("MPLBACKEND", "agg")

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
GENERATED = DOCS / "generated"

project = "Thalweg"
author = "The Thalweg authors"
project_copyright = author
version = release = thalweg.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["examples", "generated/examples", "templates", "paper/*.md", "noise/*.md"]
templates_path = ["templates"]

html_theme = "furo"
html_title = f"Thalweg {release}"
html_show_sourcelink = False
html_copy_source = False

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template lists members in full
numpydoc_xref_param_type = False
myst_heading_anchors = 4

nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(scipy|ase)\..*"),  # no inventory of theirs is fetched: the site is built offline
    ("py:.*", r"thalweg\.\w+\.\w+\..*"),  # modules inside the packages have no page
    ("py:.*", r"\w+"),  # a method named without its class has no page of its own
]
suppress_warnings = ["config.cache"]  # the order of the gallery's sections is a function, which is not pickled

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")


# --- the gallery


def order_of_sections(folder: str) -> int:
    """Return the place of a section of the gallery: first steps, then molecules, networks and analyses."""
    sections = ("first_steps", "atoms", "networks", "analysis")
    return sections.index(Path(folder).name) if Path(folder).name in sections else len(sections)


def figure_of_last_line(block: object, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure that the last line of a block returns, if it is none of pyplot's, which are saved anyway."""
    from matplotlib import pyplot
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    last = block_vars["example_globals"].get("___")
    figure = last if isinstance(last, Figure) else getattr(last, "figure", None)
    if not isinstance(figure, Figure) or any(figure is known for known in SAVED):
        return ""
    SAVED.append(figure)
    if any(figure is pyplot.figure(number) for number in pyplot.get_fignums()):
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=80, bbox_inches="tight")
    return str(figure_rst([path], gallery_conf["src_dir"]))


SAVED: list[object] = []
"""Figures of last lines that have been seen: a block without a value leaves that of the block before."""

sphinx_gallery_conf = {
    "examples_dirs": str(GENERATED / "examples"),
    "gallery_dirs": "generated/gallery",
    "filename_pattern": r"/plot_",
    "subsection_order": order_of_sections,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1000,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "write_computation_times": False,
    "image_scrapers": (figure_of_last_line, "matplotlib"),
    "capture_repr": ("_repr_html_",),
}


def copy_examples() -> None:
    """Copy the examples that can run here: they do so in their own folder, and what they write is no source."""
    target = GENERATED / "examples"
    for store in target.rglob("*.zarr"):
        shutil.rmtree(store)
    for source in (DOCS / "examples").rglob("*"):
        if source.suffix not in (".py", ".rst") or "__pycache__" in source.parts:
            continue
        text = source.read_text(encoding="utf-8")
        if "\nimport torch\n" in text and find_spec("torch") is None:  # which no extra installs, large as it is
            continue
        write(target / source.relative_to(DOCS / "examples"), text)


# --- pages that are written from something else


def write(path: Path, text: str) -> None:
    """Write a file if it is not what it should be: Sphinx reads again what has a new date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


PROJECT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md", "CODE_OF_CONDUCT.md": "conduct.md"}
"""Files of the root that become pages."""

ELSEWHERE = {
    "../README.md": "index.md",
    "../CITATION.cff": "citing.md",
    "examples": "generated/gallery/index.rst",
    **{f"../{name}": f"generated/project/{page}" for name, page in PROJECT.items()},
}
"""Where links of pages lead on the site, if not to where they lead on GitHub."""


def write_project_pages() -> None:
    """Make pages of CONTRIBUTING.md and others, whose links to docs/ and to each other lead to pages."""
    for name, page in PROJECT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = text.replace("](docs/examples)", "](../gallery/index.rst)").replace("](docs/", "](../../")
        for other, place in PROJECT.items():
            text = text.replace(f"]({other}", f"]({place}")
        write(GENERATED / "project" / page, text)


def write_reference() -> None:
    """Write a page for each package: its public classes, functions and constants."""
    for package in PACKAGES:
        module = import_module(f"thalweg.{package}")
        named = {name: getattr(module, name) for name in sorted(module.__all__, key=str.lower)}
        classes = [name for name, value in named.items() if inspect.isclass(value)]
        functions = [name for name, value in named.items() if inspect.isfunction(value)]
        constants = [name for name in named if name not in classes and name not in functions]
        title = f"thalweg.{package}"
        lines = [title, "=" * len(title), "", inspect.getdoc(module) or "", "", f".. currentmodule:: {title}", ""]
        for heading, names in (("Classes", classes), ("Functions", functions)):
            if names:
                lines += [heading, "-" * len(heading), "", ".. autosummary::", "   :toctree: names", ""]
                lines += [*(f"   {name}" for name in names), ""]
        if constants:
            lines += ["Constants", "---------", ""]
            lines += [f"- ``{name}``, of type ``{type(named[name]).__name__}``" for name in constants]
        write(GENERATED / "api" / f"{package}.rst", "\n".join(lines) + "\n")


def redirect_links(app: object, page: str, source: list[str]) -> None:
    """Let links to files outside docs/ lead to the pages that are made of them."""
    if "/" in page:
        return
    for name, place in ELSEWHERE.items():
        source[0] = re.sub(
            rf"\]\({re.escape(name)}/?(#[^)]*)?\)", lambda m, to=place: f"]({to}{m[1] or ''})", source[0]
        )


copy_examples()
write_project_pages()
write_reference()


def setup(app: object) -> None:
    """Connect what is done while pages are read."""
    app.connect("source-read", redirect_links)  # type: ignore[attr-defined]
