"""The picture: where lines stand, that none cross, and what matplotlib is given."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from thalweg.analysis import RED_TO_BLUE, DisconnectivityGraph, KineticTransitionNetwork
from thalweg.analysis.disconnectivity.colour_maps import DARK_TO_LIGHT
from thalweg.analysis.disconnectivity.drawing import round_length

from ..random_networks import networks, random_network


def segments(lines: np.ndarray) -> np.ndarray:
    """Return the straight pieces of broken lines, (k, 2, 2), without those of no length."""
    pieces = np.concatenate([lines[:, :2], lines[:, 1:]])
    return pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)]


def turn(a, b, c):
    """Return twice the signed area of triangles; rounding (heights are up to 1e3 here) counts as nothing."""
    area = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    return np.where(np.abs(area) < 1e-9, 0.0, area)


def crossings(pieces: np.ndarray) -> int:
    """Count pairs of pieces that meet elsewhere than at an end of both.

    Written from the definition: proper crossings, an end in the middle of another piece, and overlaps.
    """
    p, q = pieces[:, None, 0], pieces[:, None, 1]
    r, s = pieces[None, :, 0], pieces[None, :, 1]
    proper = (turn(p, q, r) * turn(p, q, s) < 0) & (turn(r, s, p) * turn(r, s, q) < 0)
    inside = [(turn(p, q, e) == 0) & (((e - p) * (q - e)).sum(-1) > 1e-9) for e in (r, s)]
    touching = inside[0] | inside[1]
    np.fill_diagonal(touching, False)
    return int(proper.sum() + touching.sum())


def unexpected(graph: DisconnectivityGraph) -> int:
    """Count crossings, leaving out that a branch may leave its parent's stem at one of its own points."""
    return crossings(segments(np.concatenate([graph.lines.leaves, graph.lines.branches])))


@settings(max_examples=150, deadline=None)
@given(networks, st.integers(1, 40), st.integers(1, 60))
def test_no_lines_cross(network, levels, lowest):
    graph = DisconnectivityGraph(network, levels=levels, lowest=lowest)
    assert unexpected(graph) == 0


def test_the_crossing_test_sees_crossings():
    apart = np.array([[[0, 0], [1, 1]], [[1, 1], [2, 0]], [[0, -1], [2, -1]]], dtype=float)
    assert crossings(apart) == 0
    assert crossings(np.append(apart, [[[0, 1], [1, 0]]], axis=0)) > 0  # proper
    assert crossings(np.append(apart, [[[1, -1], [1, -2]]], axis=0)) > 0  # an end in the middle
    assert crossings(np.append(apart, [[[1, -1], [3, -1]]], axis=0)) > 0  # an overlap


@pytest.mark.parametrize("name", ["lj38_64", "tetraala_57", "ninecomm_994"])
def test_no_lines_cross_in_real_networks(shared, name):
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / name)
    assert unexpected(DisconnectivityGraph(network)) == 0


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(1, 40))
def test_where_lines_stand(network, levels):
    graph = DisconnectivityGraph(network, levels=levels)
    tree, lines = graph.tree, graph.lines
    n = tree.n_leaves
    assert sorted(lines.x[:n]) == pytest.approx(np.arange(n) + 0.5)
    np.testing.assert_array_equal(lines.leaves[:, 2, 1], network.energies[graph.minima])
    np.testing.assert_array_equal(lines.branches[:, 2, 1], graph.levels[tree.level[n:]])
    np.testing.assert_array_equal(lines.x[n:], lines.x[tree.lowest[n:]])  # straight above the deepest minimum
    every = np.concatenate([lines.leaves, lines.branches])
    assert (np.diff(every[:, :, 1], axis=1) <= 0).all()
    roots = tree.roots
    assert (every[roots, 0, 1] == lines.top).all()
    for node in range(n, tree.n_nodes):  # the leaves under a node stand side by side
        under = np.sort(lines.x[:n][descends(tree.parent, node)[:n]])
        assert np.ptp(under) == pytest.approx(tree.size[node] - 1)


def descends(parent: np.ndarray, node: int) -> np.ndarray:
    under = np.zeros(len(parent), dtype=bool)
    under[node] = True
    for k in range(node - 1, -1, -1):
        under[k] = parent[k] >= 0 and under[parent[k]]
    return under


@pytest.fixture(scope="module")
def graph() -> DisconnectivityGraph:
    network = random_network(7, 40, 90)
    values = np.linspace(0.6, 0.8, 40)
    values[3] = np.nan
    properties = {"test_auc": values}
    return DisconnectivityGraph(
        KineticTransitionNetwork(network.energies, network.ts_energies, network.ts_minima, properties=properties)
    )


def collections(ax):
    return [c for c in ax.collections if isinstance(c, LineCollection)]


def test_plot_on_given_axes(graph):
    figure = Figure()
    ax = figure.add_subplot()
    assert graph.plot(ax, colour="test_auc", size_bar=0.5, labels=[graph.network.global_minimum]) is ax
    branches, leaves = collections(ax)
    assert len(leaves.get_segments()) == 40
    assert len(branches.get_segments()) == graph.tree.n_nodes - 40
    FigureCanvasAgg(figure).draw()
    values = graph.network.properties["test_auc"]
    expected = DARK_TO_LIGHT((values - 0.6) / (values.max(where=~np.isnan(values), initial=0) - 0.6))
    expected[3] = to_rgba("#9a9a9a")
    np.testing.assert_allclose(leaves.get_edgecolor(), expected, atol=0.02)
    assert [axes.get_ylabel() for axes in figure.axes] == ["energy", "test auc"]
    assert not any(ax.spines[side].get_visible() for side in ("top", "right", "bottom"))
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["0.5", str(graph.network.global_minimum)]
    low, high = ax.get_ylim()
    assert low < graph.network.energies.min()
    assert high == graph.lines.top


def test_red_is_low_and_blue_is_high():
    (low_red, _, low_blue, _), (high_red, _, high_blue, _) = RED_TO_BLUE(0.0), RED_TO_BLUE(1.0)
    assert low_red > 2 * low_blue
    assert high_blue > 2 * high_red
    luminance = RED_TO_BLUE(np.linspace(0, 1, 100))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert luminance.max() < 0.75  # readable on white


def test_constant_and_missing_colours(graph):
    for values in (np.full(40, 0.5), np.full(40, np.nan)):
        figure = Figure()
        graph.plot(figure.add_subplot(), colour=values, colour_label="AUC")
        FigureCanvasAgg(figure).draw()


def test_labels_of_ones_own_and_no_bars(graph):
    figure = Figure()
    ax = graph.plot(figure.add_subplot(), colour="energy", colour_bar=False, size_bar=False, labels={2: "fcc"})
    assert [text.get_text() for text in ax.texts] == ["fcc"]
    assert len(figure.axes) == 1


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_files(graph, tmp_path, kind):
    path = tmp_path / f"graph.{kind}"
    graph.save(path, colour="test_auc", figsize=(3, 3), dpi=50)
    assert path.stat().st_size > 1000


def test_single_minimum_and_equal_energies(tmp_path):
    for network in (
        KineticTransitionNetwork([1.5], [], []),
        KineticTransitionNetwork([0.0, 0.0], [0.0], [[0, 1]]),
        KineticTransitionNetwork([-2.0, -2.0], [], []),
    ):
        DisconnectivityGraph(network).save(tmp_path / "graph.png", figsize=(2, 2), dpi=50)


WRONG = [
    ({"colour": "train_auc"}, "no property 'train_auc'; it has energy, test_auc"),
    ({"colour": [1.0]}, r"colour has shape \(1,\)"),
    ({"colour": "test_auc", "vmin": 2.0, "vmax": 1.0}, "vmin"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_bad_input_leaves_the_axes_alone(graph, arguments, message):
    ax = Figure().add_subplot()
    with pytest.raises(ValueError, match=message):
        graph.plot(ax, **arguments)
    assert not ax.collections


@pytest.mark.parametrize(("span", "length"), [(5.0, 1.0), (10.0, 2.0), (9.9, 1.0), (0.26, 0.05), (1234.0, 200.0)])
def test_round_length(span, length):
    assert round_length(span) == pytest.approx(length)


def test_given_axes_need_no_pyplot():
    code = (
        "import sys; from matplotlib.figure import Figure; from thalweg.analysis import *\n"
        "network = KineticTransitionNetwork([0., 1.], [2.], [[0, 1]])\n"
        "DisconnectivityGraph(network).plot(Figure().add_subplot())\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_axes_a_new_figure_of_pyplot(graph, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    ax = graph.plot()
    assert ax.figure.number in pyplot.get_fignums()
    pyplot.close(ax.figure)
