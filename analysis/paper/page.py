"""Page of Markdown with all tables, figures and claims, and the origin of each number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.analysis.paper.claims.cases import NOT_EXPLORED, Case
from thalweg.analysis.paper.claims.class_areas import closest
from thalweg.analysis.paper.claims.decisions import Claim
from thalweg.analysis.paper.claims.equal_searches import with_stages
from thalweg.analysis.paper.claims.verdicts import ALMOST_EVERY, EVERY, share
from thalweg.analysis.paper.comparison_text import comparison_text
from thalweg.analysis.paper.machine import machine
from thalweg.analysis.paper.measures import MEANINGS
from thalweg.analysis.paper.page_command import Source
from thalweg.analysis.paper.plan import Plan
from thalweg.analysis.paper.results import Results
from thalweg.analysis.paper.stopping_rule import FINISHED
from thalweg.analysis.paper.tables import agreement, behind, equal_counts, table_markdown

__all__ = ["page_text"]


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
    columns, rest = _columns(plan), [_landscapes(plan, results, skipped, files), _growth(results, files)]
    ends = [_choices(plan), _failures(results)]
    if plan.page:
        compared = comparison_text(plan.comparisons, results.differences, files)
        first = [_own_head(plan, results, source), columns]
        parts = [*first, compared, *tables, *figures, _origins(plan, source, files), *rest]
    else:
        first = [_head(plan, results, source), columns, _origins(plan, source, files)]
        parts = [*first, *tables, *figures, *decided, *rest]
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
        "The paper is S. R. Chitturi, P. C. Verpoort, A. A. Lee, D. J. Wales, Mach. Learn.: Sci. Technol. 1 (2020) "
        "023002. Here its numbers stand beside those of our own landscapes, which were explored from newly drawn data. "
        "In the titles, [2,10,4,1000,0.0001] is a network with 2 inputs, 10 hidden units and 4 outputs, trained on "
        f"1,000 points with lambda = 0.0001, the strength of the L2 term.{small}\n\n{_made(plan, results, source)}"
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
        f"A landscape has stopped growing if, with 95 % confidence, fewer than {100 * plan.rule.remaining:g} % of its "
        "minima, or fewer than one, remain to be found, and if as many searches again are expected to raise the number "
        f"of its transition states by less than {100 * plan.rule.new:g} %. Both are forecast from the times at which "
        "its points were found first (docs/exploring.md says how well such forecasts have held). "
        "In the tables:\n\n"
        "- A row with * rests on a landscape that has not stopped growing. Its numbers may still change.\n"
        "- A count with * is a lower bound. What probably remains, with a 95 % interval, and what as many searches "
        "again are expected to find are in landscapes.csv.\n"
        "- ± is the standard deviation between draws of the training data.\n"
        "- An empty cell has not been explored, or has no meaning."
    )


def _progress(plan: Plan, results: Results) -> str:
    """Return a sentence with the numbers of landscapes, explored and ended ones."""
    ended = sum(state.get("why") in FINISHED for state in results.states.values())
    return (
        f"Of {len(plan.jobs)} landscapes {len(results.rows)} are explored. Of these {ended} have ended: they have "
        "stopped growing, or their sample of minima is complete."
    )


def _origins(plan: Plan, source: Source, files: str) -> str:
    """Return the section on the origin of each kind of number, and on making it again."""
    name = plan.jobs[0].name
    others = ["comparisons.csv"] if plan.page else ["ceiling.csv", "claims.csv"]
    named = [f"`{one}`" for one in ("failures.csv", "growth.csv", "landscapes.csv", *others)]
    cases = "" if plan.page else " and cases of claims"
    return (
        "## Where each number comes from\n\n"
        f"The line below each table says which lines of [measures.csv]({files}measures.csv) its rows are means of "
        "(line 1 is the header). Columns of the table and of the file have the same names. The column `store` names "
        "the landscape's store in the folder of results, and `networks/NAME.npz` has the energies, connections and AUC "
        f"of its points. Panels of figures{cases} have the names of stores. Beside measures.csv are "
        f"{', '.join(named[:-1])} and {named[-1]}, and each table in `tables/`.\n\n"
        "To look at one landscape and to verify it, after the command at the top of this page has explored it; and to "
        "make it again alone:\n\n"
        f"    thalweg info {source.output}/landscapes/{name}.zarr\n"
        f"    thalweg verify {source.output}/landscapes/{name}.zarr\n"
        f"    {source.command('again', name)}\n\n"
        "The last command finds the same points in the same order with the same version of Thalweg. A run that a time "
        "limit ended may stop after another number of searches. A landscape that grew over several days was searched "
        "by the versions of these days."
    )


def _columns(plan: Plan) -> str:
    """Return what the columns of tables and comparisons mean, and the parts of the names of landscapes."""
    used = [column for table in plan.tables.values() for column in table["columns"][1:]]
    used += [measure for one in plan.comparisons.values() for measure in one["measures"]]
    rows = [[column.replace("_", " "), meaning] for column, meaning in MEANINGS.items() if column in used]
    spread = [["... sd", "standard deviation over all minima of the AUC in ... mean"]]
    data = "MNIST over all classes, each against the rest; else class 0 against the rest"
    told = data if any(job.system == "MNIST" for job in plan.jobs) else "class 0 against the rest"
    return (
        "## What the columns mean\n\n"
        f"{_grid(['column', 'meaning'], [*rows, *spread])}\n\n"
        f"AUC is the area under the ROC curve ({told}): 1 is perfect, 0.5 is chance. Gmin is the lowest minimum of a "
        f"landscape that was found. A name such as {plan.jobs[-1].name} is that of a landscape: after -e follows the "
        "percentage of wrong labels, after -d the number of the draw of training data, counted from 0."
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
    rows = {head: [one.row for one in behind(table, head, grown)] for head, *_ in table["rows"]}
    beside = [] if plan.page else [agreement(found), closest(table, rows, results.classes)]
    parts = [
        f"## {_heading(name, plan)}",
        f"{table['title']}.",
        table_markdown(table, found, not plan.page),
        equal_counts(table, rows),
        *beside,
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
        "## Claims\n\nA case is a landscape, a draw or a pair of landscapes. A claim says one of three things:\n\n"
        f"- it holds in every case (here: in at least {100 * EVERY.share:.0f} %);\n"
        f"- it holds in almost every case (at least {100 * ALMOST_EVERY.share:.0f} %);\n"
        "- it holds on average (in more than half).\n\n"
        "What we say of it:\n\n"
        "- Confirmed: it holds in such a share of our cases, and, with 95 % confidence, in more than half of all such "
        "cases.\n"
        "- Not confirmed: with 95 % confidence it holds in a smaller share than it says.\n"
        "- Cannot be told: neither is so, as where there are fewer than four cases.\n\n"
        "The 95 % interval of the share is in brackets (Wilson's). A case is open if a landscape still grows (*) or is "
        "not explored yet. Open cases count against the claim at the lower end of the interval, and for it at the "
        "upper end. Counts that are lower bounds are compared after the same number of searches, which is then written "
        "beside them; with more searches the result may be different. Funnels, frustration and barriers count only in "
        "landscapes of which at least nine tenths of the minima are connected.\n\n"
        + _grid(["", "the paper", "decided by", "says", "holds in", "numbers", "ours"], rows)
        + (f"\n\nNothing that decides {', '.join(open_ones)} has been explored: cannot be told." if open_ones else "")
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
        "The best prediction that the two distances r12 and r13 allow (claim 11). It is the share of each outcome "
        "among the nearest of 100,000 training data and their mirror images, and is scored on testing data. MNIST has "
        "no such ceiling."
    )
    return f"## Ceiling of prediction from two distances\n\n{told}\n\n{_grid(head, rows)}" if rows else ""


def _landscapes(plan: Plan, results: Results, skipped: Mapping[str, str], files: str) -> str:
    """Return how the landscapes have ended, what verification found, and which are not explored."""
    ended = Counter(state.get("why") or "in progress" for state in results.states.values())
    reasons: dict[str, list[str]] = {}
    for job in plan.jobs:
        if job.name not in results.states:
            reasons.setdefault(skipped.get(job.name, "not explored yet"), []).append(job.name)
    checked = [state["problems"] for state in results.states.values() if "problems" in state]
    counts = _grid(["ended by", "landscapes"], [[why, count] for why, count in ended.most_common()])
    verified = (
        f"All points of {len(checked)} landscapes were computed again: {sum(checked)} errors were found. "
        f"[landscapes.csv]({files}landscapes.csv) has a line for each landscape: counts, how many points probably "
        "remain to be found (with the upper end of the 95 % interval), seconds of searching, why it ended, errors "
        "found, and how many training points each class has."
    )
    missing = "\n".join(f"- {why}: {', '.join(names)}" for why, names in reasons.items())
    told = "\n".join(f"- {name}: {text}" for name, state in results.states.items() for text in state.get("told", ()))
    parts = ["## Landscapes", counts if ended else "", verified, missing, told, _kept(results)]
    return "\n\n".join(part for part in parts if part)


def _kept(results: Results) -> str:
    """Return the landscapes that earlier calls explored and whose stores are not at hand."""
    groups: dict[str, list[str]] = {}
    for name, where in results.where.items():
        if where:
            groups.setdefault(where, []).append(name)
    return "\n".join(
        f"- explored earlier ({where}), store not at hand: "
        f"{f'all {len(of)} landscapes' if len(of) == len(results.where) > 1 else ', '.join(of)}"
        for where, of in groups.items()
    )


def _growth(results: Results, files: str) -> str:
    """Return the picture of growth and where its numbers are."""
    if not any(state.get("stages") for state in results.states.values()):
        return ""
    return (
        f"## Growth\n\n![growth]({files}figures/growth.png)\n\nThe picture shows the landscapes of the first draw "
        f"with correct labels. [growth.csv]({files}growth.csv) has the counts of every landscape at every stage."
    )


def _peers(source: Source) -> str:
    """Return the table of the benchmark beside the original programs, if the folder has it."""
    path = source.output / "peers.md"
    return f"## Beside the original programs\n\n{path.read_text(encoding='utf-8').strip()}" if path.exists() else ""


def _choices(plan: Plan) -> str:
    told = "\n".join(f"- {what}: {taken}." for what, taken in plan.choices.items())
    return f"## What the paper leaves open, and what was chosen\n\n{told}"


def _failures(results: Results) -> str:
    reasons: dict[str, int] = {}
    for found in results.failures.values():
        for reason, count in found.items():
            reasons[reason] = reasons.get(reason, 0) + count
    searches = sum(row["steps"] + row["searches"] for row in results.rows)
    rows = [[reason, f"{count:,}"] for reason, count in sorted(reasons.items(), key=lambda item: -item[1])]
    head = f"There were {searches:,.0f} quenches and searches in all. failures.csv has these numbers by landscape."
    return f"## Appendix: searches that failed, by reason\n\n{head}\n\n{_grid(['reason', 'searches'], rows)}"
