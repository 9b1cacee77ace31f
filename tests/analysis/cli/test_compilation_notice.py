"""The second process that compiles: what goes wrong there is said, and it does not outlive the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from numba.core import event

from thalweg.analysis.cli import compilation_notice
from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.cli.second_process import SecondProcess
from thalweg.optimizers.kernels.lbfgs import dot


def compile_something():
    """Have numba say that it compiles a function of Thalweg's optimizers."""
    with event.trigger_event("numba:compile", data={"dispatcher": dot}):
        pass


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (["json"], []),
        (["thalweg.moved"], ["No module named 'thalweg.moved'"]),
        (["json", "antigravity.of_no_name"], ["No module named"]),
    ],
)
def test_what_the_second_process_cannot_import_is_said(monkeypatch, modules, said):
    monkeypatch.setattr(compilation_notice, "_ELSEWHERE", modules)
    lines = []
    with compiling_notice(lines.append):
        compile_something()
        compile_something()
    assert lines[0].startswith("compiling (first run only")
    assert len(lines) == 1 + len(said)
    for text, line in zip(said, lines[1:], strict=True):
        assert text in line


def test_nothing_is_said_where_nothing_is_compiled():
    lines = []
    with compiling_notice(lines.append):
        pass
    assert lines == []


def test_an_error_does_not_wait_for_the_second_process(monkeypatch):
    monkeypatch.setattr(compilation_notice, "SecondProcess", Sleeper)
    with pytest.raises(ZeroDivisionError), compiling_notice(lambda _: None):
        compile_and_fail()
    assert Sleeper.stopped


def compile_and_fail():
    compile_something()
    raise ZeroDivisionError


class Sleeper:
    """Stands for a second process that takes long."""

    stopped = False

    def __init__(self, modules):
        pass

    def wait(self):
        raise AssertionError("waited for")

    def stop(self):
        Sleeper.stopped = True


def test_stopping_ends_it():
    process = SecondProcess(["json"])
    process.stop()
    assert process._process.returncode is not None


def test_it_ends_with_the_first_process_however_that_ends(tmp_path):
    (tmp_path / "endless.py").write_text(
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    code = "import time; from thalweg.analysis.cli.second_process import SecondProcess\n"
    code += "other = SecondProcess(['endless']); time.sleep(60)"
    first = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        time.sleep(0.05)
    second = int((tmp_path / "pid").read_text())
    os.kill(second, signal.SIGINT)  # as a terminal sends it to both: the first decides
    time.sleep(0.2)
    os.kill(second, 0)
    first.kill()
    first.wait()
    while time.monotonic() < end:
        try:
            os.kill(second, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("it goes on")
