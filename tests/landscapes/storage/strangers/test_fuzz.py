"""Ten thousand stores damaged at random: a clear error or a right answer, and nothing else happens.

``run.py`` does it, in a process of its own that watches itself; a failing case is repeated by its number::

    python tests/landscapes/storage/strangers/run.py FOLDER 1234 1234
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("run.py")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")


def run(folder, *words, timeout):
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), *map(str, words)],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def check(done, cases):
    last = done.stderr.strip().splitlines()[-1:]
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{last}\n{done.stderr[-3000:]}"
    assert f"{cases} cases, 0 faults" in done.stdout


def test_three_hundred_damaged_stores(tmp_path):
    check(run(tmp_path, 0, 299, timeout=600), 300)


@pytest.mark.slow  # half an hour
def test_ten_thousand_damaged_stores(tmp_path):
    check(run(tmp_path, 0, 9999, timeout=7200), 10_000)


def test_the_watch_sees_what_it_is_there_for(tmp_path):
    """Commands that do what none may do are found out, one by one."""
    done = run(tmp_path, "check", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    for line, expected in zip(
        said,
        (
            *("nothing: None", "clear error: None", "writes outside: open ", "deletes outside: os.remove "),
            *("deletes behind a link: os.remove ", "renames outside: os.rename ", "makes a folder: os.mkdir "),
            *("starts a process: subprocess.Popen", "runs a shell: os.system", "imports: a module of the store"),
            *("takes a gigabyte: ", "takes too long: TimeoutError", "traceback: KeyError", "exits: SystemExit"),
        ),
        strict=True,
    ):
        assert line.startswith(expected)
