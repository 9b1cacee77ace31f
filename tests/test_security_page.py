"""docs/security.md names a test for each of its promises, and these tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FOOTNOTE = re.compile(r"^\[\^([\w-]+)\]: (.*)$", re.M)
LIST = re.compile(r"(?:^- .*\n(?:  .*\n)*)+", re.M)
ITEM = re.compile(r"^- .*\n(?:  .*\n)*", re.M)


def promises():
    """Return the items of the page's lists of promises: of every list in which an item has a footnote."""
    return [item for block in LIST.findall(PAGE) if "[^" in block for item in ITEM.findall(block)]


def functions(file):
    """Return the names of a file's test functions, those of classes too."""
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_a_footnote_of_its_own():
    assert len(promises()) > 70
    labels = []
    for promise in promises():
        named = re.findall(r"\[\^([\w-]+)\]$", promise.strip())
        assert named, f"no test is named by {promise}"
        labels += named
    assert labels == [label for label, _ in FOOTNOTE.findall(PAGE)]


def test_every_footnote_names_tests_that_exist():
    for label, text in FOOTNOTE.findall(PAGE):
        named = TEST.findall(text)
        assert named, f"{label} names no test"
        for file, name in named:
            assert (ROOT / file).is_file(), f"{file} does not exist; it is named by {label}"
            assert name in functions(ROOT / file), f"{file} has no {name}; it is named by {label}"
