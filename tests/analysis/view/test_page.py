"""The page in a browser: what is clicked through in the main job's landscape, LJ13's and a slab's."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point

from ...helpers import files_of
from .pages import Page, served


def shown_graph(path, **more):
    """Return the graph that the page shows at first: of all components that are not small."""
    network = KineticTransitionNetwork.read(path)
    largest = max(len(part) for part in network.components)
    smallest = max(2, -(-largest // 100))
    shown = [int(part[0]) for part in network.components if len(part) >= smallest]
    return DisconnectivityGraph(network, connected_to=shown, **more)


def joined_pair(graph):
    """Return the lowest minimum, and the one of the others that lies farthest to the right of those joined to it."""
    labels = graph.network.component_labels
    lowest = int(graph.minima[np.argmin(graph.tree.leaf_energy)])
    others = [leaf for leaf, row in enumerate(graph.minima) if labels[row] == labels[lowest] and row != lowest]
    return lowest, int(graph.minima[max(others, key=lambda leaf: graph.lines.x[leaf])])


@pytest.mark.parametrize("name", ["d1", "lj13", "slab"])
def test_clicking_through_a_landscape(browser, stores, name):
    """Hover, click, click: numbers, spectrum, neighbours and geometry of minima, then the path and its animation."""
    path = stores / f"{name}.zarr"
    before = files_of(path)
    graph, landscape = shown_graph(path), Landscape.open(path)
    with served(path) as server:
        page = Page(browser, server.url)
        assert f"{len(graph.minima)} " in page.text("#said-graph0")
        first, second = joined_pair(graph)
        place = {row: (graph.lines.x[leaf], graph.tree.leaf_energy[leaf]) for leaf, row in enumerate(graph.minima)}
        said = page.hover(*place[first])
        assert said.startswith(f"minimum {first}\n")

        page.click_at(*place[first])
        page.wait_for_point(first)
        numbers = dict(
            zip(*([e.text for e in page.all(f"#point .numbers {tag}")] for tag in ("th", "td")), strict=True)
        )
        assert float(numbers["energy"]) == pytest.approx(landscape.minima.energy[first], rel=1e-9)
        assert int(numbers["times found"]) == landscape.minima.times_found()[first]
        assert numbers["verified"] == "yes"
        assert page.all("#point .spectrum .main-svg")
        ends = landscape.transition_states.minima[:]
        assert len(page.all("#point .neighbours tr")) == 1 + min(50, int((ends == first).any(axis=1).sum()))
        assert_geometry(page, "#point", name)

        page.click_at(*place[second])
        page.wait_for_path(first, second)
        assert_path(page, graph.network.lowest_barrier_path(first, second), name)
        assert len(page.shapes()) >= 2
        page.assert_no_errors()
    assert files_of(path) == before
    assert not path.with_suffix(".zarr.lock").exists()


def assert_geometry(page, panel, name):
    if name == "d1":
        assert page.all(f"{panel} .map image")
        return
    assert page.inked(f"{panel} canvas.structure") > 2000


def assert_path(page, path, name):
    text = page.text("#path")
    states = len(path.transition_states)
    assert f"{states} transition state{'s' * (states != 1)}, " in text
    assert float(page.text("#path p").rpartition(" ")[2]) == pytest.approx(path.energy, rel=1e-8)
    assert_geometry(page, "#path", name)
    last = int(page.one("#frame").get_attribute("max"))
    page.press("#play")
    page.wait(lambda: int(page.one("#path").get_attribute("data-frame")) > 0)
    page.press("#play")
    page.slide("#frame", last)
    assert int(page.one("#path").get_attribute("data-frame")) == last
    if name == "slab":  # a calculator written in Python is not run before somebody asks for it
        assert "Only stationary points" in text
        before = last
        page.press("#follow")
        page.wait(lambda: int(page.one("#frame").get_attribute("max")) > before)
    else:
        assert last > 2 * states


def test_structures_turn(browser, stores):
    with served(stores / "lj13.zarr") as server:
        page = Page(browser, server.url)
        page.wait(lambda: page.all("#point canvas.structure"))
        read = "return document.querySelector('#point canvas.structure').toDataURL()"
        before = browser.execute_script(read)
        from selenium.webdriver import ActionChains

        canvas = page.one("#point canvas.structure")
        ActionChains(browser).drag_and_drop_by_offset(canvas, 60, 25).perform()
        assert browser.execute_script(read) != before
        page.assert_no_errors()


def test_controls(browser, stores, tmp_path, monkeypatch):
    """Levels, window of energies, components, colours and search; the Python that the page gives draws the same."""
    monkeypatch.chdir(tmp_path)
    path = stores / "d1.zarr"
    network = KineticTransitionNetwork.read(path)
    with served(path) as server:
        page = Page(browser, server.url)
        page.write("#smallest", 1)
        page.wait(lambda: page.text("#said-graph0").startswith(f"d1: {network.n_minima} minima are shown"))
        high = float(np.quantile(network.energies, 0.6))
        page.write("#to", high)
        kept = int((network.energies <= high).sum())
        page.wait(lambda: page.text("#said-graph0").startswith(f"d1: {kept} of {network.n_minima} minima are shown"))
        page.slide("#levels", 17)
        page.wait(lambda: page.text("#levels-said") == "17")
        page.choose("#colour", "modes")
        page.press("#python")
        graph = drawn_by(page.text("#code"))
        assert len(graph.minima) == kept
        assert len(graph.levels) == 17
        assert graph.levels[-1] == high
        page.press("#lowest")
        page.wait_for_point(int(np.argmin(network.energies)))
        highest = int(np.argmax(network.energies))
        page.search(highest)
        page.wait_for_point(highest)
        page.wait(lambda: "is hidden" in page.text("#message"))
        page.search(network.n_minima)
        assert f"There is no minimum {network.n_minima}" in page.text("#message")
        page.write("#to", float(network.energies.min()) - 1)
        page.wait(lambda: "below the lowest minimum" in page.text("#message"))
        assert page.text("#said-graph0").startswith(f"d1: {kept} of")
        time.sleep(2.5)  # the page asks every two seconds whether the store has grown: messages stay meanwhile
        assert "below the lowest minimum" in page.text("#message")


def drawn_by(code):
    """Run the code that the page shows and return its graph."""
    names = {}
    exec(code, names)
    return names["graph"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("d1", {"energy", "test_auc", "times found", "log_eigenvalue_product"}),
        ("ljat3", {"moments_of_inertia 3", "lowest_eigenvalue", "verified"}),
    ],
)
def test_python_colours(browser, stores, tmp_path, monkeypatch, name, wanted):
    """Colours that the page offers are drawn by the Python that it gives."""
    monkeypatch.chdir(tmp_path)
    with served(stores / f"{name}.zarr") as server:
        page = Page(browser, server.url)
        colours = [option.get_attribute("value") for option in page.all("#colour option")]
        assert wanted < set(colours)
        for colour in sorted(wanted):
            page.choose("#colour", colour)
            page.press("#python")
            drawn_by(page.text("#code"))
            drawn = tmp_path / "graph.png"
            assert drawn.read_bytes().startswith(b"\x89PNG")
            drawn.unlink()


def test_table_sorts(browser, stores):
    path = stores / "lj13.zarr"
    network = KineticTransitionNetwork.read(path)
    landscape = Landscape.open(path)
    with served(path) as server:
        page = Page(browser, server.url)
        page.press("#tabs [data-panel=table]")

        def rows():
            return [int(cell.text) for cell in page.all("#table tr.link td:first-child")][:5]

        page.wait(lambda: rows() == np.argsort(network.energies, kind="stable")[:5].tolist())
        found = landscape.minima.times_found()
        for order in (found, -found):
            page.press("#table [data-column='times found']")
            assert rows() == np.argsort(order, kind="stable")[:5].tolist()
        page.press("#table [data-kind=states]")
        page.wait(lambda: rows() == np.argsort(network.ts_energies, kind="stable")[:5].tolist())
        page.all("#table tr.link")[0].click()
        page.wait_for_point(int(np.argmin(network.ts_energies)), kind="states")
        assert "Minima on its two sides" in page.text("#point")
        page.assert_no_errors()


def test_pictures(browser, downloads, stores):
    """SVG and PNG of what is shown, under a name that is safe; text of the landscape's name is text."""
    name = "x" + str(time.time_ns()) + "<b>"
    with served(stores / "lj13.zarr", names=[name]) as server:
        page = Page(browser, server.url)
        for ending in ("svg", "png"):
            page.press(f"#{ending}")
        files = [downloads / f"{name.replace('<b>', '_b_')}.{ending}" for ending in ("svg", "png")]
        page.wait(lambda: all(file.exists() for file in files))
        page.assert_no_errors()
    svg = ElementTree.fromstring(files[0].read_text())
    assert name in "".join(svg.itertext())
    assert len(svg.findall(".//{http://www.w3.org/2000/svg}path")) > 10
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_a_growing_store_is_read_again(browser, tmp_path):
    path = tmp_path / "wells.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), path, seed=0) as landscape:
        landscape.find_minima(1, workers=1)
        landscape.commit()
        few = len(landscape.minima)
        with served(path) as server:
            page = Page(browser, server.url)
            assert page.text("#said-graph0").startswith(f"wells: {few} ")
            landscape.find_minima(30, workers=1)
            landscape.connect(20, workers=1)
            landscape.commit()
            assert len(landscape.minima) > few
            page.wait(
                lambda: page.text("#said-graph0").startswith(f"wells: {len(landscape.minima)} minima are shown, 2")
            )
            page.assert_no_errors()


def test_a_molecule_beside_the_network_that_predicts_it(browser, stores):
    """A place of the decision map that is clicked marks the molecule's minimum that its class is; levels are linked."""
    with served(stores / "ljat3.zarr", stores / "d1.zarr") as server:
        page = Page(browser, server.url)
        energy = Landscape.open(stores / "ljat3.zarr").minima.energy[:]
        assert page.text("#about") == "ljat3:"
        page.slide("#levels", 20)
        page.wait(lambda: page.text("#levels-said") == "20")
        graph = shown_graph(stores / "d1.zarr", levels=20)
        leaf = int(np.argmin(graph.tree.leaf_energy))
        page.click_at(graph.lines.x[leaf], graph.tree.leaf_energy[leaf], graph=1)
        page.wait_for_point(int(graph.minima[leaf]), graph=1)
        assert page.text("#about") == "d1:"
        page.press("#point .map .nsewdrag")
        page.wait(lambda: "predicts class" in page.text("#message"))
        said = re.search(r"class (\d): minimum (\d+) of ljat3", page.text("#message"))
        wanted = int(np.argmax(energy) if said[1] == "0" else np.argmin(energy))  # the triangle is the higher one
        assert int(said[2]) == wanted
        assert len(page.shapes(graph=0)) == 1


def test_a_server_that_has_ended_is_said(browser, stores):
    with served(stores / "lj13.zarr") as server:
        page = Page(browser, server.url)
    page.wait(lambda: "no longer up to date" in page.text("#message"))
