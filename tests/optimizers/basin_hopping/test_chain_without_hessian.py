"""Basin-hopping of networks with more weights than a Hessian is made for."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Landscape, verify
from thalweg.optimizers import lowest_eigenvalues
from thalweg.optimizers.basin_hopping.chain_without_hessian import large_chain
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.rules import default_rules
from thalweg.potentials import NetworkLoss, Weights, as_system


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(60, 60)), rng.integers(0, 3, 60), hidden=(8,), l2=0.01, n_classes=3)
    made = Weights.random(loss, seed=0)
    assert as_system(made).n_free > LARGEST_MATRIX
    return made


def test_every_quench_is_a_minimum_and_metropolis_decides(weights):
    system = as_system(weights)
    start = system.random(np.random.default_rng(1))
    how = {"steps": 5, "step": 1.0, "temperature": 1e-12, "rms": 1e-8, "rules": default_rules(system)}
    found = large_chain(system, start, None, np.random.default_rng(2), **how)
    assert len(found) == 6
    assert found.move.tolist() == [-1, 0, 0, 0, 0, 0]
    assert found.proved.all()
    for x, energy, lowest in zip(found.x, found.energy, found.lowest_eigenvalue, strict=True):
        assert np.abs(system.energy_gradient(x)[1]).max() < 1e-6
        assert system.energy(x) == pytest.approx(energy, abs=1e-12)
        assert lowest == pytest.approx(lowest_eigenvalues(system, x, 1)[0][0], rel=1e-3)
        assert lowest > 0
    height = np.inf
    for energy, accepted in zip(found.energy, found.accepted, strict=True):
        assert accepted == (energy <= height + 1e-11)
        height = energy if accepted else height
    assert found.final_energy == height


def test_a_landscape_takes_them_and_verifies(weights, tmp_path):
    with Landscape(weights, tmp_path / "a.zarr", seed=0, tasks_ahead=3) as landscape:
        landscape.find_minima(6, workers=1)
        assert landscape.searches.count() == {"converged": 6}
        assert np.isnan(landscape.minima.log_eigenvalue_product[:]).all()
        assert verify(landscape) == []
