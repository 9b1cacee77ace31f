"""docs/format.md and the table that stores are checked against say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from thalweg.landscapes.storage.schema import (
    EXPLORE,
    LIMITS,
    PAPER,
    PROPERTY_NAME,
    ROOT_ATTRIBUTES,
    SCALAR_ROWS,
    SEQUENCE,
    SEQUENCES,
    frequency_arrays,
    landscape_arrays,
)

PAGE = (Path(__file__).parents[3] / "docs" / "format.md").read_text()


def table(heading):
    """Rows of the table whose first heading this is, as lists of cells; a row for several names is one for each."""
    lines = PAGE.split(f"\n| {heading} |", 1)[1].splitlines()[2:]
    rows = {}
    for line in lines:
        if not line.startswith("|"):
            break
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        for name in first.split(","):
            rows[name.strip().strip("`")] = cells
    return rows


def test_attributes_of_the_root():
    rows = table("attribute")
    assert rows.keys() == ROOT_ATTRIBUTES.rules.keys()
    assert {name: cells[0] for name, cells in rows.items()} == {
        name: rule.words for name, rule in ROOT_ATTRIBUTES.rules.items()
    }
    assert ROOT_ATTRIBUTES.rules.keys() - ROOT_ATTRIBUTES.needed == {"tasks_ahead", "noise", "path_lengths"}
    assert "All attributes but `tasks_ahead`, `noise` and `path_lengths` must be there" in PAGE


def test_rules_of_the_minimiser():
    rules = ROOT_ATTRIBUTES.rules["rules"].rule.rules
    assert {name: cells[0] for name, cells in table("entry of `rules`").items()} == {
        name: rule.words for name, rule in rules.items()
    }


def test_tolerances():
    tolerances = ROOT_ATTRIBUTES.rules["tolerances"]
    assert tolerances.needed == tolerances.rules.keys()
    for rule in tolerances.rules.values():
        assert f"The four tolerances must all be there, each {rule.words}" in PAGE


def test_states_of_sequences():
    rows = table("entry of a sequence")
    assert {name: cells[0] for name, cells in rows.items()} == {
        name: rule.words for name, rule in SEQUENCE.rules.items()
    }
    for name in SEQUENCES:
        assert ROOT_ATTRIBUTES.rules["state"].rules[name] is SEQUENCE
        assert re.search(rf"In `state`,[^\n]*`{name}`", PAGE)


def test_state_of_explore():
    rows = table("entry of `explore`")
    rules = {**EXPLORE.rules, "options": None}
    assert rows.keys() == rules.keys()
    assert all(cells[0] == rules[name].words for name, cells in rows.items() if rules[name])
    options = {name: cells[0] for name, cells in table("entry of `options`").items()}
    assert EXPLORE.needed == {"system", "options"}
    assert options == {name: rule.words for name, rule in EXPLORE.rules["options"].rules.items()}
    for name in EXPLORE.rules["data"].rules["training"].rules:
        assert f"`{name}`" in rows["data"][1]


def test_state_of_paper():
    rows = table("entry of `paper`")
    assert rows.keys() == PAPER.rules.keys()
    assert all(rule.words in rows[name][0] for name, rule in PAPER.rules.items())


def test_limits():
    assert {name: int(cells[0]) for name, cells in table("limit").items()} == LIMITS


def test_names():
    assert f"`{PROPERTY_NAME.pattern}`" in PAGE
    assert f"`S` = {SCALAR_ROWS} rows" in PAGE


ARRAYS = landscape_arrays(6) | frequency_arrays(6)


@pytest.mark.parametrize("path", ARRAYS)
def test_arrays(path):
    spec = ARRAYS[path]
    group = path.partition("/")[0]
    section = PAGE.split(f"### `{group}/`")[1].split("\n## ")[0].split("\n### ")[0]
    row = re.search(rf"^\|[^|\n]*`{spec.name}`[^|\n]*\|(.*)\|$", section, re.MULTILINE)
    dtype, shape, dimensions, chunk, fill, _, values = (cell.strip() for cell in row[1].split("|"))
    if values == "as for minima":
        first = landscape_arrays(6)[f"minima/{spec.name}"]
        assert (first.dtype, first.row, first.values) == (spec.dtype, spec.row, spec.values)
        return
    assert dtype == spec.dtype
    assert shape.count(",") == len(spec.row) + (not spec.row)
    assert tuple(dimensions.split(", ")) == spec.dimensions
    assert {"S": SCALAR_ROWS, "C": 2**20 // 48}[chunk] == spec.chunk
    assert fill == {"nan": "NaN", "False": "false"}.get(str(spec.fill), str(spec.fill))
    assert values == spec.values.value
