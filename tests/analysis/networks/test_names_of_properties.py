"""A property never takes the place of something else that is exported: energies stay energies."""

from __future__ import annotations

import json
import shutil

import networkx as nx
import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.cli.export import _FORMATS
from thalweg.analysis.networks.parts.numbered import numbered_part
from thalweg.analysis.networks.parts.selection import Part
from thalweg.landscapes import Landscape, fill_property
from thalweg.landscapes.property_names import RESERVED, exported_names
from thalweg.potentials import MuellerBrown, Point

OF_TABLES = ("energy", "component", "degree", "log_eigenvalue_product", "modes", "symmetry_order")


@pytest.fixture
def store(tmp_path):
    with Landscape(Point([0.0, 0.5], MuellerBrown()), tmp_path / "a.zarr", seed=0) as landscape:
        landscape.find_minima(20, workers=1)
        landscape.connect(20, workers=1)
        assert len(landscape.minima) == 3
    return tmp_path / "a.zarr"


def older(store, *names):
    """Give a store properties of these names, as a version could that did not refuse them."""
    with Landscape.open(store, "r+") as landscape:
        for k in range(len(names)):
            landscape.properties[f"q{k}"] = np.arange(3) + 1000.0 * (k + 1)
    text = (store / "zarr.json").read_text()
    for k, name in enumerate(names):
        text = text.replace(f'"properties/q{k}"', f'"properties/{name}"')
        shutil.move(store / f"properties/q{k}", store / f"properties/{name}")
    json.loads(text)
    (store / "zarr.json").write_text(text)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_refused(store, name):
    with Landscape.open(store, "r+") as landscape:
        with pytest.raises(ValueError, match=f"a property cannot be called '{name}'"):
            landscape.properties[name] = np.zeros(3)
        with pytest.raises(ValueError, match=f"a property cannot be called '{name}'"):
            fill_property(landscape, [f"my_{name}", name], lambda X: pytest.fail("nothing is computed for it"))
        landscape.properties[f"my_{name}"] = np.zeros(3)
        assert list(landscape.properties) == [f"my_{name}"]


def test_columns_of_tables_are_reserved(store):
    network = KineticTransitionNetwork.read(store)
    for table in (network.minima_table(), network.transition_state_table()):
        wide = {name for name in table.columns if not name.startswith(("minimum_", "barrier_", "path_length_"))}
        assert wide | {table.index.name} <= RESERVED


def test_an_older_store_with_a_property_called_energy(store, tmp_path):
    older(store, "energy", "minimum", "degree", "property_energy")
    landscape = Landscape.open(store)
    true, other = landscape.minima.energy[:], landscape.properties["energy"]
    assert other.tolist() == [1000.0, 1001.0, 1002.0]
    network = KineticTransitionNetwork.read(store)
    assert network.energies.tolist() == true.tolist()
    graphs = [network.to_networkx()]
    _FORMATS["graphml"](store, numbered_part(network, Part()), tmp_path / "a.graphml", False)
    graphs.append(nx.read_graphml(tmp_path / "a.graphml", force_multigraph=True))
    for graph in graphs:
        back = KineticTransitionNetwork.from_networkx(graph)
        assert back.energies.tolist() == true.tolist()
        assert back.ts_energies.tolist() == network.ts_energies.tolist()
        assert back.properties["property_property_energy"].tolist() == other.tolist()
        assert back.properties["property_energy"].tolist() == (other + 3000).tolist()
    pandas = pytest.importorskip("pandas")
    for form, read in (("csv", pandas.read_csv), ("parquet", pandas.read_parquet)):
        _FORMATS[form](store, numbered_part(network, Part()), tmp_path / form, False)
        table = read(tmp_path / form / f"minima.{form}")
        np.testing.assert_allclose(table["energy"], true, rtol=1e-15)
        assert table["degree"].tolist() == network.degree.tolist()
        assert table["property_degree"].tolist() == (other + 2000).tolist()
        assert table["property_property_energy"].tolist() == other.tolist()


def test_it_goes_on_being_computed(store):
    older(store, "energy")
    with Landscape.open(store, "r+") as landscape:
        landscape.properties["energy"] = np.full(3, 7.0)
        assert landscape.properties["energy"].tolist() == [7.0] * 3
        del landscape.properties["energy"]
        with pytest.raises(ValueError, match="cannot be called"):
            landscape.properties["energy"] = np.full(3, 7.0)


@pytest.mark.parametrize("name", [*OF_TABLES, "in_A", "pair_0", "minimum_a"])
def test_networks_made_in_python(name):
    network = KineticTransitionNetwork(
        [0.0, 1.0], [2.0], [[0, 1]], properties={name: [5.0, 6.0], "pair": [[1, 2], [3, 4]]},
        ts_properties={name: [9.0], "key": [3.0]}, groups={"A": [0]},
    )  # fmt: skip
    graph = network.to_networkx()
    assert [values["energy"] for _, values in graph.nodes(data=True)] == [0.0, 1.0]
    assert [values["energy"] for *_, values in graph.edges(data=True)] == [2.0]
    for table, energies in ((network.minima_table(), [0.0, 1.0]), (network.transition_state_table(), [2.0])):
        assert table["energy"].tolist() == energies
        assert len(set(table.columns)) == len(table.columns)


def test_exported_names():
    assert exported_names(["a", "b"], ["b", "c"]) == {"a": "a", "b": "property_b"}
    assert exported_names(["b", "property_b"], ["b"]) == {"b": "property_property_b", "property_b": "property_b"}
    assert exported_names([], ["b"]) == {}


@pytest.mark.parametrize("pairs", [[[2, 3], [0, 3], [0, 1]], [[0, 1], [1, 0], [0, 1], [2, 2]], [[3, 2]], []])
def test_graphml_keeps_the_order_of_transition_states(tmp_path, pairs):
    energies = (np.arange(len(pairs)) + 5.0).tolist()
    network = KineticTransitionNetwork([0, 1, 2, 3.0], energies, pairs)
    _FORMATS["graphml"](tmp_path, numbered_part(network, Part()), tmp_path / "a.graphml", False)
    back = KineticTransitionNetwork.from_networkx(nx.read_graphml(tmp_path / "a.graphml"))
    assert back.ts_energies.tolist() == energies
    assert np.sort(back.ts_minima, axis=1).tolist() == np.sort(np.reshape(pairs, (-1, 2)), axis=1).tolist()
    assert not back.ts_properties
