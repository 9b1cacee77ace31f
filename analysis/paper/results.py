"""Files of results from the stores: measures, tables, figures, claims."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from thalweg.analysis.paper.archive import Found, find, keep
from thalweg.analysis.paper.claims.ceiling import Ceiling, ceiling
from thalweg.analysis.paper.claims.class_areas import class_lines, with_class_areas
from thalweg.analysis.paper.claims.decisions import Claim, decide
from thalweg.analysis.paper.claims.equal_searches import with_stages
from thalweg.analysis.paper.figures import Panel, box_figure, graph_figure, growth_figure, points_figure
from thalweg.analysis.paper.growth import GrowthState, stages_of
from thalweg.analysis.paper.machine import machine
from thalweg.analysis.paper.measures import to_csv
from thalweg.analysis.paper.paired_differences import Difference, differences, differences_csv
from thalweg.analysis.paper.plan import Job, Plan
from thalweg.analysis.paper.stopping_rule import COUNTS, FINISHED
from thalweg.analysis.paper.tables import Cell, cells, table_csv, table_markdown

__all__ = ["Results", "write_results"]

_DPI = 150
_CEILINGS = "ceiling.csv"


class Results(NamedTuple):
    """Results of all landscapes for the page.

    Attributes
    ----------
    rows : list of dict
        Lines of measures.csv.
    states : dict of str to GrowthState
        Growth of each landscape.
    where : dict of str to str
        Date and machine of the landscapes whose store is not at hand; "" for the others.
    ceilings : dict of str to Ceiling
        Ceilings of prediction, by data.
    cells : dict of str to list of Cell
        Numbers of each table.
    claims : list of Claim
    failures : dict of str to dict of str to int
        Numbers of failed searches by reason, for each landscape.
    differences : list of Difference
        Paired differences of the definition's comparisons.
    classes : dict of str to sequence of dict
        AUC of each class by itself, for each landscape.
    """

    rows: list[dict[str, Any]]
    states: dict[str, GrowthState]
    where: dict[str, str]
    ceilings: dict[str, Ceiling]
    cells: dict[str, list[Cell]]
    claims: list[Claim]
    failures: dict[str, dict[str, int]]
    differences: list[Difference]
    classes: dict[str, Sequence[Mapping[str, float]]]


def write_results(
    plan: Plan, output: Path, page: Path | None, workers: int | None, say: Callable[[str], object]
) -> Results:
    """Write measures.csv, growth.csv, failures.csv, landscapes.csv, tables/, figures/ and networks/, and decide.

    What is decided goes into claims.csv and ceiling.csv for the paper, and into comparisons.csv if the definition
    compares. The AUC of classes that were scored by themselves go into classes.csv.

    Parameters
    ----------
    plan : Plan
    output : Path
        Folder with ``landscapes/``.
    page : Path or None
        Folder beside a page, with files that earlier calls kept of landscapes, whose stores may be gone.
    workers : int or None
        Threads; all processors where None.
    say : callable
        Function that is given the name of each file that takes a while.
    """
    found = {job.name: one for job in plan.jobs if (one := find(job, plan, output, page)) is not None}
    _keep(plan, found, output)
    rows = [one.row for one in found.values()]
    _write(output / "measures.csv", to_csv(rows))
    ceilings = {} if plan.page else _ceilings(plan, found, output, page, workers, say)
    failures = {name: one.failures for name, one in found.items()}
    _write(output / "failures.csv", _lines("name,reason,searches", _flat(failures)))
    growth = [(name, *stage) for name, one in found.items() for stage in stages_of(one.state)]
    _write(output / "growth.csv", _lines("name,searches,seconds,minima,transition_states", growth))
    classes = {name: one.classes for name, one in found.items()}
    if lines := class_lines(classes):
        _write(output / "classes.csv", to_csv(lines))
    grown = [with_class_areas(with_stages(one.row, one.state), one.classes) for one in found.values()]
    _write(output / "landscapes.csv", _landscape_lines(found))
    claims = [] if plan.page else _decided(plan, found, grown, ceilings, output)
    compared = differences(plan.comparisons, grown)
    if plan.comparisons:
        _write(output / "comparisons.csv", differences_csv(compared))
    tables = {name: cells(table, rows) for name, table in plan.tables.items()}
    for name, these in tables.items():
        _write(output / "tables" / f"{name}.csv", table_csv(these))
        _write(output / "tables" / f"{name}.md", table_markdown(plan.tables[name], these, not plan.page) + "\n")
    _figures(plan, output, {name: one.auc for name, one in ceilings.items()}, found, tables, say)
    states, where = ({name: getattr(one, part) for name, one in found.items()} for part in ("state", "where"))
    return Results(rows, states, where, ceilings, tables, claims, failures, compared, classes)


def _ceilings(
    plan: Plan, found: Mapping[str, Found], output: Path, page: Path | None, workers: int | None,
    say: Callable[[str], object],
) -> dict[str, Ceiling]:  # fmt: skip
    """Return the ceilings of the data that were explored, known or computed, and write ceiling.csv."""
    known = _known_ceilings([folder for folder in (page, output) if folder is not None], plan.limits.testing)
    ceilings: dict[str, Ceiling] = {}
    for name in sorted({job.system for job in plan.jobs if job.name in found} & {"D1", "D2", "D3"}):
        if name not in known:
            say(f"ceiling of {name}")
        ceilings[name] = known[name] if name in known else ceiling(name, plan.limits.testing, workers)
    _write(output / _CEILINGS, _ceiling_lines(ceilings, plan.limits.testing))
    return ceilings


def _decided(
    plan: Plan, found: Mapping[str, Found], grown: Sequence[Mapping[str, Any]], ceilings: Mapping[str, Ceiling],
    output: Path,
) -> list[Claim]:  # fmt: skip
    """Return the paper's claims with their decisions, and write claims.csv."""
    claims = decide(grown, ceilings, [_wanted(job) for job in plan.jobs if job.name not in found])
    _write(output / "claims.csv", _claim_lines(claims))
    return claims


def _keep(plan: Plan, found: Mapping[str, Found], output: Path) -> None:
    """Write the file of each landscape into ``networks/``: of stores anew, of others unchanged."""
    for job in plan.jobs:
        if job.name in found:
            one = found[job.name]
            keep(one, job, plan, output, one.where or f"{date.today().isoformat()}, {machine()}")


def _wanted(job: Job) -> dict[str, Any]:
    return {"name": job.name, "family": job.family, "system": job.system, "errors": job.errors, "draw": job.draw}


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


def _landscape_lines(found: Mapping[str, Found]) -> str:
    """Return a line for each landscape: its counts, why it ended, what verification found, and its labels."""
    parts = ("remaining", "remaining_low", "remaining_high", "next")
    counts = [*COUNTS, *(f"{count}_{part}" for count in COUNTS for part in parts)]
    rows = []
    for k, (name, one) in enumerate(found.items()):
        numbers = [round(one.row[count]) if math.isfinite(one.row[count]) else "" for count in counts]
        ended, wrong = one.state.get("why") or "in progress", round(one.row["mislabelled"])
        checked = one.state.get("problems", "not yet")
        rows.append((name, k + 2, *numbers, round(one.row["seconds"]), ended, checked, one.row["labels"], wrong))
    head = ["name", "measures_csv_line", *counts, "seconds", "ended_by", "errors_found", "labels", "mislabelled"]
    return _lines(",".join(head), rows)


def _claim_lines(claims: Sequence[Claim]) -> str:
    rows: list[Sequence[Any]] = []
    for claim in claims:
        said = (claim.number, claim.paper, claim.measure, claim.demand.name)
        for case in claim.cases:
            holds = "unknown" if case.holds is None else "yes" if case.holds else "no"
            rows.append((*said, case.of, case.numbers, holds, claim.ours))
        if not claim.cases:
            rows.append((*said, "", "", "unknown", claim.ours))
    return _lines("claim,paper,measure,says,of,numbers,holds,ours", rows)


def _known_ceilings(folders: Sequence[Path], testing: int) -> dict[str, Ceiling]:
    """Return the ceilings in ceiling.csv of some folders, the last one first, for a number of testing data."""
    texts = [folder / _CEILINGS for folder in folders if (folder / _CEILINGS).exists()]
    rows = {row["name"]: row for text in texts for row in csv.DictReader(io.StringIO(text.read_text()))}
    return {name: _from_line(row) for name, row in rows.items() if int(row["testing"]) == testing}


def _from_line(row: Mapping[str, str]) -> Ceiling:
    return Ceiling(
        name=row["name"],
        neighbours=int(row["neighbours"]),
        auc=float(row["auc"]),
        log_loss=float(row["log_loss"]),
        error=float(row["error"]),
        testing_points=int(row["testing_points"]),
    )


def _ceiling_lines(ceilings: Mapping[str, Ceiling], testing: int) -> str:
    rows = [(testing, *one) for one in ceilings.values()]
    return _lines("testing,name,neighbours,auc,log_loss,error,testing_points", rows)


def _figures(
    plan: Plan, output: Path, ceilings: Mapping[str, float], found: Mapping[str, Found],
    tables: Mapping[str, Sequence[Cell]], say: Callable[[str], object],
) -> None:  # fmt: skip
    """Draw all figures, as PNG and PDF."""
    folder = output / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in plan.figures.items():
        say(name)
        chosen = plan.shown(name)
        if "boxes" in entry:
            figure = box_figure(_boxes([job for job in chosen if job.name in found], found, entry))
        elif "points" in entry:
            figure = points_figure({table: _points(tables[table], entry["points"]) for table in entry["tables"]})
        else:
            panels = [
                Panel(title, found[job.name].network, _growing(found[job.name])) if job.name in found else Panel(title)
                for job, (_, _, title) in zip(chosen, entry["panels"], strict=True)
            ]
            figure = graph_figure(entry, panels, ceilings.get(chosen[0].system), plan.limits.pictures)
        _save(figure, folder / name)
    first = [job.name for job in plan.jobs if job.errors + job.draw == 0 and job.name in found]
    shown = {name: stages for name in first if (stages := stages_of(found[name].state))}
    if shown:
        _save(growth_figure(shown), folder / "growth")


def _growing(found: Found) -> bool:
    return found.state.get("why") not in FINISHED


def _save(figure: Figure, path: Path) -> None:
    for ending in ("png", "pdf"):
        figure.savefig(path.with_suffix(f".{ending}"), dpi=_DPI)


def _boxes(
    jobs: Sequence[Job], found: Mapping[str, Found], entry: Mapping[str, Any]
) -> dict[str, dict[str, np.ndarray]]:
    """Return AUC over minima by percentage of errors, with a * where the sample is not finished."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for colour in entry["boxes"]:
        label = f"{colour.replace('_auc', '').replace('test', 'testing').replace('train', 'training')} AUC"
        groups[label] = {
            f"{job.errors:g}{' *' if _growing(found[job.name]) else ''}": found[job.name].network.properties[colour]
            for job in jobs if colour in found[job.name].network.properties
        }  # fmt: skip
    return groups


def _points(found: Sequence[Cell], measures: Sequence[str]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the numbers of the draws of a table by measure and row."""
    return {measure: {str(cell.row): cell.values for cell in found if cell.column == measure} for measure in measures}
