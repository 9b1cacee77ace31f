"""Merging: what two stores hold, each point once; against one store to which both were added."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import FROM_STATE, Landscape, Search, StoreError, Tolerances, merge
from thalweg.landscapes.maintenance.integrity import verify_structure


def fill(made_up, path, numbers, seed=0):
    with Landscape(made_up.MadeUp(), path, seed=seed) as landscape:
        for number in numbers:
            landscape.add_task("all", made_up.task(number), {"last": number})
        landscape.properties["auc"] = np.arange(len(landscape.minima))
    return path


def arrays(path):
    landscape = Landscape.open(path)
    return {
        (group, name): getattr(getattr(landscape, group), name)[:]
        for group in ("minima", "transition_states", "searches")
        for name in getattr(landscape, group).names
    }


def test_merged_stores_are_one_store_that_both_were_added_to(made_up, tmp_path):
    first = fill(made_up, tmp_path / "a.zarr", range(0, 40), seed=1)
    second = fill(made_up, tmp_path / "b.zarr", range(20, 60), seed=2)
    both = fill(made_up, tmp_path / "both.zarr", [*range(0, 40), *range(20, 60)], seed=1)
    merge(first, second, tmp_path / "c.zarr", made_up.MadeUp())
    merged, expected = arrays(tmp_path / "c.zarr"), arrays(both)
    for group in ("minima", "transition_states"):
        assert len(merged[group, "energy"]) == len(expected[group, "energy"])
        np.testing.assert_array_equal(np.sort(merged[group, "energy"]), np.sort(expected[group, "energy"]))
    for name in ("task", "kind", "status", "energy", "steps", "minima_end", "transition_states_end"):
        np.testing.assert_array_equal(merged["searches", name], expected["searches", name])
    # rows came in another order: minima first, then transition states. What searches found is the same.
    for group in ("minima", "transition_states"):
        np.testing.assert_array_equal(
            merged[group, "energy"][merged["searches", group]], expected[group, "energy"][expected["searches", group]]
        )
    assert verify_structure(Landscape.open(tmp_path / "c.zarr")) == []


def test_starts_from_transition_states_follow_them(made_up, tmp_path):
    """A search from a transition state says which by its row, which is another one in the merged store."""
    for name, few in (("a", (7, 8)), ("b", (5, 6, 7))):
        with Landscape(made_up.MadeUp(), tmp_path / f"{name}.zarr") as landscape:
            for k in few:
                landscape.add_transition_state(made_up.transition_state(k, k, k + 1))
            last = len(few) - 1
            landscape.add(Search(0, FROM_STATE, start=(last, -1)))
            with pytest.raises(ValueError, match="two rows of transition_states, or -1"):
                landscape.add(Search(0, FROM_STATE, start=(len(few), -1)))
    merge(tmp_path / "a.zarr", tmp_path / "b.zarr", tmp_path / "c.zarr", made_up.MadeUp())
    merged = Landscape.open(tmp_path / "c.zarr")
    energies = [made_up.transition_state(k, k, k + 1).energy for k in (8, 7)]
    assert merged.transition_states.energy[merged.searches.start[:, 0]].tolist() == energies
    assert verify_structure(merged) == []


def test_the_first_store_goes_on_in_the_merged_one(made_up, tmp_path):
    first = fill(made_up, tmp_path / "a.zarr", range(5), seed=1)
    second = fill(made_up, tmp_path / "b.zarr", range(3, 9), seed=2)
    merge(first, second, tmp_path / "c.zarr", made_up.MadeUp())
    known = len(Landscape.open(first).minima)
    with Landscape(made_up.MadeUp(), tmp_path / "c.zarr", seed=1) as merged:
        assert merged.tasks_done == {"all": 5}
        assert merged.state == {"last": 4}
        np.testing.assert_array_equal(merged.properties["auc"][:known], np.arange(known))
        assert np.isnan(merged.properties["auc"][known:]).all()
        assert len(merged.minima) > known
    assert {p.name for p in tmp_path.iterdir()} == {"a.zarr", "b.zarr", "c.zarr"}


def test_what_cannot_be_merged_is_said_and_nothing_is_made(made_up, tmp_path):
    first = fill(made_up, tmp_path / "a.zarr", range(2))
    Landscape(made_up.MadeUp(scale=2.0), tmp_path / "b.zarr", tolerances=Tolerances(distance=0.5)).close()
    with pytest.raises(StoreError, match=r"cannot be merged.*(\n.*)*scale: 1\.0 and 2\.0(\n.*)*tolerances: "):
        merge(first, tmp_path / "b.zarr", tmp_path / "c.zarr")
    with pytest.raises(FileNotFoundError, match="no landscape"):
        merge(first, tmp_path / "missing.zarr", tmp_path / "c.zarr")
    assert not (tmp_path / "c.zarr").exists()
    with pytest.raises(StoreError, match=r"b\.zarr exists"):
        merge(first, first, tmp_path / "b.zarr")


def test_a_damaged_second_store_leaves_nothing(made_up, tmp_path):
    first, second = (fill(made_up, tmp_path / name, range(3)) for name in ("a.zarr", "b.zarr"))
    chunk = second / "minima" / "coordinates" / "c.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    with pytest.raises(StoreError, match="is damaged"):
        merge(first, second, tmp_path / "c.zarr", made_up.MadeUp())
    assert {p.name for p in tmp_path.iterdir()} == {"a.zarr", "b.zarr"}


def rewrite(path, array, change):
    """Change an array behind the store's back, checksums and all."""
    import zarr

    stored = zarr.open_group(path, mode="r+")[array]
    values = stored[:]
    change(values)
    stored[:] = values


@pytest.mark.parametrize(
    ("array", "change", "message"),
    [
        ("transition_states/minima", lambda v: v.__setitem__((2, 1), 99), "transition_states 2 .*is not a row"),
        ("searches/minima", lambda v: v.__setitem__(0, -1), "searches 0 .*is not a row"),
        ("searches/start", lambda v: v.__setitem__((1, 0), 1000), "searches 1 .*is not a row"),
        ("transition_states/energy", lambda v: v.__setitem__(1, -5.0), "transition_states 1 .*below that of minima"),
        ("searches/minima_end", lambda v: v.__setitem__(3, 0), "searches 3 .*falls by"),
        ("searches/minima_end", lambda v: v.__setitem__(-1, 900), "searches -1 .*is 900 at the end"),
    ],
)
def test_loose_ends_are_found(made_up, tmp_path, array, change, message):
    path = fill(made_up, tmp_path / "a.zarr", range(10))
    assert verify_structure(Landscape.open(path)) == []
    rewrite(path, array, change)
    problems = verify_structure(Landscape.open(path))
    assert problems
    import re

    assert any(re.search(message, f"{one.group} {one.row} {one.message}") for one in problems)


def test_a_flipped_byte_is_named(made_up, tmp_path):
    path = fill(made_up, tmp_path / "a.zarr", range(3))
    chunk = path / "transition_states" / "energy" / "c.0"
    data = bytearray(chunk.read_bytes())
    data[9] ^= 16
    chunk.write_bytes(data)
    problems = verify_structure(Landscape.open(path))
    assert [(one.group, one.row) for one in problems] == [("transition_states", -1)]
    assert "transition_states/energy, chunk 0" in problems[0].message
