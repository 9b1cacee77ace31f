"""The Dataset itself, and labels made wrong on purpose."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.datasets import Dataset, mislabel


def make(n: int = 12, classes: int = 4, **options) -> Dataset:
    rng = np.random.default_rng(n)
    return Dataset(rng.normal(size=(n, 3)), rng.integers(0, classes, n), n_classes=classes, **options)


def test_slices_masks_and_indices_give_datasets():
    data = make(12, identity={"name": "toy"}, failures={"lost": 2})
    for rows in (slice(3, 9), slice(None, None, 2), np.arange(12) % 3 == 0, np.array([5, 0, -1]), []):
        part = data[rows]
        plain = np.asarray(rows, dtype=int) if isinstance(rows, list) else rows
        np.testing.assert_array_equal(part.inputs, data.inputs[plain])
        np.testing.assert_array_equal(part.labels, data.labels[plain])
        assert part.n_classes == 4
        assert part.failed == 2
        assert part.name == "toy"
    assert data[:1000][2:].identity["rows"] == [":1000:", "2::"]
    assert data[[0, 1]].identity != data[[0, 2]].identity
    json.dumps(data[np.array([1])].identity)


def test_halves_hold_everything_once():
    for n in (0, 1, 7, 10):
        data = make(n)
        train, test = data.halves()
        assert (len(train), len(test)) == (n // 2, n - n // 2)
        np.testing.assert_array_equal(np.vstack([train.inputs, test.inputs]), data.inputs)


def test_nobody_can_change_it():
    inputs = np.zeros((3, 2))
    data = Dataset(inputs, [0, 1, 1], n_classes=2)
    inputs[:] = 7.0
    assert not data.inputs.any()
    for array in (data.inputs, data.labels, data.mislabelled, data[:2].inputs):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        data.labels = np.zeros(3, dtype=int)
    locked = np.zeros((3, 2))
    view = locked[:]
    view.flags.writeable = False
    kept = Dataset(view, [0, 1, 1], n_classes=2)
    locked[:] = 7.0
    assert not kept.inputs.any()


def test_class_fractions():
    data = Dataset(np.zeros((4, 1)), [0, 2, 2, 0], n_classes=4)
    np.testing.assert_array_equal(data.class_fractions, [0.5, 0, 0.5, 0])
    assert "4 points" in repr(data)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"inputs": np.zeros(3)}, ValueError, "inputs must have shape"),
        ({"inputs": np.zeros((3, 0))}, ValueError, "inputs must have shape"),
        ({"inputs": np.array([[np.nan], [0], [0]])}, ValueError, "inputs must be finite"),
        ({"labels": [0, 1]}, ValueError, "labels must have shape"),
        ({"labels": [0.0, 1.0, 0.5]}, TypeError, "labels must be integers"),
        ({"labels": [0, 1, 2]}, ValueError, "labels must lie in 0 to 1"),
        ({"labels": [0, -1, 1]}, ValueError, "labels must lie in 0 to 1"),
        ({"n_classes": 0}, ValueError, "n_classes"),
        ({"n_classes": 2.0}, ValueError, "n_classes"),
        ({"mislabelled": [True]}, ValueError, "mislabelled must have shape"),
    ],
)
def test_bad_arguments_are_named(changes, error, said):
    arguments = {"inputs": np.zeros((3, 1)), "labels": [0, 1, 1], "n_classes": 2} | changes
    with pytest.raises(error, match=said):
        Dataset(**arguments)


@pytest.mark.parametrize(
    ("rows", "error"),
    [(3, TypeError), (np.array([True]), IndexError), ([0.5], TypeError), ([99], IndexError), ("r12", TypeError)],
)
def test_bad_indices_are_refused(rows, error):
    with pytest.raises(error):
        make()[rows]


@given(
    n=st.integers(1, 80),
    classes=st.integers(2, 10),
    seed=st.integers(0, 2**32),
    fractions=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_mislabelling_is_exact_nested_and_elsewhere(n, classes, seed, fractions):
    data = make(n, classes)
    before = data.labels.copy()
    few, many = (mislabel(data, fraction, seed) for fraction in sorted(fractions))
    for part, fraction in zip((few, many), sorted(fractions), strict=True):
        assert part.mislabelled.sum() == round(fraction * n)
        np.testing.assert_array_equal(part.labels != data.labels, part.mislabelled)
        assert part.inputs is data.inputs
        assert len(part.correct()) + len(part.incorrect()) == n
        assert not part.correct().mislabelled.any()
        assert part.incorrect().mislabelled.all()
    assert many.mislabelled[few.mislabelled].all()
    np.testing.assert_array_equal(many.labels[few.mislabelled], few.labels[few.mislabelled])
    np.testing.assert_array_equal(data.labels, before)


@pytest.mark.parametrize("classes", [4, 10])
def test_every_other_class_is_as_likely(classes):
    n = 60_000
    data = Dataset(np.zeros((n, 1)), np.arange(n) % classes, n_classes=classes)
    wrong = mislabel(data, 0.5, seed=1)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (data.labels[wrong.mislabelled], wrong.labels[wrong.mislabelled]), 1)
    expected = 0.5 * n / classes / (classes - 1)
    off = counts[~np.eye(classes, dtype=bool)]
    # 90 cells at most: five standard deviations.
    assert np.abs(off - expected).max() < 5 * expected**0.5
    assert not counts.diagonal().any()
    # Which points change does not depend on their class.
    assert np.abs(counts.sum(axis=1) - 0.5 * n / classes).max() < 5 * (0.25 * n / classes) ** 0.5


def test_mislabelling_depends_on_the_seed_alone():
    data = make(500)
    np.testing.assert_array_equal(mislabel(data, 0.3, 5).labels, mislabel(data, 0.3, 5).labels)
    assert (mislabel(data, 0.3, 5).labels != mislabel(data, 0.3, 6).labels).any()
    assert mislabel(data, 0.3, 5).identity["mislabelling"] == {"fraction": 0.3, "seed": 5, "count": 150}


@pytest.mark.parametrize("fraction", [-0.1, 1.1, np.nan, np.inf])
def test_a_fraction_outside_is_refused(fraction):
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
        mislabel(make(), fraction)


def test_mislabelling_twice_is_refused():
    wrong = mislabel(make(), 0.5)
    for data in (wrong, wrong.correct(), make(3, mislabelled=[True, False, False])):
        with pytest.raises(ValueError, match="already mislabelled"):
            mislabel(data, 0.5)
    assert mislabel(mislabel(make(), 0.0), 0.5).mislabelled.sum() == 6
    with pytest.raises(ValueError, match="two classes"):
        mislabel(make(4, classes=1), 0.5)
