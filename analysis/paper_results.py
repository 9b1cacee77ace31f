"""From the stores to files: measures, tables, figures, claims."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thalweg.analysis.network import KineticTransitionNetwork
from thalweg.analysis.paper_ceiling import Ceiling, ceiling
from thalweg.analysis.paper_claims import Claim, decide
from thalweg.analysis.paper_figures import box_figure, graph_figure, growth_figure
from thalweg.analysis.paper_growth import state_of
from thalweg.analysis.paper_measures import from_csv, measures, to_csv
from thalweg.analysis.paper_plan import Job, Plan
from thalweg.analysis.paper_tables import Cell, cells, table_csv, table_markdown
from thalweg.analysis.summary import summarise

__all__ = ["Results", "store_path", "write_results"]

_DPI = 150


class Results(NamedTuple):
    """What was found, as the page needs it.

    Attributes
    ----------
    rows : list of dict
        Of measures.csv.
    states : dict of str to dict
        Of each landscape's growth, by its name.
    ceilings : dict of str to Ceiling
    cells : dict of str to list of Cell
        Of each table.
    claims : list of Claim
    failures : dict of str to dict of str to int
        How many searches failed for what reason, by landscape.
    """

    rows: list[dict[str, Any]]
    states: dict[str, dict[str, Any]]
    ceilings: dict[str, Ceiling]
    cells: dict[str, list[Cell]]
    claims: list[Claim]
    failures: dict[str, dict[str, int]]


def store_path(output: Path, job: Job) -> Path:
    """Return where the store of a landscape is."""
    return output / "landscapes" / f"{job.name}.zarr"


def write_results(plan: Plan, output: Path, workers: int | None, say: Callable[[str], object]) -> Results:
    """Write measures.csv, growth.csv, failures.csv, ceiling.csv, claims.csv, tables/ and figures/.

    Parameters
    ----------
    plan : Plan
    output : Path
        The folder with ``landscapes/``.
    workers : int or None
        Threads.
    say : callable
        Given the name of each file that takes a while.
    """
    states = {job.name: state_of(store_path(output, job)) for job in plan.jobs}
    explored = [job for job in plan.jobs if states[job.name].get("stages") is not None and _has_minima(output, job)]
    rows = [measures(job, store_path(output, job), states[job.name]) for job in explored]
    _write(output / "measures.csv", to_csv(rows))
    rows = from_csv((output / "measures.csv").read_text())
    ceilings = _ceilings(plan, explored, output, workers, say)
    failures = {job.name: summarise(store_path(output, job)).failures for job in explored}
    _write(output / "failures.csv", _lines("name,reason,searches", _flat(failures)))
    stages = {name: state["stages"] for name, state in states.items() if state.get("stages")}
    growth = [(name, *stage) for name, reached in stages.items() for stage in reached]
    _write(output / "growth.csv", _lines("name,searches,seconds,minima,transition_states", growth))
    claims = decide(rows, {name: (one.auc, one.log_loss, one.error) for name, one in ceilings.items()})
    _write(output / "claims.csv", _claim_lines(claims))
    tables = {name: cells(table, rows) for name, table in plan.tables.items()}
    for name, found in tables.items():
        _write(output / "tables" / f"{name}.csv", table_csv(found))
        _write(output / "tables" / f"{name}.md", table_markdown(plan.tables[name], found) + "\n")
    _figures(plan, output, {name: one.auc for name, one in ceilings.items()}, stages, say)
    return Results(rows, states, ceilings, tables, claims, failures)


def _has_minima(output: Path, job: Job) -> bool:
    return summarise(store_path(output, job)).minima > 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _lines(head: str, rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head.split(","))
    writer.writerows(rows)
    return out.getvalue()


def _flat(failures: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, int]]:
    return [(name, reason, count) for name, found in failures.items() for reason, count in found.items()]


def _claim_lines(claims: Sequence[Claim]) -> str:
    rows: list[Sequence[Any]] = []
    for claim in claims:
        for case in claim.cases:
            holds = "unknown" if case.holds is None else "yes" if case.holds else "no"
            rows.append((claim.number, claim.paper, claim.measure, case.of, case.numbers, holds, claim.ours))
        if not claim.cases:
            rows.append((claim.number, claim.paper, claim.measure, "", "", "unknown", claim.ours))
    return _lines("claim,paper,measure,of,numbers,holds,ours", rows)


def _ceilings(
    plan: Plan, jobs: Sequence[Job], output: Path, workers: int | None, say: Callable[[str], object]
) -> dict[str, Ceiling]:
    """Return the ceilings of the data in the plan; those in ceiling.csv are not computed again."""
    path, testing = output / "ceiling.csv", plan.limits["testing"]
    text = path.read_text() if path.exists() else ""
    known = {row["name"]: row for row in csv.DictReader(io.StringIO(text))}
    result: dict[str, Ceiling] = {}
    for name in sorted({job.system for job in jobs} & {"D1", "D2", "D3"}):
        if name in known and int(known[name]["testing"]) == testing:
            result[name] = _from_line(known[name])
        else:
            say(f"ceiling of {name}")
            result[name] = ceiling(name, testing, workers)
    rows = [(testing, *one) for one in result.values()]
    _write(path, _lines("testing,name,neighbours,auc,log_loss,error,testing_points", rows))
    return result


def _from_line(row: Mapping[str, str]) -> Ceiling:
    auc, log_loss, error = (float(row[name]) for name in ("auc", "log_loss", "error"))
    return Ceiling(row["name"], int(row["neighbours"]), auc, log_loss, error, int(row["testing_points"]))


def _figures(
    plan: Plan, output: Path, ceilings: Mapping[str, float], stages: Mapping[str, Any], say: Callable[[str], object]
) -> None:
    """Draw all figures, as PNG and PDF."""
    folder = output / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {(job.family, job.errors): job for job in reversed(plan.jobs)}  # the first draw stays
    for name, entry in plan.figures.items():
        say(name)
        if "boxes" in entry:
            figure = box_figure(_boxes(plan, output, entry))
        else:
            chosen = [jobs[family, float(errors)] for family, errors, _ in entry["panels"]]
            networks = [_network(output, job, entry["colour"]) for job in chosen]
            figure = graph_figure(entry, networks, ceilings.get(chosen[0].system), plan.limits["pictures"])
        for ending in ("png", "pdf"):
            figure.savefig(folder / f"{name}.{ending}", dpi=_DPI)
    shown = {job.name: stages[job.name] for job in plan.jobs if job.errors + job.draw == 0 and job.name in stages}
    if shown:
        figure = growth_figure(shown)
        for ending in ("png", "pdf"):
            figure.savefig(folder / f"growth.{ending}", dpi=_DPI)


def _network(output: Path, job: Job, colour: str) -> KineticTransitionNetwork | None:
    path = store_path(output, job)
    if not path.exists():
        return None
    network = KineticTransitionNetwork.read(path)
    return network if network.n_minima and colour in network.properties else None


def _boxes(plan: Plan, output: Path, entry: Mapping[str, Any]) -> dict[str, dict[float, Any]]:
    jobs = [job for job in plan.jobs if job.family == entry["landscapes"] and job.draw == 0]
    groups: dict[str, dict[float, Any]] = {}
    for colour in entry["boxes"]:
        networks = {job.errors: _network(output, job, colour) for job in jobs}
        label = f"{colour.replace('_auc', '').replace('test', 'testing').replace('train', 'training')} AUC"
        groups[label] = {e: one.properties[colour] for e, one in networks.items() if one is not None}
    return groups
