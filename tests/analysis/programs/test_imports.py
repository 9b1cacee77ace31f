"""Imports of files that pele, TopSearch and OPTIM wrote themselves, and of files made to do harm.

data/lj7_path.info is OPTIM's (DUMPALLPATHS, from a random start), data/pele.sqlite and data/topsearch were written by
pele 0.1.2's Database and TopSearch 0.0.3's KineticTransitionNetwork.dump_network with two minima of LJ7.
"""

import os
import pickle
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis.cli.main import program
from thalweg.analysis.programs.optim_path import read_path_info
from thalweg.analysis.programs.pele_database import pickled_vector, read_pele
from thalweg.analysis.programs.topsearch_files import read_topsearch
from thalweg.landscapes import Landscape

DATA = Path(__file__).parent / "data"
GLOBAL_MINIMUM = -16.505384168  # LJ7 in the Cambridge Cluster Database


def thalweg(*words, status=0):
    done = CliRunner().invoke(program, [str(word) for word in words])
    assert done.exit_code == status, done.output
    return done.output


@pytest.mark.parametrize("name", ["lj7_path.info", "pele.sqlite", "topsearch"])
def test_what_the_program_wrote_becomes_a_store(tmp_path, name):
    said = thalweg("import", DATA / name, "--system", "LJ7", "--output", tmp_path / "a.zarr")
    assert "2 minima, 1 transition states of the 2 and 1" in said
    landscape = Landscape.open(tmp_path / "a.zarr")
    assert landscape.minima.verified[:].all()
    energies = landscape.minima.energy[:]
    assert energies.min() == pytest.approx(GLOBAL_MINIMUM, abs=1e-7)
    assert sorted(landscape.transition_states.minima[0].tolist()) == [0, 1]
    # the energies that the program itself wrote
    if name == "pele.sqlite":
        with sqlite3.connect(DATA / name) as database:
            written = [e for (e,) in database.execute("SELECT energy FROM tbl_minima ORDER BY _id")]
        np.testing.assert_allclose(energies, written, atol=1e-9)
    elif name == "topsearch":
        np.testing.assert_allclose(energies, np.loadtxt(DATA / name / "min.data")[:, 1], atol=1e-5)
    else:
        lines = (DATA / name).read_text().splitlines()
        np.testing.assert_allclose(energies, [float(lines[0]), float(lines[-1 - 15].split()[0])], atol=1e-8)
    assert "1 of 1 transition states marked: nothing wrong" in thalweg("verify", tmp_path / "a.zarr", "--mark")
    assert np.isfinite(Landscape.open(tmp_path / "a.zarr").transition_states.path_length[:]).all()


def test_chains_and_triples_of_optim(tmp_path):
    block = (DATA / "lj7_path.info").read_text().splitlines()
    size = len(block) // 3
    low, state, high = ("\n".join(block[k * size : (k + 1) * size]) for k in range(3))
    chain = tmp_path / "path.info"
    chain.write_text("\n".join([low, state, high, state, low]))
    found = read_path_info(chain, 21)
    assert (len(found.minima), found.ends.tolist()) == (3, [[0, 1], [1, 2]])
    chain.write_text("\n".join([low, state, high, high, state, low]).replace("E-", "D-"))
    found = read_path_info(tmp_path, 21)
    assert (len(found.minima), found.ends.tolist()) == (4, [[0, 1], [2, 3]])
    # without eigenvalues, as OPTIM writes them when it is told so
    plain = ["\n".join(part.splitlines()[:2] + part.splitlines()[9:]) for part in (low, state, high)]
    chain.write_text("\n".join(plain))
    np.testing.assert_array_equal(read_path_info(chain, 21).states, found.states[:1])
    for wrong, message in [
        ([low, state], "neither triples"),
        ([state, low, state], "neither triples"),
        (["", low], "it must begin with an energy"),
        ([low, state, high.replace("0.", "*", 1)], "are no numbers"),
    ]:
        chain.write_text("\n".join(wrong))
        with pytest.raises(ValueError, match=message):
            read_path_info(chain, 21)
    with pytest.raises(ValueError, match="a point has 42 numbers; the system has 24"):
        read_path_info(DATA / "lj7_path.info", 24)


def test_damaged_files_of_topsearch_are_named(tmp_path):
    shutil.copytree(DATA / "topsearch", tmp_path / "t")
    with pytest.raises(ValueError, match=r"min\.coords has 21 numbers a line; 24"):
        read_topsearch(tmp_path / "t", 24)
    (tmp_path / "t" / "ts.data").write_text("0 7 -15.0\n")
    with pytest.raises(ValueError, match=r"no minimum 7 in min\.data"):
        read_topsearch(tmp_path / "t", 21)
    (tmp_path / "t" / "min.data").write_text("0 -16.5\nnan nan\n")
    assert "Error" in thalweg(
        "import", tmp_path / "t", "--system", "LJ7", "--output", tmp_path / "a.zarr", status=1
    )  # fmt: skip
    assert not (tmp_path / "a.zarr").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_pickled_arrays_of_every_protocol(protocol):
    values = np.random.default_rng(0).normal(size=12)
    np.testing.assert_array_equal(pickled_vector(pickle.dumps(values, protocol)), values)
    np.testing.assert_array_equal(pickled_vector(pickle.dumps(values.astype(">f8"), protocol)), values)


class _Runs:
    def __init__(self, what, *arguments):
        self.what, self.arguments = what, arguments

    def __reduce__(self):
        return self.what, self.arguments


@pytest.mark.parametrize(
    "what",
    [
        _Runs(os.system, "touch harm"),
        _Runs(eval, "open('harm', 'w')"),
        _Runs(np.zeros, 10**12),
        np.array([_Runs(os.system, "touch harm")], dtype=object),
        np.ones((3, 2)),
        np.ones(3, dtype=np.float32),
        np.ones(3, dtype=complex),
        [1.0, 2.0],
        {"a": np.ones(3)},
        None,
    ],
    ids=["system", "eval", "memory", "inside", "matrix", "float32", "complex", "list", "dict", "none"],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_that_is_no_vector_is_refused_and_runs_nothing(what, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blob = pickle.dumps(what, protocol)
    with pytest.raises(Exception, match=r"it|unhashable|index"):
        pickled_vector(blob)
    assert not list(tmp_path.iterdir())
    path = tmp_path / "p.sqlite"
    shutil.copy(DATA / "pele.sqlite", path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE tbl_minima SET coords = ?", (blob,))
    with pytest.raises(ValueError, match="coordinates"):
        read_pele(path, 21)
    assert [file.name for file in tmp_path.iterdir()] == ["p.sqlite"]


def test_damaged_pickles_end_in_an_error():
    good = pickle.dumps(np.arange(6.0), 5)
    rng = np.random.default_rng(3)
    for _ in range(400):
        bad = bytearray(good[: int(rng.integers(1, len(good) + 1))])
        for _ in range(int(rng.integers(1, 4))):
            bad[int(rng.integers(len(bad)))] = int(rng.integers(256))
        try:
            values = pickled_vector(bytes(bad))
        except Exception:
            continue
        assert values.dtype == np.float64
        assert values.ndim == 1
    # a memo of four billion places
    with pytest.raises(ValueError, match="LONG_BINPUT"):
        pickled_vector(b"\x80\x02Nr\xff\xff\xff\xff.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE tbl_minima", "no table tbl_minima"),
        ("ALTER TABLE tbl_minima RENAME COLUMN coords TO other", "no table tbl_minima with coords"),
        ("UPDATE tbl_minima SET coords = zeroblob(100000000)", "no pickled array of 21 numbers"),
        ("UPDATE tbl_minima SET coords = 'text'", "no pickled array"),
        ("UPDATE tbl_minima SET coords = NULL", "no pickled array"),
    ],
)
def test_databases_of_another_form_are_named(tmp_path, change, message):
    path = tmp_path / "p.sqlite"
    shutil.copy(DATA / "pele.sqlite", path)
    with sqlite3.connect(path) as database:
        database.execute(change)
    with pytest.raises(ValueError, match=message):
        read_pele(path, 21)


def test_a_view_in_place_of_a_table_is_not_read(tmp_path):
    path = tmp_path / "p.sqlite"
    shutil.copy(DATA / "pele.sqlite", path)
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE tbl_minima RENAME TO held")
        database.execute("CREATE VIEW tbl_minima AS SELECT * FROM held")
    with pytest.raises(ValueError, match="no table tbl_minima"):
        read_pele(path, 21)


def test_invalid_points_are_left_out_and_the_file_stays_as_it_is(tmp_path):
    path = tmp_path / "p.sqlite"
    shutil.copy(DATA / "pele.sqlite", path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE tbl_minima SET invalid = 1 WHERE _id = 1")
    before = path.read_bytes()
    found = read_pele(path, 21)
    assert (len(found.minima), len(found.states)) == (1, 0)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["p.sqlite"]
    path.write_bytes(before[:4096] + bytes(len(before) - 4096))
    with pytest.raises(ValueError, match=r"p\.sqlite"):
        read_pele(path, 21)
