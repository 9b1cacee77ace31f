"""Groups, functions of descendants, widths, drawings, funnels, very many lines, several graphs."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from thalweg.analysis import (
    DisconnectivityGraph,
    KineticTransitionNetwork,
    escape_energies,
    monotonic_basins,
    plot_graphs,
)
from thalweg.analysis.disconnectivity.line_raster import CrowdedLines
from thalweg.analysis.disconnectivity.style import Style, StyleOptions
from thalweg.analysis.disconnectivity.superbasin_values import common_group, over_descendants, summed

from ..random_networks import networks, random_network, reference_superbasins


@pytest.fixture
def graph() -> DisconnectivityGraph:
    """Two funnels: minima 0, 1, 2 and minima 3, 4, joined high up; 5 is apart."""
    energies = [0.0, 0.5, 0.6, 0.1, 0.7, 0.3]
    states, ends = [1.0, 1.1, 1.2, 3.0], [[0, 1], [0, 2], [3, 4], [1, 4]]
    network = KineticTransitionNetwork(
        energies, states, ends, properties={"kind": ["a", "a", "a", "b", "b", ""]}, groups={"A": [0], "B": [3, 4]}
    )
    return DisconnectivityGraph(network, levels=20)


def drawn(graph, **style):
    ax = graph.plot(Figure().add_subplot(), **style)
    branches, leaves = (c for c in ax.collections if isinstance(c, LineCollection))
    FigureCanvasAgg(ax.figure).draw()
    return ax, branches, leaves


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(1, 40))
def test_descendants_of_every_node(network, levels):
    tree = DisconnectivityGraph(network, levels=levels).tree
    assert sorted(tree.leaf_order) == list(range(tree.n_leaves))
    for node in range(tree.n_nodes):
        children = tree.children(node)
        expected = {node} if not len(children) else set().union(*(set(tree.descendants(c)) for c in children))
        assert set(tree.descendants(node)) == expected


@settings(max_examples=40, deadline=None)
@given(networks, st.integers(0, 2**32))
def test_functions_of_descendants(network, seed):
    tree = DisconnectivityGraph(network).tree
    rng = np.random.default_rng(seed)
    values = rng.normal(size=tree.n_leaves)
    values[rng.random(tree.n_leaves) < 0.2] = np.nan
    codes = rng.integers(-1, 2, tree.n_leaves)
    inner = range(tree.n_leaves, tree.n_nodes)
    named = {"mean": np.mean, "min": np.min, "max": np.max}
    found = {how: over_descendants(tree, values, how) for how in [*named, "lowest"]}
    same, majority = (common_group(tree, codes, how) for how in ("same", "majority"))
    total = summed(tree, values)
    for k, node in enumerate(inner):
        under = tree.descendants(node)
        known = values[under][~np.isnan(values[under])]
        assert total[node] == pytest.approx(known.sum(), abs=1e-12)
        for how, function in named.items():
            assert found[how][k] == pytest.approx(function(known) if len(known) else np.nan, nan_ok=True)
        deepest = under[np.argmin(tree.leaf_energy[under])]
        if np.sum(tree.leaf_energy[under] == tree.leaf_energy[deepest]) == 1:
            np.testing.assert_equal(found["lowest"][k], values[deepest])
        counts = np.bincount(codes[under] + 1, minlength=3)[1:]
        assert same[k] == (codes[under][0] if len(set(codes[under])) == 1 else -1)
        assert majority[k] == (np.argmax(counts) if 2 * counts.max() > len(under) else -1)
    np.testing.assert_allclose(over_descendants(tree, values, np.nansum), total[tree.n_leaves :], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(networks)
def test_escape_energies_against_superbasins(network):
    """Just below its escape energy a minimum is the lowest of its superbasin; at that energy it is not."""
    escape = escape_energies(network)
    order = np.lexsort((np.arange(network.n_minima), network.energies))
    rank = np.argsort(order)
    for i in range(0, network.n_minima, 7):
        if np.isinf(escape[i]):
            component = nx.node_connected_component(network.to_networkx(), i)
            assert rank[i] == rank[list(component)].min()
            continue
        at = next(s for s in reference_superbasins(network, escape[i]) if i in s)
        assert rank[list(at)].min() < rank[i]
        below = [s for s in reference_superbasins(network, np.nextafter(escape[i], -np.inf)) if i in s]
        assert all(rank[list(s)].min() == rank[i] for s in below)


@settings(max_examples=60, deadline=None)
@given(networks)
def test_monotonic_basins_step_by_step(network):
    bottom = monotonic_basins(network)
    order = np.lexsort((np.arange(network.n_minima), network.energies))
    rank = np.argsort(order)
    for i in range(network.n_minima):
        here = i
        while True:
            ways = [
                (max(e, network.energies[a], network.energies[b]), rank[a + b - here], a + b - here)
                for e, (a, b) in zip(network.ts_energies, network.ts_minima.tolist(), strict=True)
                if here in (a, b) and rank[a + b - here] < rank[here]
            ]
            if not ways:
                break
            here = min(ways)[2]
        assert bottom[i] == here


def test_one_branch_a_funnel(graph):
    assert monotonic_basins(graph.network).tolist() == [0, 0, 0, 3, 3, 5]
    funnels = DisconnectivityGraph(graph.network, monotonic=True)
    assert funnels.minima.tolist() == [0, 3, 5]
    assert len(DisconnectivityGraph(graph.network, monotonic=True, connected_to=0).minima) == 2
    assert graph.leaf_of([5, 0]).tolist() == [5, 0]
    assert funnels.leaf_of([5, 1, 3]).tolist() == [2, -1, 1]


@pytest.mark.parametrize("groups", ["kind", {"a": [0, 1, 2], "b": [3, 4]}, [7, 7, 7, 2, 2, -1]])
def test_groups_colour_leaves_and_superbasins(graph, groups):
    ax, branches, leaves = drawn(graph, groups=groups, descendants="same")
    colours = leaves.get_edgecolor()
    assert (colours[:3] == colours[0]).all()
    assert (colours[3:5] == colours[3]).all()
    assert tuple(colours[5]) == to_rgba("#9a9a9a")
    assert len({tuple(c) for c in colours}) == 3
    tree = graph.tree
    for k, node in enumerate(range(tree.n_leaves, tree.n_nodes)):
        under = {tuple(colours[leaf]) for leaf in tree.descendants(node)}
        expected = under.pop() if len(under) == 1 else to_rgba("black")
        assert tuple(branches.get_edgecolor()[k]) == expected
    assert len(ax.get_legend().get_texts()) == 2


def test_groups_of_the_network_and_basins(graph):
    ax, _, leaves = drawn(graph, groups="groups", group_colours={"A": "red", "B": "blue"})
    assert [tuple(c) for c in leaves.get_edgecolor()[[0, 1, 3]]] == [to_rgba(c) for c in ("red", "#9a9a9a", "blue")]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A", "B"]
    ax, _, _ = drawn(graph, groups="basins")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["basin of 0", "basin of 3", "basin of 5"]
    ax, _, _ = drawn(DisconnectivityGraph(random_network(3, 60, 20)), groups=np.arange(60))
    assert len(ax.get_legend().get_texts()) == 11
    assert drawn(graph, groups="kind", legend=False)[0].get_legend() is None


def test_superbasins_take_the_mean_colour(graph):
    values = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    _, branches, leaves = drawn(graph, colour=values, descendants="mean", vmin=0, vmax=1)
    tree = graph.tree
    for k, node in enumerate(range(tree.n_leaves, tree.n_nodes)):
        shares = values[tree.descendants(node)]
        if np.ptp(shares) == 0:
            np.testing.assert_array_equal(
                branches.get_edgecolor()[k], leaves.get_edgecolor()[tree.descendants(node)[0]]
            )


def test_widths_grow_with_what_is_under_a_branch(graph):
    tree = graph.tree
    _, branches, leaves = drawn(graph, widths="size", linewidth=1.0, widest=4.0)
    np.testing.assert_allclose(
        np.r_[leaves.get_linewidths(), branches.get_linewidths()], 1 + 3 * np.sqrt(tree.size / 5)
    )
    _, branches, leaves = drawn(graph, widths=[1, 0, 0, 0, 0, 0], linewidth=1.0, widest=2.0)
    assert leaves.get_linewidths() == [2, 1, 1, 1, 1, 1]


def test_drawings_stand_in_a_row_below_their_minima(graph, tmp_path):
    from matplotlib.image import imsave

    imsave(tmp_path / "x.png", np.zeros((4, 4, 3)))
    seen = []
    drawings = {
        0: Atoms("Ar2", [[0, 0, 0], [1, 0, 0]]),
        1: np.eye(5),
        3: seen.append,
        5: np.zeros((3, 3, 4)),
        4: tmp_path / "x.png",
    }
    ax, _, _ = drawn(graph, drawings=drawings, drawing_size=0.15)
    assert seen == [seen[0]]
    places = sorted((child.get_position() for child in ax.child_axes), key=lambda box: box.x0)
    assert len(places) == 5
    assert all(a.x1 < b.x0 for a, b in pairwise(places))
    bottom = ax.transData.transform([0, graph.tree.leaf_energy.min()])[1]
    assert all(ax.figure.transFigure.transform([0, box.y1])[1] < bottom for box in places)
    # where pictures do not fit side by side their lines lead out of the axes
    wide, _, _ = drawn(graph, drawings={k: np.eye(2) for k in range(4)}, drawing_size=0.4)
    assert [line.get_clip_on() for line in wide.lines if line.get_zorder() == 0] == [False] * 4
    hidden = DisconnectivityGraph(graph.network, lowest=1).plot(Figure().add_subplot(), drawings={4: np.eye(2)})
    assert not hidden.child_axes


def image_of(artist, size=120):
    figure = Figure(figsize=(1, 1), dpi=size)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_axis_off()
    (ax.add_collection if isinstance(artist, LineCollection) else ax.add_artist)(artist)
    canvas.draw()
    return 1 - np.asarray(canvas.buffer_rgba())[..., :3] / 255.0


@pytest.mark.parametrize("width", [0.3, 1.0, 4.0])
def test_crowded_lines_look_like_matplotlibs(width):
    rng = np.random.default_rng(0)
    lines = np.sort(rng.random((12, 3, 2)), axis=1)[:, ::-1]
    lines[:, 1:, 0] = lines[:, 1:2, 0]  # slanting, then straight down
    lines[0, :, 1] -= 0.5  # partly outside the axes
    colours = np.c_[rng.random((12, 3)), np.ones(12)]
    ours = image_of(CrowdedLines(lines, colours, width))
    theirs = image_of(LineCollection(lines, colors=colours, linewidths=width, capstyle="butt"))
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.05)
    assert np.abs(ours - theirs).mean() < 0.15 * theirs.mean()


def test_many_minima_are_painted(tmp_path):
    n = 20_001
    rng = np.random.default_rng(1)
    energies = np.r_[0.0, rng.random(n - 1) + 1]
    ends = np.c_[np.arange(1, n), (np.arange(1, n) * rng.random(n - 1)).astype(int)]
    network = KineticTransitionNetwork(energies, energies[ends].max(axis=1) + 0.5, ends)
    graph = DisconnectivityGraph(network)
    ax = graph.plot(Figure().add_subplot(), colour="energy")
    assert not [c for c in ax.collections if isinstance(c, LineCollection)]
    sizes = []
    for ending in ("png", "pdf", "svg"):
        graph.save(tmp_path / f"x.{ending}", colour="energy", figsize=(3, 3), dpi=60)
        sizes.append((tmp_path / f"x.{ending}").stat().st_size)
    assert max(sizes) < 500_000  # a picture, not twenty thousand lines
    assert min(sizes) > 3_000


def test_several_graphs_share_energies_and_colours(graph):
    other = DisconnectivityGraph(KineticTransitionNetwork([-1.0, 0.5], [4.0], [[0, 1]]))
    figure = plot_graphs({"first": graph, "second": other}, colour="energy")
    first, second, bar = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[0] < -1
    assert first.get_ylim()[1] == max(graph.lines.top, other.lines.top)
    assert [ax.get_title() for ax in (first, second)] == ["first", "second"]
    assert bar.get_ylabel() == "energy"
    limits = {c.get_edgecolor()[0].tobytes() for ax in (first, second) for c in ax.collections[1:2]}
    assert len(limits) == 2  # minima of energies 0 and -1 differ in colour on the common scale
    own = plot_graphs([graph, other], same_energies=False)
    assert own.axes[0].get_ylim() != own.axes[1].get_ylim()


WRONG = [
    ({"groups": "colour"}, ValueError, "groups: the network has no property 'colour'"),
    ({"groups": [1, 2]}, ValueError, r"groups has shape \(2,\)"),
    ({"groups": {"x": [0], "y": [0]}}, ValueError, "minimum 0 is in 'y' and in another group"),
    ({"groups": {"x": [9]}}, IndexError, r"groups\['x'\] is 9"),
    ({"groups": "kind", "colour": "energy"}, ValueError, "colour and groups"),
    ({"groups": "kind", "group_colours": ["red"]}, ValueError, "group_colours has 1"),
    ({"groups": "kind", "descendants": "mean"}, ValueError, "'same' or 'majority'"),
    ({"colour": "energy", "descendants": "same"}, ValueError, "'lowest', 'mean', 'min', 'max'"),
    ({"descendants": "same"}, ValueError, "descendants needs colour or groups"),
    ({"colour": "kind"}, ValueError, "the property 'kind' holds no numbers"),
    ({"widths": "degree"}, ValueError, "widths is 'degree'"),
    ({"widths": [1, 1, 1, 1, 1, np.nan]}, ValueError, r"widths\[5\] is nan"),
    ({"widths": [-1, 1, 1, 1, 1, 1]}, ValueError, "widths must not be negative"),
    ({"widths": "size", "widest": 0.1}, ValueError, "widest is 0.1"),
    ({"linewidth": 0}, ValueError, "linewidth is 0"),
    ({"drawings": [np.eye(2)]}, TypeError, "drawings must map"),
    ({"drawings": {0: 3.0}}, TypeError, r"drawings\[0\] is a float"),
    ({"drawings": {8: np.eye(2)}}, IndexError, "drawings is 8"),
    ({"drawings": {0: np.eye(2)}, "drawing_size": 2}, ValueError, "drawing_size is 2"),
    ({"color": "energy"}, TypeError, "plot has no argument 'color'"),
]


@pytest.mark.parametrize(("style", "error", "message"), WRONG)
def test_bad_style_is_named_and_draws_nothing(graph, style, error, message):
    ax = Figure().add_subplot()
    with pytest.raises(error, match=message):
        graph.plot(ax, **style)
    assert not ax.collections
    assert not ax.child_axes


def test_bad_sets_of_graphs(graph):
    electronvolts = DisconnectivityGraph(KineticTransitionNetwork([0.0, 1.0], [2.0], [[0, 1]], units="eV"))
    for graphs, style, error, message in [
        ([], {}, ValueError, "graphs is empty"),
        ([graph, electronvolts], {}, ValueError, "same_energies"),
        ([graph, graph], {"labels": [0]}, ValueError, "labels and drawings"),
        ([graph, graph], {"colour": np.zeros(6)}, TypeError, "name of a property"),
        ([graph, graph], {"groups": "basin"}, ValueError, "no property 'basin'"),
    ]:
        with pytest.raises(error, match=message):
            plot_graphs(graphs, **style)


def test_options_that_checkers_see_are_those_that_are_drawn():
    assert set(StyleOptions.__annotations__) == set(Style._fields)
    assert {name: StyleOptions.__annotations__[name].__forward_arg__ for name in Style._fields} == {
        name: Style.__annotations__[name].__forward_arg__ for name in Style._fields
    }
