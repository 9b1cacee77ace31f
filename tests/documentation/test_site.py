"""The site has every page and every example, and what pages link to is there. ``.ci/run`` builds it."""

from __future__ import annotations

import ast
import re

import pytest

from .pages import DOCS, PAGES, ROOT

LISTS = re.compile(r"^```\{toctree\}\n(.*?)^```", re.M | re.S)


def listed() -> set[str]:
    """Return the pages that stand in a list of contents, as ``atoms`` or ``tutorial/molecule``."""
    entries = set()
    for page in DOCS.rglob("*.md"):
        for text in LISTS.findall(page.read_text(encoding="utf-8")):
            lines = (line.strip() for line in text.splitlines())
            entries |= {line for line in lines if line and not line.startswith(":")}
    return entries


def test_every_page_is_in_a_list_of_contents():
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if DOCS in page.parents}
    assert pages - listed() == {"index"}
    assert {entry for entry in listed() if not entry.startswith("generated/")} <= pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for place, heading in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        target = page.parent / place if place else page
        assert target.exists() or place.startswith("generated/"), f"{page.name} links to {place}"
        if heading:
            assert heading in anchors(target.read_text(encoding="utf-8")), f"{place} has no heading #{heading}"


def anchors(text: str) -> set[str]:
    """Return what GitHub and the site call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_section_of_the_gallery_has_a_title_and_examples():
    sections = [folder for folder in (DOCS / "examples").iterdir() if folder.is_dir() and folder.name[0] not in "._"]
    for section in sections:
        assert (section / "GALLERY_HEADER.rst").exists()
        assert len(list(section.glob("plot_*.py"))) == len(list(section.glob("*.py"))) > 0


def test_examples_begin_with_a_title_and_say_what_they_show():
    for example in (DOCS / "examples").rglob("*.py"):
        title, line, *text = ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))).splitlines()
        assert set(line) == {"="}, example.name
        assert len(line) >= len(title), example.name
        assert len(" ".join(text).split()) > 10, example.name
