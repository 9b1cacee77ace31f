"""Chains end at their target, adapt their step, hold clusters together, and sample what they should."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.distance import cdist

from thalweg.optimizers import AllCoordinates, BasinHopping, SpliceClusters, SurfaceAtom, basin_hopping_steps
from thalweg.optimizers.basin_hopping.moves import Move
from thalweg.potentials import LJAT, Function, Point, as_system
from thalweg.potentials.neural_network.weights import Weights

from ..surfaces import cluster, difference_hessian, small_loss

LJ7_LOWEST = -16.505384
DEPTHS = np.array([0.0, 0.7, -0.3, 0.4, 0.1])


class PlainAllCoordinates(AllCoordinates):
    """The same move, written in numpy."""

    compiled = None

    def displace(self, system, x, step, draws, pool):
        return x + step * (2.0 * draws - 1.0)


def wells():
    """Five wells of width 1 at 0, 1, ..., 4, of DEPTHS: parabolas that do not join."""

    def energy_gradient(x):
        well = int(np.clip(np.round(x[0]), 0, 4))
        return DEPTHS[well] + 20.0 * (x[0] - well) ** 2, np.array([40.0 * (x[0] - well)])

    return Point(
        [0.0],
        Function(lambda x: energy_gradient(x)[0], lambda x: energy_gradient(x)[1], lambda x: np.array([[40.0]])),
    )


def boltzmann(temperature):
    weights = np.exp(-DEPTHS / temperature)
    return weights / weights.sum()


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("x", "energy", "accepted", "proved"))


def test_the_minima_are_visited_as_boltzmann_has_it():
    """A step of 1.4 leads to either neighbour with the same probability: 0.9/2.8, so the chain is exactly known."""
    temperature = 0.5
    result = basin_hopping_steps(wells(), [0.0], None, np.random.default_rng(0), 3000, 1.4, temperature)
    assert result.converged.all()
    chain, at = [], 0
    for energy, accepted in zip(result.energy, result.accepted, strict=True):
        at = int(np.flatnonzero(np.abs(DEPTHS - energy) < 1e-7)[0]) if accepted else at
        chain.append(at)
    chain = np.array(chain)
    visits = np.bincount(chain, minlength=5) / len(chain)
    assert np.abs(visits - boltzmann(temperature)).max() < 0.04
    # among steps that tried to go from 0 to 1, exp(-0.7 / 0.5) are accepted
    tried = (chain[:-1] == 0) & (np.abs(result.energy[1:] - 0.7) < 1e-7)
    chance = np.exp(-0.7 / temperature)
    error = np.sqrt(chance * (1 - chance) / tried.sum())
    assert abs(result.accepted[1:][tried].mean() - chance) < 3 * error
    assert np.mean(np.abs(result.energy[1:][chain[:-1] == 0] - 0.7) < 1e-7) == pytest.approx(0.9 / 2.8, abs=0.05)


def test_python_and_compiled_moves_make_the_same_chain():
    system = as_system(cluster(7, 2))
    compiled, plain = (
        basin_hopping_steps(system, system.x, None, np.random.default_rng(4), 40, 0.5, 1.0, moves=moves, adaptive=0.4)
        for moves in (
            [AllCoordinates(weight=2), SurfaceAtom(2), AllCoordinates(step=0.1)],
            [PlainAllCoordinates(weight=2), SurfaceAtom(2), AllCoordinates(step=0.1)],
        )
    )
    assert same(compiled, plain)
    assert np.array_equal(compiled.move, plain.move)
    assert np.array_equal(compiled.final_steps, plain.final_steps)
    counts = np.bincount(compiled.move[1:], minlength=3)
    assert counts.min() >= 3
    assert counts[0] == counts.max()


@pytest.mark.parametrize("moves", [None, [AllCoordinates(), SpliceClusters()]], ids=["compiled", "python"])
def test_the_target_ends_the_run_and_the_generator_stands_there(moves):
    system = as_system(cluster(7, 5))
    rng = np.random.default_rng(1)
    result = basin_hopping_steps(system, system.x, None, rng, 500, 0.5, 1.0, moves=moves, target=LJ7_LOWEST)
    assert 1 < len(result) < 400
    assert result.final_energy == result.energy[-1] == pytest.approx(LJ7_LOWEST, abs=1e-6)
    assert np.all(result.energy[:-1][result.accepted[:-1]] > LJ7_LOWEST + 1e-3)
    again = np.random.default_rng(1)
    longer = basin_hopping_steps(system, system.x, None, again, len(result) - 1, 0.5, 1.0, moves=moves)
    assert same(result, longer)
    assert rng.random() == again.random()


def test_a_class_runs_in_blocks_or_step_by_step_to_the_same_end():
    searches = [BasinHopping(cluster(7, 5), 1.0, 0.5, seed=1, target=LJ7_LOWEST) for _ in range(2)]
    assert searches[0].run(300)
    steps = []
    searches[1].attach(lambda: steps.append(searches[1].nsteps))
    assert searches[1].run(300)
    assert steps[-1] == searches[0].nsteps == searches[1].nsteps < 300
    assert searches[0].energies == searches[1].energies
    assert searches[0].get_minimum()[0] == pytest.approx(LJ7_LOWEST, abs=1e-6)
    assert searches[0].atoms.get_potential_energy() == pytest.approx(LJ7_LOWEST, abs=1e-6)
    # at the target nothing more is to be done
    assert searches[0].run(10)
    assert searches[0].nsteps == searches[1].nsteps


def test_atoms_moved_by_hand_are_minimised_anew():
    atoms = cluster(6, 0)
    search = BasinHopping(atoms, 0.5, 0.3, seed=0)
    search.run(3)
    atoms.set_positions(cluster(6, 1).positions)
    search.run(1)
    assert search.last.move.tolist() == [-1, 0]


@pytest.mark.parametrize("ratio", [0.3, 0.7])
def test_the_step_adapts_to_the_acceptance_ratio(ratio):
    system = as_system(cluster(13, 0))
    rng = np.random.default_rng(0)
    result = basin_hopping_steps(system, system.x, None, rng, 3000, 0.1, 0.8, adaptive=ratio, keep=1)
    assert result.accepted[1000:].mean() == pytest.approx(ratio, abs=0.1)
    fixed = basin_hopping_steps(system, system.x, None, np.random.default_rng(0), 50, 0.1, 0.8, keep=1)
    assert fixed.final_steps[0] == 0.1 < result.final_steps[0]


def test_a_move_without_step_does_not_adapt():
    system = as_system(cluster(8, 0))
    moves = [AllCoordinates(), SurfaceAtom()]
    result = basin_hopping_steps(
        system, system.x, None, np.random.default_rng(0), 800, 0.1, 0.8, moves=moves, adaptive=0.3
    )
    assert result.final_steps[0] > 0.2
    assert result.final_steps[1] == 1.0


def test_new_energies_are_proved_and_only_those():
    system = as_system(cluster(8, 1))
    result = basin_hopping_steps(system, system.x, None, np.random.default_rng(2), 150, 0.4, 1.0)
    assert result.converged.all()
    energies = []
    for x, energy, proved in zip(result.x, result.energy, result.proved, strict=True):
        new = all(abs(energy - other) > 1e-8 for other in energies)
        assert proved == new
        if new:
            energies.append(energy)
            hessian = difference_hessian(lambda x: system.energy_gradient(x)[1], x)
            values = np.linalg.eigvalsh(hessian)
            assert np.count_nonzero(values > 1e-3) == 18
            assert np.abs(values[:6]).max() < 1e-3
    assert 3 <= len(energies) < 100
    assert np.all(np.isfinite(result.log_eigenvalue_product[result.proved]))
    every = basin_hopping_steps(system, system.x, None, np.random.default_rng(2), 20, 0.4, 1.0, prove="all")
    assert every.proved.all()


def test_only_the_lowest_are_proved_where_asked():
    system = as_system(cluster(9, 1))
    result = basin_hopping_steps(system, system.x, None, np.random.default_rng(2), 150, 0.4, 1.5, keep=2)
    lowest = []
    for energy, proved in zip(result.energy, result.proved, strict=True):
        wanted = len(lowest) < 2 or energy < sorted(lowest)[1]
        assert proved == (wanted and all(abs(energy - other) > 1e-8 for other in lowest))
        if proved:
            lowest.append(energy)
    plain = basin_hopping_steps(system, system.x, None, np.random.default_rng(2), 150, 0.4, 1.5)
    assert np.array_equal(result.x, plain.x)
    assert plain.proved.sum() > result.proved.sum() >= 2


def test_atoms_do_not_evaporate():
    """Thrown far apart and loosely minimised, atoms stay behind unless there is a container."""
    system = as_system(cluster(10, 0))

    def run(container):
        rng = np.random.default_rng(0)
        result = basin_hopping_steps(system, system.x, None, rng, 60, 6.0, 5.0, container=container, rms=1e-3)
        atoms = result.x.reshape(-1, 10, 3)
        radii = np.linalg.norm(atoms - atoms.mean(axis=1, keepdims=True), axis=2).max(axis=1)
        return radii, result.accepted

    counts = []
    for container, radius in ((3.0, 3.0), (None, LJAT(Z=0.0).container_radius(30))):
        radii, accepted = run(container)
        assert radii[accepted].max() <= radius
        counts.append(accepted.sum())
    radii, accepted = run(np.inf)
    assert radii.max() > 8
    assert 2 * accepted.sum() < min(counts)


def test_a_cluster_torn_apart_is_pulled_together():
    atoms = cluster(6, 0)
    atoms.positions[2] += 50.0
    search = BasinHopping(atoms, 0.5, 0.4, seed=0)
    search.run(60)
    energy, best = search.get_minimum()
    assert energy < -12
    assert cdist(best.positions, best.positions).max() < 3


def test_networks_find_lower_minima_by_units():
    weights = Weights.random(small_loss(l2=1e-3), seed=0)
    search = BasinHopping(weights, 0.02, 1.0, seed=0, prove="new")
    search.run(10)
    assert search.last.proved.sum() > 0
    for x, energy in zip(search.coordinates, search.energies, strict=True):
        assert weights.calc.energy(x) == pytest.approx(energy, abs=1e-12)


def test_bad_arguments_are_named():
    system, rng = as_system(cluster(4, 0)), np.random.default_rng(0)

    def chain(**more):
        basin_hopping_steps(system, system.x, None, rng, 1, 0.3, 1.0, **more)

    for more, message in (
        ({"adaptive": 1.0}, "adaptive must be the acceptance ratio"),
        ({"target": np.nan}, "target must be an energy"),
        ({"container": 0.0}, "container must be a positive radius"),
        ({"prove": "some"}, 'prove must be "new" or "all"'),
        ({"keep": 0}, "keep must be a whole number"),
    ):
        with pytest.raises(ValueError, match=message):
            chain(**more)
    point = as_system(Weights.random(small_loss(), seed=0))
    with pytest.raises(ValueError, match="container holds atoms together"):
        basin_hopping_steps(point, point.x, None, rng, 1, 0.3, 1.0, container=2.0)


def test_a_lone_subclass_of_move_needs_displace():
    with pytest.raises(TypeError, match="displace"):
        Move()


def test_three_body_clusters_have_no_container():
    assert LJAT(Z=2.0).container_radius(9) is None
    linear = Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [2.2, 0, 0]], calculator=LJAT(Z=2.0))
    assert BasinHopping(linear, 0.1, 0.1).chain.container == np.inf
