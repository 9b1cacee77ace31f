"""Section of a page with the paired differences of its comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.analysis.paper.paired_differences import CANNOT_BE_TOLD, CONFIDENCE, Difference, rule_text

__all__ = ["comparison_text"]


def comparison_text(comparisons: Mapping[str, Mapping[str, Any]], found: Sequence[Difference], files: str) -> str:
    """Return the section: what was decided in all comparisons together, then a table for each of them.

    Parameters
    ----------
    comparisons : mapping
        Comparisons of the definition, by name.
    found : sequence of Difference
    files : str
        Prefix of the names of data files.
    """
    if not comparisons:
        return ""
    if not found:
        return "## What differs from the baseline\n\nNothing is explored in two draws yet: nothing can be compared."
    alone = sum(1 for one in found if one.p <= 1 - CONFIDENCE)
    decided = sum(one.verdict != CANNOT_BE_TOLD for one in found)
    chance = (1 - CONFIDENCE) * len(found)
    parts = [
        f"## What differs from {_baseline(comparisons)}",
        rule_text(len(found)),
        f"Of {len(found)} differences {decided} are decided. {alone} have an interval of their own that excludes no "
        f"difference, of which {chance:.0f} would be expected by chance if nothing differed at all. All numbers, draw "
        f"by draw, are in [comparisons.csv]({files}comparisons.csv).",
        "How often each measure is higher and lower than with the baseline, of the comparisons below; the rest cannot "
        "be told:",
        _grid(_summary(found)),
    ]
    for name, one in comparisons.items():
        mine = [difference for difference in found if difference.comparison == name]
        if mine:
            parts += [f"### {name}", f"{one['title']}{_when(mine)}.", _grid(_table(mine))]
            parts += [one["note"]] if "note" in one else []
    return "\n\n".join(parts)


def _baseline(comparisons: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the baseline in words: what the names of all baselines end in, such as "uniform" of "D1-uniform"."""
    ends = {one["baseline"].rpartition("-")[2] for one in comparisons.values()}
    return f"{ends.pop()} noise" if len(ends) == 1 else "the baselines"


def _group(one: Difference) -> str:
    """Return the heading of a column: the kind of noise and the share of wrong labels."""
    return f"{one.family.rpartition('-')[2]} {one.errors:g} %"


def _table(found: Sequence[Difference]) -> list[list[str]]:
    groups = list(dict.fromkeys(_group(one) for one in found))
    lines = [["", *groups]]
    for measure in dict.fromkeys(one.measure for one in found):
        cells = {_group(one): _cell(one) for one in found if one.measure == measure}
        lines.append([_named(measure, found), *(cells.get(group, "") for group in groups)])
    return lines


def _cell(one: Difference) -> str:
    mean, low, high = (_number(end, one.is_ratio) for end in one.interval)
    text = mean if math.isnan(one.interval.low) else f"{mean} ({low} to {high})"
    return f"**{text}**" if one.verdict != CANNOT_BE_TOLD else text


def _number(value: float, ratio: bool) -> str:
    """Return a ratio with two digits, or a difference with its sign and three decimals."""
    return f"{value:.2g}" if ratio else f"{value:+.3f}".replace("+0.000", "0.000").replace("-0.000", "0.000")


def _named(measure: str, found: Sequence[Difference]) -> str:
    name = measure.replace("_", " ")
    return f"{name} (ratio)" if any(one.is_ratio for one in found if one.measure == measure) else name


def _when(found: Sequence[Difference]) -> str:
    """Return when counts are compared, where they are not final."""
    when = sorted({one.when for one in found if one.when})
    return f"; counts are compared {' or '.join(when)} for each landscape" if when else ""


def _summary(found: Sequence[Difference]) -> list[list[str]]:
    groups = list(dict.fromkeys(_group(one) for one in found))
    lines = [["", *groups]]
    for measure in dict.fromkeys(one.measure for one in found):
        line = [_named(measure, found)]
        for group in groups:
            verdicts = [one.verdict for one in found if one.measure == measure and _group(one) == group]
            told = [f"{verdicts.count(way)} {way}" for way in ("higher", "lower") if way in verdicts]
            line.append(f"{', '.join(told) or 'none'} of {len(verdicts)}")
        lines.append(line)
    return lines


def _grid(lines: Sequence[Sequence[str]]) -> str:
    first, *rest = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in [first, ["---"] * len(first), *rest])
