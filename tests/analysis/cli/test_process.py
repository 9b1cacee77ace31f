"""``thalweg`` as a process of its own: killed, interrupted, piped, installed elsewhere."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from thalweg.landscapes import Landscape

PROGRAM = [sys.executable, "-m", "thalweg.analysis"]
ROOT = Path(__file__).resolve().parents[3]
GROWING = ["explore", "LJ13", "--steps", "100000", "--searches", "10"]
WAIT = 120


def start(folder, *words):
    """Start ``thalweg`` in a folder."""
    command = [*PROGRAM, *(str(word) for word in words)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Wait for a process and return its status, stdout, and stderr but for the word about compiling."""
    out, err = process.communicate(timeout=WAIT)
    return process.returncode, out, "".join(line for line in err.splitlines(True) if not line.startswith("compiling"))


def wait_for_minima(store, number, process):
    """Wait until a store has so many minima."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end and process.poll() is None:
        if store.exists():
            with Landscape.open(store) as landscape:
                if len(landscape.minima) >= number:
                    return
        time.sleep(0.05)
    process.kill()
    pytest.fail(f"{number} minima never came: {finish(process)}")


def check_readable(store):
    """Open a store as anybody would, and return the number of minima that each way sees."""
    group = zarr.open_group(store, mode="r")
    arrays = [group[f"minima/{name}"] for name in ("energy", "coordinates", "gradient_rms")]
    assert len({array.shape[0] for array in arrays}) == 1
    data = xarray.open_zarr(store, group="minima")
    energies = data["energy"].values
    assert np.isfinite(energies).all()
    assert np.isfinite(data["coordinates"].values).all()
    return arrays[0].shape[0], len(energies)


def test_others_read_while_it_grows(tmp_path):
    process = start(tmp_path, *GROWING, "--output", "a.zarr")
    try:
        wait_for_minima(tmp_path / "a.zarr", 1, process)
        seen = []
        for _ in range(5):
            seen += check_readable(tmp_path / "a.zarr")
            time.sleep(0.5)
        assert process.poll() is None
    finally:
        process.kill()
        finish(process)
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


@pytest.mark.parametrize("moment", [0.3, 1.1])
def test_killed_it_opens_and_resumes(tmp_path, moment):
    kill_and_resume(tmp_path, moment)


@pytest.mark.slow
@pytest.mark.parametrize("moment", np.random.default_rng(0).uniform(0, 5, 10).round(3).tolist())
def test_killed_at_random_moments_it_opens_and_resumes(tmp_path, moment):
    kill_and_resume(tmp_path, moment)


def kill_and_resume(folder, moment):
    """Kill ``thalweg`` some seconds after its store came to be, look at the store, and go on with it."""
    process = start(folder, *GROWING, "--output", "a.zarr")
    wait_for_minima(folder / "a.zarr", 0, process)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    assert finish(process)[0] == -signal.SIGKILL
    before = check_readable(folder / "a.zarr")[0]
    with Landscape.open(folder / "a.zarr") as landscape:
        done = len(landscape.searches)
    words = ["explore", "LJ13", "--output", "a.zarr", "--resume", "--steps", done + 20, "--searches", 0]
    status, out, err = finish(start(folder, *words))
    assert status == 0, err
    assert f"{done + 20} steps" in out
    assert check_readable(folder / "a.zarr")[0] >= before
    with Landscape.open(folder / "a.zarr") as landscape:
        assert len(landscape.searches) == done + 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on(tmp_path, number):
    process = start(tmp_path, *GROWING, "--output", "my a.zarr", "--workers", "1")
    wait_for_minima(tmp_path / "my a.zarr", 1, process)
    process.send_signal(number)
    status, _, err = finish(process)
    assert status == 130
    assert "Traceback" not in err
    command = shlex.split(err.strip().splitlines()[-1])
    assert command == ["thalweg", "explore", "LJ13", "--output", "my a.zarr", "--workers", "1", "--resume"]
    status, _, err = finish(start(tmp_path, *command[1:], "--steps", "1", "--searches", "0"))
    assert (status, err) == (0, "")


def test_a_pipe_gets_text_alone(tmp_path):
    status, out, err = finish(start(tmp_path, "explore", "LJAT3", "--output", "a.zarr"))
    assert (status, err) == (0, "")
    assert "\x1b" not in out
    assert "\r" not in out


def test_one_writer_at_a_time(tmp_path):
    process = start(tmp_path, *GROWING, "--output", "a.zarr")
    try:
        wait_for_minima(tmp_path / "a.zarr", 1, process)
        status, _, err = finish(start(tmp_path, "explore", "LJ13", "--output", "a.zarr", "--resume"))
    finally:
        process.kill()
        finish(process)
    assert status == 1
    assert f"is being written by process {process.pid}" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("words", "modules"), [(["--help"], ["numpy"]), (["info", "a.zarr"], ["numba", "matplotlib"])])
def test_what_need_not_be_loaded_is_not(tmp_path, words, modules):
    finish(start(tmp_path, "explore", "LJAT3", "--output", "a.zarr", "--steps", "1", "--searches", "0"))
    script = f"""
import sys
from thalweg.analysis.cli.main import program
program({words!r}, standalone_mode=False)
print([name for name in {modules!r} if name in sys.modules], file=sys.stderr)
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT)
    assert result.stderr == "[]\n"


@pytest.mark.benchmark
def test_how_long_it_takes_to_start(tmp_path, record_property):
    """A second start reaches its first search within 3 s, and info answers within 2 s."""
    finish(start(tmp_path, "explore", "D1", "--output", "a.zarr", "--steps", "1", "--searches", "0"))
    began = time.monotonic()
    process = start(tmp_path, "explore", "D1", "--output", "b.zarr", "--steps", "100", "--searches", "0")
    wait_for_minima(tmp_path / "b.zarr", 0, process)
    record_property("seconds to the first search of D1", time.monotonic() - began)
    finish(process)
    began = time.monotonic()
    finish(start(tmp_path, "info", "b.zarr"))
    record_property("seconds of info", time.monotonic() - began)


@pytest.mark.slow
def test_the_wheel_explores_elsewhere(tmp_path):
    """Built, installed without the repository, and run from another folder."""
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "-q", "-w", str(tmp_path)]
    subprocess.run(build, check=True, timeout=600)
    (wheel,) = tmp_path.glob("thalweg-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True, timeout=600)
    # what it depends on comes from this environment, but for the repository's own editable finder
    site = Path(np.__file__).parents[1]
    packages = [path for path in site.iterdir() if "thalweg" not in path.name and not path.name.endswith(".pth")]
    (target,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for package in packages:
        if not (target / package.name).exists():
            (target / package.name).symlink_to(package)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [tmp_path / "venv" / "bin" / "thalweg", "explore", "LJ7", "--output", "lj7.zarr"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    assert "compiling (first run only" in result.stderr
    with Landscape.open(elsewhere / "lj7.zarr") as landscape:
        assert (len(landscape.minima), len(landscape.transition_states)) == (4, 12)
    assert (elsewhere / "lj7.png").exists()


def test_two_processes_into_two_stores_which_are_merged(tmp_path):
    work = ("LJ6", "--steps", 20, "--searches", 60)
    both = [start(tmp_path, "explore", *work, "--seed", seed, "--output", f"{seed}.zarr") for seed in (1, 2)]
    assert [finish(process)[0] for process in both] == [0, 0]
    status, _, err = finish(start(tmp_path, "merge", "1.zarr", "2.zarr", "--output", "merged.zarr"))
    assert (status, err) == (0, "")
    parts, merged = (
        [Landscape.open(tmp_path / f"{seed}.zarr") for seed in (2, 1)],
        Landscape.open(tmp_path / "merged.zarr"),
    )
    with Landscape(merged.system, tmp_path / "one.zarr") as one:
        for part in parts:  # the other way round: transition states first, the second store first
            for state in map(part.transition_states.__getitem__, range(len(part.transition_states))):
                one.add_transition_state(state)
            for minimum in map(part.minima.__getitem__, range(len(part.minima))):
                one.add_minimum(minimum)
        for group in ("minima", "transition_states"):
            energies = [np.sort(getattr(landscape, group).energy[:]) for landscape in (merged, one)]
            np.testing.assert_allclose(*energies, rtol=0, atol=1e-7)
    assert len(merged.searches) == sum(len(part.searches) for part in parts)
