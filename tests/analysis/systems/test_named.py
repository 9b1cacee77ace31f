"""What names stand for, and which data a network gets."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.analysis.cli.option_types import Duration, Widths
from thalweg.analysis.systems.named import NETWORKS, SURFACES, build, default_options, default_work, resolve_name


def built(name, **options):
    return build(name, default_options(name) | options)


@pytest.mark.parametrize(
    ("typed", "name"), [("d1", "D1"), ("mnist", "MNIST"), ("Digits", "digits"), ("lj07", "LJ7"), ("ljat3", "LJAT3")]
)
def test_case_does_not_matter(typed, name):
    assert resolve_name(typed) == name


@pytest.mark.parametrize("typed", ["", "LJ", "LJ-7", "D", "LJ1", "LJ7x", "LJ99999999"])
def test_other_names_are_errors(typed):
    with pytest.raises(ValueError, match=r"there is no system|between 2 and"):
        resolve_name(typed)


@pytest.mark.parametrize("name", [*NETWORKS, *SURFACES, "LJ2", "LJ7", "LJ9", "LJ55", "LJAT3"])
def test_every_system_has_work_to_do(name):
    work = default_work(name)
    assert min(work.steps, work.searches) > 0
    assert work.most_searches is None or work.most_searches > work.searches


def test_deep_networks_have_more_steps_of_basin_hopping():
    shallow = default_work("D1")
    assert default_work("D1", {"hidden": [10]}) == shallow
    assert shallow.steps == 200
    assert default_work("D1", {"hidden": [4, 4, 4]}) == shallow._replace(steps=1000)
    assert default_work("LJ7", {"seed": 0}) == default_work("LJ7")


@pytest.mark.parametrize(("name", "atoms", "z"), [("LJ7", 7, 0.0), ("LJ13", 13, 0.0), ("LJAT3", 3, 2.0)])
def test_clusters(name, atoms, z):
    explored = built(name)
    assert len(explored.subject) == atoms
    assert explored.subject.calc.parameters["Z"] == z
    distances = explored.subject.get_all_distances()[np.triu_indices(atoms, 1)]
    assert distances.min() > 1
    assert explored.test is None


def test_training_points_are_drawn_with_the_seed():
    one, other = built("digits", seed=1), built("digits", seed=2)
    assert not np.array_equal(one.subject.calc.inputs, other.subject.calc.inputs)
    np.testing.assert_array_equal(one.subject.calc.inputs, built("digits", seed=1).subject.calc.inputs)
    np.testing.assert_array_equal(one.subject.get_x(), built("digits", seed=1).subject.get_x())


def test_more_training_points_contain_fewer():
    few, many = built("digits", data=100), built("digits", data=300)
    np.testing.assert_array_equal(few.subject.calc.inputs, many.subject.calc.inputs[:100])


def test_training_and_testing_digits_are_all_digits_once():
    from sklearn.datasets import load_digits

    explored = built("digits", data=600)
    together = np.concatenate([explored.subject.calc.inputs, explored.test.inputs])
    every = load_digits().data / 16.0
    np.testing.assert_array_equal(*(rows[np.lexsort(rows.T)] for rows in (together, every)))


def test_errors_change_training_labels_alone():
    clean, wrong = built("digits", data=300), built("digits", data=300, errors=10.0)
    changed = clean.subject.calc.labels != wrong.subject.calc.labels
    assert changed.sum() == 30
    np.testing.assert_array_equal(wrong.subject.calc.mislabelled, changed)
    np.testing.assert_array_equal(clean.test.labels, wrong.test.labels)


def test_d1_tests_on_the_whole_second_half():
    explored = built("D1", data=500, hidden=[5, 5], l2=1e-5, neighbours=2)
    loss = explored.subject.calc
    assert (loss.layers, len(loss.labels), loss.l2, loss.neighbours) == ((2, 5, 5, 4), 500, 1e-5, 2)
    assert len(explored.test) == 100_000
    assert explored.data["training"]["name"] == "D1"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("2m", 120), ("8h", 28800), ("1.5h", 5400), ("1h30m", 5400)]
)
def test_times(text, seconds):
    assert Duration().convert(text, None, None) == seconds


def test_widths():
    assert Widths().convert("10", None, None) == (10,)
    assert Widths().convert("5,5", None, None) == (5, 5)


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces(name):
    explored = built(name)
    assert resolve_name(name.lower()) == name
    assert type(explored.subject.calc).__name__ == name
    assert f"{len(explored.subject.calc.minima)} minima" in explored.title
