"""Plan of an exploration: given options, else the store's own values, else the defaults of the system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.explore import UNLIMITED, SystemOptions, Totals
from thalweg.analysis.systems.named import default_options, default_work, unstored_options
from thalweg.analysis.systems.structure_files import file_of
from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.storage.store import Store

__all__ = ["ExplorationPlan", "plan_exploration"]


@dataclass(frozen=True)
class ExplorationPlan:
    """Totals and options of an exploration, as its store keeps them.

    Attributes
    ----------
    system : str
        Name of the system, as :func:`~thalweg.analysis.systems.named.resolve_name` gives it.
    steps, searches : int
        Total numbers of basin-hopping steps and of searches for transition states.
    most_searches : int or None
        Number of searches up to which they go on while some transition states are probably missing.
    minima : int or None
        Number of minima at which basin-hopping stops.
    until_converged : bool or None
        Whether searches stop when probably nothing is missing.
    below : float or str or None
        Energy below which points are searched from and counted, or ``"+0.01"`` for a height above the lowest minimum.
    options : dict
        Options of the system, as :func:`~thalweg.analysis.systems.named.default_options` has them.
    """

    system: str
    steps: int
    searches: int
    most_searches: int | None
    minima: int | None
    until_converged: bool | None
    below: float | str | None
    options: dict[str, Any]

    @property
    def steps_limited(self) -> bool:
        """Whether a number of steps was given, rather than a number of minima alone."""
        return self.steps < UNLIMITED

    @property
    def searches_limited(self) -> bool:
        """Whether a number of searches was given, rather than convergence alone."""
        return self.searches < UNLIMITED

    def __str__(self) -> str:
        steps = f"{self.steps} steps" if self.steps_limited else "steps"
        enough = f" until there are {self.minima} minima" if self.minima else ""
        searches = f"{self.searches} searches" if self.searches_limited else "searches"
        if self.most_searches is not None:
            searches += f" (up to {self.most_searches} while some are probably missing)"
        searches += "" if self.below is None else f" below {self.below}"
        return f"{steps}{enough}, {searches}{' until converged' if self.until_converged else ''}"


def plan_exploration(name: str, output: Path, resume: bool, totals: Totals, options: SystemOptions) -> ExplorationPlan:
    """Return totals and options: those given, else those of the store, else the defaults.

    Parameters
    ----------
    name : str
        Name of the system, as :func:`~thalweg.analysis.systems.named.resolve_name` gives it.
    output : Path
        The store.
    resume : bool
        Whether the store may exist already.
    totals : Totals
        Limits that were given.
    options : SystemOptions
        Options of the system that were given.

    Raises
    ------
    ValueError
        If an option does not apply to the system.
    click.ClickException
        If the store exists, and it may not or was made with other options.
    """
    known, unstored, given = default_options(name), unstored_options(name), options.given()
    for option in given:
        if option not in known | unstored:
            raise ValueError(f"--{option} does not apply to {name}")
    stored = _stored_plan(output, resume)
    before = stored.get("options", {})
    if stored:
        _check_same({"system": stored["system"], **unstored, **before}, {"system": name, **given}, output)
    chosen = known | before | given
    work = default_work(name, chosen)._asdict() | {"minima": None, "until_converged": None, "below": None}
    work |= {key: stored[key] for key in work if key in stored}
    if stored or "searches" in totals.given():  # a number that was asked for, or that of a store, is meant exactly
        work["most_searches"] = None if "searches" in totals.given() else stored.get("most_searches")
    if work["below"] is not None:
        EnergyLimit.read(work["below"])
    kept = {key: value for key, value in chosen.items() if key not in unstored or value != unstored[key]}
    return ExplorationPlan(name, **(work | totals.given()), options=kept)


def _stored_plan(output: Path, resume: bool) -> dict[str, Any]:
    """Return the plan of an existing store; empty where there is no store, without options where it has no plan."""
    if not output.exists():
        if resume:
            raise click.ClickException(f"--resume: there is no store {output} to go on with{_similar(output)}")
        return {}
    if not resume:
        raise click.ClickException(f"{output} exists: add --resume to go on, or choose another --output")
    with errors_in_one_line(OSError, ValueError):
        store = Store.open(output)
    try:
        return dict(store.attributes["state"].get("explore") or {"system": None, "options": {}})
    finally:
        store.close()


def _similar(path: Path) -> str:
    """Return the names of stores beside a path that are spelled nearly like it."""
    stores = [each.name for each in path.parent.glob("*.zarr")] if path.parent.is_dir() else []
    close = get_close_matches(path.name, stores, 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _check_same(stored: Mapping[str, Any], given: Mapping[str, Any], output: Path) -> None:
    """Raise an error that names every option whose value differs from the store's."""
    if stored["system"] is None:
        return  # made by a script, or killed in its first moment: the Landscape compares the systems themselves
    # files may have moved: the Landscape compares what is in them
    moved = {"path", "system"} if file_of(given["system"]) and file_of(stored["system"]) else {"path"}
    # what the structure has told: the same holds
    moved |= {key for key in ("permutations", "inversion", "substrate", "moves") if stored.get(key) is None}
    wrong = [key for key, value in given.items() if key not in moved and stored.get(key) != value]
    if wrong:
        said = "; ".join(f"{_option(key)} {_said(stored.get(key))}, not {_said(given[key])}" for key in wrong)
        raise click.ClickException(f"{output} was made with {said}: choose another --output, or give these")


def _option(key: str) -> str:
    return key if key == "system" else f"--{key}"


def _said(value: object) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
