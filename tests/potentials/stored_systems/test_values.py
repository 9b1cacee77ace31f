"""What a store can hold of a value, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.potentials.stored_systems.values import shown_value, storable, storable_entries

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner),
    max_leaves=12,
)


@given(JSON)
def test_what_json_has_is_kept_as_it_is(value):
    assert storable(value) == value
    assert json.loads(json.dumps(storable(value))) == value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, (2.5, None)), [1, [2.5, None]]),
        (np.float32(0.5), 0.5),
        (np.array("GFN2"), "GFN2"),
        (np.array(["a", "b"]), ["a", "b"]),
        ([np.array([1.0, 2.0])], [[1.0, 2.0]]),
        (Path("in/put"), "in/put"),
        ({"a": {"b": np.int64(3)}}, {"a": {"b": 3}}),
    ],
)
def test_what_means_the_same_takes_its_place(value, kept):
    assert storable(value) == kept


def test_arrays_stay_arrays_even_with_nan():
    values = np.array([[1.0, np.nan], [np.inf, 0.0]])
    assert storable(values) is not values
    np.testing.assert_array_equal(storable(values), values)
    assert storable(np.longdouble([1, 2])).dtype == np.float64
    assert storable(np.array([True, False])).dtype == bool


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [1.0, float("inf")],
        object(),
        len,
        {1: "a number for a name"},
        {"../../x": 1},
        {"_hidden": 1},
        {"": 1},
        1j,
        np.array([1j]),
        np.array([object()], dtype=object),
        2**70,
        [0] * 10_001,
    ],
)
def test_what_no_store_holds_is_refused(value):
    with pytest.raises(ValueError, match="stored"):
        storable(value)


def test_a_list_in_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(ValueError, match="stored"):
        storable(value)


def test_entries_that_cannot_be_held_are_named():
    kept, left = storable_entries({"a": 1, ("Si", "Si"): 2, "object": object(), "x/y": 3})
    assert kept == {"a": 1}
    assert left == ["('Si', 'Si')", "object", "'x/y'"]


@pytest.mark.parametrize(
    "value", ["\x1b]0;pwned\x07", {"a": "\x1b[2J"}, "é" * 500, object(), np.zeros((3, 300)), 10**400]
)
def test_a_shown_value_is_short_and_printable(value):
    text = shown_value(value)
    assert len(text) <= 120
    assert text.isascii()
    assert text.isprintable()
