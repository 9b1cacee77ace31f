"""Searches that end at known transition states: recorded as before, without minimising their sides again."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Arrival, Landscape, Search, UnknownArrivalError
from thalweg.landscapes.exploration import sequence
from thalweg.optimizers import find_transition_states
from thalweg.potentials import Function, Point, as_system

from ...helpers import random_cluster


def what_was_found(landscape):
    """Return all of it; which of a search's two sides came first is by the sign of an eigenvector alone."""
    states, searches = landscape.transition_states, landscape.searches
    sides = np.split(searches.minima[:], searches.minima_end[:-1])
    return (
        states.energy[:].tolist(), states.minima[:].tolist(), states.times_found().tolist(),
        landscape.minima.energy[:].tolist(), landscape.minima.times_found().tolist(), searches.status[:].tolist(),
        [sorted(rows.tolist()) for rows in sides],
    )  # fmt: skip


def test_what_is_found_is_the_same_as_with_every_side_minimised(monkeypatch, tmp_path):
    def explored(name, *calls):
        with Landscape(random_cluster(7), tmp_path / f"{name}.zarr", seed=1) as landscape:
            landscape.find_minima(48, workers=1)
            for searches in calls:
                landscape.connect(searches, workers=2)
            return what_was_found(landscape)

    short, parts = explored("short", 200), explored("parts", 100, 100)
    make = sequence.Task

    def knowing_nothing(*arguments):
        return make(*arguments[:-1], np.empty(0))

    monkeypatch.setattr(sequence, "Task", knowing_nothing)
    assert explored("whole", 200) == short
    assert explored("whole parts", 100, 100) == parts


def test_a_search_that_ends_at_a_known_energy_leaves_its_sides():
    system = as_system(random_cluster(13))
    rng = np.random.default_rng(0)
    X = np.array([system.random(rng) for _ in range(12)])
    whole = find_transition_states(system, X)
    rows = np.flatnonzero(whole.converged)
    known = np.append(whole.energy[rows[::2]], -100.0)
    again = find_transition_states(system, X, known=known)
    for row in rows:
        np.testing.assert_array_equal(again.x[row], whole.x[row])
        seen = np.abs(known - whole.energy[row]).min() <= 1e-7
        assert again.converged[row] == (not seen)
        assert (again.reason[row] == "energy of a known transition state") == seen
        assert np.isnan(again.minima[row]).all() == seen
    assert not again.converged[rows[::2]].any()
    assert find_transition_states(system, X, known=[-100.0]).converged[rows].all()
    with pytest.raises(ValueError, match="finite"):
        find_transition_states(system, X, known=[np.nan])


def test_an_arrival_must_be_at_a_transition_state(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        state = made_up.transition_state(5, 0, 1)
        landscape.add(Search(0, "single-ended", transition_states=(state,)))
        back = Search(1, "single-ended", transition_states=(Arrival(state.energy, -state.coordinates),))
        added = landscape.add(back)
        assert (added.transition_states, added.new_transition_states) == ((0,), (False,))
        assert (added.minima, added.new_minima) == ((0, 1), (False, False))
        assert landscape.transition_states.times_found().tolist() == [2]
        assert landscape.minima.times_found().tolist() == [2, 2]
        elsewhere = Search(2, "single-ended", transition_states=(Arrival(state.energy, state.coordinates + 1.0),))
        new = Search(2, "single-ended", transition_states=(made_up.transition_state(6, 1, 2),))
        with pytest.raises(UnknownArrivalError, match="no transition state"):
            landscape.add_task("connect", [new, elsewhere])
        assert len(landscape.searches) == 2
        assert len(landscape.transition_states) == 1


def test_mirror_images_of_one_energy_are_all_found(tmp_path):
    """A double well along x times a fourfold one along y: saddles of equal energy that no symmetry tells of."""

    def energy(x):
        return (x[0] ** 2 - 1.0) ** 2 + np.cos(np.pi * x[1])

    bounds = [(-2.0, 2.0), (0.5, 7.5)]
    surface = Point([0.5, 1.5], calc=Function(energy))
    with Landscape(surface, tmp_path / "a.zarr", bounds=bounds, seed=0) as landscape:
        landscape.find_minima(40)
        landscape.connect(300)
        places = np.round(landscape.transition_states.coordinates[:], 6) + 0.0
    expected = {(0.0, y) for y in (1.0, 3.0, 5.0, 7.0)} | {(x, y) for x in (-1.0, 1.0) for y in (2.0, 4.0, 6.0)}
    assert {tuple(place) for place in places.tolist()} == expected
