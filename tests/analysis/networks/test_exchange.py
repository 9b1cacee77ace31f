"""To and from PATHSAMPLE's files, networkx, rate matrices and pandas."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings

from thalweg.analysis import (
    Kinetics,
    KineticTransitionNetwork,
    branching_probabilities,
    rate_matrix,
    read_points,
)
from thalweg.analysis.networks.exchange import write_pathsample

from ..random_networks import networks


@pytest.fixture
def network() -> KineticTransitionNetwork:
    rng = np.random.default_rng(0)
    return KineticTransitionNetwork(
        rng.normal(size=3),
        rng.normal(size=3) + 9,
        [[0, 1], [2, 1], [2, 2]],
        log_eigenvalue_product=rng.normal(size=3) * 1e5,
        ts_log_eigenvalue_product=rng.normal(size=3) * 1e5,
        symmetry_order=[1, 48, 2],
        ts_symmetry_order=[1, 1, 4],
        properties={"moments_of_inertia": rng.random((3, 3)), "auc": [0.5, 0.6, 0.7]},
        ts_properties={"moments_of_inertia": rng.random((3, 3))},
        groups={"A": [0], "B": [2, 1], "other": [0]},
    )


def same(a: KineticTransitionNetwork, b: KineticTransitionNetwork, columns: tuple[str, ...]) -> None:
    for name in columns:
        for ts in ("", "ts_"):
            left, right = getattr(a, ts + name), getattr(b, ts + name)
            assert (left is None) == (right is None)
            assert left is None or np.array_equal(left, right), ts + name
    assert np.array_equal(a.ts_minima, b.ts_minima)


COLUMNS = ("energies", "log_eigenvalue_product", "symmetry_order")


def test_pathsample_and_back(network, tmp_path):
    x, ts_x = np.random.default_rng(1).normal(size=(3, 6)), np.ones((3, 6))
    network.to_pathsample(tmp_path / "new", x, ts_x)
    back = KineticTransitionNetwork.from_pathsample(tmp_path / "new")
    same(network, back, COLUMNS)
    assert np.array_equal(network.properties["moments_of_inertia"], back.properties["moments_of_inertia"])
    assert {name: v.tolist() for name, v in back.groups.items()} == {"A": [0], "B": [2, 1]}
    assert np.array_equal(read_points(tmp_path / "new" / "points.min", 3), x)
    assert np.array_equal(read_points(tmp_path / "new" / "points.ts", 3), ts_x)
    with pytest.raises(FileExistsError, match=r"min\.data exists"):
        network.to_pathsample(tmp_path / "new")
    with pytest.raises(ValueError, match="not 5 rows"):
        read_points(tmp_path / "new" / "points.min", 5)


@pytest.mark.parametrize("name", ["lj38_64", "tetraala_57", "collagen_2203"])
def test_real_databases_keep_their_kinetics(shared, tmp_path, name):
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / name)
    network.to_pathsample(tmp_path)
    same(network, KineticTransitionNetwork.from_pathsample(tmp_path), COLUMNS)


def test_nothing_is_written_that_cannot_be_whole(network, tmp_path):
    bare = KineticTransitionNetwork([0.0], [], [])
    with pytest.raises(ValueError, match="no log_eigenvalue_product"):
        bare.to_pathsample(tmp_path / "a")
    with pytest.raises(ValueError, match="coordinates has shape"):
        network.to_pathsample(tmp_path / "a", np.ones((2, 6)))
    with pytest.raises(ValueError, match="ts_coordinates holds numbers that are not finite"):
        network.to_pathsample(tmp_path / "a", None, np.full((3, 6), np.nan))
    unknown = KineticTransitionNetwork([0.0], [], [], log_eigenvalue_product=[np.nan], ts_log_eigenvalue_product=[])
    with pytest.raises(ValueError, match=r"log_eigenvalue_product\[0\] is nan"):
        unknown.to_pathsample(tmp_path / "a")
    assert not (tmp_path / "a").exists()


@settings(max_examples=30, deadline=None)
@given(networks)
def test_networkx_and_back(network):
    back = KineticTransitionNetwork.from_networkx(network.to_networkx())
    assert np.array_equal(back.energies, network.energies)
    assert np.array_equal(back.ts_energies, network.ts_energies)
    assert np.array_equal(np.sort(back.ts_minima, axis=1), np.sort(network.ts_minima, axis=1))


def test_networkx_with_all_columns(network):
    back = KineticTransitionNetwork.from_networkx(network.to_networkx(), units="eV")
    assert back.units == "eV"
    assert back.properties["auc"].tolist() == [0.5, 0.6, 0.7]
    assert np.array_equal(back.ts_log_eigenvalue_product, network.ts_log_eigenvalue_product)
    sets = {"source": [0], "target": [2]}
    rates = [n.kinetics(temperature=1e4).rate_constant(**sets) for n in (network, back)]
    assert rates[0] == rates[1]


def test_graphs_of_others():
    graph = nx.Graph()
    graph.add_node("deep", energy=-1.0)
    graph.add_node("shallow", energy=0.0)
    graph.add_edge("deep", "shallow", energy=1.0)
    assert KineticTransitionNetwork.from_networkx(graph).ts_minima.tolist() == [[0, 1]]
    assert len(KineticTransitionNetwork.from_networkx(nx.Graph())) == 0
    with pytest.raises(ValueError, match="directed"):
        KineticTransitionNetwork.from_networkx(graph.to_directed())
    graph.add_node("bare")
    with pytest.raises(ValueError, match=r"node 2 has attributes \[\]"):
        KineticTransitionNetwork.from_networkx(graph)
    with pytest.raises(ValueError, match="nodes have no attribute 'energy'"):
        KineticTransitionNetwork.from_networkx(nx.path_graph(2))


def test_rate_matrices_in_both_conventions():
    rates = np.array([[0, 1, 2], [3, 0, 4], [0, 5, 0]], dtype=float)
    kinetics = Kinetics.from_rates(rates)
    rows, columns = rate_matrix(kinetics).toarray(), rate_matrix(kinetics, "column").toarray()
    assert np.array_equal(rows, rates - np.diag(rates.sum(axis=1)))
    assert np.array_equal(columns, rows.T)
    np.testing.assert_allclose(kinetics.populations @ rows, 0, atol=1e-15)
    probabilities, waiting = branching_probabilities(kinetics)
    np.testing.assert_allclose(probabilities.toarray().sum(axis=0), 1)
    np.testing.assert_allclose(probabilities.toarray() / waiting, rates.T)
    with pytest.raises(ValueError, match="convention is 'pygt'"):
        rate_matrix(kinetics, "pygt")


def test_tables(network):
    pytest.importorskip("pandas")
    minima, states = network.minima_table(), network.transition_state_table()
    assert minima.index.name == "minimum"
    expected = ["energy", "component", "degree", "in_A", "in_B", "in_other", "log_eigenvalue_product", "symmetry_order"]
    assert minima.columns.tolist() == [*expected, *(f"moments_of_inertia_{k}" for k in range(3)), "auc"]
    assert minima["in_B"].tolist() == [False, True, True]
    assert minima["degree"].tolist() == [1, 2, 1]
    assert states["minimum_a"].tolist() == [0, 2, 2]
    np.testing.assert_array_equal(states["barrier_b"], network.ts_energies - network.energies[[1, 1, 2]])
    minima.loc[0, "energy"] = 7.0
    assert network.energies[0] != 7.0


def test_moments_of_inertia_of_atoms_are_those_of_their_coordinates(network, tmp_path):
    """Against the eigenvalues of ASE's tensor of inertia, with masses of one."""
    products = {name: getattr(network, name) for name in ("log_eigenvalue_product", "ts_log_eigenvalue_product")}
    bare = KineticTransitionNetwork(network.energies, network.ts_energies, network.ts_minima, **products)
    rng = np.random.default_rng(3)
    x, ts_x = rng.normal(size=(2, 3, 12))
    for name, atoms in (("points", False), ("atoms", True)):
        write_pathsample(bare, tmp_path / name, x, ts_x, atoms=atoms)
    assert (KineticTransitionNetwork.from_pathsample(tmp_path / "points").properties["moments_of_inertia"] == 1).all()
    back = KineticTransitionNetwork.from_pathsample(tmp_path / "atoms")
    for found, coordinates in ((back.properties, x), (back.ts_properties, ts_x)):
        right = [Atoms("H4", row.reshape(-1, 3), masses=[1.0] * 4).get_moments_of_inertia() for row in coordinates]
        np.testing.assert_allclose(found["moments_of_inertia"], np.sort(right, axis=1), rtol=1e-10)
