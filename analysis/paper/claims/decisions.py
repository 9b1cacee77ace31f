"""Claims of the paper, each decided by a stated measure on the lines of measures.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import starmap
from typing import Any, NamedTuple

from thalweg.analysis.paper.claims.cases import (
    NOT_EXPLORED,
    Case,
    Entry,
    Row,
    Rows,
    Unexplored,
    between,
    compare,
    each,
    joined,
    of_family,
    of_one_draw,
    trend,
    within,
)
from thalweg.analysis.paper.claims.ceiling import Ceiling
from thalweg.analysis.paper.claims.class_areas import CLASSES
from thalweg.analysis.paper.claims.equal_searches import finished
from thalweg.analysis.paper.claims.verdicts import ALMOST_EVERY, EVERY, ON_AVERAGE, UNKNOWN, Demand, verdict

__all__ = ["Claim", "decide"]

TABLES = ("D1", "D2", "D3")
# parts of the band: if the deepest other funnel is shallower, a landscape is single-funnelled
_SINGLE = (0.05, 0.1, 0.2)
_SAID = 0.1  # that whose cases are listed
_DIGITS = ("MNIST-raw",)


class Claim(NamedTuple):
    """Claim, or a part of one, and the decision.

    Attributes
    ----------
    number : str
        Number of the claim, with a letter for its parts.
    paper : str
        The claim in the paper's words.
    measure : str
        Measure that decides it.
    cases : tuple of Case
        Landscapes or pairs of them in which it holds or not.
    demand : Demand
        In which share of them the claim says that it holds.
    ours : str
        "confirmed", "not confirmed" or "cannot be told".
    """

    number: str
    paper: str
    measure: str
    cases: tuple[Case, ...]
    demand: Demand
    ours: str


def decide(rows: Rows, ceilings: Mapping[str, Ceiling], unexplored: Sequence[Mapping[str, Any]] = ()) -> list[Claim]:
    """Decide all claims.

    Parameters
    ----------
    rows : sequence of mapping
        Lines of measures.csv, each with the ``stages`` of its growth.
    ceilings : mapping of str to Ceiling
        Scores of the best prediction, by data.
    unexplored : sequence of mapping
        Landscapes of the plan without a store: name, family, system, errors, draw. A claim about them is open.
    """
    rows = [*rows, *map(Unexplored, unexplored)]
    decided = []
    for part in (_errors, _sizes, _generalisation, _parts, _spreads, _shapes, _neighbours, _ranks, _depth, _mnist):
        decided += part(rows)
    return decided + _ceiling(rows, ceilings)


def _claim(number: str, paper: str, measure: str, cases: Iterable[Case | None], demand: Demand = EVERY) -> Claim:
    known = tuple(case for case in cases if case is not None)
    return Claim(number, paper, measure, known, demand, verdict(known, demand))


def _errors(rows: Rows) -> list[Claim]:
    word = "{} increase on average with the fraction of errors"
    rank = "rank correlation with the errors above 0, in each data set and draw"
    return [
        _claim(number, word.format(what), rank, [c for d in TABLES for c in trend(rows, d, column, 1)], ON_AVERAGE)
        for number, what, column in (
            ("1a", "minima", "minima"),
            ("1b", "transition states", "transition_states"),
            ("1c", "losses of Gmin", "gmin_loss"),
        )
    ]


def _sizes(rows: Rows) -> list[Claim]:
    def cases(column: str) -> Iterable[Case | None]:
        for small, large in (("D2", "D3"), ("D3", "D1")):
            for row in of_family(rows, small):
                for other in of_family(rows, large, row["errors"], row["draw"]):
                    yield compare(Entry(row, column), Entry(other, column))

    word = "the larger the configuration space (D2, D3, D1), the {}"
    rank = "D2 below D3 and D3 below D1, at every error and draw"
    return [
        _claim("2a", word.format("more minima"), rank, cases("minima")),
        _claim("2b", word.format("more transition states"), rank, cases("transition_states")),
        _claim("2c", word.format("higher the loss of Gmin"), rank, cases("gmin_loss")),
    ]


def _generalisation(rows: Rows) -> list[Claim]:
    falls = [c for d in TABLES for c in trend(rows, d, "train_mean", -1, until=50)]
    tests = [c for d in TABLES for c in trend(rows, d, "test_mean", -1)]
    collapse = each(rows, TABLES, "test_mean", lambda row: (f"{row['test_mean']:.4g}", row["test_mean"] < 0.5), 100.0)
    return [
        _claim("3a", "at 0 % training AUC beats testing AUC", "AUC of Gmin",
               within(rows, TABLES, (0,), "test_gmin", "train_gmin")),
        _claim("3b", "at 10 and 50 % clean testing AUC beats training AUC", "mean AUC over minima",
               within(rows, TABLES, (10, 50), "train_mean", "test_mean")),
        _claim("3c", "at 100 % testing AUC collapses", "mean testing AUC over minima below 1/2", collapse),
        _claim("3d", "training AUC decreases with errors (its D2 rises at 100 %)",
               "rank correlation of the mean with errors up to 50 % below 0", falls),
        _claim("3e", "testing AUC decreases with errors", "rank correlation of the mean with errors below 0", tests),
    ]  # fmt: skip


def _parts(rows: Rows) -> list[Claim]:
    return [
        _claim("4a", "the correctly labelled part has a higher AUC than the testing data", "mean AUC over minima",
               within(rows, TABLES, (0, 10, 50), "test_mean", "correct_mean")),
        _claim("4b", "the correctly labelled part beats the mislabelled one", "mean AUC over minima",
               within(rows, TABLES, (10, 50), "incorrect_mean", "correct_mean")),
    ]  # fmt: skip


def _spreads(rows: Rows) -> list[Claim]:
    def band() -> Iterable[Case | None]:
        for family in TABLES:
            for row in of_family(rows, family, 0.0):
                for other in (50.0, 100.0):
                    for wrong in of_family(rows, family, other, row["draw"]):
                        yield compare(Entry(row, "test_sd_low"), Entry(wrong, "test_sd_low"))

    sd = "standard deviation over minima"
    return [
        _claim("5a", "the spread of the testing AUC grows with errors", f"{sd}: rank correlation with errors above 0",
               [c for d in TABLES for c in trend(rows, d, "test_sd", 1)]),
        _claim("5b", "it exceeds that of the training AUC in almost every example", sd,
               within(rows, TABLES, None, "train_sd", "test_sd"), ALMOST_EVERY),
        _claim("5c", "the tight band of minima above Gmin is lost",
               "standard deviation of testing AUC in the lowest quarter of the losses larger at 50 and 100 % than at 0",
               band()),
    ]  # fmt: skip


def _single(rows: Rows, families: Iterable[str], wanted: bool, threshold: float) -> list[Case]:
    """Return the cases that landscapes are single-funnelled (wanted), or that they have sub-funnels."""

    def judged(row: Row) -> tuple[str, bool | None]:
        numbers = (
            f"other funnel {row['other_funnel']:.2g} of the band, {row['main_funnel']:.0%} of minima in the main one, "
            f"frustration {row['frustration']:.2g}"
        )
        return numbers, (row["other_funnel"] < threshold) == wanted if joined(row) else None

    return each(rows, families, "frustration", judged)


def _funnels(number: str, paper: str, rows: Rows, families: Sequence[str], wanted: bool) -> Claim:
    """Return a claim about single funnels, which is decided where every threshold decides it in the same way."""
    cases = {threshold: _single(rows, families, wanted, threshold) for threshold in _SINGLE}
    verdicts = {verdict(of) for of in cases.values()}
    held = ", ".join(f"{threshold:g}: {sum(case.holds is True for case in of)}" for threshold, of in cases.items())
    parts = ", ".join(f"{threshold:g}" for threshold in _SINGLE)
    measure = (
        f"the deepest funnel beside that of Gmin is {'shallower' if wanted else 'deeper'} than a part of the band of "
        f"losses, whichever of {parts} is taken (cases in which it is, {held})"
    )
    known = tuple(cases[_SAID])
    return Claim(number, paper, measure, known, EVERY, verdicts.pop() if len(verdicts) == 1 else UNKNOWN)


def _less_frustrated(low: Row, high: Row) -> Case | None:
    """Return the case that a landscape is less frustrated than another, by mean, median and mean of most minima."""
    columns = ("frustration", "frustration_median", "frustration_trimmed")
    cases = [case for column in columns if (case := compare(Entry(low, column), Entry(high, column))) is not None]
    if not cases:
        return None
    answers = {case.holds for case in cases}
    numbers = ", ".join(
        f"{column.partition('_')[2] or 'mean'} {case.numbers}" for column, case in zip(columns, cases, strict=False)
    )
    return Case(cases[0].of, numbers, answers.pop() if len(answers) == 1 else None)


def _shapes(rows: Rows) -> list[Claim]:
    local = [("D1", "D1-n2"), ("D1", "D1-n3")]
    strong = [(f"{name}-l2x10", name) for name in ("D1-h5", "D1-h5-n2", "D1-h5-n3")]
    frustrated = (
        "frustration index, equal weights (docs/compare.md): its mean, median and mean without the largest tenth"
    )
    fewer = "{} in each of three networks [2,5,4]: 2, 3, all neighbours"
    return [
        _funnels("6a", "all these landscapes are single-funnelled, at 100 % too", rows, TABLES, True),
        _claim("6b", "2 and 3 neighbours have many more stationary points", "minima, against fully connected",
               between(rows, local, "minima")),
        _claim("6c", "they are more frustrated", frustrated, starmap(_less_frustrated, of_one_draw(rows, local))),
        _funnels("6d", "still relatively single-funnelled at 0.0001", rows, ("D1-n2", "D1-n3"), True),
        _funnels("6e", "sub-funnels at 0.00001", rows, ("D1-h5-n2", "D1-h5-n3"), False),
        _claim("6f", "a tenfold larger l2 makes the landscape more convex", fewer.format("fewer minima"),
               between(rows, strong, "minima")),
        _claim("6g", "the same", f"{fewer.format('less frustration')}; {frustrated}",
               starmap(_less_frustrated, of_one_draw(rows, strong))),
    ]  # fmt: skip


def _two_minima(row: Row) -> tuple[str, bool | None]:
    more = row["minima"] > 2
    return f"{row['minima']:.0f} minima", row["minima"] == 2 if finished(row) or more else None


def _neighbours(rows: Rows) -> list[Claim]:
    others = [(name, "D1-n2") for name in ("D1-n1", "D1-n3", "D1")]
    two = each(rows, ("D1-n1",), "minima", _two_minima, 0.0)
    poor = [("D1-n1", name) for name in ("D1-n2", "D1-n3", "D1")]
    return [
        _claim("7a", "two neighbours have the best testing AUC", "mean over minima, against 1, 3 and all",
               between(rows, others, "test_mean")),
        _claim("7b", "one neighbour has two minima only", "minima", two),
        _claim("7c", "and they are poor", "mean testing AUC below that of 2, 3 and all",
               between(rows, poor, "test_mean")),
    ]  # fmt: skip


def _rank_cases(rows: Rows, families: Iterable[str], errors: Iterable[float], column: str, sign: int) -> list[Case]:
    """Return the cases that a rank correlation over minima has a sign; open where its 95 % interval contains 0."""

    def judged(row: Row) -> tuple[str, bool | None]:
        rho, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
        ends = sign * low, sign * high
        return f"{rho:.2f} ({low:.2f} to {high:.2f})", True if min(ends) > 0 else False if max(ends) < 0 else None

    return [case for error in errors for case in each(rows, families, column, judged, error)]


def _ranks(rows: Rows) -> list[Claim]:
    rank = "rank correlation over minima, with its 95 % interval on that side of 0"
    return [
        _claim("8a", "low minima have high training AUC", f"{rank}: loss and training AUC, below",
               _rank_cases(rows, TABLES, (0, 10, 50, 100), "rank_loss_train", -1)),
        _claim("8b", "training and testing AUC correlate at 0 %", f"{rank}, above",
               _rank_cases(rows, TABLES, (0,), "rank_train_test", 1)),
        _claim("8c", "with errors the better testing AUC lies at higher loss", f"{rank}: loss and testing AUC, above",
               _rank_cases(rows, TABLES, (10, 50, 100), "rank_loss_test", 1)),
    ]  # fmt: skip


def _depth(rows: Rows) -> list[Claim]:
    deeper = [("D1", "D1-55-1000"), ("D1-55-1000", "D1-444-1000"), ("D1-55-100", "D1-444-100")]
    fewer = [("D1-55-1000", "D1-55-100"), ("D1-444-1000", "D1-444-100")]
    wider = deeper[1:]
    low = "of the 100 lowest minima, where 90 of them are connected: "
    return [
        _claim("9a", "more hidden layers give many more stationary points", "minima",
               between(rows, deeper, "minima")),
        _claim("9b", "so do fewer data", "minima", between(rows, fewer, "minima")),
        _claim("9c", "with 1000 data the uphill barriers towards Gmin are much smaller than with 100",
               low + "median climb on the lowest path to Gmin", between(rows, fewer, "low_barrier")),
        _claim("9d", "three layers span a wider range of loss than two",
               low + "highest less lowest loss", between(rows, wider, "low_height")),
    ]  # fmt: skip


def _whichever_class(cases_of: Callable[[str], Iterable[Case | None]]) -> list[Case]:
    """Return the cases that hold, or do not, for every class alike; open where classes differ.

    ``cases_of`` is given the end of the columns of a class, such as "_3".
    """
    found: dict[str, list[Case]] = {}
    for number in range(CLASSES):
        for case in cases_of(f"_{number}"):
            if case is not None:
                found.setdefault(case.of, []).append(case)
    return [_of_all(cases) for cases in found.values()]


def _of_all(cases: Sequence[Case]) -> Case:
    """Return the case of a landscape or draw from those of its classes."""
    if cases[0].numbers == NOT_EXPLORED:
        return cases[0]
    answers = {case.holds for case in cases}
    numbers = f"in {sum(case.holds is True for case in cases)} of {len(cases)} classes"
    return Case(cases[0].of, numbers, answers.pop() if len(answers) == 1 else None)


def _mnist(rows: Rows) -> list[Claim]:
    def higher(low: str, high: str) -> Callable[[str], Iterable[Case | None]]:
        return lambda end: within(rows, _DIGITS, None, f"{low}_mean{end}", f"{high}_mean{end}")

    def rising(end: str) -> Iterable[Case | None]:
        return [case for family in _DIGITS for case in trend(rows, family, f"test_sd{end}", 1)]

    first, clean = higher("test", "train"), higher("incorrect", "correct")
    above, better, spread = (
        "MNIST: training AUC stays above testing AUC at every error", "the networks do much better on the clean part",
        "the spread of testing AUC grows with errors",
    )  # fmt: skip
    mean, sd = "mean over minima", "standard deviation over minima: rank correlation with errors above 0"
    all_classes, single = "AUC averaged over the classes: {}", "AUC of a single class, whichever is taken: {}"
    return [
        _claim("10a", above, all_classes.format(mean), first("")),
        _claim("10b", better, all_classes.format(mean), clean("")),
        _claim("10c", spread, all_classes.format(sd), rising("")),
        _claim("10d", above, single.format(mean), _whichever_class(first)),
        _claim("10e", better, single.format(mean), _whichever_class(clean)),
        _claim("10f", spread, single.format(sd), _whichever_class(rising)),
    ]


def _ceiling(rows: Rows, ceilings: Mapping[str, Ceiling]) -> list[Claim]:
    def cases(column: str, score: Callable[[Ceiling], float], above: int) -> list[Case]:
        def judged(row: Row) -> tuple[str, bool | None]:
            ceiling = ceilings[row["system"]]
            best, beyond = score(ceiling), above * (row[column] - score(ceiling))
            holds = True if beyond <= 0 else None if beyond <= 2 * ceiling.error else False
            return f"{row[column]:.4f} against {best:.4f}", holds

        families = dict.fromkeys(str(row["family"]) for row in rows if row["system"] in ceilings)
        return each(rows, families, column, judged)

    word = "the best possible prediction from r12 and r13 is the marginal probability of each outcome"
    return [
        _claim("11a", word, "no minimum's testing AUC is above the estimated ceiling (open within two standard errors)",
               cases("test_best", lambda ceiling: ceiling.auc, 1)),
        _claim("11b", word, "no Gmin's testing loss without the L2 term is below it",
               cases("test_gmin_log_loss", lambda ceiling: ceiling.log_loss, -1)),
    ]  # fmt: skip
