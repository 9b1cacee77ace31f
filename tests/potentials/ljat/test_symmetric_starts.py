"""Symmetric starts: positions that operations take to each other, and saddles that nothing else finds as soon."""

from __future__ import annotations

import numpy as np
import pytest
from ase.constraints import FixAtoms
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from thalweg.optimizers import find_transition_states
from thalweg.potentials import as_system
from thalweg.potentials.ljat.symmetric_starts import symmetric_positions

from ...helpers import random_cluster


def cluster(n, **more):
    return as_system(random_cluster(n, **more))


@given(atoms=st.integers(2, 20), seed=st.integers(0, 10_000))
def test_as_many_atoms_as_asked_for_in_the_ball_and_none_twice(atoms, seed):
    positions = symmetric_positions(atoms, 2.5, np.random.default_rng(seed))
    assert positions.shape == (atoms, 3)
    assert np.linalg.norm(positions, axis=1).max() <= 2.5 + 1e-12
    assert pdist(positions).min() > 1e-7


@pytest.mark.parametrize("atoms", [5, 8, 9, 13])
def test_atoms_come_in_sets_at_equal_distances(atoms):
    """Operations keep distances: those of an orbit's atoms to all atoms are the same, sorted; few sets are left."""
    rng = np.random.default_rng(atoms)
    sets = []
    for _ in range(40):
        positions = symmetric_positions(atoms, 2.5, rng)
        apart = np.sort(np.linalg.norm(positions[:, None] - positions[None], axis=2), axis=1)
        sets.append(len(np.unique(np.round(apart, 6), axis=0)))
    assert np.mean(np.array(sets) < atoms) > 0.8
    assert np.mean(sets) < 0.7 * atoms


def test_the_gradient_has_the_symmetry_of_the_start():
    system, rng = cluster(9), np.random.default_rng(3)
    for _ in range(20):
        x = system.random_symmetric(rng)
        gradient = system.energy_gradient(x)[1].reshape(-1, 3)
        if not np.isfinite(gradient).all() or np.abs(gradient).max() > 1e8:
            continue
        apart = np.sort(np.linalg.norm((x.reshape(-1, 3))[:, None] - x.reshape(-1, 3)[None], axis=2), axis=1)
        pulled = np.linalg.norm(gradient, axis=1)
        _, inverse = np.unique(np.round(apart, 7), axis=0, return_inverse=True)
        for k in range(inverse.max() + 1):
            same = pulled[inverse.ravel() == k]
            assert np.ptp(same) <= 1e-6 * max(1.0, same.max())


@pytest.mark.slow  # half a minute
def test_saddles_of_high_symmetry_are_found():
    """LJ9 has transition states of order 4 at -20.165418 and -19.7723; other searches find them once in 10,000."""
    system, rng = cluster(9), np.random.default_rng(1)
    searched, first, both = 0, 0, 0
    # Of 48,000 starts one in 3,400 went to the first and one in 1,100 to the second, and rounding decides which. So
    # the chance that none of 60,000 goes to the first is 2e-8, and that fewer than 5 of 18,000 go to either is 6e-6.
    while (first == 0 and searched < 60_000) or (both < 5 and searched < 18_000):
        starts = np.array([system.random_symmetric(rng) for _ in range(2000)])
        found = find_transition_states(system, starts, threads=2)
        assert found.converged.mean() > 0.95
        one, other = (found.converged & (np.abs(found.energy - e) < 1e-6) for e in (-20.16541843, -19.77229642))
        assert {system.order(x) for x in found.x[one | other]} <= {4}
        searched, first, both = searched + len(starts), first + one.sum(), both + (one | other).sum()
    assert first > 0
    assert both >= 5


def test_only_free_clusters_start_symmetric():
    assert cluster(5).may_start_symmetric
    assert not cluster(4).may_start_symmetric
    assert not cluster(5, constraint=FixAtoms([0])).may_start_symmetric
