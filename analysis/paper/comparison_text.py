"""Section of a page with the paired differences of its comparisons, in tables and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.analysis.paper.paired_differences import CANNOT_BE_TOLD, CONFIDENCE, Difference, rule_text

__all__ = ["comparison_text", "differences_in_words"]

_WORDS = {
    ("minima", "higher"): "More minima are found after as many searches",
    ("minima", "lower"): "Fewer minima are found after as many searches",
    ("transition_states", "higher"): "More transition states are found after as many searches",
    ("transition_states", "lower"): "Fewer transition states are found after as many searches",
    ("gmin_loss", "higher"): "The lowest minimum fits its training labels, the wrong ones among them, less closely",
    ("gmin_loss", "lower"): "The lowest minimum fits its training labels, the wrong ones among them, more closely",
    ("test_gmin_log_loss", "higher"): "The lowest minimum predicts clean testing data worse, by the cross-entropy",
    ("test_gmin_log_loss", "lower"): "The lowest minimum predicts clean testing data better, by the cross-entropy",
    ("train_mean", "higher"): "Minima rank their own training labels better on average, by AUC",
    ("train_mean", "lower"): "Minima rank their own training labels worse on average, by AUC",
    ("test_mean", "higher"): "Minima rank clean testing data better on average, by AUC",
    ("test_mean", "lower"): "Minima rank clean testing data worse on average, by AUC",
    ("test_sd", "higher"): "Minima differ more from each other in their testing AUC",
    ("test_sd", "lower"): "Minima differ less from each other in their testing AUC",
    ("correct_mean", "higher"): "Minima rank the correctly labelled training points better on average, by AUC",
    ("correct_mean", "lower"): "Minima rank the correctly labelled training points worse on average, by AUC",
    (
        "incorrect_mean",
        "higher",
    ): "Minima have learned the wrong labels more, by the AUC on the wrongly labelled points",
    ("incorrect_mean", "lower"): "Minima have learned the wrong labels less, by the AUC on the wrongly labelled points",
}


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
        f"Of {len(found)} differences from {_baseline(comparisons)} with as many wrong labels {decided} are decided. "
        f"Each measure is compared in {len(comparisons)} tables below, for each kind and share of wrong labels: "
        f'"(1 of {len(comparisons)})" says that one of these comparisons is decided and that the others are not.',
        differences_in_words(found),
        "### How differences are decided",
        rule_text(len(found)),
        f"For {alone} of {len(found)} differences the {100 * CONFIDENCE:.0f} % interval lies wholly on one side; if "
        f"nothing differed, about {chance:.0f} would. All numbers, draw by draw, are in "
        f"[comparisons.csv]({files}comparisons.csv).",
        "How many comparisons decide that a measure is higher or lower than the baseline; the rest are undecided:",
        _grid(_summary(found)),
    ]
    for name, one in comparisons.items():
        mine = [difference for difference in found if difference.comparison == name]
        if mine:
            parts += [f"### {name}", f"{one['title']}{_when(mine)}.", _grid(_table(mine))]
            parts += [one["note"]] if "note" in one else []
    return "\n\n".join(parts)


def differences_in_words(found: Sequence[Difference]) -> str:
    """Return a list of what is decided, one sentence for each measure and direction, and what is not.

    Parameters
    ----------
    found : sequence of Difference

    Returns
    -------
    str
        Lines of Markdown. "2 of 4" says that two of four comparisons decide it and that the others are undecided.

    Examples
    --------
    >>> from thalweg.analysis.paper.comparison_text import differences_in_words
    >>> from thalweg.analysis.paper.paired_differences import Difference
    >>> from thalweg.analysis.statistics.intervals import Interval
    >>> sizes = 10.0, (-0.2, -0.21), Interval(-0.2, -0.27, -0.14), "", 0.01, 0.01
    >>> print(differences_in_words([Difference("D1", "gmin_loss", "D1-overlap", "D1-uniform", *sizes)]))
    - The lowest minimum fits its training labels, the wrong ones among them, more closely (gmin loss): overlap 10 % (1 of 1).
    """  # noqa: E501
    lines, undecided = [], []
    for measure in dict.fromkeys(one.measure for one in found):
        mine = [one for one in found if one.measure == measure]
        told = [way for way in ("higher", "lower") if any(one.verdict == way for one in mine)]
        name = measure.replace("_", " ")
        if not told:
            undecided.append(name)
        for way in told:
            words = _WORDS.get((measure, way))
            said = f"{words} ({name})" if words else f"{name} is {way}"
            lines.append(f"- {said}: {_where(mine, way)}.")
    if undecided:
        lines.append(f"- Nothing is decided about: {', '.join(undecided)}.")
    return "\n".join(lines)


def _where(found: Sequence[Difference], way: str) -> str:
    """Return the kinds of noise for which a direction is decided, and in how many comparisons."""
    parts = []
    for group in dict.fromkeys((one.family.rpartition("-")[2], one.errors) for one in found):
        verdicts = [one.verdict for one in found if (one.family.rpartition("-")[2], one.errors) == group]
        if way in verdicts:
            parts.append(f"{group[0]} {group[1]:g} % ({verdicts.count(way)} of {len(verdicts)})")
    return ", ".join(parts)


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
    return f". Counts are compared {' or '.join(when)} in each landscape" if when else ""


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
