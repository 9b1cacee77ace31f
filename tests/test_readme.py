"""The README's first command and its first Python find the same landscape."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape

from .helpers import finished

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
COMMAND = re.search(r"thalweg (explore [^\n`]*--output (\S+\.zarr))", README)
BLOCK = re.search(r"^```python\n(.*?)^```", README, re.M | re.S)[1]


def test_both_explore_the_same_loss():
    names: dict[str, object] = {}
    exec(BLOCK.partition("\nwith ")[0], names)
    ours, explored = names["loss"], build("D1", default_options("D1")).subject.calc
    np.testing.assert_array_equal(ours.inputs, explored.inputs)
    np.testing.assert_array_equal(ours.labels, explored.labels)
    assert ours.describe().keys() == explored.describe().keys()
    assert (ours.l2, ours.layers) == (explored.l2, explored.layers)


@pytest.mark.slow
def test_both_find_the_same_minima(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished(*COMMAND[1].split())
    exec(BLOCK, {})
    first, second = (Landscape.open(tmp_path / name).minima.energy[:] for name in (COMMAND[2], "again.zarr"))
    np.testing.assert_array_equal(first, second)
    assert (tmp_path / "again.png").stat().st_size > 10_000
