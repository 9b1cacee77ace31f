"""Chunks, rows, tasks in flight, descriptions and zip files that somebody else has made or damaged."""

from __future__ import annotations

import shutil
import tracemalloc
import zipfile

import numcodecs
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.landscapes import Landscape, StoreError, Tolerances, verify
from thalweg.landscapes.maintenance.integrity import verify_structure
from thalweg.landscapes.storage.local_files import files_of
from thalweg.landscapes.tolerances import believed

from ....helpers import thalweg
from .changes import all_of, at, edit, rewrite, with_checksum, without, zeros


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path) as landscape:
        for number in range(10):
            landscape.add_task("all", made_up.task(number), {"last": number})
        landscape.properties["auc"] = np.zeros(len(landscape.minima))
    return path


# ---- chunks


FRAMES = {
    "claims a petabyte": zeros(2**17, 2**50),
    "unpacks to a gigabyte, and says so": zeros(2**30, 2**30),
    "unpacks to a gigabyte, and does not say so": zeros(2**30, 2**17),
    "unpacks to too little": zeros(2**17, 2**18),
    "does not say how large it is": b"\x28\xb5\x2f\xfd\x00\x58" + zeros(2**17, 2**17)[13:],
    "two frames": numcodecs.Zstd().encode(np.zeros(2**14)) * 2,
    "cut short": zeros(2**17, 2**17)[:12],
    "no frame": b"not compressed at all",
    "nothing": b"",
}


def test_frames_of_this_test_are_frames():
    assert numcodecs.Zstd().decode(zeros(2**17, 2**17)) == bytes(2**17)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("key", ["minima/energy/c.0", "properties/auc/c.0"])
def test_a_chunk_that_unpacks_to_another_size_is_refused(made_up, store, name, key):
    (store / key).write_bytes(with_checksum(FRAMES[name]))
    array = key.rpartition("/")[0]
    tracemalloc.start()
    try:
        landscape = Landscape.open(store)
        read = landscape.minima.energy.__getitem__ if "energy" in key else landscape.properties.__getitem__
        with pytest.raises(StoreError, match=rf"array {array}, chunk 0 \(.*{key}\) is damaged"):
            read(0 if "energy" in key else "auc")
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
    assert any(array in problem.message for problem in verify_structure(Landscape.open(store)))


def test_a_file_longer_than_any_chunk_is_not_read(made_up, store):
    with open(store / "minima" / "energy" / "c.0", "r+b") as file:
        file.truncate(2**33)  # a hole
    with pytest.raises(StoreError, match=r"minima/energy.*longer than"):
        Landscape.open(store).minima.energy[:]


def test_lengths_need_their_chunks(made_up, store):
    """The first and the last chunk are there, and ten million rows between are not."""
    edit(store, all_of("minimum", 10**7))
    for array in (store / "minima").iterdir():
        for chunk in array.glob("c.*"):
            ending = chunk.name.partition(".0")[2][:0] + (".0" if chunk.name == "c.0.0" else "")
            spec = 2**20 // 48 if array.name == "coordinates" else 16384
            shutil.copy(chunk, array / f"c.{(10**7 - 1) // spec}{ending}")
    with pytest.raises(StoreError, match="minima/energy, chunk 1 is missing"):
        Landscape.open(store)


# ---- rows


ROWS = {
    "transition_states/minima": [((0, 0), -1), ((0, 1), 99), ((2, 0), 2**62)],
    "searches/minima": [(0, -1), (3, 99), (-1, -(2**63))],
    "searches/transition_states": [(0, -2), (0, 99)],
    "searches/start": [((0, 0), -2), ((1, 1), 10**6)],
    "searches/kind": [(0, -1), (1, 2), (2, 2**15 - 1)],
    "searches/status": [(0, -1), (1, 99)],
    "searches/minima_end": [(1, 0), (2, 10**9), (0, -1)],
    "searches/transition_states_end": [(5, 0), (1, -(2**63))],
    "minima/energy": [(0, np.nan), (1, -np.inf), (2, 1e301)],
    "minima/coordinates": [((0, 3), np.nan), ((2, 0), np.inf), ((1, 1), -1e51)],
    "minima/modes": [(0, -1)],
    "transition_states/symmetry_order": [(1, -3)],
    "transition_states/path_length": [((0, 0), -1.0), ((0, 1), np.inf)],
    "transition_states/log_eigenvalue_product": [(0, np.inf)],
}


@pytest.mark.parametrize(("array", "place", "value"), [(a, *one) for a, ones in ROWS.items() for one in ones])
def test_a_row_that_cannot_be_is_named_when_it_is_read_and_by_verify(made_up, store, array, place, value):
    rewrite(store, array, place, value)
    landscape = Landscape.open(store)
    group, name = array.split("/")
    first = place[0] if isinstance(place, tuple) else place
    with pytest.raises(StoreError, match=rf"array {array}, chunk 0 \(.*a\.zarr/{array}/c\.0.*row \d+"):
        getattr(getattr(landscape, group), name)[:]
    problems = verify_structure(landscape)
    rows = len(getattr(landscape, group)) if "_end" in name or name != "minima" else None
    assert any(problem.group == group for problem in problems)
    if rows and first >= 0 and "_end" not in name:
        assert any(problem.row == first and name in problem.message for problem in problems)


def test_a_truth_value_of_seven_is_refused(made_up, store):
    values = np.ones(16384, dtype=np.uint8)
    values[2] = 7
    (store / "minima" / "verified" / "c.0").write_bytes(with_checksum(numcodecs.Zstd(1).encode(values)))
    with pytest.raises(StoreError, match=r"minima/verified.*truth value of 7"):
        Landscape.open(store).minima.verified[:]


def test_rows_past_the_end_of_the_last_chunk_do_not_matter(made_up, store):
    rows = len(Landscape.open(store).searches)
    chunk = store / "searches" / "kind" / "c.0"
    values = np.frombuffer(numcodecs.Zstd().decode(chunk.read_bytes()[:-4]), dtype="<i2").copy()
    values[rows] = 99  # of a commit that was not finished
    chunk.write_bytes(with_checksum(numcodecs.Zstd(1).encode(values)))
    assert len(Landscape.open(store).searches.kind[:]) == rows
    assert verify_structure(Landscape.open(store)) == []


def test_rows_that_are_added_may_count_those_added_with_them(made_up, store):
    """The limits of row numbers grow with the landscape, over many chunks of searches."""
    with Landscape(made_up.MadeUp(), store) as landscape:
        number = 1000
        while len(landscape.searches) < 2 * 16384 + 10:
            landscape.add_task("all", made_up.task(number % 40 + 1000))
            number += 1
            if number % 2000 == 0:
                landscape.commit()
        landscape.commit()
        landscape._store._cache.clear()
        assert landscape.searches.minima[:].max() < len(landscape.minima)
    assert verify_structure(Landscape.open(store)) == []


@pytest.mark.parametrize("kind", ["single-ended", "basin-hopping", "from a transition state", "double-ended"])
@pytest.mark.parametrize(
    ("size", "starts"), [(1, [[99, -1]]), (3, [[0, -1]]), (1, [[0, 99]]), (1, []), (2, [[0, 0]] * 2)]
)
def test_pending_tasks_that_nothing_would_choose_are_refused(tmp_path, kind, size, starts):
    from thalweg.potentials import MuellerBrown, Point

    path = tmp_path / "a.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), path) as landscape:
        landscape.find_minima(steps=10, workers=1)
    pending = [[0, kind, size, starts, 0]]
    edit(path, lambda attributes, members, root: attributes["state"].update(connect={"pending": pending}))
    right = (kind, size) == ("double-ended", 2)
    with Landscape.open(path, "r+") as landscape:
        if right:
            return
        with pytest.raises(StoreError, match=r"zarr\.json: attribute/state/connect/pending"):
            landscape.connect(searches=1, workers=1)


@pytest.mark.parametrize(
    ("name", "state", "call"),
    [
        ("find_minima", {"chains": [99] * 16}, lambda landscape: landscape.find_minima(steps=1, workers=1)),
        ("untrap", {"distances": [[0, 99, 0.5]]}, lambda landscape: landscape.connect(1, strategy="untrap", workers=1)),
        ("connect_pairs", {"distances": [[7, 1, 1.0]]}, lambda one: one.connect(1, pairs=[(0, 1)], workers=1)),
    ],
)
def test_what_a_strategy_remembers_names_rows_that_exist(tmp_path, name, state, call):
    from thalweg.potentials import MuellerBrown, Point

    path = tmp_path / "a.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), path) as landscape:
        landscape.find_minima(steps=20, workers=1)
    edit(path, lambda attributes, members, root: attributes["state"].update({name: state}))
    with Landscape.open(path, "r+") as landscape, pytest.raises(StoreError, match=f"attribute/state/{name}/"):
        call(landscape)


# ---- descriptions of systems


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    from thalweg.potentials import NetworkLoss, Weights

    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(10, 2)), rng.integers(0, 3, 10), hidden=(2,), l2=1e-3, n_classes=3)
    path = tmp_path_factory.mktemp("network") / "a.zarr"
    Landscape(Weights.random(loss, seed=0), path).close()
    return path


DESCRIPTIONS = {
    "labels beyond the classes": at("system/calculator", "attributes", "n_classes", to=2),
    "10**6 units": at("system/calculator", "attributes", "hidden", to=[10**6]),
    "units a text": at("system/calculator", "attributes", "hidden", to="2"),
    "10**12 classes": at("system/calculator", "attributes", "n_classes", to=10**12),
    "l2 a text": at("system/calculator", "attributes", "l2", to="0.1"),
    "l2 missing": without("system/calculator", "attributes", "l2"),
    "name a list": at("system/calculator", "attributes", "name", to=[]),
    "name missing": without("system/calculator", "attributes", "name"),
    "no inputs": lambda attributes, members, root: members.pop("system/calculator/inputs"),
    "calculator of ASE without parameters": at("system/calculator", "attributes", "ase", to=True),
    "another potential": at("system/calculator", "attributes", "name", to="LJAT"),
    "kind of no name": at("system", "attributes", "kind", to="atoms"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_of_no_system_is_refused(network, tmp_path, name):
    path = tmp_path / "a.zarr"
    shutil.copytree(network, path)
    edit(path, DESCRIPTIONS[name])
    with pytest.raises(StoreError, match=r"a\.zarr.*system"):
        assert Landscape.open(path).system
    for command in (("info", path), ("verify", path), ("connect", path, "--searches", 1)):
        said = thalweg(*command)
        assert isinstance(said.exception, SystemExit | None)


# ---- verify


@pytest.mark.parametrize("name", ["energy", "distance", "gradient_rms", "eigenvalue"])
def test_a_tolerance_that_says_nothing_is_not_believed(name):
    for units in ("eV", "reduced"):
        for loose in (1e300, 10.0, 0.6):
            found = getattr(believed(Tolerances(**{name: loose}), units), name)
            assert found <= 1e-2
        assert believed(Tolerances(gradient_rms=1e-3, energy=1e-4), units) == Tolerances(gradient_rms=1e-3, energy=1e-4)


def test_verify_finds_wrong_points_whatever_tolerance_is_stored(tmp_path):
    from thalweg.potentials import MuellerBrown, Point

    path = tmp_path / "a.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), path) as landscape:
        landscape.find_minima(steps=20, workers=1)
        landscape.connect(searches=10, workers=1)
    edit(
        path,
        lambda attributes, members, root: attributes.update(tolerances=dict.fromkeys(attributes["tolerances"], 1e300)),
    )
    assert verify(Landscape.open(path), workers=1) == []
    rewrite(path, "minima/energy", 0, Landscape.open(path).minima.energy[0] - 0.5)
    rewrite(path, "minima/coordinates", (1, 0), Landscape.open(path).minima.coordinates[1][0] + 0.05)
    problems = verify(Landscape.open(path), workers=1)
    assert {problem.row for problem in problems if problem.group == "minima"} == {0, 1}
    said = thalweg("verify", path, "--workers", 1)
    assert said.exit_code == 1


def test_verify_of_a_system_whose_own_geometry_cannot_be_computed(tmp_path):
    """Noise is measured there; ASE's lists of neighbours raise ValueError for such coordinates."""
    path = tmp_path / "a.zarr"
    with Landscape(Atoms("Cu3", [[0, 0, 0], [2.3, 0, 0], [1.2, 2.0, 0]], calculator=EMT()), path) as landscape:
        landscape.find_minima(steps=2, workers=1)
    rewrite(path, "system/x", 0, -1e49)
    assert verify(Landscape.open(path), workers=1) == []  # the minima are right


def test_an_order_that_is_none_is_named(tmp_path):
    """0 stands for an order beyond 64 bits, which that of three atoms is not."""
    from thalweg.analysis import KineticTransitionNetwork

    path = tmp_path / "a.zarr"
    with Landscape(Atoms("Cu3", [[0, 0, 0], [2.3, 0, 0], [1.2, 2.0, 0]], calculator=EMT()), path) as landscape:
        landscape.find_minima(steps=2, workers=1)
    rewrite(path, "minima/symmetry_order", 0, 0)
    with pytest.raises(StoreError, match="which stands for an order beyond 64 bits"):
        KineticTransitionNetwork.read(path)


# ---- zip files


@pytest.mark.parametrize("damage", ["cut", "member", "empty", "bomb", "text"])
def test_a_damaged_zip_file_is_named(made_up, store, tmp_path, damage):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(store.rglob("*")):
            if file.is_file() and not (damage == "bomb" and file.match("minima/energy/c.0")):
                archive.write(file, file.relative_to(store))
        if damage == "bomb":
            archive.writestr("minima/energy/c.0", bytes(2**28))
    data = bytearray(packed.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "member":
        with zipfile.ZipFile(packed) as archive:
            start = archive.getinfo("minima/energy/c.0").header_offset
        data[start + 60 : start + 90] = bytes(30)
    elif damage in ("empty", "text"):
        data = bytearray(b"" if damage == "empty" else b"a zip file it is not")
    packed.write_bytes(data)
    with pytest.raises(StoreError, match=r"packed\.zip"):
        Landscape.open(packed).minima.energy[:]
    for command in ("info", "verify"):
        said = thalweg(command, packed)
        assert said.exit_code == 1
        assert "packed.zip" in said.output


def test_objects_are_read_no_further_than_they_may_be_long(made_up, tmp_path):
    pytest.importorskip("fsspec")
    where = "memory://strangers/a.zarr"
    with Landscape(made_up.MadeUp(), where) as landscape:
        landscape.add_minimum(made_up.minimum(0))
    files_of(where).put("minima/energy/c.0", bytes(2**22))
    with pytest.raises(StoreError, match=r"minima/energy/c.0 is longer than"):
        Landscape.open(where).minima.energy[:]
    files_of(where).put("minima/energy/c.0", with_checksum(FRAMES["claims a petabyte"]))
    with pytest.raises(StoreError, match=r"minima/energy, chunk 0 .*announces"):
        Landscape.open(where).minima.energy[:]
