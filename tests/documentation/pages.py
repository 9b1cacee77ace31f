"""Pages of the documentation, and the code on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "PAGES", "ROOT", "Block", "blocks", "commands"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

NO_PAGES = {"examples", "generated", "noise", "paper"}
"""Folders of docs/ without pages of their own: what others are made from, and what commands write."""


def _pages() -> list[Path]:
    """Return README.md, CONTRIBUTING.md and every page of docs/."""
    kept = (page for page in DOCS.rglob("*.md") if page.relative_to(DOCS).parts[0] not in NO_PAGES)
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(kept)]


PAGES = _pages()


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    language: str
    text: str
    line: int
    """Line of the page that the code begins on, counted from 1."""
    not_run: str
    """Why the block is not run: what ``<!-- not run: REASON -->`` above it says. Empty for the others."""


_MARK = re.compile(r"<!-- not run: (.+) -->")


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    k = 0
    while k < len(lines):
        if not lines[k].startswith("```"):
            k += 1
            continue
        end = next(j for j in range(k + 1, len(lines)) if lines[j].startswith("```"))
        mark = _MARK.fullmatch(lines[k - 1]) if k else None
        text = "\n".join(lines[k + 1 : end])
        found.append(Block(lines[k][3:].strip(), text, k + 2, mark[1] if mark else ""))
        k = end + 1
    return found


def commands(page: Path) -> list[tuple[int, str]]:
    """Return the command lines of a page's ``sh`` blocks that start Thalweg, with the numbers of their lines."""
    found = []
    for block in blocks(page):
        if block.language != "sh":
            continue
        for number, line in enumerate(block.text.splitlines(), block.line):
            for command in re.split(r"\s*(?:&&|;|\|)\s*", line):
                if command.startswith("thalweg "):
                    found.append((number, command))
    return found
