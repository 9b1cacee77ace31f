"""From the stores to files: measures, tables, figures, claims."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from thalweg.analysis.network import KineticTransitionNetwork
from thalweg.analysis.paper_ceiling import Ceiling, ceiling
from thalweg.analysis.paper_claims import FINISHED, Claim, decide
from thalweg.analysis.paper_figures import Panel, box_figure, graph_figure, growth_figure
from thalweg.analysis.paper_growth import state_of
from thalweg.analysis.paper_measures import from_csv, measures, to_csv
from thalweg.analysis.paper_plan import Job, Plan
from thalweg.analysis.paper_tables import Cell, cells, table_csv, table_markdown
from thalweg.analysis.summary import summarise

__all__ = ["Results", "write_results"]

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
    states = {job.name: state_of(job.store(output)) for job in plan.jobs}
    explored = [job for job in plan.jobs if states[job.name].get("stages") is not None and _has_minima(output, job)]
    rows = [measures(job, job.store(output), states[job.name]) for job in explored]
    _write(output / "measures.csv", to_csv(rows))
    rows = from_csv((output / "measures.csv").read_text())
    ceilings = _ceilings(plan, explored, output, workers, say)
    failures = {job.name: summarise(job.store(output)).failures for job in explored}
    _write(output / "failures.csv", _lines("name,reason,searches", _flat(failures)))
    stages = {name: state["stages"] for name, state in states.items() if state.get("stages")}
    growth = [(name, *stage) for name, reached in stages.items() for stage in reached]
    _write(output / "growth.csv", _lines("name,searches,seconds,minima,transition_states", growth))
    unexplored = [_wanted(job) for job in plan.jobs if job not in explored]
    claims = decide(rows, {name: (one.auc, one.log_loss, one.error) for name, one in ceilings.items()}, unexplored)
    _write(output / "claims.csv", _claim_lines(claims))
    tables = {name: cells(table, rows) for name, table in plan.tables.items()}
    for name, found in tables.items():
        _write(output / "tables" / f"{name}.csv", table_csv(found))
        _write(output / "tables" / f"{name}.md", table_markdown(plan.tables[name], found) + "\n")
    growing = {job.name for job in explored if states[job.name].get("why") not in FINISHED}
    _figures(plan, output, {name: one.auc for name, one in ceilings.items()}, stages, growing, say)
    return Results(rows, states, ceilings, tables, claims, failures)


def _wanted(job: Job) -> dict[str, Any]:
    return {"name": job.name, "family": job.family, "system": job.system, "errors": job.errors, "draw": job.draw}


def _has_minima(output: Path, job: Job) -> bool:
    return summarise(job.store(output)).minima > 0


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
    plan: Plan, output: Path, ceilings: Mapping[str, float], stages: Mapping[str, Any], growing: AbstractSet[str],
    say: Callable[[str], object],
) -> None:  # fmt: skip
    """Draw all figures, as PNG and PDF."""
    folder = output / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in plan.figures.items():
        say(name)
        chosen = plan.shown(name)
        if "boxes" in entry:
            figure = box_figure(_boxes(chosen, output, entry, growing))
        else:
            panels = [
                Panel(title, _network(output, job), job.name in growing)
                for job, (_, _, title) in zip(chosen, entry["panels"], strict=True)
            ]
            figure = graph_figure(entry, panels, ceilings.get(chosen[0].system), plan.limits["pictures"])
        _save(figure, folder / name)
    shown = {job.name: stages[job.name] for job in plan.jobs if job.errors + job.draw == 0 and job.name in stages}
    if shown:
        _save(growth_figure(shown), folder / "growth")


def _save(figure: Figure, path: Path) -> None:
    for ending in ("png", "pdf"):
        figure.savefig(path.with_suffix(f".{ending}"), dpi=_DPI)


def _network(output: Path, job: Job) -> KineticTransitionNetwork | None:
    path = job.store(output)
    network = KineticTransitionNetwork.read(path) if path.exists() else None
    return network if network is not None and network.n_minima else None


def _boxes(
    jobs: Sequence[Job], output: Path, entry: Mapping[str, Any], growing: AbstractSet[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Return AUC over minima by percentage of errors, which has a * where the sample is not finished."""
    networks = [(job, _network(output, job)) for job in jobs]
    groups: dict[str, dict[str, np.ndarray]] = {}
    for colour in entry["boxes"]:
        label = f"{colour.replace('_auc', '').replace('test', 'testing').replace('train', 'training')} AUC"
        groups[label] = {
            f"{job.errors:g}{' *' if job.name in growing else ''}": network.properties[colour]
            for job, network in networks if network is not None and colour in network.properties
        }  # fmt: skip
    return groups
