"""Every point that an exploration stores is what it is said to be, by plain numpy alone (independent.py)."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from ase import Atoms

from thalweg.analysis.systems.named import build
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss, Weights

from .independent import (
    cluster,
    cluster_distance,
    equal_pairs,
    network,
    network_distance,
    rigid_motions,
    split,
    wrong_points,
)


def loss_of(box, data, hidden, l2=1e-4):
    points = ljat3_outcomes(box, size=data, seed=1, cache=False)
    return NetworkLoss(points.inputs, points.labels, hidden=(hidden,), l2=l2, n_classes=4)


def function_of(loss):
    return network(loss.layers, loss.inputs, loss.labels, loss.l2)


def complaints(landscape, function, distance, **more):
    """Return everything that is wrong with a landscape's minima and transition states."""
    wrong = []
    for points, negative in ((landscape.minima, 0), (landscape.transition_states, 1)):
        energies, X = points.energy[:], points.coordinates[:]
        wrong += wrong_points(function, energies, X, negative, **more) + equal_pairs(energies, X, distance)
    return wrong


@pytest.mark.parametrize(("box", "hidden"), [("D1", 10), ("D2", 5)])
def test_points_of_a_loss(tmp_path, box, hidden):
    loss = loss_of(box, 200, hidden)
    with Landscape(Weights.random(loss, seed=0), tmp_path / "a.zarr", seed=2) as landscape:
        landscape.find_minima(20)
        landscape.connect(40)
        assert len(landscape.minima) >= 3
        assert len(landscape.transition_states) >= 5
        assert complaints(landscape, function_of(loss), network_distance(loss.layers)) == []


@pytest.mark.parametrize(("n", "Z", "minima", "states"), [(7, 0.0, 4, 12), (3, 2.0, 2, 1)])
def test_points_of_clusters(tmp_path, n, Z, minima, states):
    positions = np.random.default_rng(0).uniform(-1.2, 1.2, (n, 3))
    with Landscape(Atoms(f"Ar{n}", positions, calculator=LJAT(Z=Z)), tmp_path / "a.zarr", seed=2) as landscape:
        landscape.find_minima(60)
        landscape.connect(200)
        assert 2 <= len(landscape.minima) <= minima
        assert states / 2 <= len(landscape.transition_states) <= states
        assert complaints(landscape, cluster(Z), cluster_distance, null_modes=rigid_motions) == []


@pytest.mark.slow  # minutes
@pytest.mark.parametrize(("n", "seed", "minima", "states"), [(8, 0, 8, 42), (8, 1, 8, 42), (9, 1, 21, 165)])
def test_clusters_are_complete_when_the_estimate_says_so(tmp_path, n, seed, minima, states):
    """The published counts (Doye and Wales, J. Chem. Phys. 116 (2002) 3777), by our own stopping rule."""
    atoms = build(f"LJ{n}", {"seed": seed}).subject
    with Landscape(atoms, tmp_path / "a.zarr", seed=seed) as landscape:
        landscape.find_minima(100)
        landscape.connect(until_converged=True)
        assert (len(landscape.minima), len(landscape.transition_states)) == (minima, states)
        assert complaints(landscape, cluster(0.0), cluster_distance, null_modes=rigid_motions) == []


@pytest.mark.slow
def test_the_main_job(tmp_path):
    """``thalweg explore D1`` with its defaults: as many points as issue 3 asks for, and each of them right."""
    path = tmp_path / "d1.zarr"
    command = [sys.executable, "-m", "thalweg.analysis", "explore", "D1", "--output", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    assert path.with_suffix(".png").stat().st_size > 10_000
    landscape = Landscape.open(path)
    loss = landscape.system.potential
    assert (loss.layers, len(loss.labels), loss.l2) == ((2, 10, 4), 1000, 1e-4)
    assert len(landscape.minima) >= 60
    assert len(landscape.transition_states) >= 150
    assert complaints(landscape, function_of(loss), network_distance(loss.layers)) == []


@pytest.mark.parametrize("layers", [(2, 4), (2, 3, 4), (3, 2, 3, 5)])
def test_the_networks_gradient_is_that_of_its_loss(layers):
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(7, layers[0])), rng.integers(0, layers[-1], 7)
    function = network(layers, inputs, labels, 0.01)
    x = rng.normal(size=sum((low + 1) * high for low, high in pairwise(layers)))
    numbers = [(function(x + move)[0] - function(x - move)[0]) / 2e-6 for move in 1e-6 * np.eye(len(x))]
    np.testing.assert_allclose(function(x)[1], numbers, atol=1e-8)


def test_published_points_pass_and_others_do_not():
    function = cluster(2.0)
    linear = np.array([[-1.10876, 0, 0], [0, 0, 0], [1.10876, 0, 0]]).ravel()
    assert function(linear)[0] == pytest.approx(-2.2190981697, abs=1e-8)
    assert len(rigid_motions(linear)) == 5
    assert wrong_points(function, [-2.2190981697], linear[None], 0, rigid_motions)[-1].startswith("0: rms gradient")
    assert any("negative" in line for line in wrong_points(function, [0.0], linear[None], 1, rigid_motions))


def test_copies_are_seen():
    layers, rng = (2, 3, 4), np.random.default_rng(0)
    a = rng.normal(size=25)
    distance, copies = network_distance(layers), 0
    for order, signs in product(permutations(range(3)), product((-1, 1), repeat=3)):
        b = a.copy()
        (into, out), (bias, _) = split(b, layers)
        into[:], bias[:] = (into[list(order)].T * signs).T, bias[list(order)] * signs
        out[:] = out[:, list(order)] * signs
        copies += distance(a, b) < 1e-12
        b[-1] += 0.01
        assert distance(a, b) == pytest.approx(0.01)
    assert copies == 6 * 8
    assert equal_pairs(np.zeros(3), np.array([a, a + 1, -a]), distance) == []
    assert equal_pairs(np.zeros(2), np.array([a, a + 1e-5]), distance) == [(0, 1)]
