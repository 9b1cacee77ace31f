"""Paired comparison of landscapes: differences from a baseline of the same draw, and what they decide."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.analysis.paper.claims.equal_searches import counts_after, settled
from thalweg.analysis.paper.stopping_rule import COUNTS
from thalweg.analysis.statistics.intervals import Interval, mean_interval

__all__ = ["CANNOT_BE_TOLD", "CONFIDENCE", "Difference", "differences", "differences_csv", "rule_text"]

CONFIDENCE = 0.95
CANNOT_BE_TOLD = "cannot be told"

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    """Measure of one group of landscapes less that of its baseline, paired by the draw of the training data.

    Attributes
    ----------
    comparison : str
        Name of the comparison in the definition.
    measure : str
        Column of measures.csv.
    family, baseline : str
        Families of landscapes that are compared.
    errors : float
        Percentage of wrong labels of both.
    values : tuple of float
        Difference of each draw; of counts the logarithm of their ratio.
    interval : Interval
        Mean difference and its confidence interval by Student's t; of counts the ratio.
    when : str
        Number of searches after which counts are compared, "" where they are final.
    p : float
        Probability of a mean at least so far from 0 if nothing differed (t test); NaN where the draws do not say.
    adjusted : float
        The same after Benjamini and Hochberg's step over all differences of a page.
    """

    comparison: str
    measure: str
    family: str
    baseline: str
    errors: float
    values: tuple[float, ...]
    interval: Interval
    when: str
    p: float
    adjusted: float = math.nan

    @property
    def is_ratio(self) -> bool:
        """Whether a ratio of counts is compared with 1, rather than a difference with 0."""
        return self.measure in COUNTS

    @property
    def verdict(self) -> str:
        """Return "higher", "lower" or "cannot be told", by the rule of :func:`rule_text`."""
        if not self.adjusted <= 1.0 - CONFIDENCE:
            return CANNOT_BE_TOLD
        return "higher" if sum(self.values) > 0 else "lower"


def rule_text(number: int) -> str:
    """Return the rule by which differences are decided, in words; ``number`` is that of all differences."""
    return (
        "Every landscape is compared with that of uniform noise of the same draw: it has the same training points and "
        "as many wrong labels. A cell shows the mean of these differences over the draws and, in brackets, its "
        f"{100 * CONFIDENCE:.0f} % interval by Student's t. Counts are compared by their ratio; the mean is that of "
        "logarithms.\n\n"
        "A difference is decided (**bold**) if the p of a t test is at most "
        f"{1 - CONFIDENCE:.2f} after Benjamini and Hochberg's correction for all {number} differences of this page. "
        "About one in twenty of the decided differences is then expected to be wrong. The others are undecided, even "
        "where their own interval excludes zero (for ratios: one). The t test assumes that the differences of draws "
        "are normally distributed, which three draws cannot check."
    )


def differences(comparisons: Mapping[str, Mapping[str, Any]], rows: Rows) -> list[Difference]:
    """Return the paired differences of all comparisons, with p corrected for their number.

    Parameters
    ----------
    comparisons : mapping
        Comparisons of the definition, by name: ``baseline``, ``others``, ``measures``.
    rows : sequence of mapping
        Lines of measures.csv, each with the ``stages`` of its growth.

    Returns
    -------
    list of Difference
        Those that have at least two draws.
    """
    from scipy.stats import false_discovery_control

    found = []
    for name, one in comparisons.items():
        base = {(row["errors"], row["draw"]): row for row in rows if row["family"] == one["baseline"]}
        for measure in one["measures"]:
            for errors in sorted({errors for errors, _ in base}):
                for family in one["others"]:
                    mine = [row for row in rows if row["family"] == family and row["errors"] == errors]
                    pairs = [(row, base[errors, row["draw"]]) for row in mine if (errors, row["draw"]) in base]
                    difference = _difference(name, measure, family, one["baseline"], errors, pairs)
                    found += [difference] if len(difference.values) > 1 else []
    known = [k for k, one in enumerate(found) if math.isfinite(one.p)]
    if known:
        adjusted = false_discovery_control([found[k].p for k in known])
        for k, p in zip(known, adjusted, strict=True):
            found[k] = replace(found[k], adjusted=float(p))
    return found


def _difference(
    name: str, measure: str, family: str, baseline: str, errors: float,
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> Difference:  # fmt: skip
    """Return the paired difference of one measure."""
    when = ""
    if measure in COUNTS:
        numbers, when = _counts(pairs, measure)
        values = [math.log(a / b) for a, b in numbers if a > 0 and b > 0]
    else:
        values = [row[measure] - base[measure] for row, base in pairs]
    known = tuple(float(value) for value in values if math.isfinite(value))
    interval = mean_interval(known, CONFIDENCE)
    if measure in COUNTS:
        interval = Interval(*(math.exp(end) for end in interval))
    return Difference(name, measure, family, baseline, errors, known, interval, when, _p(known))


def _counts(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], measure: str
) -> tuple[list[tuple[float, float]], str]:
    """Return pairs of counts: final ones where all are, else those after the same number of searches."""
    every = [row for pair in pairs for row in pair]
    if all(settled(row, measure) for row in every):
        return [(float(row[measure]), float(base[measure])) for row, base in pairs], ""
    equal = counts_after(every, measure)
    if equal is None:
        return [], ""
    return list(zip(equal.counts[::2], equal.counts[1::2], strict=True)), equal.when


def _p(values: Sequence[float]) -> float:
    """Return the p of a two-sided t test against 0; NaN without a spread, which a t test needs."""
    from scipy.special import stdtr

    n = len(values)
    spread = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if not spread > 0.0:
        return math.nan
    return float(2.0 * stdtr(n - 1, -abs(float(np.mean(values))) * math.sqrt(n) / spread))


def differences_csv(found: Sequence[Difference]) -> str:
    """Return differences as comma-separated values with all digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = "comparison,measure,family,baseline,errors,kind,mean,low,high,when,draws,values,p,adjusted_p,verdict"
    writer.writerow(head.split(","))
    for one in found:
        ends = ["" if math.isnan(end) else repr(end) for end in one.interval]
        ps = ["" if math.isnan(p) else repr(p) for p in (one.p, one.adjusted)]
        writer.writerow(
            [one.comparison, one.measure, one.family, one.baseline, f"{one.errors:g}",
             "ratio" if one.is_ratio else "difference", *ends, one.when, len(one.values),
             " ".join(map(repr, one.values)), *ps, one.verdict]
        )  # fmt: skip
    return out.getvalue()
