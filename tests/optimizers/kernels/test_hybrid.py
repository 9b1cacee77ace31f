"""Climbs by gradients alone that one diagonalisation proves, as searches of larger clusters make them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms

from thalweg.optimizers import find_transition_states, minimise, transition_states
from thalweg.optimizers.kernels.hybrid import PACKED_RULES
from thalweg.optimizers.rules import ATOMS_RULES
from thalweg.potentials import LJAT, as_system

from ..surfaces import cluster, difference_hessian


def displaced(n, count, by, seed=0):
    """Return a system of n Lennard-Jones atoms and minima of it, displaced at random, (count, 3n)."""
    system = as_system(cluster(n, seed))
    rng = np.random.default_rng(seed)
    ends = minimise(system, rng.uniform(0, 1.15 * n ** (1 / 3), (2 * count, 3 * n)), second_order=True)
    starts = ends.x[ends.converged][:count]
    return system, starts + by * rng.standard_normal(starts.shape)


def test_rules_across_the_mode_are_those_of_atoms():
    assert list(PACKED_RULES) == ATOMS_RULES.packed().tolist()


@pytest.mark.parametrize("n", [13, 38])
def test_climbs_arrive_at_transition_states_as_ase_and_differences_see_them(n):
    """ASE's forces vanish there, differences of gradients have one negative eigenvalue, and both sides lie lower."""
    system, starts = displaced(n, 6, 0.1)
    found = find_transition_states(system, starts, threads=1)
    assert found.converged.sum() >= 5
    for row in np.flatnonzero(found.converged)[:3]:
        x = found.x[row]
        atoms = Atoms(f"Ar{n}", x.reshape(-1, 3), calculator=LennardJones(rc=1e6))
        assert atoms.get_potential_energy() == pytest.approx(found.energy[row], abs=1e-6)
        assert np.abs(atoms.get_forces()).max() < 1e-7
        values = np.linalg.eigvalsh(difference_hessian(lambda x: system.energy_gradient(x)[1], x, 1e-4))
        others = values[np.argsort(np.abs(values))[6:]]
        assert (others < 0).sum() == 1
        assert others.min() == pytest.approx(found.lowest_eigenvalue[row], rel=1e-4)
        positive = np.log(others[others > 0]).sum()
        assert positive == pytest.approx(found.log_eigenvalue_product[row], abs=1e-3)
        assert (found.minima_energy[row] < found.energy[row]).all()


def test_small_clusters_and_chosen_modes_have_a_hessian_at_every_step(monkeypatch):
    """Bit for bit as without climbs."""
    small, small_starts = displaced(12, 3, 0.1)
    large, large_starts = displaced(13, 3, 0.0)
    modes = [np.linalg.eigh(large.hessian(x))[1][:, 7] for x in large_starts]
    asked = [(small, small_starts, None), (large, large_starts + 0.05 * np.array(modes), modes)]
    now = [find_transition_states(system, X, directions=along, threads=1) for system, X, along in asked]
    monkeypatch.setattr(transition_states, "LARGEST_FOLLOWED", 500)
    for (system, X, along), climbed in zip(asked, now, strict=True):
        followed = find_transition_states(system, X, directions=along, threads=1)
        assert np.array_equal(climbed.x, followed.x)
        assert climbed.steps.tolist() == followed.steps.tolist()


def test_a_climb_that_does_not_arrive_is_followed_from_its_start(monkeypatch):
    """Five steps are too few for the climb; what follows has five of its own, from where the climb set out."""
    system, starts = displaced(13, 4, 0.05)
    climbed = find_transition_states(system, starts, steps=5, threads=1)
    monkeypatch.setattr(transition_states, "LARGEST_FOLLOWED", 500)
    followed = find_transition_states(system, starts, steps=5, threads=1)
    slow = climbed.steps > 5
    assert slow.any()
    assert np.array_equal(climbed.x[slow], followed.x[slow])
    assert (climbed.steps[slow] == followed.steps[slow] + 5).all()


def test_fixed_atoms_stay_and_the_number_of_calls_does_not_matter():
    atoms = cluster(14, 3)
    atoms.positions[:] = minimise(as_system(atoms)).x[0].reshape(-1, 3)
    atoms.set_constraint(FixAtoms([0]))
    atoms.calc = LJAT(Z=0.0)
    system = as_system(atoms)
    assert system.n_free == 39
    starts = system.x + np.random.default_rng(1).normal(0, 0.1, (20, 42))
    together = find_transition_states(system, starts, threads=1)
    assert together.converged.sum() >= 15
    assert np.array_equal(together.x[:, :3], starts[:, :3])
    one = find_transition_states(system, starts[7], threads=1)
    assert np.array_equal(one.x[0], together.x[7])
