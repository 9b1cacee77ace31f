"""Every Python block of every page runs, page by page, in an empty folder, in the order of the page.

The tutorials' commands run between them, as a reader would type them.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ..helpers import finished
from .pages import DOCS, PAGES, ROOT, blocks

SHORTER = {"README.md": {"size=200_000": "size=2000", "steps=200": "steps=10", "searches=700": "searches=20"}}
"""Numbers that are made smaller here. tests/test_readme.py runs the README's block as it stands, in minutes."""

ELSEWHERE = {"surfaces.md"}
"""Pages each of whose blocks runs alone in a test of its own: tests/landscapes/test_surfaces_page.py."""

WITH_CODE = [
    page for page in PAGES if page.name not in ELSEWHERE and any(block.language == "python" for block in blocks(page))
]


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# PyTorch's own, a FutureWarning since 2.14
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
@pytest.mark.parametrize("page", WITH_CODE, ids=relative)
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        if page.name.startswith("tutorial") and block.language == "sh":
            for line in block.text.splitlines():
                finished(*shlex.split(line)[1:])
        if block.language != "python" or block.not_run:
            continue
        # PyTorch and JAX are in no extra that the tests install
        if missing := [name for name in ("torch", "jax") if re.search(rf"^import {name}\b", block.text, re.M)]:
            try:
                __import__(missing[0])
            except ModuleNotFoundError:
                continue
        text = block.text
        for number, smaller in SHORTER.get(page.name, {}).items():
            assert number in text
            text = text.replace(number, smaller)
        try:
            exec(compile("\n" * (block.line - 1) + text, str(page), "exec"), names)
        finally:
            plt.close("all")
    for left_open in names.values():
        if hasattr(left_open, "close") and type(left_open).__name__ == "Landscape":
            left_open.close()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_code_stands_in_fences_that_name_its_language(page):
    assert {block.language for block in blocks(page)} <= {"python", "sh", "text", "toml", "json", "bibtex", "{toctree}"}
    if page in (DOCS / "paper.md", DOCS / "noise.md"):  # thalweg paper writes them
        return
    outside = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert re.findall(r"\n\n    (?![-*] |\d+\. ).*", outside) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_only_blocks_that_need_what_is_not_there_are_not_run(page):
    for block in blocks(page):
        if block.not_run:
            assert re.search(r"cuda|s3:|scheduler|tcp:|GPU", block.text), f"{page.name}:{block.line}"
