"""Properties block by block: computed once each, kept through errors, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Landscape, fill_property


@pytest.fixture
def landscape(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        for k in range(50):
            landscape.add_minimum(made_up.minimum(k))
        yield landscape


def norms(X):
    return np.linalg.norm(X, axis=1)


@pytest.mark.parametrize(("block", "workers"), [(7, 1), (16, 3), (1000, None)])
def test_only_what_is_missing_is_computed(made_up, landscape, block, workers):
    assert fill_property(landscape, "norm", norms, block=block, workers=workers, of="coordinates") == 50
    assert fill_property(landscape, "norm", norms, block=block, of="coordinates") == 0
    landscape.add_minimum(made_up.minimum(99))
    assert fill_property(landscape, "norm", norms, block=block, workers=workers, of="coordinates") == 1
    np.testing.assert_allclose(landscape.properties["norm"], norms(landscape.minima.coordinates[:]))
    assert landscape.properties.attributes("norm") == {"of": "coordinates"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_was_computed_before_an_error_is_kept(landscape, error):
    calls = []

    def failing(X):
        calls.append(len(X))
        if len(calls) == 4:
            raise error
        return norms(X)

    with pytest.raises(error):
        fill_property(landscape, "norm", failing, block=10, workers=1)
    stored = Landscape.open(landscape.path).properties["norm"]
    done = int(np.isfinite(stored).sum())
    assert done >= 20
    assert fill_property(landscape, "norm", norms, block=10) == 50 - done
    np.testing.assert_allclose(landscape.properties["norm"], norms(landscape.minima.coordinates[:]))


def test_other_sources_and_wrong_shapes_are_errors(landscape):
    fill_property(landscape, "norm", norms, data="D1")
    with pytest.raises(ValueError, match=r"'norm' was computed from \{'data': 'D1'\}, not \{'data': 'D2'\}"):
        fill_property(landscape, "norm", norms, data="D2")
    with pytest.raises(ValueError, match=r"one number for each of 50 points, not shape \(50, 6\)"):
        fill_property(landscape, "other", lambda X: X)
    assert "other" not in landscape.properties


def test_several_properties_are_filled_at_once(made_up, landscape):
    """A minimum is computed where one of them is missing, unless its NaN is a result."""
    asked = []

    def function(X):
        asked.append(len(X))
        return np.column_stack([np.where(X[:, 0] > 0, X[:, 1], np.nan), norms(X)])

    def fill():
        return fill_property(landscape, ("sign", "norm"), function, block=20, workers=1, may_be_nan=["sign"], of="x")

    assert (fill(), asked) == (50, [20, 20, 10])
    assert fill() == 0
    X = landscape.minima.coordinates[:]
    np.testing.assert_array_equal(landscape.properties["sign"], np.where(X[:, 0] > 0, X[:, 1], np.nan))
    np.testing.assert_array_equal(landscape.properties["norm"], norms(X))
    landscape.add_minimum(made_up.minimum(99))
    assert fill() == 1
    assert landscape.properties.attributes("sign") == {"of": "x"}
    with pytest.raises(ValueError, match=r"2 numbers for each of 51 points, not shape \(51,\)"):
        fill_property(landscape, ("a", "b"), norms)
    # of a source as JSON gives it back
    assert fill_property(landscape, "other", norms, shape=(1, 2)) == 51
    assert fill_property(landscape, "other", norms, shape=(1, 2)) == 0


def test_what_says_whether_to_compute_is_saved_last(landscape, monkeypatch):
    saved = []
    monkeypatch.setattr(type(landscape.properties), "set", lambda self, name, values, **source: saved.append(name))
    fill_property(landscape, ("a", "b", "c"), lambda X: X[:, :3], may_be_nan=("b", "c"))
    assert saved == ["b", "c", "a"]
