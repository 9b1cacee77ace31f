"""Pictures that everybody can read: colours in order of lightness, labels apart, identifiers in SVG."""

from __future__ import annotations

import re
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, LandscapePath, plot_graphs
from thalweg.analysis.disconnectivity.colour_maps import DARK_TO_LIGHT, RED_TO_BLUE, colour_map
from thalweg.optimizers.pictures.labels import spread


def network(n, apart=0):
    """A random tree of minima, and some more that nothing joins."""
    rng = np.random.default_rng(n)
    energies = np.sort(rng.gamma(3.0, 1.0, n))
    pairs = np.array([[k, rng.integers(0, k)] for k in range(1, n)])
    heights = energies[pairs].max(axis=1) + rng.exponential(0.5, n - 1)
    return KineticTransitionNetwork(np.append(energies, np.full(apart, 5.0)), heights, pairs)


def lab(colours):
    """CIE L*a*b* of sRGB colours, by the definition of the Commission Internationale de l'Eclairage, 1976."""
    rgb = np.asarray(colours)[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / [0.9505, 1.0, 1.089]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def test_default_colours_rise_evenly_in_lightness_and_stay_visible_on_white():
    lightness = lab(DARK_TO_LIGHT(np.linspace(0, 1, 21)))[:, 0]
    assert (np.diff(lightness) > 1.0).all()
    assert np.diff(lightness).max() < 2.5 * np.diff(lightness).mean()
    assert lightness[-1] - lightness[0] > 50
    assert lightness[-1] < 80
    assert colour_map(None).name == "dark_to_light"
    assert colour_map("red_to_blue").name == RED_TO_BLUE.name


def test_default_colours_can_be_told_apart_by_the_colour_blind():
    # Vienot, Brettel, Mollon, Color Res. Appl. 24 (1999) 243: linear RGB as a deuteranope and a protanope see it
    deuteranope = np.array([[0.2928, 0.7072, 0.0], [0.2928, 0.7072, 0.0], [-0.0223, 0.0223, 1.0]])
    protanope = np.array([[0.1124, 0.8876, 0.0], [0.1124, 0.8876, 0.0], [0.0040, -0.0040, 1.0]])
    rgb = DARK_TO_LIGHT(np.linspace(0, 1, 11))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for seen in (deuteranope, protanope):
        mixed = np.clip(linear @ seen.T, 0, 1)
        shown = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055)
        # neighbours of eleven colours differ by more than what is just noticeable, 2.3
        assert (np.linalg.norm(np.diff(lab(shown), axis=0), axis=1) > 2.3).all()


def overlaps(figure):
    """Return pairs of texts of a figure that overlap."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    return [
        (texts[a].get_text(), texts[b].get_text())
        for a in range(len(texts))
        for b in range(a)
        if boxes[a].shrunk(0.98, 0.98).overlaps(boxes[b])
    ]


@pytest.mark.parametrize(("minima", "named"), [(5, 5), (12, 12), (40, 12), (300, 20)])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_labels_do_not_overlap(minima, named, layout):
    net = network(minima)
    figure = Figure(figsize=(6, 6), layout=layout)
    labels = {k: f"{net.energies[k]:.4f}" for k in range(named)}
    ax = DisconnectivityGraph(net).plot(figure.add_subplot(), labels=labels)
    assert overlaps(figure) == []
    box = ax.get_window_extent()
    for text in ax.texts:
        assert text.get_window_extent().y0 >= box.y0 - 1


def test_labels_of_paths_do_not_overlap():
    energy = np.array([0.0, 1.0, 0.9, 0.95, 0.2, 2.0, 1.9, 1.95, 0.1])
    length = np.array([0.0, 1.0, 1.02, 1.04, 2.0, 3.0, 3.01, 3.03, 9.0])
    kinds = np.array(["minimum", "transition state"] * 4 + ["minimum"])
    path = LandscapePath(energy, length, kinds, np.arange(9), np.zeros((9, 1)), np.zeros(4, dtype=bool))
    figure = Figure(figsize=(6, 4), layout="constrained")
    path.plot(figure.add_subplot())
    assert overlaps(figure) == []


def test_places_are_spread_as_little_as_possible():
    placed = spread(np.array([4.0, 4.0, 4.0, 20.0]), np.full(3, 2.0), 0.0, 30.0)
    np.testing.assert_allclose(placed, [2.0, 4.0, 6.0, 20.0])
    np.testing.assert_allclose(spread(np.array([0.0, 0.0]), np.array([5.0]), 0.0, 30.0), [0.0, 5.0])


@pytest.mark.parametrize("layout", ["constrained", None])
def test_colour_bars_stand_clear_of_other_axes(layout):
    figure = Figure(figsize=(12, 5), layout=layout)
    axes = figure.subplots(1, 3)
    for ax in axes:
        DisconnectivityGraph(network(30)).plot(ax, colour="energy")
    assert overlaps(figure) == []
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = sorted((ax.get_tightbbox(renderer) for ax in figure.axes), key=lambda box: box.x0)
    assert len(boxes) == 6
    assert all(left.x1 <= right.x0 + 1 for left, right in pairwise(boxes))


def test_one_colour_bar_beside_several_axes():
    figure = Figure(figsize=(8, 5))
    first, second = figure.subplots(1, 2)
    graph = DisconnectivityGraph(network(30))
    graph.plot(first, colour="energy", colour_bar=False)
    graph.plot(second, colour="energy", colour_bar=[first, second])
    assert len(figure.axes) == 3
    assert figure.axes[2].get_position().x0 >= second.get_position().x1
    assert first.get_position().width == pytest.approx(second.get_position().width)


def test_a_picture_says_how_many_minima_it_shows():
    net = network(20, apart=3)
    for options, said in (
        ({"connected_to": 0}, "20 of 23 minima"),
        ({"lowest": 4}, "4 of 23 minima"),
        ({}, ""),
    ):
        ax = DisconnectivityGraph(net, **options).plot(Figure().add_subplot())
        assert ax.get_xlabel() == said
    assert DisconnectivityGraph(net, lowest=4).plot(Figure().add_subplot(), show_count=False).get_xlabel() == ""


def test_svg_has_text_and_an_identifier_for_each_minimum(tmp_path):
    graph = DisconnectivityGraph(network(20), lowest=15)
    graph.save(tmp_path / "a.svg", colour="energy", title="Twenty minima")
    text = (tmp_path / "a.svg").read_text()
    assert sorted(map(int, re.findall(r'id="minimum-(\d+)"', text))) == graph.minima.tolist()
    assert re.search(r"<text[^>]*>Twenty minima</text>", text)
    with matplotlib.rc_context({"svg.fonttype": "path"}):
        plot_graphs([graph, graph]).savefig(tmp_path / "b.svg")
    identifiers = re.findall(r'id="([^"]*)"', (tmp_path / "b.svg").read_text())
    assert len(set(identifiers)) == len(identifiers)
    assert {"minimum-0", "graph2-minimum-0"} <= set(identifiers)


@pytest.mark.parametrize("minima", [1500, 6000])
def test_colours_of_many_minima_stay_visible(minima):
    figure = Figure(figsize=(6, 6), dpi=150)
    canvas = FigureCanvasAgg(figure)
    ax = DisconnectivityGraph(network(minima)).plot(figure.add_subplot(), colour="energy", colour_bar=False)
    canvas.draw()
    box = ax.get_window_extent()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].astype(float)[:, int(box.x0) + 30 : int(box.x1)]
    drawn = pixels[(pixels < 250).any(axis=2)]
    chroma = drawn.max(axis=1) - drawn.min(axis=1)
    assert np.median(chroma) > 80  # of 255; black, grey and white have none


def test_a_colour_map_that_is_not_there_is_named():
    graph = DisconnectivityGraph(network(5))
    with pytest.raises(ValueError, match=r"cmap: there is no colour map 'virids'; there are .*viridis"):
        graph.plot(Figure().add_subplot(), colour="energy", cmap="virids")
    with pytest.raises(TypeError, match="cmap is a int"):
        graph.plot(Figure().add_subplot(), colour="energy", cmap=3)
