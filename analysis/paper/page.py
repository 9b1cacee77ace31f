"""Page of Markdown with all tables, figures and claims, and the origin of each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.analysis.paper.claims.cases import NOT_EXPLORED, Case
from thalweg.analysis.paper.claims.decisions import Claim
from thalweg.analysis.paper.claims.equal_searches import with_stages
from thalweg.analysis.paper.claims.verdicts import ALMOST_EVERY, EVERY, share
from thalweg.analysis.paper.comparison_text import comparison_text
from thalweg.analysis.paper.growth import stages_of
from thalweg.analysis.paper.machine import machine
from thalweg.analysis.paper.page_command import Source
from thalweg.analysis.paper.plan import Plan
from thalweg.analysis.paper.results import Results
from thalweg.analysis.paper.stopping_rule import FINISHED
from thalweg.analysis.paper.tables import agreement, behind, equal_counts, table_markdown

__all__ = ["page_text"]

_TIMES = 4  # factor between the searches of one line of growth and those of the next


def page_text(plan: Plan, results: Results, source: Source, skipped: Mapping[str, str], files: str = "") -> str:
    """Return the page.

    Parameters
    ----------
    plan : Plan
    results : Results
    source : Source
        Command that made the results.
    skipped : mapping of str to str
        Reasons for which landscapes could not be explored, by name.
    files : str
        Prefix of the names of pictures and data, such as "paper/" where they are in another folder.
    """
    tables = [_table(name, plan, results) for name in plan.tables]
    figures = [_figure(name, plan, results, files) for name in plan.figures]
    decided = [_claims(results), _ceilings(results)]
    rest = [_landscapes(plan, results, skipped), _labels(results), _growth(results, files)]
    ends = [_choices(plan), _failures(results)]
    if plan.page:
        compared = comparison_text(plan.comparisons, results.differences, files)
        parts = [_own_head(plan, results, source), compared, *tables, *figures, _origins(plan, source, files), *rest]
    else:
        parts = [_head(plan, results, source), _origins(plan, source, files), *tables, *figures, *decided, *rest]
        parts.append(_peers(source))
    return "\n\n".join(part for part in (*parts, *ends) if part) + "\n"


def _grid(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', ' ') for cell in line)} |" for line in lines)


def _head(plan: Plan, results: Results, source: Source) -> str:
    small = "" if plan.scale == "full" else (
        f" **Scale {plan.scale}: every landscape is cut short, so none of these numbers is the paper's result.**"
    )  # fmt: skip
    return (
        "# The paper's tables and figures, measured\n\n"
        "S. R. Chitturi, P. C. Verpoort, A. A. Lee, D. J. Wales, Mach. Learn.: Sci. Technol. 1 (2020) 023002, beside "
        f"landscapes of our own, explored from data drawn afresh.{small}\n\n{_made(plan, results, source)}"
    )


def _own_head(plan: Plan, results: Results, source: Source) -> str:
    """Return the heading of a page that is not the paper's."""
    short = "" if plan.scale == "full" else (
        f"\n\n**Scale {plan.scale}: every landscape is cut short. Its counts are lower bounds, and lower minima than "
        "those found may exist.**"
    )  # fmt: skip
    return f"# {plan.page['title']}\n\n{plan.page['text'].strip()}{short}\n\n{_made(plan, results, source)}"


def _made(plan: Plan, results: Results, source: Source) -> str:
    """Return how the numbers of the page were made, and what their marks mean."""
    seconds = sum(state.get("seconds", 0.0) for state in results.states.values())
    seeds = sorted({job.options["seed"] for job in plan.jobs})
    return (
        f"    {source.command()}\n\n"
        f"Seeds {', '.join(map(str, seeds))}. {machine()}. Searching took {seconds / 3600:.2f} hours in all. "
        f"{_progress(plan, results)}\n\n"
        f"A landscape has stopped growing when with 95 % confidence (Chao's estimate) fewer than "
        f"{plan.rule.remaining:.0%} of its minima, or fewer than one, remain to be found, and fewer than "
        f"{plan.rule.new:.0%} of the arrivals at transition states are at new ones (Good and Turing's estimate). "
        "A row with * rests on one that had not, and its numbers may still change. A count with * is a lower bound: "
        "more than a few remain, as of transition states also where growth has stopped, since rare ones are many (how "
        "many at least stands under Landscapes). ± is the standard deviation between draws of the training data. What "
        "has not been explored is empty."
    )


def _progress(plan: Plan, results: Results) -> str:
    """Return a sentence with the numbers of landscapes, explored and ended ones."""
    ended = sum(state.get("why") in FINISHED for state in results.states.values())
    return (
        f"Of {len(plan.jobs)} landscapes {len(results.rows)} are explored, {ended} of them to the end of their growth "
        "or sample."
    )


def _origins(plan: Plan, source: Source, files: str) -> str:
    """Return the section on the origin of each kind of number, and on making it again."""
    name = plan.jobs[0].name
    others = ["comparisons.csv"] if plan.page else ["ceiling.csv", "claims.csv"]
    named = [f"`{one}`" for one in ("failures.csv", "growth.csv", *others)]
    cases = "" if plan.page else " and cases of claims"
    return (
        "## Where each number comes from\n\n"
        f"Under each table stand the lines of [measures.csv]({files}measures.csv) (the header is line 1) that its rows "
        "are means of, in the columns of the same names; `store` in that line is the landscape's store in the folder "
        "of results, and `networks/NAME.npz` has energies, connections and AUC of its points. "
        f"Panels of figures{cases} carry the names of stores. {', '.join(named[:-1])} and {named[-1]} are beside it, "
        "each table in `tables/`. One landscape is looked at, its "
        f"points computed again, and it is made anew by itself, with\n\n"
        f"    thalweg info {source.output}/landscapes/{name}.zarr\n"
        f"    thalweg verify {source.output}/landscapes/{name}.zarr\n"
        f"    {source.command('again', name)}\n\n"
        "The last finds the same points in the same order; what a time ended, after more or fewer searches. That holds "
        "for one version of the program: a landscape that grew over several days was searched by that of each day."
    )


def _figure(name: str, plan: Plan, results: Results, files: str) -> str:
    entry, explored = plan.figures[name], {row["name"] for row in results.rows}
    stores = ", ".join(
        job.name if job.name in explored else f"{job.name} (not explored yet)" for job in plan.shown(name)
    )
    told = f"The numbers of the tables {', '.join(entry['tables'])}." if "tables" in entry else f"Stores: {stores}."
    parts = [f"## {_heading(name, plan)}", f"{entry['title']}.", f"![{name}]({files}figures/{name}.png)", told]
    return "\n\n".join([*parts, *([entry["note"]] if "note" in entry else [])])


def _heading(name: str, plan: Plan) -> str:
    """Return the heading of a table or figure: its name, in the paper such as table1."""
    return f"{'Table' if name in plan.tables else 'Figure'} {name}" if plan.page else name


def _table(name: str, plan: Plan, results: Results) -> str:
    table, found = plan.tables[name], results.cells[name]
    grown = [with_stages(row, results.states[row["name"]]) for row in results.rows]
    equal = equal_counts(table, {head: [one.row for one in behind(table, head, grown)] for head, *_ in table["rows"]})
    beside = "" if plan.page else agreement(found)
    parts = [
        f"## {_heading(name, plan)}",
        f"{table['title']}.",
        table_markdown(table, found, not plan.page),
        equal,
        beside,
    ]
    parts.append(table.get("note", ""))
    return "\n\n".join(part for part in parts if part)


def _claims(results: Results) -> str:
    rows = []
    known = {claim.number: [case for case in claim.cases if case.numbers != NOT_EXPLORED] for claim in results.claims}
    for claim in results.claims:
        if cases := known[claim.number]:
            told = "; ".join(f"{case.of}: {case.numbers}" for case in cases[:3])
            more = f"; {len(cases) - 3} more in claims.csv" if len(cases) > 3 else ""
            measured = [claim.measure, claim.demand.name, _holds(claim, cases), told + more]
            rows.append([claim.number, claim.paper, *measured, claim.ours])
    open_ones = [number for number, cases in known.items() if not cases]
    return (
        "## Claims\n\nA case is a landscape, a draw or a pair of landscapes. A claim says that it holds in every case "
        f"(here: in at least {EVERY.share:.0%}), in almost every one (at least {ALMOST_EVERY.share:.0%}) or on average "
        "(in more than half). Confirmed: it holds in such a share of our cases, and with 95 % confidence in more than "
        "half of such cases. Not confirmed: with 95 % confidence it holds in a smaller share than it says. Else it "
        "cannot be told, as where there are fewer than four cases. The interval of the share stands in brackets "
        "(Wilson's); cases that are open, because a landscape still grows (*) or is not explored yet, count against "
        "the claim at its lower end and for it at its upper one. "
        "Counts that are lower bounds are compared after the same number of searches, which then stands with "
        "them: with more searches it may be otherwise. Funnels, frustration and barriers count where nine of ten "
        "minima are connected.\n\n"
        + _grid(["", "the paper", "decided by", "says", "holds in", "numbers", "ours"], rows)
        + (f"\n\nNothing explored that decides {', '.join(open_ones)}: cannot be told." if open_ones else "")
    )


def _holds(claim: Claim, known: Sequence[Case]) -> str:
    unsure, waiting = sum(case.holds is None for case in known), len(claim.cases) - len(known)
    more = [f"{count} {what}" for count, what in ((unsure, "open"), (waiting, "to come")) if count]
    _, low, high = share(claim.cases)
    held = f"{sum(bool(case.holds) for case in known)} of {len(known)} ({100 * low:.0f} to {100 * high:.0f} %)"
    return ", ".join([held, *more])


def _ceilings(results: Results) -> str:
    rows = [
        [name, f"{one.auc:.4f} ± {one.error:.4f}", f"{one.log_loss:.4f}", one.neighbours, f"{one.testing_points:,}"]
        for name, one in results.ceilings.items()
    ]
    head = ["data", "AUC of class 0", "log loss", "neighbours", "scored on"]
    told = (
        "The best that r12 and r13 tell (claim 11): the share of each outcome among the nearest of 100,000 training "
        "data and their mirror images, scored on testing data. MNIST has no such ceiling."
    )
    return f"## Ceiling of prediction from two distances\n\n{told}\n\n{_grid(head, rows)}" if rows else ""


def _landscapes(plan: Plan, results: Results, skipped: Mapping[str, str]) -> str:
    lines = {row["name"]: (k + 2, row) for k, row in enumerate(results.rows)}
    rows = []
    for job in plan.jobs:
        if job.name not in lines:
            rows.append([job.name, "", "", "", "", "", "", skipped.get(job.name, "not explored yet"), ""])
            continue
        line, row = lines[job.name]
        remaining = [f"{row[f'{kind}_remaining']:.0f} (< {row[f'{kind}_remaining_high']:.0f})"
                     for kind in ("minima", "transition_states")]  # fmt: skip
        state = results.states[job.name]
        checked = f"{state['problems']} problems" if "problems" in state else "not yet"
        why = state.get("why") or "in progress"
        counts = [f"{row[name]:.0f}" for name in ("minima", "transition_states")]
        rows.append([job.name, str(line), *counts, *remaining, f"{row['seconds']:.0f}", why, checked])
    head = ["store in landscapes/", "line", "minima", "transition states", "minima remaining", "states remaining",
            "seconds", "ended by", "verified again"]  # fmt: skip
    told = "\n".join(f"- {name}: {text}" for name, state in results.states.items() for text in state.get("told", ()))
    parts = [f"## Landscapes\n\n{_grid(head, rows)}", told, _kept(results)]
    return "\n\n".join(part for part in parts if part)


def _kept(results: Results) -> str:
    """Return the landscapes that earlier calls explored and whose stores are not at hand."""
    groups: dict[str, list[str]] = {}
    for name, where in results.where.items():
        if where:
            groups.setdefault(where, []).append(name)
    return "\n".join(
        f"- explored earlier ({where}), store not at hand: {', '.join(of)}" for where, of in groups.items()
    )


def _labels(results: Results) -> str:
    rows = [[row["name"], row["labels"], f"{row['mislabelled']:.0f}"] for row in results.rows]
    grid = _grid(["landscape", "training labels of class 0, 1, ...", "mislabelled"], rows)
    return f"## Label distributions\n\n{grid}"


def _growth(results: Results, files: str) -> str:
    """Return the counts at stages with four times as many searches each, and at the last one."""
    rows: list[list[str]] = []
    for name, state in results.states.items():
        stages = stages_of(state)
        for k, stage in enumerate(stages):
            last = k == len(stages) - 1
            if last or not rows or rows[-1][0] != name or stage.searches >= _TIMES * max(int(rows[-1][1]), 1):
                counts = (str(stage.minima), str(stage.transition_states))
                rows.append([name, str(stage.searches), f"{stage.seconds:.0f}", *counts])
    if not rows:
        return ""
    head = ["landscape", "searches", "seconds", "minima", "transition states"]
    picture = f"![growth]({files}figures/growth.png)\n\nThe picture has the first draws without errors; growth.csv all "
    return f"## Growth\n\n{picture}stages, the table those with four times as many searches.\n\n{_grid(head, rows)}"


def _peers(source: Source) -> str:
    """Return the table of the benchmark beside the original programs, if the folder has it."""
    path = source.output / "peers.md"
    return f"## Beside the original programs\n\n{path.read_text(encoding='utf-8').strip()}" if path.exists() else ""


def _choices(plan: Plan) -> str:
    told = "\n".join(f"- {what}: {taken}." for what, taken in plan.choices.items())
    return f"## What the paper leaves open, and what was taken\n\n{told}"


def _failures(results: Results) -> str:
    reasons: dict[str, int] = {}
    for found in results.failures.values():
        for reason, count in found.items():
            reasons[reason] = reasons.get(reason, 0) + count
    searches = sum(row["steps"] + row["searches"] for row in results.rows)
    rows = [[reason, f"{count:,}"] for reason, count in sorted(reasons.items(), key=lambda item: -item[1])]
    head = f"Of {searches:,.0f} quenches and searches; by landscape in failures.csv."
    return f"## Appendix: searches that failed, by reason\n\n{head}\n\n{_grid(['reason', 'searches'], rows)}"
