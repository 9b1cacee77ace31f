"""The line of progress in a notebook, where it is shown without being asked for."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

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


@pytest.mark.parametrize("kernel", [None, object()])
def test_it_is_quiet_in_a_pipe_and_where_it_is_told_to(notebook, kernel, capsys):
    notebook.shell.kernel = kernel
    with progress_line("connect", 10, show=None if kernel is None else False) as report:
        assert report is None
    assert not notebook.texts
    assert capsys.readouterr().err == ""
