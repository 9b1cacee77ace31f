"""What docs/surfaces.md tells people to type works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "surfaces.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
NAMES = ["surface", "function", "jax", "torch", "torch model", "jax model", "symmetry"]


# PyTorch's own, a FutureWarning since 2.14
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=NAMES)
def test_blocks(number, tmp_path, monkeypatch, capsys):
    block = BLOCKS[number]
    for package in ("jax", "torch"):
        if f"import {package}\n" in block:
            pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(PAGE), "exec"), {"__name__": "page"})
