"""The line of progress in a notebook, where it is shown without being asked for."""

from __future__ import annotations

import re
import sys
import time
from io import StringIO
from types import ModuleType, SimpleNamespace

import pytest
from rich.console import Console

from thalweg.landscapes.exploration import progress as progress_module
from thalweg.landscapes.exploration.progress import progress_line
from thalweg.landscapes.records import Progress


class Handle:
    """Stand-in of IPython's display handle, which keeps all that is shown."""

    def __init__(self):
        self.texts = []

    def update(self, data, raw):
        assert raw
        self.texts.append(data["text/plain"])


@pytest.fixture
def notebook(monkeypatch):
    handle, shell = Handle(), SimpleNamespace(kernel=object())
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython = lambda: shell
    display.display = lambda data, raw, display_id: (handle.update(data, raw), handle)[1]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return SimpleNamespace(texts=handle.texts, shell=shell)


def progress(done):
    return Progress(
        sequence="find_minima", done=done, goal=100, failed=0, minima=done, transition_states=0, seconds=done / 4
    )


def test_a_notebook_shows_progress_without_being_asked(notebook):
    with progress_line("find_minima", 100) as report:
        for done in range(1, 41):
            report(progress(done))
    assert notebook.texts[0] == "basin-hopping 0/100"
    assert notebook.texts[-1] == (
        "basin-hopping 40/100  40 minima, 0 transition states, 4.0 searches/s, 100 % succeed, 15 s left"
    )
    assert len(notebook.texts) < 40  # not one for each task: that would be slower than the searches


def test_progress_counts_the_whole_after_a_resume(notebook):
    with progress_line("find_minima", 100, before=50) as report:
        report(progress(40))
    assert notebook.texts[0] == "basin-hopping 50/150"
    assert notebook.texts[-1].startswith("basin-hopping 90/150  40 minima, ")
    assert notebook.texts[-1].endswith(" 15 s left")


@pytest.mark.parametrize(("columns", "all_said"), [(80, False), (140, True)])
def test_the_line_keeps_bar_and_time_left_at_every_width(monkeypatch, columns, all_said):
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=columns, color_system=None)
    monkeypatch.setattr(progress_module, "Console", lambda stderr: console)
    with progress_line("connect", 6000, show=True, before=3000) as report:
        for done in range(1, 101):
            report(progress(done))
            time.sleep(0.002)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue()).replace("\r", "\n").strip().splitlines()[-1]
    assert len(last.rstrip()) <= columns
    assert re.search(r"^transition states [\u2501\u2578\u257a ]{20} 3100/9000 \d", last), last
    assert "100 minima" in last
    assert ("% succeed" in last) is all_said


@pytest.mark.parametrize("kernel", [None, object()])
def test_it_is_quiet_in_a_pipe_and_where_it_is_told_to(notebook, kernel, capsys):
    notebook.shell.kernel = kernel
    with progress_line("connect", 10, show=None if kernel is None else False) as report:
        assert report is None
    assert not notebook.texts
    assert capsys.readouterr().err == ""
