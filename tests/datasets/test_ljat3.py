"""Labels of LJAT3 against GMIN's own, against a slow reference, and the datasets made from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar

from thalweg.datasets import Dataset, dataset, ljat3, ljat3_labels, ljat3_outcomes

from . import reference_lbfgs as reference


def plain_energy(x: np.ndarray) -> float:
    """Section 4's formula with its angles, nothing shared with the package."""
    sides = [x[1] - x[0], x[2] - x[1], x[0] - x[2]]
    r = [np.linalg.norm(side) for side in sides]
    cosines = [-(sides[k] @ sides[k - 1]) / (r[k] * r[k - 1]) for k in range(3)]
    return 4 * sum(d**-12 - d**-6 for d in r) + 2 * (1 + 3 * np.prod(cosines)) / np.prod(r) ** 3


def gmin(shared: Path, box: str) -> tuple[dict, np.ndarray]:
    """GMIN's labels, and which starts lie below 1e8."""
    data = dict(np.load(shared / "data" / "labels" / f"{box}.npz"))
    energies = np.array([plain_energy(x) for x in data["starts"]])
    return data, np.abs(energies) < 1e8


@pytest.mark.parametrize("box", ["D1", "D2", "D3"])
def test_gmins_labels_and_steps(shared, box, record_property):
    data, low = gmin(shared, box)
    assert 1900 <= low.sum() < 2000
    found = ljat3_labels(data["starts"], return_details=True)
    np.testing.assert_array_equal(found.labels[low], data["labels"][low])
    assert (found.steps == data["steps"])[low].mean() >= 0.99
    np.testing.assert_allclose(found.energies[low], data["energies"][low], atol=1e-8)
    # In fact GMIN differs where a component of the starting gradient exceeds 1e10, as if it were capped there.
    gradients = np.zeros((len(low), 9))
    for start, gradient in zip(data["starts"], gradients, strict=True):
        reference.ljat3(start.ravel(), gradient, 2.0)
    capped = np.abs(gradients).max(axis=1) > 1e10
    assert not (low & capped).any()
    np.testing.assert_array_equal(found.labels[~capped], data["labels"][~capped])
    share = (found.labels == data["labels"])[~low].mean()
    record_property(f"{box}: share of {(~low).sum()} labels above 1e8 that agree with GMIN", float(share))
    assert share >= 0.6
    assert found.failures == {}


@pytest.mark.parametrize("box", ["D1", "D2", "D3"])
def test_the_reference_follows_the_rules_too(shared, box):
    data, low = gmin(shared, box)
    picked = np.flatnonzero(low)[:400]
    found = ljat3_labels(data["starts"][picked], return_details=True)
    agree = 0
    for k, start in enumerate(data["starts"][picked]):
        energy, steps, status, _ = reference.quench(start.ravel(), 2.0, 1e-10, 10_000, 4, 0.4, 6, 20)
        assert status == 0
        assert energy == pytest.approx(found.energies[k], abs=1e-10)
        agree += steps == found.steps[k]
    assert agree >= 0.99 * len(picked)


def test_the_reference_gradient_is_right():
    rng = np.random.default_rng(1)
    for _ in range(20):
        x, gradient, h = rng.uniform(0, 2, 9) + np.repeat([0, 1, 3], 3), np.zeros(9), 1e-5
        assert reference.ljat3(x, gradient, 2.0) == pytest.approx(plain_energy(x.reshape(3, 3)), rel=1e-12)
        differences = [
            (plain_energy((x + step).reshape(3, 3)) - plain_energy((x - step).reshape(3, 3))) / (2 * h)
            for step in h * np.eye(9)
        ]
        np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


def triangle(r: float) -> np.ndarray:
    return np.array([[0, 0, 0], [r, 0, 0], [r / 2, r * 0.75**0.5, 0]])


def line(r: float, centre: int) -> np.ndarray:
    x = np.zeros((3, 3))
    ends = [k for k in (1, 2, 3) if k != centre]
    x[ends[0] - 1, 2], x[ends[1] - 1, 2] = -r, r
    return x


def test_known_minima():
    triangle_fit = minimize_scalar(lambda r: plain_energy(triangle(r)), bounds=(1, 1.4), options={"xatol": 1e-10})
    line_fit = minimize_scalar(lambda r: plain_energy(line(r, 2)), bounds=(1, 1.4), options={"xatol": 1e-10})
    np.testing.assert_allclose(ljat3.TRIANGLE, (triangle_fit.fun, triangle_fit.x), atol=1e-7)
    np.testing.assert_allclose(ljat3.LINE, (line_fit.fun, line_fit.x), atol=1e-7)
    assert ljat3.TRIANGLE[0] == pytest.approx(-2.1850988403, abs=1e-10)
    assert ljat3.LINE[0] == pytest.approx(-2.2190981697, abs=1e-10)


def test_minima_keep_their_labels():
    starts = [triangle(1.16875), line(1.10876, 1), line(1.10876, 2), line(1.10876, 3)]
    found = ljat3_labels(starts, return_details=True)
    np.testing.assert_array_equal(found.labels, [0, 1, 2, 3])
    np.testing.assert_allclose(found.energies, [ljat3.TRIANGLE[0]] + 3 * [ljat3.LINE[0]], atol=1e-9)
    assert (found.steps < 10).all()


def test_what_ends_elsewhere_has_no_label():
    far = np.array([[0, 0, 0], [1000.0, 0, 0], [0, 1000.0, 0]])
    # Symmetry keeps three atoms on a line through equal neighbours there, but two on one spot have no gradient.
    together = np.array([[0, 0, 0], [0, 0, 0], [1.0, 0, 0]])
    found = ljat3_labels([far, together, triangle(1.2)], return_details=True)
    np.testing.assert_array_equal(found.labels, [-1, -1, 0])
    assert sum(found.failures.values()) == 2
    assert found.failures["ended elsewhere"] == 1


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (2, 3, 3), elements=st.floats(-1e6, 1e6)))
def test_any_geometry_gets_a_label_or_none(starts):
    before = starts.copy()
    found = ljat3_labels(starts, threads=1, return_details=True)
    np.testing.assert_array_equal(starts, before)
    assert set(found.labels) <= {-1, 0, 1, 2, 3}
    assert sum(found.failures.values()) == (found.labels < 0).sum()


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        (np.zeros((3, 3)), "shape"),
        (np.zeros((2, 9)), "shape"),
        (np.zeros((1, 4, 3)), "shape"),
        (np.full((1, 3, 3), np.nan), "finite"),
        (np.full((1, 3, 3), np.inf), "finite"),
    ],
)
def test_bad_starts_are_refused(starts, said):
    with pytest.raises(ValueError, match=f"starts must .*{said}"):
        ljat3_labels(starts)


def test_no_starts_give_no_labels():
    assert ljat3_labels(np.zeros((0, 3, 3))).shape == (0,)


@pytest.mark.parametrize(("box", "share"), [("D1", 0.186), ("D2", 0.738), ("D3", 0.245)])
def test_class_fractions(box, share, tmp_path):
    data = ljat3_outcomes(box, size=8_000, seed=3, cache=tmp_path)
    fractions = data.class_fractions
    # Those of science.md come from 4,000 to 8,000 starts as well: four standard deviations of the difference.
    assert fractions[0] == pytest.approx(share, abs=4 * (3 * share * (1 - share) / 8_000) ** 0.5)
    linear = (1 - fractions[0]) / 3
    np.testing.assert_allclose(fractions[1:], linear, atol=4 * (linear / 8_000) ** 0.5)
    side = {"D1": 2 * 3**0.5, "D2": 1.385, "D3": 2 * 2**0.5}[box]
    # Mean distance of two random points in a cube (Robbins' constant).
    assert data.inputs.mean() == pytest.approx(0.6617072 * side, rel=0.01)
    assert data.failed <= 8


def test_it_is_the_same_every_time(tmp_path):
    data = ljat3_outcomes("D1", size=600, seed=5, threads=1, cache=False)
    again = ljat3_outcomes("D1", size=600, seed=5, threads=3, cache=False)
    small = ljat3_outcomes("D1", size=250, seed=5, cache=tmp_path)
    np.testing.assert_array_equal(data.inputs, again.inputs)
    np.testing.assert_array_equal(data.labels, again.labels)
    np.testing.assert_array_equal(small.inputs, data.inputs[:250])
    np.testing.assert_array_equal(small.labels, data.labels[:250])
    assert data.identity == again.identity
    assert not np.array_equal(data.inputs, ljat3_outcomes("D1", size=600, seed=6, cache=False).inputs)
    assert not np.array_equal(data.inputs / 3**0.5, ljat3_outcomes("D3", 600, 5, cache=False).inputs / 2**0.5)


def test_which_distances(tmp_path):
    three = ljat3_outcomes("D2", size=100, inputs=("r12", "r13", "r23"), cache=tmp_path)
    two = ljat3_outcomes("D2", size=100, cache=tmp_path)
    turned = ljat3_outcomes("D2", size=100, inputs=["r23", "r12"], cache=tmp_path)
    assert three.inputs.shape == (100, 3)
    np.testing.assert_array_equal(two.inputs, three.inputs[:, :2])
    np.testing.assert_array_equal(turned.inputs, three.inputs[:, [2, 0]])
    assert len(list(tmp_path.iterdir())) == 1
    r12, r13, r23 = three.inputs.T
    assert (r12 + r13 >= r23).all()
    assert (np.abs(r12 - r13) <= r23).all()
    assert json.loads(json.dumps(dict(two.identity))) == two.identity


def test_inputs_are_starting_distances_of_the_labelled_starts():
    data = ljat3_outcomes("D1", size=50, seed=9, inputs=("r12", "r13", "r23"), cache=False)
    starts = 2 * 3**0.5 * np.random.Generator(np.random.PCG64([9, 0])).random((50, 3, 3))
    labels = ljat3_labels(starts)
    assert (labels >= 0).all()
    np.testing.assert_array_equal(data.labels, labels)
    for column, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)]):
        np.testing.assert_allclose(data.inputs[:, column], np.linalg.norm(starts[:, i] - starts[:, j], axis=1))


def fake_labelling(fail_every: int):
    """Label by the first coordinate; every so many starts of the stream fail."""

    def label(starts, threads=None):
        labels = (starts[:, 0, 0] * 1e6).astype(np.int64) % 4
        bad = (starts[:, 1, 1] * 1e9).astype(np.int64) % fail_every == 0
        failures = {"too many steps": int(bad.sum())} if bad.any() else {}
        return ljat3.Labelling(np.where(bad, -1, labels), labels, labels * 1.0, failures)

    return label


def test_failures_are_counted_and_replaced(monkeypatch):
    monkeypatch.setattr(ljat3, "_minimised", fake_labelling(3))
    data = ljat3_outcomes("D1", size=300, cache=False)
    assert len(data) == 300
    starts = 2 * 3**0.5 * np.random.Generator(np.random.PCG64([0, 0])).random((1000, 3, 3))
    good = fake_labelling(3)(starts).labels >= 0
    drawn = np.flatnonzero(good)[299] + 1
    np.testing.assert_array_equal(data.labels, fake_labelling(3)(starts).labels[good][:300])
    assert data.failed == drawn - 300
    assert data.failures == {"too many steps": drawn - 300}


def test_the_cache_is_used_and_mended(tmp_path, monkeypatch):
    first = ljat3_outcomes("D3", size=40, seed=2, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()

    def refuse(*arguments, **options):
        raise AssertionError("made again although it is kept")

    with monkeypatch.context() as patched:
        patched.setattr(ljat3, "_minimised", refuse)
        np.testing.assert_array_equal(ljat3_outcomes("D3", size=40, seed=2, cache=tmp_path).labels, first.labels)
    file.write_bytes(content[: len(content) // 2])
    again = ljat3_outcomes("D3", size=40, seed=2, cache=tmp_path)
    np.testing.assert_array_equal(again.inputs, first.inputs)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"box": "D4"}, "box must be one of D1, D2, D3"),
        ({"size": 0}, "size must be"),
        ({"size": 10.0}, "size must be"),
        ({"seed": -1}, "seed must be"),
        ({"inputs": ("r14",)}, "inputs must be"),
        ({"inputs": ()}, "inputs must be"),
        ({"inputs": ("r12", "r12")}, "inputs must be"),
    ],
)
def test_bad_options_are_named(tmp_path, options, said):
    with pytest.raises(ValueError, match=said):
        ljat3_outcomes(cache=tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_by_name(tmp_path):
    data = dataset("d1", size=20, cache=tmp_path)
    assert isinstance(data, Dataset)
    assert (data.name, len(data), data.n_classes) == ("D1", 20, 4)
    assert data.identity["rules"]["memory"] == 4
