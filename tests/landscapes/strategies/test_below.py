"""Searches that keep below an energy, what counts there, and how connected the region is."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from thalweg.analysis.systems.low_region import low_region
from thalweg.landscapes import FROM_STATE, SINGLE_ENDED, Landscape, estimate
from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.storage.store import Store

from ...helpers import finished, random_cluster, stored_arrays, thalweg

HEIGHT = 2.0  # of LJ9's 21 minima some lie that near the lowest


def explored(path, parts, *, below=f"+{HEIGHT}"):
    with Landscape(random_cluster(9), path, seed=1) as landscape:
        landscape.find_minima(30, workers=1)
        before = len(landscape.minima), len(landscape.transition_states)
        for searches, workers in parts:
            landscape.connect(searches, below=below, workers=workers)
    return before


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("below") / "lj9.zarr"
    explored(path, [(160, 1), (140, 1)])
    return path


def test_only_low_points_are_searched_from(store):
    """Gmin may fall on the way, so the limit of the whole run is that of the lowest minimum known when it began."""
    with Landscape.open(store) as landscape:
        energies, states = landscape.minima.energy[:], landscape.transition_states.energy[:]
        first = landscape.searches.minima[: landscape.searches.minima_end[29]]
        limit = energies[first].min() + HEIGHT
        assert (energies > limit).sum() > 1
        assert (states > limit).sum() > 3
        kind, start = landscape.searches.kind[:], landscape.searches.start[:, 0]
        left = start[(kind == SINGLE_ENDED) & (start >= 0)]
        assert len(left) > 50
        assert energies[left].max() <= limit
        left = start[kind == FROM_STATE]
        assert len(left) > 20
        assert states[left].max() <= limit


def test_two_workers_find_the_same(store, tmp_path):
    explored(tmp_path / "a.zarr", [(160, 2), (140, 2)])
    assert stored_arrays(tmp_path / "a.zarr") == stored_arrays(store)


def arrivals(landscape, limit):
    """Count, one search after the other, how often each low point was found, and when the last came."""
    energies = {"minima": landscape.minima.energy[:], "transition_states": landscape.transition_states.energy[:]}
    counts = {group: np.zeros(len(values), dtype=int) for group, values in energies.items()}
    searches, last = landscape.searches, 0
    kinds, starts = searches.kind[:], searches.start[:]
    for search in range(len(searches)):
        for group in counts:
            ends = getattr(searches, f"{group}_end")
            begin = int(ends[search - 1]) if search else 0
            for row in getattr(searches, group)[begin : int(ends[search])].tolist():
                from_state = kinds[search] == FROM_STATE
                if row in starts[search] and from_state == (group == "transition_states"):
                    continue
                if counts[group][row] == 0 and energies[group][row] <= limit:
                    last = search + 1
                counts[group][row] += 1
    return {group: counts[group][energies[group] <= limit] for group in counts}, len(searches) - last


def test_the_points_below_are_counted_alone(store):
    with Landscape.open(store) as landscape:
        limit = landscape.minima.energy[:].min() + HEIGHT
        counts, quiet = arrivals(landscape, limit)
        for below in (f"+{HEIGHT}", float(limit)):
            found = landscape.discoveries(below)
            assert found.limit == pytest.approx(limit, abs=1e-12)
            assert found.minima == estimate(counts["minima"])
            assert found.transition_states == estimate(counts["transition_states"])
            assert found.quiet == quiet
        assert landscape.discoveries(below).minima.found < landscape.discoveries().minima.found


def test_the_region_is_connected_as_networkx_says(store):
    opened = Store.open(store)
    with Landscape.open(store) as landscape:
        energies, states = landscape.minima.energy[:], landscape.transition_states.energy[:]
        ends = landscape.transition_states.minima[:]
    for height in (0.2, 1.0, 1.6, 2.0, 3.0, 20.0):
        region, limit = low_region(opened, f"+{height}"), energies.min() + height
        graph: nx.Graph = nx.Graph()
        graph.add_nodes_from(np.flatnonzero(energies <= limit).tolist())
        graph.add_edges_from(ends[states <= limit].tolist())
        assert region.minima == graph.number_of_nodes()
        assert region.transition_states == (states <= limit).sum()
        assert region.joined == len(nx.node_connected_component(graph, int(energies.argmin())))
        assert region.joined <= region.joined_at_all <= region.minima


def test_it_ends_when_the_region_is_complete_although_higher_points_are_missing(tmp_path):
    """LJ8: 8 minima and 42 transition states in all."""
    with Landscape(random_cluster(8), tmp_path / "a.zarr", seed=0) as landscape:
        landscape.find_minima(30, workers=1)
        landscape.connect(until_converged=True, below="+0.6", workers=1)
        assert landscape.discoveries("+0.6").complete
        done, low = len(landscape.searches), landscape.discoveries("+0.6").transition_states.found
        landscape.connect(1000, workers=1)
        assert len(landscape.transition_states) > low
        assert landscape.discoveries("+0.6").transition_states.found == low
    assert done < 3000


@pytest.mark.parametrize(
    ("below", "energy"),
    [("+0.01", -0.99), ("+1e-2", -0.99), (" + .5", -0.5), ("-0.5", -0.5), (-0.5, -0.5), (np.float64(3), 3.0)],
)
def test_limits(below, energy):
    limit = EnergyLimit.read(below)
    assert limit.energy(-1.0) == pytest.approx(energy)
    assert EnergyLimit.read(limit.stored()) == limit


@pytest.mark.parametrize("below", ["low", "++1", "nan", np.nan, np.inf, "+1e999", ""])
def test_no_limits(below):
    with pytest.raises(ValueError, match="below"):
        EnergyLimit.read(below)


def test_errors_say_what_is_wrong(store):
    with Landscape(random_cluster(9), store) as landscape:
        rows = len(landscape.searches)
        with pytest.raises(ValueError, match="no minimum lies below -100: the lowest known has -24"):
            landscape.connect(5, below=-100.0)
        with pytest.raises(ValueError, match="below has no effect here"):
            landscape.connect(5, below=-22.0, strategy="untrap")
        with pytest.raises(TypeError, match="below must be a number"):
            landscape.connect(5, below=[1.0])
        assert len(landscape.searches) == rows


def test_the_commands_speak_of_the_region(store, tmp_path):
    said = finished("info", store, "--below", "+1.5")
    assert "(1.5 above the lowest minimum):" in said
    assert "are connected to the lowest below the limit" in said
    path = tmp_path / "lj7.zarr"
    common = ("--steps", 20, "--workers", 1)
    said = finished("explore", "LJ7", "--output", path, "--searches", 20, "--below", "-15.5", *common)
    assert "20 searches below -15.5" in said
    assert "below -15.5:" in said
    said = finished("explore", "LJ7", "--output", path, "--resume", "--searches", 30, *common)
    assert "30 searches below -15.5" in said, "the store keeps the limit"
    said = thalweg("info", path, "--below", "deep")
    assert said.exit_code == 2
    assert "'deep' is no energy: write -44.2, or +0.01" in said.output
    said = thalweg("info", path, "--below", "-99")
    assert said.exit_code == 1
    assert "no minimum lies below -99" in said.output
