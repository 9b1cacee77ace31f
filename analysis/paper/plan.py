"""What the paper's tables and figures need: the definition file, and the landscapes it asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from thalweg.analysis.systems.named import NETWORKS

__all__ = ["Job", "Plan", "read_plan"]

_KEYS = {
    "system", "data", "hidden", "l2", "neighbours", "errors", "draws", "sampled", "seconds", "guess",
}  # fmt: skip
_LONGER = 4  # times as many searches from turn to turn
_SECTIONS = ("rule", "scales", "choices", "landscapes", "tables", "figures")


@dataclass(frozen=True)
class Job:
    """One landscape to be explored.

    Attributes
    ----------
    name : str
        Of its store, without .zarr.
    family : str
        Its entry in the definition.
    draw : int
        Which of the training sets, from 0.
    system : str
        As ``thalweg explore`` names it.
    options : dict
        Of the system, as :func:`thalweg.analysis.systems.named.default_options` has them.
    sampled : bool
        Whether only minima are wanted.
    seconds : float
        Longest search.
    guess : float
        Seconds that it may take at full scale.
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
        """Return where its store is in a folder of results."""
        return output / "landscapes" / f"{self.name}.zarr"


@dataclass(frozen=True)
class Plan:
    """A definition at one scale.

    Attributes
    ----------
    scale : str
    limits : dict
        The scale's entries: draws, steps, searches, seconds, sample, testing, data, pictures, turn where it has one.
    rule : dict
        When a landscape has stopped growing: remaining, new, first, factor.
    choices : dict of str to str
    families, tables, figures : dict
        As in the file.
    jobs : tuple of Job
        All second draws come after the first draws of all; within a draw, in the order of the definition.
    """

    scale: str
    limits: dict[str, Any]
    rule: dict[str, Any]
    choices: dict[str, str]
    families: dict[str, dict[str, Any]]
    tables: dict[str, dict[str, Any]]
    figures: dict[str, dict[str, Any]]
    jobs: tuple[Job, ...]

    @property
    def turns(self) -> list[int]:
        """Searches that every landscape has before any has more, rising; the last are the most of all."""
        most = self.limits["searches"]
        turns, turn = [], self.limits.get("turn", most)
        while turn < most:
            turns.append(turn)
            turn *= _LONGER
        return [*turns, most]

    def shown(self, figure: str) -> list[Job]:
        """Return the landscapes of a figure, first draws: one a panel, or one a box by rising errors."""
        entry = self.figures[figure]
        first = {(job.family, job.errors): job for job in self.jobs if job.draw == 0}
        if "panels" in entry:
            return [first[family, float(errors)] for family, errors, _ in entry["panels"]]
        return [job for (family, _), job in sorted(first.items()) if family == entry["landscapes"]]

    def only(self, names: Iterable[str]) -> Plan:
        """Return the plan for some tables, figures, or landscapes by their store's name.

        Raises
        ------
        ValueError
            If something is none of these.
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
        return Plan(self.scale, self.limits, self.rule, self.choices, self.families, tables, figures, jobs)


def _needed(jobs: Iterable[Job], tables: Mapping[str, Any], figures: Mapping[str, Any]) -> set[str]:
    """Return the names of the landscapes that tables (all draws) and figures (the first) show."""
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
        One of the file's.
    path : Path, optional
        The file; the package's own where missing.
    seed : int
        Of the first draw.
    mnist : Path, optional
        Folder with MNIST's files.

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
    limits = read["scales"][scale]
    _check(read)
    jobs = [job for name, one in read["landscapes"].items() for job in _jobs(name, one, limits, seed, mnist)]
    jobs.sort(key=lambda job: job.draw)
    families, tables, figures = read["landscapes"], read["tables"], read["figures"]
    return Plan(scale, limits, read["rule"], read["choices"], families, tables, figures, tuple(jobs))


def _check(read: Mapping[str, Any]) -> None:
    """Raise a ValueError for what the definition has that nothing knows."""
    for name, one in read["landscapes"].items():
        if one.get("system") not in NETWORKS or one.keys() - _KEYS:
            wrong = ", ".join(one.keys() - _KEYS) or f"system = {one.get('system')!r}"
            raise ValueError(f"landscapes.{name}: {wrong} means nothing; known are {', '.join(sorted(_KEYS))}")
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


def _jobs(family: str, one: Mapping[str, Any], limits: Mapping[str, Any], seed: int, mnist: Path | None) -> list[Job]:
    default = NETWORKS[one["system"]]
    options: dict[str, Any] = {
        "data": min(one.get("data", default.data), limits["data"]), "errors": 0.0,
        "hidden": list(one.get("hidden", default.hidden)), "l2": one.get("l2", default.l2),
        "neighbours": one.get("neighbours"),
    }  # fmt: skip
    if one["system"] == "MNIST":
        options["path"] = None if mnist is None else str(mnist.resolve())
    seconds = min(one.get("seconds", limits["seconds"]), limits["seconds"])
    return [
        Job(
            f"{family}-e{errors:g}-d{draw}", family, draw, one["system"],
            {**options, "errors": float(errors), "seed": seed + draw}, one.get("sampled", False), float(seconds),
            60.0 * one.get("guess", 0),
        )
        for draw in range(limits["draws"] if one.get("draws") else 1)
        for errors in one.get("errors", [0])
    ]  # fmt: skip
