"""The page of ``thalweg view``: the time until large landscapes are shown, that of a click, and the size of D1's file.

``python -m pytest tests/benchmarks/view/bench_page.py -m benchmark -s`` prints the figures of docs/view.md, the median
of five clicks each. Opening is measured from the start of the command, Python's start included, until the graph is
drawn in Chromium; the browser itself has been started before. Seconds of processors, of Python's process and of the
page's, say what a machine that does nothing else takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from ...analysis.view.conftest import browser, downloads  # noqa: F401
from ...analysis.view.pages import Page
from ...helpers import finished
from ..bench_graph import cluster, make_store

pytestmark = pytest.mark.benchmark

SIZES = [(20, 40), (2_000, 5_000), (20_000, 50_000), (200_000, 500_000)]
ATOMS = 8


@pytest.fixture
def served(tmp_path):
    """Start the command on a made-up store; yield when it started, its process and the page's address."""
    started = []

    def start(n, m):
        modes = {"minima/modes": np.full(n, 3 * ATOMS - 6), "transition_states/modes": np.full(m, 3 * ATOMS - 7)}
        make_store(tmp_path / "a.zarr", n, m, cluster(ATOMS), **modes)
        begin = time.perf_counter()
        command = [sys.executable, "-m", "thalweg.analysis", "view", str(tmp_path / "a.zarr"), "--no-browser"]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return begin, started[-1], started[-1].stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def processor_seconds(pid):
    """Return the processor time that a process has taken, as Linux says it."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_opening_and_clicking(browser, served, capsys, n, m):  # noqa: F811
    browser.execute_cdp_cmd("Performance.enable", {})
    begin, process, url = served(n, m)
    page = Page(browser, url)
    opened = time.perf_counter() - begin
    python = processor_seconds(process.pid)
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    drawing = next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime")
    page.wait(lambda: page.all("#point .neighbours"))
    clicks = []
    for row in np.linspace(0, n - 1, 5).astype(int).tolist():
        page.write("#row", row)
        start = time.perf_counter()
        page.press("#search button")
        page.wait_for_point(row)
        clicks.append(time.perf_counter() - start)
        page.wait(lambda: "Searching" not in page.text("#path"))
    processors = f"{python:.1f} s of Python's processor time, {drawing:.1f} s of Chromium's"
    figures = (
        f"opened in {opened:.1f} s ({processors}), a click takes {median(clicks):.2f} s (longest {max(clicks):.2f} s)"
    )
    with capsys.disabled():
        print(f"\n{n} minima, {m} transition states: {figures}")


def test_the_size_of_d1_s_file(tmp_path, capsys):
    finished("explore", "D1", "--output", tmp_path / "d1.zarr")
    start = time.perf_counter()
    finished("view", tmp_path / "d1.zarr", "--output", tmp_path / "d1.html")
    size = (tmp_path / "d1.html").stat().st_size / 1e6
    with capsys.disabled():
        print(f"\nD1's file: {size:.2f} MB, written in {time.perf_counter() - start:.1f} s")
    assert size < 8
