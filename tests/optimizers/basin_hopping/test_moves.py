"""Moves are pure functions of uniform numbers, distributed as they say, and keep what they must."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import kstest

from thalweg.optimizers import (
    AllCoordinates,
    HiddenUnits,
    Move,
    SpliceClusters,
    SpliceNetworks,
    SurfaceAtom,
    basin_hopping_steps,
    minimise,
)
from thalweg.optimizers.basin_hopping.cluster_splice import splice
from thalweg.optimizers.basin_hopping.moves import Pool
from thalweg.optimizers.basin_hopping.network_moves import entries_of_units
from thalweg.optimizers.kernels.moves import pull_inside
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights

from ..surfaces import cluster, copper, small_loss

MOVES = [AllCoordinates(), AllCoordinates(step=0.1), SurfaceAtom(), SurfaceAtom(3), SpliceClusters()]


def loss_of(layers, neighbours=None):
    rng = np.random.default_rng(1)
    inputs, labels = rng.uniform(-1, 1, (20, layers[0])), rng.integers(0, layers[-1], 20)
    return NetworkLoss(inputs, labels, hidden=layers[1:-1], l2=1e-2, n_classes=layers[-1], neighbours=neighbours)


def capped():
    """A cluster of 14 LJ atoms whose last is bound by 3 others only: a cap on the icosahedron."""
    golden = (1 + 5**0.5) / 2
    shell = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    shell = np.array([(p[k % 3], p[(k + 1) % 3], p[(k + 2) % 3]) for k in range(3) for p in shell], dtype=float)
    face = shell[np.argsort(cdist(shell, [[1, 1, 1]]).ravel())[:3]].mean(axis=0)
    positions = np.concatenate([[[0, 0, 0]], 0.57 * shell, [1.7 * 0.57 * face]])
    relaxed = minimise(Atoms("Ar14", positions=positions, calculator=LJAT(Z=0.0)), second_order=True)
    assert relaxed.converged[0]
    return Atoms("Ar14", positions=relaxed.x.reshape(-1, 3), calculator=LJAT(Z=0.0))


@pytest.mark.parametrize("move", MOVES, ids=repr)
def test_a_move_depends_on_its_numbers_alone_and_leaves_its_argument(move):
    system = as_system(cluster(8, 3))
    pool = Pool()
    pool.add(-1.0, as_system(cluster(8, 4)).x)
    x, draws = system.x.copy(), np.random.default_rng(0).random(move.numbers(system))
    step = move.step or 0.4
    first = move.displace(system, x, step, draws, pool)
    assert first.shape == (24,)
    assert np.array_equal(first, move.displace(system, x, step, draws.copy(), pool))
    assert np.array_equal(x, system.x)
    assert np.isfinite(first).all()


@pytest.mark.parametrize("move", [*MOVES, HiddenUnits(3, step=0.5), SpliceNetworks(weight=2.0)], ids=repr)
def test_a_move_is_made_again_from_plain_values(move):
    again = Move.from_dict(json.loads(json.dumps(move.to_dict())))
    assert type(again) is type(move)
    assert vars(again) == vars(move)
    with pytest.raises(TypeError, match="class must be that of a Move"):
        Move.from_dict({"class": "os:system"})


def test_all_coordinates_are_uniform():
    system = as_system(cluster(100, 0))
    draws = np.random.default_rng(5).random(300)
    moved = AllCoordinates().displace(system, system.x, 0.3, draws, Pool()) - system.x
    assert np.allclose(moved, 0.3 * (2 * draws - 1), atol=1e-14)
    assert kstest(moved, "uniform", args=(-0.3, 0.6)).pvalue > 0.01


def test_the_most_weakly_bound_atom_goes_to_the_surface():
    system = as_system(capped())
    x = system.x.reshape(-1, 3)
    distances = cdist(x, x) + 1e9 * np.eye(14)
    pair_energies = (4 * (distances**-12 - distances**-6)).sum(axis=1)
    weakest = int(pair_energies.argmax())
    rest = np.delete(x, weakest, axis=0)
    centre = rest.mean(axis=0)
    radius = np.linalg.norm(rest - centre, axis=1).max()
    rng, directions = np.random.default_rng(2), []
    for _ in range(500):
        moved = SurfaceAtom().displace(system, system.x, 1.0, rng.random(3), Pool()).reshape(-1, 3)
        assert np.array_equal(np.delete(moved, weakest, axis=0), rest)
        directions.append((moved[weakest] - centre) / radius)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1.0)
    # uniform on the sphere: so is every Cartesian component
    for component in np.transpose(directions):
        assert kstest(component, "uniform", args=(-1, 2)).pvalue > 0.01


def test_among_several_weakly_bound_atoms_each_is_as_likely():
    system = as_system(capped())
    rng, counts = np.random.default_rng(0), np.zeros(14)
    for _ in range(600):
        moved = SurfaceAtom(3).displace(system, system.x, 3.0, rng.random(3), Pool())
        counts += np.any((moved != system.x).reshape(-1, 3), axis=1)
    assert counts.sum() == 600
    assert np.count_nonzero(counts) == 3
    assert np.abs(counts[counts > 0] - 200).max() < 4 * np.sqrt(600 * 2 / 9)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 20), st.integers(0, 2**32 - 1), st.data())
def test_cut_and_splice_keeps_the_composition_and_both_halves(n, seed, data):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n, 3))
    numbers = rng.choice([18, 36], n)
    upper = data.draw(st.integers(1, n - 1))
    child = splice(a, b, numbers, upper)
    from_a = np.flatnonzero((child == a).all(axis=1))
    top = np.argsort(-a[:, 2])[:upper]
    assert set(top) == set(from_a)
    # the others are atoms of b, moved together along z, the lowest of their species
    rest = np.setdiff1d(np.arange(n), top)
    sources = np.array([np.flatnonzero((b[:, :2] == child[k, :2]).all(axis=1))[0] for k in rest])
    assert len(set(sources)) == len(rest)
    assert np.array_equal(np.sort(numbers[sources]), np.sort(numbers[rest]))
    assert np.array_equal(numbers[sources], numbers[rest])
    assert np.ptp(child[rest, 2] - b[sources, 2]) < 1e-9
    for species in (18, 36):
        kind = np.flatnonzero(numbers == species)
        left = np.setdiff1d(kind, sources)
        if left.size and np.isin(kind, sources).any():
            assert b[left, 2].min() >= b[np.intersect1d(kind, sources), 2].max()


def test_spliced_halves_do_not_collide():
    system = as_system(cluster(20, 1))
    rng = np.random.default_rng(0)
    pool = Pool()
    for seed in range(2, 5):
        result = basin_hopping_steps(system, as_system(cluster(20, seed)).x, None, rng, 0, 0.4, 0.8)
        pool.add(result.final_energy, result.final_x)
    assert pool.energies == sorted(pool.energies)
    x = pool.coordinates[-1]
    for _ in range(50):
        child = SpliceClusters().displace(system, x, 0.4, rng.random(8), pool).reshape(-1, 3)
        assert cdist(child, child)[np.triu_indices(20, 1)].min() > 0.7


def test_entries_of_units_are_what_a_unit_is_connected_by():
    """Changing them and nothing else, an input-output function changes; the other units' activations do not."""
    layers = (3, 4, 2, 5)
    names = [f"W0[{u},{i}]" for u in range(4) for i in range(3)]
    names += [f"W1[{u},{i}]" for u in range(2) for i in range(4)]
    names += [f"W2[{u},{i}]" for u in range(5) for i in range(2)]
    names += [f"b0[{u}]" for u in range(4)] + [f"b1[{u}]" for u in range(2)] + [f"b2[{u}]" for u in range(5)]
    assert len(names) == loss_of(layers).n_weights
    entries = [{names[k] for k in unit} for unit in entries_of_units(layers)]
    assert len(entries) == 6
    assert entries[2] == {f"W0[2,{i}]" for i in range(3)} | {"W1[0,2]", "W1[1,2]", "b0[2]"}
    assert entries[5] == {f"W1[1,{i}]" for i in range(4)} | {f"W2[{u},1]" for u in range(5)} | {"b1[1]"}


@pytest.mark.parametrize("count", [1, 3])
def test_hidden_units_drawn_again(count):
    weights = Weights.random(loss_of((2, 5, 3)), seed=0)
    system, rng = as_system(weights), np.random.default_rng(1)
    move, units = HiddenUnits(count, step=2.0), entries_of_units((2, 5, 3))
    drawn, moved_units = [], np.zeros(5)
    for _ in range(200):
        new = move.displace(system, system.x, 2.0, rng.random(move.numbers(system)), Pool())
        moved = [k for k, unit in enumerate(units) if np.all(new[unit] != system.x[unit])]
        assert len(moved) == count
        untouched = np.setdiff1d(np.arange(system.n), np.concatenate([units[k] for k in moved]))
        assert np.array_equal(new[untouched], system.x[untouched])
        moved_units[moved] += 1
        drawn.extend(new[units[moved[0]]])
    assert kstest(drawn, "uniform", args=(-2, 4)).pvalue > 0.01
    assert np.abs(moved_units - 40 * count).max() < 4 * np.sqrt(200 * count / 5)


def test_spliced_networks_take_every_unit_from_one_of_two():
    loss = loss_of((2, 5, 3))
    a, b = Weights.random(loss, seed=0).x, Weights.random(loss, seed=1).x
    system, rng, pool = as_system(Weights(loss, a)), np.random.default_rng(3), Pool()
    assert np.array_equal(SpliceNetworks().displace(system, a, 1.0, rng.random(8), pool), a)
    pool.add(0.0, b)
    aligned, taken = system.align(a, b), []
    for _ in range(100):
        child = SpliceNetworks().displace(system, a, 1.0, rng.random(8), pool)
        assert np.array_equal(child[-3:], a[-3:])
        sources = [
            "a" if np.array_equal(child[unit], a[unit]) else "b" if np.array_equal(child[unit], aligned[unit]) else "?"
            for unit in entries_of_units((2, 5, 3))
        ]
        assert set(sources) == {"a", "b"}
        taken.append(sources.count("b"))
    assert 2.0 < np.mean(taken) < 3.0


@pytest.mark.parametrize("move", [HiddenUnits(), SpliceNetworks()], ids=repr)
def test_frozen_weights_stay(move):
    loss = loss_of((4, 5, 3), neighbours=2)
    assert not loss.mask.all()
    system = as_system(Weights.random(loss, seed=0))
    result = basin_hopping_steps(system, system.x, None, np.random.default_rng(0), 6, 0.5, 1.0, moves=[move])
    assert np.all(result.x[:, ~loss.mask] == 0)
    assert result.converged.any()


def test_pulled_inside_only_what_is_outside():
    x = np.random.default_rng(0).normal(size=(30, 3))
    x[3] *= 20
    centre = x.mean(axis=0)
    moved = x.copy().ravel()
    pull_inside(moved, 2.0)
    before, after = (np.linalg.norm(y - centre, axis=1) for y in (x, moved.reshape(-1, 3)))
    assert np.allclose(after, np.minimum(before, 2.0), atol=1e-12)
    assert np.array_equal(moved.reshape(-1, 3)[before <= 2], x[before <= 2])
    directions = [(y - centre) / np.linalg.norm(y - centre, axis=1)[:, None] for y in (x, moved.reshape(-1, 3))]
    assert np.allclose(*directions, atol=1e-12)


def test_the_pool_holds_the_lowest_different_energies():
    pool = Pool(3)
    for energy in (5.0, 3.0, 3.0 + 1e-9, 4.0, 1.0, 6.0):
        pool.add(energy, np.array([energy]))
    assert pool.energies == [1.0, 3.0, 4.0]
    assert [x[0] for x in pool.coordinates] == pool.energies
    assert pool.partner(0.999, np.zeros(1))[0] == 4.0
    assert Pool().partner(0.5, np.zeros(1))[0] == 0.0


def test_a_move_of_ones_own():
    class Swap(Move):
        """Exchange two atoms of different elements."""

        def numbers(self, system):
            return 2

        def displace(self, system, x, step, draws, pool):
            positions = x.reshape(-1, 3).copy()
            numbers = system.atoms.numbers
            i, j = (np.flatnonzero(numbers == kind) for kind in np.unique(numbers))
            i, j = i[int(draws[0] * len(i))], j[int(draws[1] * len(j))]
            positions[[i, j]] = positions[[j, i]]
            return positions.ravel()

    atoms = copper(5, 0)
    atoms.symbols[:2] = "Au"
    system = as_system(atoms)
    start = basin_hopping_steps(system, system.x, None, np.random.default_rng(0), 4, 0.1, 1.0, moves=Swap(), rms=1e-3)
    assert start.converged.all()
    assert len(np.unique(start.energy.round(4))) > 1
    assert np.array_equal(start.move, [-1] + [0] * 4)


def test_what_does_not_suit_is_named():
    atoms, network = as_system(cluster(4, 0)), as_system(Weights.random(small_loss(), seed=0))
    rng = np.random.default_rng(0)

    def chain(system, moves):
        basin_hopping_steps(system, system.x, None, rng, 1, 0.3, 1.0, moves=moves)

    with pytest.raises(ValueError, match="SurfaceAtom moves atoms of a cluster"):
        chain(network, [SurfaceAtom()])
    with pytest.raises(ValueError, match="SpliceClusters cuts clusters"):
        chain(network, [SpliceClusters()])
    with pytest.raises(ValueError, match="HiddenUnits moves hidden units"):
        chain(atoms, [HiddenUnits()])
    with pytest.raises(ValueError, match="count must be at most the 3 hidden units"):
        chain(network, [HiddenUnits(4)])
    with pytest.raises(ValueError, match="among must be at most the number of atoms, 4"):
        chain(atoms, [SurfaceAtom(5)])
    with pytest.raises(ValueError, match="moves must name at least one"):
        chain(atoms, [])
    with pytest.raises(TypeError, match="moves must be of the class Move"):
        chain(atoms, ["surface"])
    with pytest.raises(ValueError, match="weight must be positive"):
        AllCoordinates(weight=0.0)
    with pytest.raises(ValueError, match="step must be positive"):
        AllCoordinates(step=-1.0)

    class Short(Move):
        def displace(self, system, x, step, draws, pool):
            return x[:3]

    with pytest.raises(ValueError, match="must return 12 coordinates"):
        chain(atoms, Short())
