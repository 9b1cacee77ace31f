"""The Landscape: what enters, what is recognised, what is read, and what a commit holds."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis.systems.summary import summarise
from thalweg.landscapes import Landscape, RejectedError, Search, Tolerances
from thalweg.landscapes.recording.duplicates import EnergyIndex

FORMER = "the way up has no end, as of an atom that leaves"


@pytest.fixture
def landscape(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        yield landscape


def test_points_come_back_as_they_went_in(made_up, landscape):
    state = made_up.transition_state(0, 1, 2)
    assert landscape.add_transition_state(state) == 0
    landscape.close()
    read = Landscape.open(landscape.path).transition_states[0]
    for name in ("energy", "gradient_rms", "lowest_eigenvalue", "log_eigenvalue_product", "modes", "path_lengths"):
        assert getattr(read, name) == getattr(state, name)
    np.testing.assert_array_equal(read.coordinates, state.coordinates)
    for found, given_ in zip(read.minima, state.minima, strict=True):
        np.testing.assert_array_equal(found.coordinates, given_.coordinates)
    assert read.symmetry_order == 1  # computed by the writer: the record said 0


def test_reading_goes_on_after_closing_and_before_committing(made_up, landscape):
    for k in range(3):
        landscape.add_minimum(made_up.minimum(k))
    energies = [made_up.minimum(k).energy for k in range(3)]
    np.testing.assert_array_equal(landscape.minima.energy[:], energies)
    assert len(Landscape.open(landscape.path).minima) == 0
    landscape.commit()
    assert len(Landscape.open(landscape.path).minima) == 3
    landscape.close()
    np.testing.assert_array_equal(landscape.minima.energy[:], energies)


def test_duplicates_need_both_energy_and_distance(made_up, tmp_path):
    tolerances = Tolerances(energy=1e-6, distance=1e-2)
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr", tolerances=tolerances) as landscape:
        first = made_up.minimum(0)
        x, energy = first.coordinates, first.energy
        assert landscape.add_minimum(first) == 0
        assert landscape.add_minimum(made_up.minimum(0, coordinates=-x)) == 0  # a symmetry copy
        assert landscape.add_minimum(made_up.minimum(0, energy=energy + 9e-7, coordinates=x + 1e-3)) == 0
        assert landscape.add_minimum(made_up.minimum(0, energy=energy + 2e-6)) == 1
        assert landscape.add_minimum(made_up.minimum(0, coordinates=x + 0.1)) == 2
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as again:
        assert again.tolerances == tolerances
        assert again.add_minimum(first) == 0
        assert len(again.minima) == 3


@given(
    energies=st.lists(st.integers(-20, 20), max_size=60),
    recent=st.integers(1, 10),
    probe=st.integers(-20, 20),
    tolerance=st.integers(0, 3),
    cut=st.integers(0, 60),
)
@settings(deadline=None)
def test_energy_index_is_a_scan_made_fast(energies, recent, probe, tolerance, cut):
    """Against the scan that it replaces, with whole numbers so that ties are common."""
    index = EnergyIndex(np.array(energies[:5], dtype=float), recent)
    for row, energy in enumerate(energies[5:], 5):
        index.add(float(energy), row)
    for rows in (len(energies), min(cut, len(energies))):
        index.truncate(rows)
        near = [(abs(energy - probe), row) for row, energy in enumerate(energies[:rows])]
        assert index.near(float(probe), float(tolerance)) == [row for gap, row in sorted(near) if gap <= tolerance]


REJECTED = [
    ({"energy": np.nan}, "energy is not finite"),
    ({"gradient_rms": 1e-7}, "gradient_rms is 1e-07; at most 1e-08"),
    ({"gradient_rms": np.nan}, "gradient_rms is not finite"),
    ({"log_eigenvalue_product": np.inf}, "log_eigenvalue_product is not finite"),
    ({"coordinates": np.full(6, np.inf)}, "coordinates is not finite"),
    ({"lowest_eigenvalue": -0.1}, "a minimum has no negative one"),
]


@pytest.mark.parametrize(("changes", "message"), REJECTED)
def test_what_is_no_minimum_may_not_enter(made_up, landscape, changes, message):
    with pytest.raises(RejectedError, match=message):
        landscape.add_minimum(made_up.minimum(0, **changes))
    assert len(landscape.minima) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lowest_eigenvalue": 0.1}, "exactly one eigenvalue must be negative"),
        ({"n_negative": 2}, "n_negative is 2"),
        ({"energy": -1.5}, "below that of its minimum"),
        ({"path_lengths": (1.0, np.inf)}, "path_lengths are"),
        ({"path_lengths": (1.0, -1.0)}, "path_lengths are"),
    ],
)
def test_what_is_no_transition_state_may_not_enter(made_up, landscape, changes, message):
    with pytest.raises(RejectedError, match=message):
        landscape.add_transition_state(made_up.transition_state(0, 1, 2, **changes))
    assert len(landscape.minima) == len(landscape.transition_states) == 0


def test_a_transition_state_with_a_bad_minimum_leaves_nothing(made_up, landscape):
    good, bad = made_up.minimum(1), made_up.minimum(2, gradient_rms=1.0)
    with pytest.raises(RejectedError, match="gradient_rms"):
        landscape.add_transition_state(made_up.transition_state(0, 1, 2, minima=(good, bad)))
    assert len(landscape.minima) == 0


def test_wrong_shapes_are_the_callers_mistake(made_up, landscape):
    wrong = made_up.minimum(0, coordinates=np.zeros(5))
    with pytest.raises(ValueError, match=r"minimum: coordinates must have shape \(6,\), not \(5,\)"):
        landscape.add_minimum(wrong)
    with pytest.raises(ValueError, match="coordinates must have shape"):
        landscape.add_task("all", [Search(0, "x", minima=(made_up.minimum(1),)), Search(0, "x", minima=(wrong,))])
    with pytest.raises(ValueError, match="start must be two rows"):
        landscape.add(Search(0, "x", start=(0, -1)))
    assert len(landscape.minima) == len(landscape.searches) == 0
    assert landscape.tasks_done == {}
    assert landscape.add_minimum(made_up.minimum(1)) == 0  # it is not thought to be known


def test_imported_points_are_marked(made_up, landscape):
    landscape.add_minimum(made_up.minimum(0, gradient_rms=1e-4), verified=False)
    landscape.add_minimum(made_up.minimum(1))
    np.testing.assert_array_equal(landscape.minima.verified[:], [False, True])


def test_searches_tell_what_they_found_and_what_was_new(made_up, landscape):
    a, b, state = made_up.minimum(0), made_up.minimum(1), made_up.transition_state(0, 1, 2)
    landscape.add_minimum(a)
    first = landscape.add(Search(0, "walk", minima=(b, a), transition_states=(state,), start=(0, -1), steps=3))
    assert first.row == 0
    assert (first.minima, first.new_minima) == ((1, 0, 1, 2), (True, False, False, True))
    assert (first.transition_states, first.new_transition_states) == ((0,), (True,))
    second = landscape.add(Search(1, "climb", transition_states=(state,)))
    assert second[:5] == (1, (1, 2), (False, False), (0,), (False,))
    landscape.add(Search(2, "climb", "too many steps"))
    landscape.add(Search(3, "climb", minima=(made_up.minimum(5, energy=np.nan),)))
    searches = landscape.searches
    assert searches.kind[:].tolist() == ["walk", "climb", "climb", "climb"]
    assert searches.count() == {"converged": 2, "numbers not finite": 1, "too many steps": 1}
    assert searches.count("walk") == {"converged": 1}
    assert [searches.done("walk"), searches.done("climb", "walk"), searches.done("run")] == [1, 4, 0]
    assert searches.minima_end[:].tolist() == [4, 6, 6, 6]
    assert landscape.minima.times_found().tolist() == [1, 3, 2]
    assert landscape.transition_states.times_found().tolist() == [2]
    assert searches.start[0].tolist() == [0, -1]


def test_reasons_of_earlier_versions_are_counted_with_those_of_today(made_up, landscape):
    landscape.add(Search(0, "climb", "uphill search diverged"))
    # as an earlier version wrote it
    landscape._store.columns["searches/status"].attributes["meanings"][0] = FORMER
    landscape.add(Search(1, "climb", "uphill search diverged"))
    landscape.close()
    read = Landscape.open(landscape.path)
    assert read.searches.count() == {"uphill search diverged": 2}
    assert summarise(landscape.path).failures == {"uphill search diverged": 2}


def test_a_degenerate_rearrangement_joins_a_minimum_to_itself(made_up, landscape):
    x = made_up.minimum(1)
    copy = made_up.minimum(1, coordinates=-x.coordinates)
    landscape.add_transition_state(made_up.transition_state(0, 1, 1, minima=(x, copy)))
    assert landscape.transition_states.minima[:].tolist() == [[0, 0]]


def test_tasks_and_state_are_committed_with_their_searches(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path, seed=5) as landscape:
        landscape.add_task("walk", made_up.task(0), {"chain 0": {"minimum": 1}})
        landscape.add_task("climb", [])
        landscape.state["own"] = [1, 2]
        assert Landscape.open(path).tasks_done == {}
    again = Landscape.open(path)
    assert again.tasks_done == {"walk": 1, "climb": 1}
    assert again.state == {"chain 0": {"minimum": 1}, "own": [1, 2]}
    assert again.seed == 5
    with Landscape(made_up.MadeUp(), path) as resumed:
        assert resumed.seed == 5
        with pytest.raises(ValueError, match="JSON"):
            resumed.add_task("walk", made_up.task(1), {"x": np.inf})
        assert resumed.tasks_done["walk"] == 1


def test_in_one_go_or_in_many_the_store_is_the_same(made_up, tmp_path):
    whole, pieces = tmp_path / "whole.zarr", tmp_path / "pieces.zarr"
    with Landscape(made_up.MadeUp(), whole) as landscape:
        for number in range(30):
            landscape.add_task("all", made_up.task(number))
    for number in range(0, 30, 3):
        with Landscape(made_up.MadeUp(), pieces) as landscape:
            for k in range(number, number + 3):
                landscape.add_task("all", made_up.task(k))
                if k % 2:
                    landscape.commit()
    files = {p.relative_to(whole): p.read_bytes() for p in whole.rglob("*") if p.is_file()}
    assert files == {p.relative_to(pieces): p.read_bytes() for p in pieces.rglob("*") if p.is_file()}


def test_many_chunks_are_read_right(made_up, tmp_path):
    """Coordinates of 40,000 numbers: three rows a chunk, so that every edge of a chunk is crossed."""
    n, path = 40_000, tmp_path / "a.zarr"
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, n))
    with Landscape(made_up.MadeUp(n), path) as landscape:
        for k in range(20):
            landscape.add_minimum(made_up.minimum(k, n, coordinates=x[k]))
            if k % 5 == 4:
                landscape.commit()
                np.testing.assert_array_equal(landscape.minima.coordinates[:], x[: k + 1])
        _compare_indexing(landscape.minima.coordinates, x)
        assert landscape.add_minimum(made_up.minimum(7, n, coordinates=x[7])) == 7
    _compare_indexing(Landscape.open(path).minima.coordinates, x)
    assert len(list((path / "minima" / "coordinates").glob("c.*"))) == 7


def _compare_indexing(stored, x):
    keys = [
        3,
        -1,
        np.int64(5),
        slice(None),
        slice(2, 9),
        slice(None, None, -3),
        slice(9, 2),
        [1, 19, 4],
        (slice(1, 8), 2),
    ]
    keys += [(4, slice(2, 5)), (..., 0), x[:, 0] > 0, np.array([[0, 5], [7, 2]]), (slice(None), slice(3)), []]
    for key in keys:
        np.testing.assert_array_equal(stored[key], x[key])
    assert (stored.shape, stored.ndim, len(stored), stored.dtype) == (x.shape, 2, len(x), x.dtype)
    np.testing.assert_array_equal(np.asarray(stored), x)
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in stored.chunks()]), x)
    np.testing.assert_array_equal(list(stored), x)
    with pytest.raises(IndexError):
        stored[20]


def test_properties(made_up, landscape):
    for k in range(4):
        landscape.add_minimum(made_up.minimum(k))
    landscape.properties["test_auc"] = [0.1, 0.2, np.nan, 0.4]
    landscape.properties.set("train_auc", np.arange(4), data="D1", reference=0)
    landscape.add_minimum(made_up.minimum(9))
    expected = [0.1, 0.2, np.nan, 0.4, np.nan]
    np.testing.assert_array_equal(landscape.properties["test_auc"], expected)
    landscape.commit()
    read = Landscape.open(landscape.path).properties
    np.testing.assert_array_equal(read["test_auc"], expected)
    assert read.attributes("train_auc") == {"data": "D1", "reference": 0}
    assert sorted(read) == ["test_auc", "train_auc"]
    landscape.properties["test_auc"] = np.ones(5)
    np.testing.assert_array_equal(landscape.properties["test_auc"], np.ones(5))
    del landscape.properties["train_auc"]
    assert list(Landscape.open(landscape.path).properties) == ["test_auc"]


def test_bad_properties(made_up, landscape):
    landscape.add_minimum(made_up.minimum(0))
    with pytest.raises(ValueError, match=r"'auc' must have one number a minimum, shape \(1,\), not \(2,\)"):
        landscape.properties["auc"] = [1, 2]
    with pytest.raises(ValueError, match=r"'\.\./x' is not"):
        landscape.properties["../x"] = [1]
    with pytest.raises(KeyError, match="no property 'auc'"):
        landscape.properties["auc"]
    with pytest.raises(ValueError, match="JSON"):
        landscape.properties.set("auc", [1.0], threshold=np.inf)
    assert list(landscape.properties) == []


def test_views_say_what_they_are(made_up, landscape):
    landscape.add_transition_state(made_up.transition_state(0, 1, 2))
    assert repr(landscape) == "<Landscape a.zarr: 2 minima, 1 transition states, 0 searches>"
    assert "minima/energy, shape (2,), float64" in repr(landscape.minima.energy)
    assert "coordinates" in dir(landscape.minima)
    with pytest.raises(AttributeError, match="minima has no array 'mass'"):
        landscape.minima.mass  # noqa: B018
    lowest = landscape.minima.lowest()
    assert landscape.minima.energy[lowest] == landscape.minima.energy[:].min()


def test_an_error_in_the_block_is_seen_and_whole_searches_are_kept(made_up, tmp_path):
    def fail():
        with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
            landscape.add_task("all", made_up.task(0))
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fail()
    assert Landscape.open(tmp_path / "a.zarr").tasks_done == {"all": 1}


def test_an_error_while_adding_takes_back_all_of_the_task(made_up, tmp_path):
    system = made_up.MadeUp()
    with Landscape(system, tmp_path / "a.zarr") as landscape:
        landscape.add_task("all", made_up.task(0))
        before = (len(landscape.minima), len(landscape.transition_states), len(landscape.searches))

        def interrupted(x):
            if len(landscape.minima) > before[0]:
                raise KeyboardInterrupt
            return 1

        system.order = interrupted
        with pytest.raises(KeyboardInterrupt):
            landscape.add_task("all", made_up.task(50))
        assert before == (len(landscape.minima), len(landscape.transition_states), len(landscape.searches))
        del system.order
        landscape.add_task("all", made_up.task(50))
    with Landscape(system, tmp_path / "b.zarr") as other:
        other.add_task("all", made_up.task(0))
        other.add_task("all", made_up.task(50))
        np.testing.assert_array_equal(Landscape.open(landscape.path).minima.coordinates[:], other.minima.coordinates[:])


def test_records_are_immutable_and_travel_between_processes(made_up):
    state = made_up.transition_state(0, 1, 2)
    with pytest.raises(ValueError, match="read-only"):
        state.coordinates[0] = 1.0
    with pytest.raises(AttributeError):
        state.energy = 0.0
    copy = pickle.loads(pickle.dumps(Search(0, "x", transition_states=(state,))))
    np.testing.assert_array_equal(copy.transition_states[0].minima[1].coordinates, state.minima[1].coordinates)


def test_opening_for_reading_loads_no_numba(made_up, tmp_path):
    """A look into a landscape must not wait for a compiler to load."""
    Landscape(made_up.MadeUp(), tmp_path / "a.zarr").close()
    script = (
        "import sys, json\nfrom thalweg.landscapes.landscape import Landscape\n"
        "print(json.dumps([repr(Landscape.open(sys.argv[1])), 'numba' in sys.modules, 'zarr' in sys.modules]))"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "a.zarr")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert json.loads(done.stdout)[1:] == [False, False]
