"""Chains at several temperatures: exchanges keep every distribution, one seed gives one result."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.optimizers import TemperedBasinHopping
from thalweg.optimizers.basin_hopping.tempering import exchange, exchange_probability

from ..surfaces import cluster
from .test_chain import DEPTHS, LJ7_LOWEST, boltzmann, wells

energies = st.floats(-5, 5)
temperatures = st.floats(0.1, 5)


@given(energies, energies, temperatures, temperatures)
def test_exchanges_are_in_detailed_balance(a, b, ta, tb):
    there = np.exp(-a / ta - b / tb) * exchange_probability(a, b, ta, tb)
    back = np.exp(-b / ta - a / tb) * exchange_probability(b, a, ta, tb)
    assert there == pytest.approx(back, rel=1e-9)
    assert max(exchange_probability(a, b, ta, tb), exchange_probability(b, a, ta, tb)) == 1.0


def test_a_chain_that_has_found_nothing_takes_what_another_has():
    assert exchange_probability(np.inf, -1.0, 0.5, 1.0) == 1.0
    assert exchange_probability(-1.0, np.inf, 0.5, 1.0) == 0.0
    assert exchange_probability(np.inf, np.inf, 0.5, 1.0) == 0.0
    assert exchange_probability(1.0, 0.0, 0.0, 1.0) == 1.0
    assert exchange_probability(0.0, 1.0, 0.0, 1.0) == 0.0


def test_exchanges_keep_every_distribution():
    """Chains that are redrawn from Boltzmann's distribution before every exchange are still there after it."""
    rng, levels = np.random.default_rng(0), (0.2, 0.5, 2.0)
    chains = [SimpleNamespace(x=None, energy=0.0, temperature=level) for level in levels]
    visits, exchanged, rounds = np.zeros((3, 5)), np.zeros(2), 8000
    for k in range(rounds):
        for chain in chains:
            chain.x = rng.choice(5, p=boltzmann(chain.temperature))
            chain.energy = DEPTHS[chain.x]
        exchanged += exchange(chains, k % 2, rng)
        for chain, row in zip(chains, visits, strict=True):
            assert chain.energy == DEPTHS[chain.x]
            row[chain.x] += 1
    for row, level in zip(visits / rounds, levels, strict=True):
        expected = boltzmann(level)
        assert np.all(np.abs(row - expected) < 4 * np.sqrt(expected * (1 - expected) / rounds))
    assert np.all((exchanged > 1000) & (exchanged < rounds / 2))


def test_exchanges_help_a_cold_chain_over():
    search = TemperedBasinHopping(wells(), (0.05, 1.0), 1.4, seed=1, exchange_every=2)
    search.run(60)
    assert search.tried.tolist() == [15]
    assert search.exchanged[0] > 0
    assert search.chains[0].energy == pytest.approx(DEPTHS.min(), abs=1e-9)


def test_one_seed_one_result_whatever_the_threads_and_cuts():
    def run(threads, cuts, seed=3):
        search = TemperedBasinHopping(cluster(8, 1), (0.3, 0.6, 1.2), 0.4, seed=seed, exchange_every=5, threads=threads)
        for steps in cuts:
            search.run(steps)
        return search

    first, second, third = run(1, (40,)), run(3, (3, 7, 30)), run(1, (40,), seed=4)
    for a, b in zip(first.chains, second.chains, strict=True):
        assert np.array_equal(a.x, b.x)
        assert a.energy == b.energy
    assert first.energies == second.energies
    assert np.array_equal(first.exchanged, second.exchanged)
    assert any(not np.array_equal(a.x, b.x) for a, b in zip(first.chains, third.chains, strict=True))


def test_the_target_ends_it_and_the_atoms_are_there():
    atoms = cluster(7, 5)
    search = TemperedBasinHopping(atoms, (0.5, 1.0), 0.5, target=LJ7_LOWEST)
    assert search.run(500)
    assert search.steps < 500
    assert atoms.get_potential_energy() == pytest.approx(LJ7_LOWEST, abs=1e-6)
    assert search.energies[0] == pytest.approx(LJ7_LOWEST, abs=1e-6)
    assert search.energies == sorted(search.energies)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="temperatures must be at least two, rising"):
        TemperedBasinHopping(cluster(4, 0), (0.5,), 0.4)
    with pytest.raises(ValueError, match="temperatures must be at least two, rising"):
        TemperedBasinHopping(cluster(4, 0), (0.5, 0.4), 0.4)
    with pytest.raises(ValueError, match="exchange_every must be a whole number"):
        TemperedBasinHopping(cluster(4, 0), (0.4, 0.5), 0.4, exchange_every=0)
