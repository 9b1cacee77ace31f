"""Plan of the paper's tables and figures: the definition file, and the landscapes that it asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from thalweg.analysis.paper.stopping_rule import StoppingRule
from thalweg.analysis.systems.named import data_file, default_options, network_defaults, unstored_options

__all__ = ["Job", "Limits", "Plan", "read_plan"]

Record = TypeVar("Record", bound="StoppingRule | Limits")

_KEYS = {
    "system", "data", "hidden", "l2", "neighbours", "errors", "draws", "sampled", "seconds", "guess",
    "target", "inputs", "scale", "activation", "loss",
}  # fmt: skip
_LONGER = 4  # factor between the searches of a turn and those of the next
_SECTIONS = ("rule", "scales", "choices", "landscapes", "tables", "figures")


@dataclass(frozen=True)
class Job:
    """Landscape to be explored.

    Attributes
    ----------
    name : str
        Name of its store, without .zarr.
    family : str
        Name of its entry in the definition.
    draw : int
        Number of its training set, counted from 0.
    system : str
        Name of the system for ``thalweg explore``.
    options : dict
        Options of the system, as :func:`thalweg.analysis.systems.named.default_options` returns them.
    sampled : bool
        Whether only minima are wanted.
    seconds : float
        Longest time of searching.
    guess : float
        Estimated seconds at full scale.
    """

    name: str
    family: str
    draw: int
    system: str
    options: dict[str, Any]
    sampled: bool
    seconds: float
    guess: float

    @property
    def errors(self) -> float:
        """Percentage of the training labels that are wrong."""
        return float(self.options["errors"])

    def store(self, output: Path) -> Path:
        """Return the path of its store in a folder of results."""
        return output / "landscapes" / f"{self.name}.zarr"


@dataclass(frozen=True)
class Limits:
    """Limits of a scale.

    Attributes
    ----------
    draws : int
        Number of training sets of a landscape that has several.
    steps, searches : int
        Basin-hopping steps, and most searches for transition states.
    seconds : float
        Longest time of searching one landscape.
    sample : int
        Basin-hopping chains of a landscape that is only sampled.
    testing : int
        Number of testing points, 0 for all.
    data : int
        Largest number of training points.
    pictures : int
        Largest number of minima in a graph.
    turn : int or None
        Searches that every landscape has before any has more; all at once where None.
    """

    draws: int
    steps: int
    searches: int
    seconds: float
    sample: int
    testing: int
    data: int
    pictures: int
    turn: int | None = None


@dataclass(frozen=True)
class Plan:
    """Definition at one scale.

    Attributes
    ----------
    scale : str
        Name of the scale.
    limits : Limits
    rule : StoppingRule
    choices : dict of str to str
        Choices where the paper leaves something open.
    families, tables, figures : dict
        Landscapes, tables and figures of the definition, by name.
    jobs : tuple of Job
        Landscapes to be explored: first draws first, within a draw in the order of the definition.
    """

    scale: str
    limits: Limits
    rule: StoppingRule
    choices: dict[str, str]
    families: dict[str, dict[str, Any]]
    tables: dict[str, dict[str, Any]]
    figures: dict[str, dict[str, Any]]
    jobs: tuple[Job, ...]

    @property
    def turns(self) -> list[int]:
        """Searches that every landscape has before any has more, rising; the last is the limit."""
        most = self.limits.searches
        turns, turn = [], self.limits.turn or most
        while turn < most:
            turns.append(turn)
            turn *= _LONGER
        return [*turns, most]

    def shown(self, figure: str) -> list[Job]:
        """Return the landscapes of a figure, first draws: one for each panel, or for each box by rising errors."""
        entry = self.figures[figure]
        first = {(job.family, job.errors): job for job in self.jobs if job.draw == 0}
        if "panels" in entry:
            return [first[family, float(errors)] for family, errors, _ in entry["panels"]]
        return [job for (family, _), job in sorted(first.items()) if family == entry["landscapes"]]

    def only(self, names: Iterable[str]) -> Plan:
        """Return the plan of some tables, figures, or landscapes by the names of their stores.

        Raises
        ------
        ValueError
            If there is nothing of a name.
        """
        wanted = list(names)
        stores = {job.name for job in self.jobs}
        unknown = [
            name for name in wanted if name not in self.tables and name not in self.figures | dict.fromkeys(stores)
        ]
        if unknown:
            known = ", ".join((*self.tables, *self.figures))
            raise ValueError(f"there is no {', '.join(unknown)}; there are {known}, and landscapes such as D1-e10-d0")
        tables = {name: table for name, table in self.tables.items() if name in wanted}
        figures = {name: figure for name, figure in self.figures.items() if name in wanted}
        needed = _needed(self.jobs, tables, figures) | (stores & set(wanted))
        jobs = tuple(job for job in self.jobs if job.name in needed)
        return replace(self, tables=tables, figures=figures, jobs=jobs)


def _needed(jobs: Iterable[Job], tables: Mapping[str, Any], figures: Mapping[str, Any]) -> set[str]:
    """Return the names of the landscapes that tables (all draws) and figures (first draws) show."""
    families, panels = set(), set()
    for table in tables.values():
        rows = [row[0] for row in table["rows"]]
        families |= {table["landscapes"]} if "landscapes" in table else set(rows)
    for figure in figures.values():
        families |= {figure["landscapes"]} if "landscapes" in figure else set()
        panels |= {(family, float(errors)) for family, errors, _ in figure.get("panels", ())}
    return {
        job.name for job in jobs if job.family in families or (job.draw == 0 and (job.family, job.errors) in panels)
    }


def read_plan(scale: str, path: Path | None = None, *, seed: int = 0, mnist: Path | None = None) -> Plan:
    """Read a definition.

    Parameters
    ----------
    scale : str
        Name of one of its scales.
    path : Path, optional
        Path of the file; by default that of the package.
    seed : int
        Seed of the first draw.
    mnist : Path, optional
        Folder with the files of MNIST.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, or something in it makes no sense; it is named.
    """
    source = files("thalweg.analysis.paper").joinpath("paper.toml") if path is None else path
    try:
        read = tomllib.loads(source.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: {error}") from error
    missing = [section for section in _SECTIONS if section not in read]
    if missing:
        raise ValueError(f"{source} has no [{missing[0]}]; it needs {', '.join(_SECTIONS)}")
    if scale not in read["scales"]:
        raise ValueError(f"there is no scale {scale!r}; {source} has {', '.join(read['scales'])}")
    _check(read)
    limits, rule = (
        _record(Limits, f"scales.{scale}", read["scales"][scale]),
        _record(StoppingRule, "rule", read["rule"]),
    )
    landscapes = {name: _located(one, path) for name, one in read["landscapes"].items()}
    jobs = [job for name, one in landscapes.items() for job in _jobs(name, one, limits, seed, mnist)]
    jobs.sort(key=lambda job: job.draw)
    families, tables, figures = read["landscapes"], read["tables"], read["figures"]
    return Plan(scale, limits, rule, read["choices"], families, tables, figures, tuple(jobs))


def _record(kind: type[Record], section: str, values: Mapping[str, Any]) -> Record:
    """Return a section of the definition as an object with named fields."""
    known = {field.name: field.default is MISSING for field in fields(kind)}
    lacking = [name for name, needed in known.items() if needed and name not in values]
    if lacking or values.keys() - known:
        wrong = f"has no {', '.join(lacking)}" if lacking else f"has {', '.join(sorted(values.keys() - known))}"
        raise ValueError(f"[{section}] {wrong}; it takes {', '.join(known)}")
    return kind(**values)


def _check(read: Mapping[str, Any]) -> None:
    """Raise a ValueError for unknown entries of the definition."""
    for name, one in read["landscapes"].items():
        if network_defaults(str(one.get("system"))) is None or one.keys() - _KEYS:
            wrong = ", ".join(one.keys() - _KEYS) or f"system = {one.get('system')!r}"
            raise ValueError(f"landscapes.{name}: {wrong} is unknown; known are {', '.join(sorted(_KEYS))}")
    known = set(read["landscapes"])
    for name, table in read["tables"].items():
        asked = {table["landscapes"]} if "landscapes" in table else {row[0] for row in table["rows"]}
        if asked - known:
            raise ValueError(f"tables.{name}: there are no landscapes {min(asked - known)!r}")
    for name, figure in read["figures"].items():
        asked = {family for family, _, _ in figure.get("panels", ())} | {figure.get("landscapes", min(known))}
        if asked - known:
            raise ValueError(f"figures.{name}: there are no landscapes {min(asked - known)!r}")
        for family, errors, _ in figure.get("panels", ()):
            if errors not in read["landscapes"][family].get("errors", [0]):
                raise ValueError(f"figures.{name}: landscapes.{family} has no {errors} among its errors")


def _located(one: Mapping[str, Any], definition: Path | None) -> dict[str, Any]:
    """Return an entry of the definition whose file of data, if any, is found from the folder of the definition."""
    if definition is None or data_file(one["system"]) is None:
        return dict(one)
    return {**one, "system": str(definition.parent / one["system"])}


def _jobs(family: str, one: Mapping[str, Any], limits: Limits, seed: int, mnist: Path | None) -> list[Job]:
    """Return the landscapes of an entry of the definition."""
    options = default_options(one["system"])
    unstored = unstored_options(one["system"])
    options |= {name: one[name] for name in (options.keys() | unstored.keys()) & one.keys() - {"errors"}}
    options = {name: value for name, value in options.items() if name not in unstored or value != unstored[name]}
    options["hidden"] = list(options["hidden"])
    if options["data"] is not None:
        options["data"] = min(options["data"], limits.data)
    if one["system"] == "MNIST":
        options["path"] = None if mnist is None else str(mnist.resolve())
    seconds = min(one.get("seconds", limits.seconds), limits.seconds)
    return [
        Job(
            f"{family}-e{errors:g}-d{draw}", family, draw, one["system"],
            {**options, "errors": float(errors), "seed": seed + draw}, one.get("sampled", False), float(seconds),
            60.0 * one.get("guess", 0),
        )
        for draw in range(limits.draws if one.get("draws") else 1)
        for errors in one.get("errors", [0])
    ]  # fmt: skip
