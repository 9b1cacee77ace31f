"""Labels changed with probabilities of one's own, and errors where the classes overlap."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from sklearn.neighbors import KNeighborsClassifier

from thalweg.datasets import Dataset, mislabel, overlap_noise


def gaussians(n: int, classes: int = 3, seed: int = 0) -> Dataset:
    """Return two inputs drawn around a centre of each class, so that neighbouring classes overlap."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return Dataset(rng.normal(size=(n, 2)) + 1.5 * labels[:, None], labels, classes)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_labels_change_as_often_as_the_matrix_says(classes, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.dirichlet(np.ones(classes), classes)
    data = Dataset(np.zeros((6000, 1)), rng.integers(0, classes, 6000), classes)
    wrong = mislabel(data, transition=matrix, seed=seed)
    for true in range(classes):
        counts = np.bincount(wrong.labels[data.labels == true], minlength=classes)
        assert chisquare(counts, matrix[true] * counts.sum()).pvalue > 1e-6
    np.testing.assert_array_equal(wrong.mislabelled, wrong.labels != data.labels)


def test_the_same_model_in_each_form_changes_the_same_labels():
    data = gaussians(500)

    def matrices(inputs):
        flip = 1 / (1 + np.exp(-inputs[:, 0]))
        return (1 - flip)[:, None, None] * np.eye(3) + flip[:, None, None] * np.roll(np.eye(3), 1, axis=1)

    def rows(inputs, labels):
        return matrices(inputs)[np.arange(len(labels)), labels]

    forms = [matrices, rows, matrices(data.inputs)]
    changed = [mislabel(data, transition=form, seed=4).labels for form in forms]
    np.testing.assert_array_equal(changed[0], changed[1])
    np.testing.assert_array_equal(changed[0], changed[2])
    # this model moves every changed label to the next class
    moved = changed[0] != data.labels
    assert 100 < moved.sum() < 400
    np.testing.assert_array_equal(changed[0][moved], (data.labels[moved] + 1) % 3)


@given(st.floats(0.1, 1.0))
@settings(max_examples=20, deadline=None)
def test_weaker_noise_is_contained_in_stronger(factor):
    data = gaussians(300)
    strong = np.array([[0.3, 0.5, 0.2], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
    weak = factor * strong + (1 - factor) * np.eye(3)
    less, more = (mislabel(data, transition=matrix, seed=1) for matrix in (weak, strong))
    assert not (less.mislabelled & ~more.mislabelled).any()
    np.testing.assert_array_equal(less.labels[less.mislabelled], more.labels[less.mislabelled])


def test_certain_and_impossible_changes():
    data = gaussians(200)
    np.testing.assert_array_equal(mislabel(data, transition=np.eye(3)).labels, data.labels)
    cycle = np.roll(np.eye(3), 1, axis=1)
    np.testing.assert_array_equal(mislabel(data, transition=cycle).labels, (data.labels + 1) % 3)


def test_identity_tells_one_noise_from_another():
    data = gaussians(100)
    flat = np.full((3, 3), 1 / 3)
    said = [
        mislabel(data, transition=model).identity
        for model in (np.eye(3), flat, lambda x: np.broadcast_to(flat, (len(x), 3, 3)), overlap_noise(data, 0.1, 5))
    ]
    assert len({json.dumps(one, sort_keys=True) for one in said}) == 4
    with pytest.raises(ValueError, match="already mislabelled"):
        mislabel(mislabel(data, transition=flat), transition=flat)


@pytest.mark.parametrize(
    ("transition", "error", "said"),
    [
        (np.eye(2), ValueError, r"shape \(3, 3\) or \(10, 3, 3\)"),
        (np.eye(3) * 0.9, ValueError, r"row \[0\] of transition sums to 0.9"),
        ([[2, -1, 0], [0, 1, 0], [0, 0, 1]], ValueError, r"transition\[0, 0\] is 2.0"),
        (np.full((3, 3), np.nan), ValueError, "no probability"),
        (lambda inputs: np.eye(3), ValueError, r"shape \(10, 3, 3\)"),
        (lambda inputs, labels: np.eye(3), ValueError, r"shape \(10, 3\)"),
        (lambda a, b, c: np.eye(3), ValueError, "it takes 3 arguments"),
        ("often", ValueError, "could not convert"),
    ],
)
def test_wrong_transitions(transition, error, said):
    data = gaussians(10)
    with pytest.raises(error, match=said):
        mislabel(data, transition=transition)


def test_one_kind_of_noise_at_a_time():
    data = gaussians(10)
    for kinds in ({}, {"fraction": 0.1, "transition": np.eye(3)}):
        with pytest.raises(TypeError, match="either fraction"):
            mislabel(data, **kinds)


@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.1, 0.3])
def test_overlap_noise_makes_as_many_errors_as_asked(fraction):
    data = gaussians(2000)
    matrices = overlap_noise(data, fraction)
    np.testing.assert_allclose(matrices.sum(axis=2), 1.0, atol=1e-12)
    expected = 1 - matrices[np.arange(2000), data.labels, data.labels].mean()
    assert expected == pytest.approx(fraction, abs=1e-9)
    wrong = mislabel(data, transition=matrices, seed=3).mislabelled.mean()
    assert abs(wrong - fraction) < 5 * np.sqrt(fraction * (1 - fraction) / 2000) + 1e-12


def test_overlap_noise_is_in_proportion_to_the_neighbours_of_scikit_learn():
    data, pool = gaussians(100, seed=1), gaussians(1000, seed=2)
    matrices = overlap_noise(data, 0.05, neighbours=20, reference=pool)
    # no point of the data is one of the pool, so that the nearest 20 are those of scikit-learn
    shares = KNeighborsClassifier(20).fit(pool.inputs, pool.labels).predict_proba(data.inputs)
    confused = 1 - shares[np.arange(100), data.labels]
    moved = 1 - matrices[np.arange(100), data.labels, data.labels]
    np.testing.assert_array_equal(moved == 0, confused == 0)
    np.testing.assert_allclose(moved, 0.05 * confused / confused.mean(), atol=1e-12)
    for point in np.flatnonzero(confused):
        others = np.arange(3) != data.labels[point]
        row, share = matrices[point, data.labels[point], others], shares[point, others]
        np.testing.assert_allclose(row / row.sum(), share / share.sum(), atol=1e-12)


def test_overlap_noise_says_how_many_errors_are_possible():
    apart = Dataset([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], [0, 0, 0, 1, 1, 1], 2)
    assert not overlap_noise(apart, 0.0, neighbours=2)[:, [0, 1], [1, 0]].any()
    with pytest.raises(ValueError, match=r"overlap at 0\.0% of the points only"):
        overlap_noise(apart, 0.1, neighbours=2)
    with pytest.raises(ValueError, match="neighbours must lie between 1 and 5"):
        overlap_noise(apart, 0.1, neighbours=6)
    # five neighbours are all the other points: three of the other class
    assert overlap_noise(apart, 1.0, neighbours=5)[0, 0, 1] == pytest.approx(1.0)
