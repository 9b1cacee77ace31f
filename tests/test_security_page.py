"""docs/security.md names a test for each of its promises, and these tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises():
    """Return the rows of the page's tables, without their heads."""
    rows = [line for line in (ROOT / "docs/security.md").read_text().splitlines() if line.startswith("|")]
    return [row for row in rows if not set(row) <= set("|- ") and not row.startswith("| promise |")]


def functions(file):
    """Return the names of a file's test functions, those of classes too."""
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_promise_names_a_test_that_exists():
    assert len(promises()) > 10
    for row in promises():
        named = TEST.findall(row)
        assert named, f"no test is named by {row}"
        for file, name in named:
            assert (ROOT / file).is_file(), f"{file} does not exist; it is named by {row}"
            assert name in functions(ROOT / file), f"{file} has no {name}; it is named by {row}"
