"""The page in one file, and in a notebook."""

from __future__ import annotations

import re

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork, LandscapePage
from thalweg.analysis.view import landscape_page
from thalweg.landscapes import Landscape

from .pages import Page
from .test_page import assert_geometry, joined_pair, shown_graph


@pytest.mark.parametrize("name", ["d1", "lj13", "slab"])
def test_a_file_shows_the_same(browser, stores, tmp_path, name):
    """Clicked through without a server: numbers, spectra and geometries, and the path by its stationary points."""
    landscape = Landscape.open(stores / f"{name}.zarr")
    landscape.view().save(tmp_path / "a.html")
    page = Page(browser, (tmp_path / "a.html").as_uri())
    graph = shown_graph(stores / f"{name}.zarr")
    first, second = joined_pair(graph)
    place = {row: (graph.lines.x[leaf], graph.tree.leaf_energy[leaf]) for leaf, row in enumerate(graph.minima)}
    page.click_at(*place[first])
    page.wait_for_point(first)
    assert page.all("#point .spectrum .main-svg")
    assert_geometry(page, "#point", name)
    page.click_at(*place[second])
    page.wait_for_path(first, second)
    path = graph.network.lowest_barrier_path(first, second)
    assert float(page.text("#path p").rpartition(" ")[2]) == pytest.approx(path.energy, rel=1e-8)
    assert int(page.one("#frame").get_attribute("max")) == 2 * len(path.transition_states)
    assert_geometry(page, "#path", name)
    page.press("#tabs [data-panel=table]")
    lowest = int(np.argmin(graph.network.energies))
    page.wait(lambda: page.text("#table tr.link td") == str(lowest))
    page.assert_no_errors()


def test_a_file_loads_nothing_from_elsewhere(stores):
    html = LandscapePage(stores / "lj13.zarr").html
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", html.split("<script type=")[0]) == []
    assert "connect-src &#x27;none&#x27;" in html
    assert html.count("</script>") == 3


def test_its_size_is_bounded(stores, tmp_path, monkeypatch):
    """Above the bounds the error says what helps; within them the lowest points are kept."""
    many = KineticTransitionNetwork(np.arange(20_001.0), [], np.empty((0, 2), int))
    with pytest.raises(
        ValueError, match=r"network has 20001 minima; a file holds at most 20000: `thalweg view` without"
    ):
        LandscapePage(many)
    monkeypatch.setattr(landscape_page, "LARGEST", 4_000_000)
    page = LandscapePage(stores / "lj13.zarr")
    with pytest.raises(ValueError, match=r"the file would have \d\.\d MB; at most 4.0 MB"):
        page.save(tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_the_lowest_points_are_kept_where_there_is_little_room(browser, stores, tmp_path, monkeypatch):
    monkeypatch.setattr(landscape_page, "ROOM", 20_000)
    LandscapePage(stores / "lj13.zarr").save(tmp_path / "a.html")
    page = Page(browser, (tmp_path / "a.html").as_uri())
    energies = KineticTransitionNetwork.read(stores / "lj13.zarr").energies
    page.search(int(np.argmin(energies)))
    page.wait_for_point(int(np.argmin(energies)))
    assert_geometry(page, "#point", "lj13")
    page.search(int(np.argmax(energies)))
    page.wait_for_point(int(np.argmax(energies)))
    assert "of the lowest points only" in page.text("#point")
    page.search(int(np.argmin(energies)))


def test_two_landscapes_in_one_file(browser, stores, tmp_path):
    LandscapePage(stores / "ljat3.zarr", stores / "d1.zarr", names=["atoms", "network"]).save(tmp_path / "a.html")
    page = Page(browser, (tmp_path / "a.html").as_uri())
    assert page.text("#said-graph0").startswith("atoms: 2 minima are shown, ")
    assert page.text("#said-graph1").startswith("network: ")
    page.assert_no_errors()


def test_in_a_notebook(browser, stores, tmp_path):
    """The page is in a frame of its own, whose scripts do not reach the notebook."""
    shown = Landscape.open(stores / "lj13.zarr").view(height=600)
    assert repr(shown) == "<LandscapePage: lj13>"
    (tmp_path / "a.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8><body>{shown._repr_html_()}", encoding="utf-8"
    )
    browser.get((tmp_path / "a.html").as_uri())
    frame = browser.find_element("css selector", "iframe")
    assert "allow-same-origin" not in frame.get_attribute("sandbox")
    assert frame.size["height"] in range(598, 604)
    browser.switch_to.frame(frame)
    page = object.__new__(Page)
    page.browser = browser
    page.wait(lambda: page.text("#said-graph0").startswith("lj13: "))
    browser.switch_to.default_content()


@pytest.mark.parametrize(
    ("arguments", "words", "error", "message"),
    [
        ((), {}, ValueError, "at least one landscape"),
        (
            (KineticTransitionNetwork([0.0], [], np.empty((0, 2), int)),),
            {"names": ["a", "b"]},
            ValueError,
            "2 names; one for",
        ),
        ((3,), {}, TypeError, "source is a int"),
        (("nothing.zarr",), {}, FileNotFoundError, "nothing"),
        ((KineticTransitionNetwork([], [], np.empty((0, 2), int)),), {}, ValueError, "no minima yet"),
    ],
)
def test_arguments_that_make_no_sense(arguments, words, error, message):
    with pytest.raises(error, match=message):
        LandscapePage(*arguments, **words)
