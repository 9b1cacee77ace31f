"""Nothing in a store runs script in the page, whatever its names and texts are."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, LandscapePage
from thalweg.analysis.view.encoding import page_json
from thalweg.analysis.view.viewed_landscape import ViewedLandscape
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point

from .pages import Page, served

HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "<!--<script>",
    "'\"><svg onload=window.hacked=1>",
    "<a href='javascript:window.hacked=1'>a</a>",
    "__proto__",
    "constructor",
    "${window.hacked=1}{{data}}",
    "energy\u2028\u202e\x00",
)


def hostile_network(units="<b onclick=window.hacked=1>eV"):
    values = {name: [float(k), 1.0, 2.0] for k, name in enumerate(HOSTILE)}
    return KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]], properties=values, units=units)


def click_everything(page, network):
    """Let each name be a colour, a cell, a title and part of the Python that is shown."""
    graph = DisconnectivityGraph(network)
    names = [option.get_attribute("value") for option in page.all("#colour option")]
    for name in names:
        page.choose("#colour", name)
        page.press("#python")
        page.hover(graph.lines.x[0], network.energies[0])
    page.search(0)
    page.wait_for_point(0)
    page.search(2)
    page.wait_for_path(0, 2)
    page.press("#tabs [data-panel=table]")
    page.wait(lambda: page.all("#table tr.link"))
    for name in names:
        heads = {head.get_attribute("data-column"): head for head in page.all("#table th")}
        heads[name].click()
    return names


def assert_untouched(page):
    """No script has run, and no element has come out of a text."""
    seen = page.browser.execute_script("""
        return [window.hacked ?? null, document.querySelectorAll("img, svg[onload], b, a[href^=javascript]").length,
                document.querySelectorAll("script").length, typeof {}.hacked]""")
    assert seen == [None, 0, 3, "undefined"]


@pytest.mark.parametrize("saved", [False, True])
def test_names_of_properties_landscapes_and_units(browser, tmp_path, saved):
    network = hostile_network()
    name = " ".join(HOSTILE[:5])
    if saved:
        LandscapePage(network, names=[name]).save(tmp_path / "a.html")
        page = Page(browser, (tmp_path / "a.html").as_uri())
        names = click_everything(page, network)
    else:
        with served(network, names=[name]) as server:
            page = Page(browser, server.url)
            names = click_everything(page, network)
    assert set(HOSTILE[:8]) < set(names)  # shown as they are
    assert browser.title == name
    assert_untouched(page)


def test_the_browser_runs_no_other_script_than_the_page_s_own(browser):
    """The policy is the second wall: text that were taken for HTML would still run nothing, and reach nobody."""
    with served(hostile_network()) as server:
        page = Page(browser, server.url)
        browser.execute_script("""
            document.body.insertAdjacentHTML("beforeend", "<img src=data:, onerror='window.hacked=1'>");
            const made = document.createElement("script");
            made.textContent = "window.hacked = 1";
            document.body.appendChild(made);""")
        asked = (
            "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), () => done('refused'));"
        )
        assert browser.execute_async_script(asked) == "refused"
        refused = [entry["message"] for entry in browser.get_log("browser")]
        assert sum("script-src" in text or "inline" in text for text in refused) >= 2
        assert any("connect-src" in text for text in refused)
        assert browser.execute_script("return window.hacked ?? null") is None
        assert page.text("#said-graph0")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of a surface that names a stranger's calculator and a stranger's units, in a folder of a hostile name."""
    folder = tmp_path_factory.mktemp("hostile")
    with Landscape(Point([0.0, 0.5], MuellerBrown()), folder / "a.zarr", seed=0) as landscape:
        landscape.find_minima(20, workers=1)
        landscape.connect(20, workers=1)
        landscape.properties["height"] = landscape.minima.energy[:]
    return folder / "a.zarr"


def texts(node, place=()):
    """Yield the place of every text of a store's root."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(value, str):
            yield (*place, key)
        yield from texts(value, (*place, key))


def put(root, places):
    """Return a copy of a root with hostile text in these places."""
    changed = json.loads(json.dumps(root))
    for place in places:
        node = changed
        for key in place[:-1]:
            node = node[key]
        node[place[-1]] = HOSTILE[0]
    return json.dumps(changed)


def test_texts_of_a_store(browser, store, tmp_path):
    """All texts of a store that reach the page, at once; with others it is refused, or they are not shown."""
    copy = tmp_path / HOSTILE[0].replace("/", "")
    shutil.copytree(store, copy)
    root = json.loads((store / "zarr.json").read_text())
    shown = []
    for place in texts(root):
        if "attributes" not in place:
            continue
        (copy / "zarr.json").write_text(put(root, [place]))
        try:
            view = ViewedLandscape(copy, name="a")
        except ValueError:
            continue
        row = int(np.argmin(view.network.energies))
        passed_on = page_json({"summary": {**view.summary(), "source": None}, "point": view.point("minima", row)})
        assert "<" not in passed_on
        if "onerror" in passed_on.replace(copy.name, ""):
            shown.append(place)
    assert shown
    (copy / "zarr.json").write_text(put(root, shown))
    with served(copy) as server:
        page = Page(browser, server.url)
        page.wait_for_point(int(np.argmin(ViewedLandscape(copy).network.energies)))
        assert browser.title == copy.name
        assert_untouched(page)
