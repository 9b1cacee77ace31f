"""Text that the maker of a store chose reaches terminals, pictures, files and notebooks without control characters."""

from __future__ import annotations

import ast
import csv
import json
import shutil
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from thalweg.analysis import Comparison, DisconnectivityGraph, KineticTransitionNetwork
from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point
from thalweg.potentials.conversion.printable import cell, plain_label, printable, printable_lines

from ..helpers import small_network

HOSTILE = "\x1b]0;title\x07\x1b[31mred\u202e\nnext line\r\x9b1m\x7f\u2028[bold]$\\frac_"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A surface and a network, explored a little."""
    folder = tmp_path_factory.mktemp("stores")
    for name, subject in (("surface", Point([0.0, 0.5], MuellerBrown())), ("network", small_network())):
        with Landscape(subject, folder / f"{name}.zarr", seed=0) as landscape:
            landscape.find_minima(12, workers=1)
            landscape.connect(12, workers=1)
            landscape.properties["height"] = landscape.minima.energy[:] * 2
    return folder


def texts(node, path=()):
    """Yield the place of every text of JSON, and of every name in ``attributes``."""
    if isinstance(node, dict):
        for name, value in node.items():
            if path and "attributes" in path:
                yield (*path, name), "name"
            yield from texts(value, (*path, name))
    elif isinstance(node, list):
        for k, value in enumerate(node):
            yield from texts(value, (*path, k))
    elif isinstance(node, str):
        yield path, "value"


def changed(root, place, kind):
    """Return a copy of the root with hostile text in one place."""
    copy = json.loads(json.dumps(root))
    *above, last = place
    node = copy
    for step in above:
        node = node[step]
    if kind == "name":
        node[HOSTILE] = node.pop(last)
    else:
        node[last] = HOSTILE
    return copy


def assert_printable(text):
    for line in str(text).split("\n"):
        wrong = {c for c in line if not c.isprintable()}
        assert not wrong, (wrong, line)
        assert not line.startswith("next line"), f"text of the store begins a line: {text}"


COMMANDS = (["info"], ["show", "minimum", "0"], ["show", "state", "0"], ["verify"])


@pytest.mark.parametrize("name", ["surface", "network"])
def test_every_text_of_a_store(stores, tmp_path, name):
    """Each text in turn: most are refused, some are shown, none is passed on as it is."""
    shutil.copytree(stores / f"{name}.zarr", tmp_path / "a.zarr")
    root = json.loads((tmp_path / "a.zarr/zarr.json").read_text())
    places = [
        (place, kind)
        for place, kind in texts(root)
        if "attributes" in place and "rules" not in place and "meanings" not in place[:-1]
    ]
    places += [(place, "value") for place, kind in texts(root) if "meanings" in place and place[-1] == 0]
    assert len(places) > 30
    shown = 0
    for place, kind in places:
        (tmp_path / "a.zarr/zarr.json").write_text(json.dumps(changed(root, place, kind)))
        for command in COMMANDS:
            words = [command[0], str(tmp_path / "a.zarr"), *command[1:]]
            done = CliRunner().invoke(program, words)
            assert_printable(done.output)
            shown += "red\\u202e" in done.output
    assert shown > 3


def test_a_lock_that_came_with_the_store(stores, tmp_path):
    shutil.copytree(stores / "surface.zarr", tmp_path / "a.zarr")
    holder = {"pid": HOSTILE, "host": HOSTILE, "since": HOSTILE}
    (tmp_path / "a.zarr.lock").write_text(json.dumps(holder))
    with pytest.raises(ValueError, match="a\\.zarr") as caught:
        Landscape.open(tmp_path / "a.zarr", "r+")
    assert_printable(caught.value)


def made_by_a_stranger(stores, tmp_path, **attributes):
    shutil.copytree(stores / "surface.zarr", tmp_path / "a.zarr")
    root = json.loads((tmp_path / "a.zarr/zarr.json").read_text())
    root["attributes"].update(attributes)
    (tmp_path / "a.zarr/zarr.json").write_text(json.dumps(root))
    return tmp_path / "a.zarr"


def test_units_in_pictures_and_notebooks(stores, tmp_path):
    """Units that a reader may refuse are not in this test: a network of them is."""
    path = made_by_a_stranger(stores, tmp_path)
    network = KineticTransitionNetwork([0.0, 1.0], [2.0], [[0, 1]], units="<b>eV</b> $\\frac$ \x1b[31m")
    html = network._repr_html_()
    assert "&lt;b&gt;eV" in html
    assert_printable(html)
    for ending in ("png", "svg", "pdf"):
        DisconnectivityGraph(network).save(tmp_path / f"a.{ending}")
    svg = (tmp_path / "a.svg").read_text()
    ET.fromstring(svg)
    assert_printable(svg)
    assert_printable(Landscape.open(path)._repr_html_())
    assert_printable(repr(Landscape.open(path)))


@pytest.mark.parametrize(
    "name", ["a$\\frac{1}{0}$b", "50% $ of _all_", "$x_1$ $", "\\$5 \\alpha", "\x1b[31mred\nline", "=HYPERLINK(1)"]
)
def test_names_in_comparisons(tmp_path, name):
    """Names of folders come from elsewhere, too: they are no formulas for matplotlib or a spreadsheet."""
    network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    comparison = Comparison({name: network, "other": network})
    comparison.save(tmp_path / "a.png")
    assert_printable(comparison.to_text())
    assert_printable(comparison.to_markdown())
    head = next(csv.reader(comparison.to_csv().splitlines()))
    assert head[1] == ("'=HYPERLINK(1)" if name.startswith("=") else printable(name))


def test_labels_are_drawn_as_they_are():
    from matplotlib.figure import Figure

    for text in ("a$b", "$\\frac$", "x_1 \\y", "\\$", "$a$ and $b$"):
        drawn = Figure().text(0, 0, plain_label(text))
        assert drawn._preprocess_math(drawn.get_text()) == (text, False)
    with matplotlib.rc_context({"text.usetex": True}):
        assert plain_label("a_b $5 \\ {x}") == r"a\_b \$5 \textbackslash{} \{x\}"


def test_exports(stores, tmp_path):
    """GraphML is XML whatever properties are called, and cells of a table are no formulas."""
    network = KineticTransitionNetwork(
        [0.0, 1.0],
        [2.0],
        [[0, 1]],
        properties={"=cmd|' /C calc'!A0": [1.0, 2.0], "\x1bname\x00": ["=1+1", "@SUM(A1)"], "plain": ["-1.5", "\t=x"]},
    )
    from thalweg.analysis.cli.export import _FORMATS
    from thalweg.analysis.networks.parts.numbered import numbered_part
    from thalweg.analysis.networks.parts.selection import Part

    _FORMATS["graphml"](tmp_path, numbered_part(network, Part()), tmp_path / "a.graphml", False)
    ET.parse(tmp_path / "a.graphml")
    assert_printable((tmp_path / "a.graphml").read_text())
    pytest.importorskip("pandas")
    _FORMATS["csv"](tmp_path, numbered_part(network, Part()), tmp_path / "tables", False)
    with (tmp_path / "tables/minima.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["'=cmd|' /C calc'!A0"] == "1.0"
    assert [row["\\x1bname\\x00"] for row in rows] == ["'=1+1", "'@SUM(A1)"]
    assert [row["plain"] for row in rows] == ["-1.5", "'\\t=x"]


@given(st.text(alphabet=st.characters(), max_size=30))
def test_printable_text(text):
    said = printable(text)
    assert said.isprintable()
    assert printable(said) == said
    kept = [c for c in text if unicodedata.category(c)[0] not in "CZ" or c == " "]
    assert [c for c in kept if c not in said] == []
    assert text != said or text.isprintable()
    said.encode("utf-8")
    assert printable_lines(f"{said}\n{said}") == f"{said}\n{said}"


@given(st.text(max_size=20))
def test_cells(text):
    said = cell(text)
    assert not said.lstrip().startswith(("=", "@")), said
    if said.lstrip().startswith(("+", "-")):
        float(said)  # a number


@pytest.mark.parametrize("value", [1, -2.5, np.float64(-1), None, True, "-1e5", "+3"])
def test_numbers_stay_numbers(value):
    assert cell(value) is value or cell(value) == value


def test_commands_print_by_one_function():
    """What a command prints goes through ``say``, which escapes: no other module calls click.echo or print."""
    folder = Path(__file__).parents[2] / "analysis/cli"
    others = {}
    for file in sorted(folder.glob("*.py")):
        calls = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
        names = {ast.unparse(call.func) for call in calls} & {"click.echo", "click.secho", "print"}
        if names:
            others[file.name] = names
    # the entry point's own print escapes, too, and must not wait for click to load
    assert others == {"terminal.py": {"click.echo"}, "entry_point.py": {"print"}}
