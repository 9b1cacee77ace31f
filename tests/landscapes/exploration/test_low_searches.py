"""Searches that growth sends from low minima of deep networks give up soon, and no others do."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes.exploration import tasks
from thalweg.landscapes.exploration.settings import default_settings
from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.records import FROM_STATE, FROM_SYMMETRIC, SINGLE_ENDED
from thalweg.optimizers import default_rules, find_transition_states, minimise
from thalweg.potentials import as_system

from ...helpers import random_cluster, small_network

DEEP = small_network(hidden=(3, 3))


def task_of(system, kind=SINGLE_ENDED, rows=2, start=0, sequence="connect", **more):
    """Return a task that leaves the lowest of some minima."""
    settings = default_settings(system) | {"rms": 1e-9, "same_energy": 1e-7, "rules": default_rules(system).to_dict()}
    x = minimise(system, np.array([system.random(np.random.default_rng(0))]), second_order=True).x
    starts = tuple((start, -1) for _ in range(rows))
    coordinates = np.repeat(x, rows if start >= 0 else 0, axis=0)
    return Task(sequence, 0, kind, (0, 0), starts, coordinates, settings | more, np.empty(0))


@pytest.mark.parametrize(
    ("subject", "kind", "start", "more", "expected"),
    [
        (DEEP, SINGLE_ENDED, 0, {"part": 0.5}, True),
        (DEEP, SINGLE_ENDED, 0, {}, False),
        (DEEP, SINGLE_ENDED, -1, {"part": 0.5}, False),
        (DEEP, FROM_STATE, 0, {"part": 0.5}, False),
        (DEEP, FROM_SYMMETRIC, 0, {"part": 0.5}, False),
        (DEEP, SINGLE_ENDED, 0, {"part": 0.5, "sequence": "connect_pairs"}, False),
        (small_network(), SINGLE_ENDED, 0, {"part": 0.5}, False),
        (random_cluster(5), SINGLE_ENDED, 0, {"part": 0.5}, False),
    ],
    ids=[
        "growth",
        "no growth",
        "random weights",
        "transition states",
        "symmetric",
        "lower paths",
        "one hidden layer",
        "cluster",
    ],
)
def test_only_growth_of_deep_networks_searches_nearby(monkeypatch, subject, kind, start, more, expected):
    asked = []

    def spy(*arguments, nearby, **named):
        asked.append(nearby)
        return find_transition_states(*arguments, **named)

    monkeypatch.setattr(tasks, "find_transition_states", spy)
    tasks.run_task(as_system(subject), task_of(as_system(subject), kind, start=start, **more))
    assert set(asked) == {expected}


def test_a_task_finds_the_same_however_often_it_is_done():
    system = as_system(DEEP)
    task = task_of(system, rows=4, part=0.5)
    first, second = tasks.run_task(system, task), tasks.run_task(system, task)
    assert [search.steps for search in first.searches] == [search.steps for search in second.searches]
    for one, other in zip(first.searches, second.searches, strict=True):
        for a, b in zip(one.transition_states, other.transition_states, strict=True):
            assert a.coordinates.tobytes() == b.coordinates.tobytes()
