"""Hessians of calculators that have none: updates, differences across null modes, proofs, and what they save."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import as_system
from thalweg.potentials.differences.hessian_model import bofill_update, difference_hessian

RHOMBUS = 2.5 * np.array([[0, 0, 0], [1.0, 0, 0], [0.5, 0.87, 0.05], [0.5, -0.87, 0]])


class Counted(EMT):
    calls = 0

    def calculate(self, *args, **kwargs):
        Counted.calls += 1
        super().calculate(*args, **kwargs)


@pytest.fixture
def cluster():
    Counted.calls = 0
    return Atoms("Cu4", RHOMBUS, calculator=Counted())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_an_updated_hessian_is_symmetric_and_gives_the_change_of_the_gradient(seed, n):
    rng = np.random.default_rng(seed)
    hessian = rng.normal(size=(n, n))
    hessian += hessian.T
    step, change = rng.normal(size=(2, n))
    updated = bofill_update(hessian, step, change)
    np.testing.assert_allclose(updated, updated.T, atol=1e-9 * np.abs(updated).max())
    np.testing.assert_allclose(updated @ step, change, atol=1e-8 * (1 + np.abs(updated).max()))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_updates_along_all_directions_find_the_hessian_of_a_quadratic(seed):
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(5, 5))
    true += true.T  # of any index
    hessian = np.eye(5)
    for _ in range(60):
        step = rng.normal(size=5)
        hessian = bofill_update(hessian, step, true @ step)
    np.testing.assert_allclose(hessian, true, atol=0.05 * np.abs(true).max())


def test_a_step_of_nothing_changes_nothing():
    np.testing.assert_array_equal(bofill_update(np.eye(3), np.zeros(3), np.ones(3)), np.eye(3))


def test_differences_across_null_modes_are_the_whole_hessian_of_a_minimum(cluster):
    system = as_system(cluster)
    x = minimise(system, rms=1e-7).x[0]
    null = system.null_modes(x)
    assert len(null) == 6
    Counted.calls = 0
    ours = difference_hessian(system.energy_gradient, x, null, system.free, 1e-4)
    assert Counted.calls == 2 * (12 - 6)
    np.testing.assert_allclose(ours, system.hessian(x), atol=1e-4 * np.abs(ours).max())


def test_fixed_atoms_stay_out_of_the_hessian():
    slab = fcc100("Cu", (2, 2, 2), vacuum=5.0)
    add_adsorbate(slab, "Cu", 1.7, "hollow")
    slab.set_constraint(FixAtoms(indices=range(8)))
    slab.calc = EMT()
    system = as_system(slab)
    ours = difference_hessian(system.energy_gradient, system.x, system.null_modes(system.x), system.free, 1e-4)
    np.testing.assert_allclose(ours, system.hessian(system.x), atol=1e-9)


def test_a_transition_state_takes_few_calls_and_is_the_one_of_whole_hessians(cluster):
    found = find_transition_states(cluster, rms=1e-5)
    calls = Counted.calls
    assert found.converged[0]
    system = as_system(cluster)
    values = np.linalg.eigvalsh(system.hessian(found.x[0]))
    assert (values < -1e-3).sum() == 1
    assert (np.abs(values) < 1e-3).sum() == 6
    assert found.lowest_eigenvalue[0] == pytest.approx(values[0], rel=1e-3)
    assert found.log_eigenvalue_product[0] == pytest.approx(np.log(values[values > 1e-3]).sum(), abs=1e-3)
    for side in range(2):
        at_minimum = np.linalg.eigvalsh(system.hessian(found.minima[0, side]))[6:]
        assert found.minima_lowest_eigenvalue[0, side] == pytest.approx(at_minimum[0], rel=1e-3)
        assert found.minima_log_eigenvalue_product[0, side] == pytest.approx(np.log(at_minimum).sum(), abs=1e-3)
    # whole Hessians at every step took 400
    assert calls < 150


def test_copies_of_a_proved_minimum_are_not_proved_again(cluster):
    system = as_system(cluster)
    first = minimise(system, rms=1e-5, second_order=True)
    turned = Rotation.from_euler("xyz", [0.3, 1.1, -0.4]).apply(first.x[0].reshape(-1, 3))[[2, 0, 3, 1]]
    moved = turned + 0.01 * np.random.default_rng(0).normal(size=(4, 3))
    Counted.calls = 0
    plain = minimise(as_system(cluster), moved, rms=1e-5)
    without = Counted.calls
    Counted.calls = 0
    again = minimise(system, moved, rms=1e-5, second_order=True)
    assert Counted.calls <= without + 2
    assert again.converged[0]
    assert plain.converged[0]
    assert again.log_eigenvalue_product[0] == pytest.approx(first.log_eigenvalue_product[0], abs=1e-9)


def test_another_minimum_of_the_same_energy_is_proved(cluster):
    # a copy in the mirror of fixed surroundings has the same energy, and is another point
    cluster.set_constraint(FixAtoms(indices=[0, 1]))
    system = as_system(cluster)
    first = minimise(system, rms=1e-5, second_order=True)
    Counted.calls = 0
    far = first.x[0].reshape(-1, 3).copy()
    far[[2, 3]] = far[[2, 3]] @ Rotation.from_rotvec([2.0, 0, 0]).as_matrix()
    again = minimise(system, far, rms=1e-5, second_order=True)
    assert again.converged[0]
    values = np.linalg.eigvalsh(system.hessian(again.x[0])[np.ix_(system.free, system.free)])
    assert again.lowest_eigenvalue[0] == pytest.approx(values[values > 1e-3].min(), rel=0.05)
