"""``thalweg explore``."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.cli.interruption import last_words
from thalweg.analysis.cli.worker_options import Place
from thalweg.analysis.systems.named import Explored, build, default_options, default_work, resolve_name
from thalweg.analysis.systems.structure_files import file_of
from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.records import SADDLE_SEARCHES

__all__ = ["run"]

INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM."""

_UNLIMITED = 10**9  # steps, where the number of minima says when it is enough


def run(
    system: str,
    output: Path,
    *,
    steps: int | None,
    searches: int | None,
    seconds: float | None,
    minima: int | None = None,
    until_converged: bool = False,
    workers: int | None = None,
    processes: int | None = None,
    scheduler: str | None = None,
    ahead: int | None = None,
    device: str | None = None,
    resume: bool,
    **options: Any,
) -> int:
    """Explore a system, print a summary and draw its graph.

    Parameters
    ----------
    system : str
        Its name.
    output : Path
        The store.
    steps, searches : int or None
        Totals; the store's, or the system's default ones, where None.
    seconds : float or None
        When to stop early.
    minima : int or None
        Take no further steps once so many are known; without a number of steps, take them until then.
    until_converged : bool
        Search for transition states until nothing is likely to remain, or for the given number.
    workers : int or None
        Threads.
    processes : int or None
        Processes instead.
    scheduler : str or None
        Address of a dask scheduler, whose workers do the work instead.
    ahead : int or None
        Tasks in flight at once; a store keeps its own.
    device : str or None
        "cuda" for searches on a GPU; no part of what a store was made with.
    resume : bool
        Whether the store may be there already.
    **options
        As :func:`~thalweg.analysis.systems.named.default_options` has them; None where not given.

    Returns
    -------
    int
        The exit status: 0, or 130 if interrupted.

    Raises
    ------
    click.ClickException
        If an option makes no sense, or the store is not one to go on with.
    """
    began = time.monotonic()
    try:
        name = resolve_name(system)
        totals = {"steps": steps, "searches": searches, "minima": minima, "until_converged": until_converged or None}
        plan = _plan(name, output, resume, totals, options)
        place = Place(workers, processes, scheduler, ahead)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    where = [] if device is None else ["--device", device]
    again = ["thalweg", "explore", name, "--output", str(output), *place.arguments(), *where]
    try:
        notice = compiling_notice(lambda text: click.echo(text, err=True))
        with last_words(lambda: _farewell(output, again)), notice:
            _explore(name, output, plan, place, None if seconds is None else began + seconds, device or "auto")
    except KeyboardInterrupt:
        click.echo(_farewell(output, again), err=True)
        return INTERRUPTED
    except (OSError, ImportError, RuntimeError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    return 0


def _farewell(output: Path, again: list[str]) -> str:
    """Return how to go on after an interruption."""
    if not output.exists():
        return "\nstopped before anything was found"
    return f"\nstopped; all that was found is kept. To go on:\n  {shlex.join([*again, '--resume'])}"


def _plan(
    name: str, output: Path, resume: bool, totals: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return totals and options: what is given, else what the store was made with, else the defaults."""
    known = default_options(name)
    for option, value in options.items():
        if value is not None and option not in known:
            raise ValueError(f"--{option} means nothing for {name}")
    stored = _stored_plan(output, resume)
    given = {key: value for key, value in options.items() if value is not None}
    if "hidden" in given:
        given["hidden"] = list(given["hidden"])  # as JSON gives it back
    if "path" in given:
        given["path"] = str(given["path"].resolve())
    before = stored.get("options", {})
    if stored:
        _check_same({"system": stored["system"], **before}, {"system": name, **given}, output)
    work = (
        default_work(name)._asdict()
        | {"minima": None, "until_converged": None}
        | {key: stored[key] for key in totals if key in stored}
    )
    if totals["minima"] is not None and totals["steps"] is None:
        totals = {**totals, "steps": _UNLIMITED}
    if totals["until_converged"] and totals["searches"] is None:
        totals = {**totals, "searches": _UNLIMITED}
    return {
        "system": name,
        **work,
        **{key: value for key, value in totals.items() if value is not None},
        "options": known | before | given,
    }


def _stored_plan(output: Path, resume: bool) -> dict[str, Any]:
    """Return what a store that is there was made with; empty where there is none, or it does not say."""
    if not output.exists():
        return {}
    if not resume:
        raise click.ClickException(f"{output} exists: add --resume to go on, or choose another --output")
    from thalweg.landscapes.storage.store import Store

    try:
        store = Store.open(output)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    try:
        return dict(store.attributes["state"].get("explore") or {"system": None, "options": {}})
    finally:
        store.close()


def _check_same(stored: Mapping[str, Any], given: Mapping[str, Any], output: Path) -> None:
    """Raise an error naming every option that is not what the store was made with."""
    if stored["system"] is None:
        return  # made by a script, or killed in its first moment: the Landscape compares the systems themselves
    # files may have moved: the Landscape compares what is in them
    moved = {"path", "system"} if file_of(given["system"]) and file_of(stored["system"]) else {"path"}
    wrong = [key for key, value in given.items() if key not in moved and stored.get(key) != value]
    if wrong:
        said = "; ".join(f"{key} {_said(stored.get(key))}, not {_said(given[key])}" for key in wrong)
        raise click.ClickException(f"{output} was made with {said}: choose another --output, or give these")


def _said(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _explore(name: str, output: Path, plan: dict[str, Any], place: Place, deadline: float | None, device: str) -> None:
    verb = "going on with" if output.exists() else "exploring"
    click.echo(f"{verb} {name}, seed {plan['options']['seed']}, {output}")
    try:
        explored = build(name, plan["options"], device)
    except (ValueError, FileNotFoundError, ConnectionError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{explored.title}; {_work(plan)} in total")
    stopped = _search(explored, output, plan, place, deadline)
    from thalweg.analysis.systems.report import summary_text
    from thalweg.analysis.systems.summary import summarise

    summary = summarise(output)
    click.echo(summary_text(summary))
    if summary.minima:
        click.echo(f"\n{_draw(output)}")
    if stopped:
        click.echo(f"time is up, {stopped}: go on with --resume")


def _work(plan: Mapping[str, Any]) -> str:
    steps = f"{plan['steps']} steps" if plan["steps"] < _UNLIMITED else "steps"
    enough = f" until there are {plan['minima']} minima" if plan["minima"] else ""
    searches = f"{plan['searches']} searches" if plan["searches"] < _UNLIMITED else "searches"
    return f"{steps}{enough}, {searches}{' until nothing is likely to remain' if plan['until_converged'] else ''}"


def _search(explored: Explored, output: Path, plan: dict[str, Any], place: Place, deadline: float | None) -> str | None:
    """Do what remains to be done, and say what is left where the time is up."""
    from thalweg.landscapes import Landscape

    seed = plan["options"]["seed"]
    new: dict[str, Any] = {"tasks_ahead": place.ahead}
    if not output.exists():
        new = {"tasks_ahead": place.ahead or explored.ahead, "tolerances": explored.tolerances}
    with Landscape(explored.subject, output, seed=seed, **new) as landscape:
        landscape.state["explore"] = {**plan, "data": explored.data}
        landscape.commit()
        with place.executor() as how:
            left = _go_on(landscape, plan, how, deadline)
        if explored.test is not None:
            from thalweg.analysis.prediction.minima_scores import measure

            measure(landscape, explored.test, explored.reference)
    return left


def _go_on(landscape: Any, plan: dict[str, Any], how: dict[str, Any], deadline: float | None) -> str | None:
    """Search up to the totals; what was chosen before an interruption comes first."""
    for total, method, kinds, stop in (
        ("steps", landscape.find_minima, ("basin-hopping",), {"minima": plan["minima"]}),
        (
            "searches",
            landscape.connect,
            SADDLE_SEARCHES,
            {"until_converged": bool(plan["until_converged"])},
        ),
    ):
        missing = plan[total] - landscape.searches.done(*kinds)
        if missing <= 0 or (total == "searches" and not len(landscape.minima)):
            continue
        seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
        missing -= method(missing, seconds=seconds, **stop, **how).done
        if missing > 0 and not _enough(landscape, **stop):
            to_do = f"{missing} of {plan[total]} " if plan[total] < _UNLIMITED else ""
            return f"{to_do}{total} to do"
    return None


def _enough(landscape: Any, minima: int | None = None, until_converged: bool = False) -> bool:
    """Say whether a search ended because there is enough."""
    found = minima is not None and len(landscape.minima) >= minima
    return found or (until_converged and landscape.discoveries().complete)


def _draw(output: Path) -> Path:
    from thalweg.analysis.cli.plot import draw_graph, picture_beside

    picture = picture_beside(output)
    draw_graph(output, picture)
    return picture
