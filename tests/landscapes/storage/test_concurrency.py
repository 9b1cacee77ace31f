"""Threads, forked children, two processes and a deleted lock: what a commit confirmed is in the store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SCRIPT = Path(__file__).with_name("concurrent_writers.py")


def rounds(tmp_path, seed, count):
    """Run rounds in a process of their own, which forks without the threads of this one."""
    command = [sys.executable, "-W", "ignore", str(SCRIPT), str(tmp_path), str(seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["lost"] == []
    assert found["problems"] == []
    assert found["confirmed"] >= 5 * count
    refused = found["refused"]
    assert refused.pop("forked from it") > 0
    assert refused.pop("being written by process", 0) + refused.pop("was deleted", 0) > 0
    refused.pop("was replaced", None)
    assert refused == {}, "an error of another kind"


def test_two_dozen_rounds(tmp_path):
    rounds(tmp_path, 0, 24)


@pytest.mark.slow
def test_thousand_rounds(tmp_path):
    rounds(tmp_path, 1000, 1000)
