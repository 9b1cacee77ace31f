"""Ctrl-C and SIGTERM while modules load and functions compile: the end at once, without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from thalweg.landscapes import Landscape

SIGNALS = [signal.SIGINT, signal.SIGTERM]
WAIT = 120


def start(folder, *words, **environment):
    """Start Python in a folder and a session of its own."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def start_cold(folder, *words):
    """Start ``thalweg`` with nothing compiled before."""
    return start(folder, "-m", "thalweg.analysis", *words, NUMBA_CACHE_DIR=str(folder / "cache"))


def read_until(process, text):
    """Read lines until one contains a text."""
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"{text} never came")


def stop(process, number):
    """Signal a process, and return its status and what it still said; all that it started must end too."""
    process.send_signal(number)
    began = time.monotonic()
    said = process.communicate(timeout=WAIT)[0]
    assert time.monotonic() - began < 10
    assert "Traceback" not in said
    while time.monotonic() - began < 10:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return process.returncode, said
        time.sleep(0.05)
    pytest.fail("something that it started goes on")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("seconds", [0.3, 0.9])
def test_while_modules_load(tmp_path, number, seconds):
    process = start_cold(tmp_path, "explore", "LJ7", "--output", "a.zarr")
    time.sleep(seconds)
    status, said = stop(process, number)
    assert status == 128 + number
    assert "stopped" in said


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("seconds", [0.0, 1.7, 4.1])
def test_while_functions_compile(tmp_path, number, seconds):
    process = start_cold(tmp_path, "explore", "LJ7", "--output", "a.zarr")
    read_until(process, "compiling")
    time.sleep(seconds)
    status, said = stop(process, number)
    assert status == 128 + number
    assert said.strip() == "stopped before anything was found"
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_store_that_was_begun_says_how_to_go_on(tmp_path):
    process = start_cold(tmp_path, "explore", "LJAT3", "--output", "a.zarr")
    end = time.monotonic() + WAIT
    while not (tmp_path / "a.zarr" / "zarr.json").exists() and time.monotonic() < end:
        time.sleep(0.01)
    status, said = stop(process, signal.SIGTERM)
    assert status in (143, 130)  # while compiling, or exploring already
    assert said.strip().endswith("thalweg explore LJAT3 --output a.zarr --resume")
    Landscape.open(tmp_path / "a.zarr").close()


def test_another_command_stops_too(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "thalweg.analysis",
            "explore",
            "LJAT3",
            "--output",
            "a.zarr",
            "--steps",
            "1",
            "--searches",
            "0",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    process = start_cold(tmp_path, "verify", "a.zarr")
    time.sleep(3)
    assert stop(process, signal.SIGINT) == (130, "\nstopped\n")


RUN = """
import signal, sys, time
import click
from thalweg.analysis.cli import main
@click.command()
def commands():
    print("ready", flush=True)
    {work}
main.program = commands
sys.argv[1:] = []
from thalweg.analysis.cli.entry_point import main
main()
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_at_other_moments_it_is_a_keyboard_interrupt(tmp_path, number):
    work = """
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)"""
    process = start(tmp_path, "-c", RUN.format(work=work))
    read_until(process, "begun")
    status, said = stop(process, number)
    assert status == 128 + number
    assert said.split() == ["cleaned", "up", "Aborted!"]


def test_a_handler_of_one_s_own_is_left_alone(tmp_path):
    work = """
    signal.signal(signal.SIGTERM, lambda number, frame: print("mine", flush=True))
    time.sleep(1.5)"""
    process = start(tmp_path, "-c", RUN.format(work=work))
    read_until(process, "ready")
    time.sleep(0.3)
    assert stop(process, signal.SIGTERM) == (0, "mine\n")


@pytest.mark.parametrize(
    "work",
    [
        # an exception here would be printed and forgotten
        "ctypes.CFUNCTYPE(None)(lambda: [None for _ in iter(int, 1)])()",
        # Python calls its handlers when this returns
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}); ctypes.CDLL(None).sleep(60)",
    ],
    ids=["callback", "long call"],
)
def test_where_python_raises_nothing(tmp_path, work):
    (tmp_path / "module.py").write_text(f"import ctypes, signal\n{work}\n")
    process = start(tmp_path, "-c", RUN.format(work="sys.path.insert(0, ''); import module"))
    read_until(process, "ready")
    time.sleep(0.3)
    assert stop(process, signal.SIGINT) == (130, "\nstopped\n")


def test_after_all_is_done_the_end_is_silent(tmp_path):
    work = "import atexit; atexit.register(time.sleep, 60)"
    process = start(tmp_path, "-c", RUN.format(work=work))
    read_until(process, "ready")
    time.sleep(0.5)
    assert stop(process, signal.SIGINT) == (130, "\nstopped\n")
