"""Measures against their definitions, networkx and scipy; the table, the figure, and bad input."""

from __future__ import annotations

import csv
import io

import networkx as nx
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from thalweg.analysis import Comparison, KineticTransitionNetwork
from thalweg.analysis.cli.main import program
from thalweg.analysis.comparison.energies import (
    band,
    barriers,
    connected_part,
    energies_from,
    energy_measures,
    frustration,
    funnel_measures,
    half_temperature,
)
from thalweg.analysis.comparison.graph import graph_measures
from thalweg.analysis.comparison.shapes import curvature_measures, length_measures

from ..random_networks import networks, random_network


@pytest.fixture
def network() -> KineticTransitionNetwork:
    """Two funnels, 0 1 2 and 3 4, with a minimum apart and a transition state from a minimum to itself."""
    energies = [0.0, 0.5, 0.6, 0.1, 1.0, 0.3]
    states, ends = [1.0, 1.1, 1.2, 3.0, 2.0], [[0, 1], [0, 2], [3, 4], [1, 4], [2, 2]]
    return KineticTransitionNetwork(
        energies,
        states,
        ends,
        log_eigenvalue_product=[2.0, 4.0, 4.0, 2.0, 6.0, 1.0],
        modes=[2] * 6,
        ts_log_eigenvalue_product=[3.0] * 5,
        ts_modes=[1] * 5,
        properties={"lowest_eigenvalue": np.full(6, 0.5)},
        ts_properties={"path_length": np.c_[np.arange(5.0), np.ones(5)], "lowest_eigenvalue": np.full(5, -2.0)},
    )


def test_connected_part_is_the_component_of_the_lowest(network):
    part = connected_part(network)
    assert part.energies.tolist() == [0.0, 0.5, 0.6, 0.1, 1.0]
    assert part.ts_minima.tolist() == [[0, 1], [0, 2], [3, 4], [1, 4]]
    assert part.log_eigenvalue_product.tolist() == [2, 4, 4, 2, 6]
    assert part.ts_properties["path_length"][:, 0].tolist() == [0, 1, 2, 3]


@settings(max_examples=50, deadline=None)
@given(networks)
def test_energies_on_the_way_from_a_minimum(network):
    matrix = network.barrier_matrix()
    for source in (0, network.n_minima - 1):
        np.testing.assert_array_equal(energies_from(network, source), matrix[source])


def test_energies_by_hand(network):
    part = connected_part(network)
    uphill, downhill = barriers(part)
    assert uphill == pytest.approx([1.0, 1.1, 1.1, 2.5])
    assert downhill == pytest.approx([0.5, 0.5, 0.2, 2.0])
    found = energy_measures(part)
    assert found["band"] == band(part) == 1.0
    assert found["uphill barrier / band"] == pytest.approx(1.1)
    assert found["downhill barrier / band"] == pytest.approx(0.5)
    assert found["roughness"] == pytest.approx(downhill.sum() / (0.5 + 0.6 + 0.9 + 0.5))
    funnels = funnel_measures(part)
    assert funnels["funnels"] == 2
    assert funnels["minima in the main funnel"] == pytest.approx(0.6)
    assert funnels["depth of the main funnel / band"] == pytest.approx(3.0)
    assert funnels["depth of the deepest other / band"] == pytest.approx(2.9)


def test_frustration_by_hand(network):
    part = connected_part(network)
    ratio = np.array([(1.0 - 0.5) / 0.5, (1.1 - 0.6) / 0.6, (3.0 - 0.1) / 0.1, (3.0 - 1.0) / 1.0])
    assert frustration(part) == pytest.approx(ratio.mean())
    temperature = 0.4
    weight = np.exp(-part.energies / temperature - part.log_eigenvalue_product / 2)[1:]
    assert frustration(part, temperature) == pytest.approx((weight * ratio).sum() / weight.sum())
    lower = KineticTransitionNetwork(part.energies, part.joining_energies - 0.1, part.ts_minima)
    assert frustration(lower) < frustration(part)


def test_temperature_of_half_occupation(network):
    part = connected_part(network)
    temperature = half_temperature(part)
    weight = np.exp(-part.energies / temperature - part.log_eigenvalue_product / 2)
    assert weight[0] / weight.sum() == pytest.approx(0.5, abs=1e-8)
    cold = KineticTransitionNetwork([0, 1], [2], [[0, 1]], log_eigenvalue_product=[0, 100])
    assert np.isnan(half_temperature(cold))  # never: the lowest minimum is by far the wider one, too
    twins = KineticTransitionNetwork([0, 0, 1], [2, 2], [[0, 1], [1, 2]], log_eigenvalue_product=[5, 0, 0])
    assert np.isnan(half_temperature(twins))


@settings(max_examples=30, deadline=None)
@given(networks)
def test_graph_figures_are_networkx_figures(network):
    part = connected_part(network)
    if part.n_minima < 3:
        return
    graph = nx.Graph(part.to_networkx())
    found = graph_measures(part)
    degrees = [d for _, d in graph.degree()]
    assert found["mean degree"] == pytest.approx(np.mean(degrees))
    assert found["largest degree"] == max(degrees)
    assert found["clustering"] == pytest.approx(nx.average_clustering(graph))
    assert found["steps between minima"] == pytest.approx(nx.average_shortest_path_length(graph))
    if len(set(degrees)) > 1:
        expected = nx.degree_assortativity_coefficient(graph)
        assert found["assortativity"] == pytest.approx(expected, nan_ok=True)


def test_small_world_of_a_ring_with_short_cuts():
    graph = nx.connected_watts_strogatz_graph(200, 8, 0.1, seed=1)
    ends = np.array(graph.edges())
    network = KineticTransitionNetwork(np.zeros(200), np.ones(len(ends)), ends)
    found = graph_measures(network)
    assert found["clustering / random"] == pytest.approx(nx.average_clustering(graph) * 199 / 8)
    assert found["small-world index"] > 5
    sampled = graph_measures(network, sample=100)
    assert sampled["clustering"] == pytest.approx(found["clustering"], rel=0.2)
    assert sampled["steps between minima"] == pytest.approx(found["steps between minima"], rel=0.1)
    assert sampled == graph_measures(network, sample=100)


def test_curvatures_and_lengths_by_hand(network):
    part = connected_part(network)
    found = curvature_measures(part)
    logs = np.array([1.0, 2.0, 2.0, 1.0, 3.0])
    assert found["mean log curvature"] == pytest.approx(logs.mean())
    assert found["spread of log curvatures"] == pytest.approx(logs.std())
    assert found["log curvature, transition states - minima"] == pytest.approx(3.0 - logs.mean())
    assert found["softest / mean curvature"] == pytest.approx(0.5 / np.exp(2))
    assert found["negative / mean curvature"] == pytest.approx(2.0 / np.exp(3))
    assert length_measures(part)["path length"] == 2.5


def test_scaled_measures_do_not_depend_on_the_unit_of_energy(network):
    big = KineticTransitionNetwork(
        1000 * network.energies - 7,
        1000 * network.ts_energies - 7,
        network.ts_minima,
        log_eigenvalue_product=network.log_eigenvalue_product,
        modes=network.modes,
        ts_log_eigenvalue_product=network.ts_log_eigenvalue_product,
        ts_modes=network.ts_modes,
    )
    table = Comparison({"small": network, "big": big}).table
    for measure, values in table.items():
        if measure.endswith("/ band") or "frustration" in measure or measure == "roughness":
            assert values["big"] == pytest.approx(values["small"], rel=1e-6), measure


def test_table_in_three_forms(network):
    comparison = Comparison({"a|b": network, "plain": random_network(1, 30, 60)})
    text, markdown = comparison.to_text().splitlines(), comparison.to_markdown().splitlines()
    assert text[0].split() == ["a|b", "plain"]
    assert text[1].split() == ["minima", "6", "30"]
    assert "plain: no thermodynamics: the network has no log_eigenvalue_product" in "\n".join(text)
    assert markdown[0] == r"|  | a\|b | plain |"
    assert markdown[2] == "| minima | 6 | 30 |"
    rows = list(csv.reader(io.StringIO(comparison.to_csv())))
    assert rows[0] == ["measure", "a|b", "plain"]
    assert {len(row) for row in rows} == {3}
    for row in rows[1:]:
        for name, cell in zip(rows[0][1:], row[1:], strict=True):
            value = comparison.table[row[0]][name]
            assert (cell == "" and np.isnan(value)) or float(cell) == value


def test_figure(network, tmp_path):
    comparison = Comparison({"one": network, "two": random_network(5, 40, 90)})
    figure = comparison.plot()
    assert [ax.get_title() for ax in figure.axes[:2]] == ["one", "two"]
    assert len(figure.axes) == 6
    assert len(figure.axes[4].get_lines()) == 1  # "two" has no thermodynamics
    comparison.save(tmp_path / "x.png", dpi=40)
    assert (tmp_path / "x.png").stat().st_size > 5000


@pytest.mark.parametrize(("height", "one_scale"), [(1.5, True), (5.0, False)])
def test_graphs_are_on_one_scale_unless_one_would_be_flat(height, one_scale):
    low = KineticTransitionNetwork([0.0, 1.0], [1.2], [[0, 1]])
    high = KineticTransitionNetwork([0.0, 1.0], [height], [[0, 1]])
    axes = Comparison({"low": low, "high": high}).plot().axes[:2]
    tops = [ax.get_ylim()[1] for ax in axes]
    assert tops[1] >= height
    assert (tops[0] == tops[1]) == one_scale
    assert one_scale or 1.2 <= tops[0] < 2.0


def test_missing_products_leave_gaps(network):
    columns = {"log_eigenvalue_product": [np.nan] * 6, "modes": [2] * 6}
    network = KineticTransitionNetwork(network.energies, network.ts_energies, network.ts_minima, **columns)
    comparison = Comparison({"x": network})
    for measure in ("frustration at half occupation", "mean log curvature", "distance of random minima"):
        assert np.isnan(comparison.table[measure]["x"])
    assert "log_eigenvalue_product[0] is nan" in comparison.to_text()
    comparison.plot()


def test_measures_without_meaning_say_so():
    line = KineticTransitionNetwork([0.0, 1.0], [1.5], [[0, 1]], log_eigenvalue_product=[0.0, -50.0], modes=[2, 2])
    text = Comparison({"two": line}).to_text()
    assert "two: there is only one funnel" in text
    assert "two: there are only two minima" in text
    assert "two: all minima have the same degree" in text
    assert "half occupation lies between" not in text  # the wider minimum takes over at 1/25 of a band
    narrow = KineticTransitionNetwork([0.0, 1.0], [1.5], [[0, 1]], log_eigenvalue_product=[0.0, 50.0], modes=[2, 2])
    assert "two: no temperature of half occupation lies between 1e-4 and 10 bands" in Comparison({"two": narrow}).notes
    path = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    notes = " ".join(Comparison({"path": path}).notes)
    assert np.isfinite(Comparison({"path": path}).table["depth of the main funnel / band"]["path"])
    assert "funnel" not in notes
    assert "degree" not in notes


def test_unknown_eigenvalues_and_lengths_are_left_out(network):
    part = connected_part(network)
    values, lengths = np.full(5, np.nan), np.full((4, 2), np.nan)
    columns = {"log_eigenvalue_product": part.log_eigenvalue_product, "modes": part.modes}
    for known in (False, True):
        values[1], lengths[2] = (np.exp(2.0), [1.0, 2.0]) if known else (np.nan, np.nan)
        gaps = KineticTransitionNetwork(
            part.energies,
            part.ts_energies,
            part.ts_minima,
            **columns,
            properties={"lowest_eigenvalue": values},
            ts_properties={"path_length": lengths},
        )
        table = Comparison({"x": gaps}).table
        expected = (1.0, 3.0) if known else (np.nan, np.nan)
        found = (table["softest / mean curvature"]["x"], table["path length"]["x"])
        np.testing.assert_allclose(found, expected)


def test_equal_energies_make_no_band():
    network = KineticTransitionNetwork([1.0, 1.0], [2.0], [[0, 1]], log_eigenvalue_product=[0, 0])
    comparison = Comparison({"flat": network})
    assert comparison.table["band"]["flat"] == 0
    assert np.isnan(comparison.table["uphill barrier / band"]["flat"])
    comparison.plot()


def test_bad_input_is_named(network, tmp_path):
    lonely = KineticTransitionNetwork([0.0, 1.0, 2.0], [3.0, 4.0], [[1, 2], [0, 0]])
    for given_, error, message in [
        ({}, ValueError, "landscapes must map"),
        ([network], ValueError, "landscapes must map"),
        ({"empty": KineticTransitionNetwork([], [], [])}, ValueError, "empty has no minima"),
        ({"lonely": lonely}, ValueError, "lonely has no transition state"),
        ({"gone": tmp_path / "gone.zarr"}, OSError, "gone"),
    ]:
        with pytest.raises(error, match=message):
            Comparison(given_)
    with pytest.raises(ValueError, match="sample is 0"):
        Comparison({"x": network}, sample=0)


def test_command_on_pathsample_folders(shared, tmp_path):
    folders = [str(shared / "data" / "networks" / name) for name in ("lj38_64", "tetraala_57")]
    runner = CliRunner()
    done = runner.invoke(program, ["compare", *folders, "--output", str(tmp_path / "c.svg")])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].split() == ["lj38_64", "tetraala_57"]
    assert (tmp_path / "c.svg").exists()
    comma = runner.invoke(program, ["compare", *folders, "--format", "csv"])
    assert {len(row) for row in csv.reader(io.StringIO(comma.stdout))} == {3}
    assert "must end in" in runner.invoke(program, ["compare", *folders, "--output", "c.doc"]).output
    gone = runner.invoke(program, ["compare", str(tmp_path / "gone.zarr")])
    assert gone.exit_code == 1
    assert "gone.zarr" in gone.output
