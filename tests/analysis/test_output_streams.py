"""Streams and paths that the system refuses: one line, and an exit status that is not 0."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point

FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "a.zarr"
    with Landscape(Point([0.0, 0.5], MuellerBrown()), path, seed=0) as landscape:
        landscape.find_minima(20, workers=1)
        landscape.connect(20, workers=1)
    return path


def thalweg(*words, **more):
    command = [sys.executable, "-m", "thalweg", *map(str, words)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.run(command, text=True, timeout=120, **streams)


def assert_one_line(done, *words):
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("Usage:", "Try "))]
    lines = [line for line in lines if line.strip()]
    assert done.returncode not in (0, 120), done.stderr
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "words",
    [["info"], ["show", "minimum", 0], ["path", 0, 1, "--stationary"], ["--help"]],
    ids=lambda w: w[0],
)
def test_a_full_standard_output(store, words):
    command = [words[0], *([] if words[0] == "--help" else [store]), *words[1:]]
    with FULL.open("w") as full:
        assert_one_line(thalweg(*command, stdout=full), "No space left on device")
        done = thalweg(*command, stdout=full, stderr=full)
        assert done.returncode not in (0, 120)


def test_a_closed_pipe(store):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = thalweg("info", store, stdout=writer)
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""


LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["info", LONG],
        ["info", "/".join(["d" * 200] * 30)],
        ["verify", LONG],
        ["show", LONG, "minimum", "0"],
        ["explore", "MuellerBrown", "--output", LONG],
        ["explore", f"{LONG}.xyz", "--calculator", "emt", "--output", "a.zarr"],
        ["merge", LONG, LONG, "--output", "c.zarr"],
        ["import", LONG, "--system", "LJ3", "--output", "c.zarr"],
        ["compare", LONG],
        ["connect", LONG],
    ],
    ids=lambda words: f"{words[0]} {words[1][:5]}",
)
def test_paths_that_are_too_long(tmp_path, words):
    done = thalweg(*words, cwd=tmp_path)
    assert_one_line(done)
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_are_too_long(store, tmp_path):
    for words in (
        ["plot", store, "--output", f"{LONG}.png"],
        ["export", store, "--format", "graphml", "--output", LONG],
        ["path", store, 0, 1, "--stationary", "--output", f"{LONG}.csv"],
        ["show", store, "minimum", 0, "--output", f"{LONG}.npz"],
    ):
        assert_one_line(thalweg(*words, cwd=tmp_path), "File name too long")


def test_text_that_the_terminal_cannot_show(store, tmp_path):
    """A path with letters that the encoding of standard output lacks is escaped."""
    place = tmp_path / "δ.zarr"
    shutil.copytree(store, place)
    done = thalweg("info", place, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert "\\u03b4.zarr" in done.stdout
