"""Stores that are damaged, of another kind, nearly empty or on a full disk: one clear line, and nothing changes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import thalweg.landscapes.storage.local_files as files
from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.main import program
from thalweg.analysis.networks.exchange import minima_table, transition_state_table
from thalweg.landscapes import Landscape, StoreError
from thalweg.landscapes.exploration import start

from ...helpers import files_of, thalweg

EXPLORE = ("explore", "LJAT3", "--steps", "60", "--searches", "60", "--output")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "a.zarr"
    command = ["explore", "LJAT3", "--steps", "20", "--searches", "20", "--output", str(path)]
    result = thalweg(*command)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def store(made, tmp_path):
    return shutil.copytree(made, tmp_path / "a.zarr")


def refused(*words):
    result = thalweg(*words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.count("Error: ") == 1
    return result.stderr


@pytest.mark.parametrize("array", ["minima/coordinates", "transition_states/minima", "searches/start", "system/x"])
def test_a_truncated_chunk_is_named(store, array):
    chunk = min(path for path in (store / array).iterdir() if path.name.startswith("c"))
    chunk.write_bytes(chunk.read_bytes()[:-5])
    before = files_of(store)
    error = refused(*EXPLORE, store, "--resume")
    assert array in error
    assert "chunk" in error
    assert files_of(store) == before


def test_damage_that_is_only_met_while_exploring_is_one_line(store, monkeypatch):
    def connect(landscape, searches, options, **how):
        raise StoreError("array searches/start, chunk 0 is damaged")

    monkeypatch.setattr(start, "connect", connect)
    assert "searches/start, chunk 0 is damaged" in refused(*EXPLORE, store, "--resume")


def test_another_format_version_is_named(store):
    root = json.loads((store / "zarr.json").read_text())
    root["attributes"]["format_version"] = 99
    (store / "zarr.json").write_text(json.dumps(root))
    before = files_of(store)
    for words in ((*EXPLORE, store, "--resume"), ("info", store), ("plot", store)):
        assert "format version 99; this Thalweg reads version" in refused(*words)
    assert files_of(store) == before
    assert [path.name for path in store.parent.iterdir()] == [store.name]


def test_a_script_s_store_of_another_potential_is_named(tmp_path):
    from ase import Atoms

    from thalweg.potentials import LJAT

    positions = [[0, 0, 0], [1.1, 0, 0], [0.4, 1.0, 0]]
    Landscape(Atoms("Ar3", positions, calculator=LJAT(Z=1.0)), tmp_path / "a.zarr").close()
    before = files_of(tmp_path)
    assert "system/calculator/Z: stored 1.0, given 2.0" in refused(*EXPLORE, tmp_path / "a.zarr", "--resume")
    assert files_of(tmp_path) == before


def test_a_full_disk_is_one_line_and_it_goes_on_later(store, monkeypatch):
    write, before = files.write, Landscape.open(store).searches.energy[:].tobytes()

    def full(place, data, durable):
        write(place, data[: len(data) // 2], False)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        assert "No space left on device" in refused(*EXPLORE, store, "--resume")
    assert Landscape.open(store).searches.energy[:].tobytes() == before
    assert CliRunner().invoke(program, [*EXPLORE, str(store), "--resume"]).exit_code == 0
    assert len(Landscape.open(store).searches) == 120


@pytest.mark.parametrize("system", ["LJAT3", "digits"])
@pytest.mark.parametrize("steps", [0, 1, 9])
def test_a_store_with_little_in_it_is_told_of(tmp_path, system, steps):
    """No transition states, one minimum, nothing at all: every command says what there is."""
    path = tmp_path / "a.zarr"
    explore = ["explore", system, "--steps", str(steps), "--searches", "0", "--output", str(path)]
    explore += ["--data", "100", "--hidden", "2"] if system == "digits" else []
    for words in (explore, ["info", str(path)], ["verify", str(path)]):
        result = thalweg(*words)
        assert result.exit_code == 0, (words, result.output)
        assert "minima" in result.stdout
    assert len(Landscape.open(path).searches) == steps
    network = KineticTransitionNetwork.read(path)
    assert (len(network), network.n_transition_states) == (len(Landscape.open(path).minima), 0)
    assert (minima_table(network).shape[0], transition_state_table(network).shape[0]) == (len(network), 0)
    if steps:
        CliRunner().invoke(program, ["plot", str(path)], catch_exceptions=False)
        assert path.with_suffix(".png").exists()


def test_no_warnings_by_any_command(tmp_path):
    """``python -W error`` stays silent."""
    store = str(tmp_path / "a.zarr")
    for words in ((*EXPLORE, store), ("info", store), ("plot", store)):
        command = [sys.executable, "-W", "error", "-m", "thalweg.analysis", *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == "" or "compiling" in ended.stderr


def test_a_pipe_whose_reader_has_ended_needs_no_word():
    """``thalweg export ... | head``: click ends a command quietly at EPIPE, other errors of the system are said."""
    with pytest.raises(BrokenPipeError), errors_in_one_line(OSError):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    with pytest.raises(click.ClickException, match="No space left"), errors_in_one_line(OSError):
        raise OSError(errno.ENOSPC, "No space left on device")
