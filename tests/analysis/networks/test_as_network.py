"""Graphs and networks of whatever a user has at hand: a network, a landscape, a store, PATHSAMPLE's files."""

from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_landscape_is_read_as_of_its_last_commit(where, tmp_path):
    place = MemoryStore() if where == "memory" else tmp_path / "mb.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), place, seed=0) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        landscape.connect(30, workers=1, progress=False)
        network = KineticTransitionNetwork.read(landscape)
        np.testing.assert_array_equal(network.energies, landscape.minima.energy[:])
        assert (network.n_minima, network.n_transition_states) == (3, 2)
        graph = DisconnectivityGraph(landscape)
        np.testing.assert_array_equal(graph.levels, DisconnectivityGraph(network).levels)
        # still open for writing afterwards
        landscape.properties["number"] = np.arange(3.0)
        np.testing.assert_array_equal(KineticTransitionNetwork.read(landscape).properties["number"], np.arange(3.0))


def test_a_path_will_do(tmp_path):
    with Landscape(Point([0.0, 0.5], MuellerBrown()), tmp_path / "mb.zarr", seed=0) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        landscape.connect(30, workers=1, progress=False)
    graph = DisconnectivityGraph(tmp_path / "mb.zarr")
    assert DisconnectivityGraph(str(tmp_path / "mb.zarr")).network.n_minima == graph.network.n_minima == 3
    with pytest.raises(FileNotFoundError):
        DisconnectivityGraph(tmp_path / "none.zarr")
    with pytest.raises(TypeError, match="network is a int; a KineticTransitionNetwork, a Landscape"):
        DisconnectivityGraph(3)


def test_discoveries_say_what_was_found():
    with Landscape(Point([0.0, 0.5], MuellerBrown()), MemoryStore(), seed=0) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        said = repr(landscape.discoveries())
    assert said.startswith("<Discoveries: 3 minima (about 0 remaining), 0 transition states")
    assert said.endswith("of 30 searches>")
