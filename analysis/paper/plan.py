"""Plan of the paper's tables and figures: the definition file, and the landscapes that it asks for."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from thalweg.analysis.paper.stopping_rule import StoppingRule
from thalweg.analysis.systems.named import data_file, default_options, network_defaults, unstored_options

__all__ = ["DEFINITIONS", "Job", "Limits", "Plan", "Sample", "group_of", "read_plan"]

DEFINITIONS = {"paper": "paper.toml", "noise": "noise.toml"}
"""Definition files that come with the package, by name."""

Record = TypeVar("Record", bound="StoppingRule | Limits | Sample")

_KEYS = {
    "system", "data", "hidden", "l2", "neighbours", "errors", "draws", "sampled", "seconds", "guess", "hopping",
    "target", "inputs", "scale", "activation", "loss", "noise", "pixels",
}  # fmt: skip
_LEAST = {"hopping": 1, "seconds": 0, "guess": 0}
_LONGER = 4  # factor between the searches of a turn and those of the next
_SECTIONS = ("rule", "scales", "choices", "landscapes", "tables", "figures")


@dataclass(frozen=True)
class Sample:
    """Sample of a landscape's minima by basin-hopping, without transition states.

    Attributes
    ----------
    chains : int
        Number of chains, each from a random start; no more than the scale's ``sample``.
    quenches : int
        Quenches of each chain, that of its start included. All minima are kept.
    step, temperature : float or None
        Longest displacement of a weight and k_B T of the Metropolis criterion; the usual ones of a loss where None.
    memory : int or None
        Pairs of steps and gradients that LBFGS remembers; the usual number where None.
    """

    chains: int
    quenches: int = 5
    step: float | None = None
    temperature: float | None = None
    memory: int | None = None


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
    sample : Sample or None
        How minima are sampled where only these are wanted.
    steps : int
        Basin-hopping steps of a landscape that is not only sampled.
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
    sample: Sample | None
    steps: int
    seconds: float
    guess: float

    @property
    def errors(self) -> float:
        """Percentage of the training labels that are wrong."""
        return float(self.options["errors"])

    def store(self, output: Path) -> Path:
        """Return the path of its store in a folder of results."""
        return output / "landscapes" / f"{self.name}.zarr"


def group_of(name: str) -> str:
    """Return the name of a landscape without its draw, such as D1-e10 of D1-e10-d0: what all draws have in common."""
    return name.rpartition("-d")[0]


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
        Most basin-hopping chains of a landscape that is only sampled.
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
    page : dict of str to str
        Title and first words of the page; empty for the paper's own, which has claims and published numbers.
    comparisons : dict
        Paired comparisons of families with a baseline, by name.
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
    page: dict[str, str] = field(default_factory=dict)
    comparisons: dict[str, dict[str, Any]] = field(default_factory=dict)

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
        """Return the landscapes of a figure, first draws: one for each panel, or for each box by rising errors.

        A figure of the numbers in tables shows all draws, and has none of its own.
        """
        entry = self.figures[figure]
        first = {(job.family, job.errors): job for job in self.jobs if job.draw == 0}
        if "tables" in entry:
            return []  # all landscapes of these tables
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
        comparisons = {name: one for name, one in self.comparisons.items() if name in wanted}
        drawn = {name: self.tables[name] for figure in figures.values() for name in figure.get("tables", ())}
        needed = _needed(self.jobs, tables | drawn, figures) | (stores & set(wanted))
        jobs = tuple(job for job in self.jobs if job.name in needed)
        return replace(self, tables=tables, figures=figures, comparisons=comparisons, jobs=jobs)


def _families(table: Mapping[str, Any]) -> set[str]:
    """Return the families of landscapes in a table."""
    if "landscapes" in table:
        return {table["landscapes"]}
    heads = {row[0] for row in table["rows"]}
    return {head.rpartition("-e")[0] for head in heads} if table["columns"][0] == "landscape" else heads


def _needed(jobs: Iterable[Job], tables: Mapping[str, Any], figures: Mapping[str, Any]) -> set[str]:
    """Return the names of the landscapes that tables (all draws) and figures (first draws) show."""
    families, panels = set(), set()
    for table in tables.values():
        families |= _families(table)
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
        Path of the file, or a name in :data:`DEFINITIONS` where there is no such file; the paper's by default.
    seed : int
        Seed of the first draw.
    mnist : Path, optional
        Folder with the files of MNIST.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, or something in it makes no sense; it is named.
    """
    source, path = _source(path)
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
    page, comparisons = read.get("page", {}), read.get("comparisons", {})
    return Plan(scale, limits, rule, read["choices"], families, tables, figures, tuple(jobs), page, comparisons)


def _source(path: Path | None) -> tuple[Path | Traversable, Path | None]:
    """Return the file of a definition, and its path where it is not one of the package."""
    name = "paper" if path is None else str(path)
    if path is None or (name in DEFINITIONS and not path.is_file()):
        return files("thalweg.analysis.paper").joinpath(DEFINITIONS[name]), None
    return path, path


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
        _check_amounts(name, one)
    known = set(read["landscapes"])
    for name, table in read["tables"].items():
        if asked := _families(table) - known:
            raise ValueError(f"tables.{name}: there are no landscapes {min(asked)!r}")
    for name, one in read.get("comparisons", {}).items():
        lacking = [key for key in ("title", "baseline", "others", "measures") if key not in one]
        if lacking:
            raise ValueError(f"comparisons.{name} has no {', '.join(lacking)}")
        if asked := {one["baseline"], *one["others"]} - known:
            raise ValueError(f"comparisons.{name}: there are no landscapes {min(asked)!r}")
    if read.get("page") and read["page"].keys() != {"title", "text"}:
        raise ValueError(f"[page] has {', '.join(read['page'])}; it takes title, text")
    for name, figure in read["figures"].items():
        asked = {family for family, _, _ in figure.get("panels", ())} | {figure.get("landscapes", min(known))}
        if asked - known:
            raise ValueError(f"figures.{name}: there are no landscapes {min(asked - known)!r}")
        if lacking := set(figure.get("tables", ())) - read["tables"].keys():
            raise ValueError(f"figures.{name}: there is no table {min(lacking)!r}")
        for family, errors, _ in figure.get("panels", ()):
            if errors not in read["landscapes"][family].get("errors", [0]):
                raise ValueError(f"figures.{name}: landscapes.{family} has no {errors} among its errors")


def _check_amounts(name: str, one: Mapping[str, Any]) -> None:
    """Raise a ValueError for an amount in a landscape's entry that is no finite number, or too small."""
    for key, least in _LEAST.items():
        if key in one and (type(one[key]) not in (int, float) or not least <= one[key] < math.inf):
            raise ValueError(f"landscapes.{name}: {key} is {one[key]!r}; it is a finite number, {least} or more")


def _located(one: Mapping[str, Any], definition: Path | None) -> dict[str, Any]:
    """Return an entry of the definition whose file of data, if any, is found from the folder of the definition."""
    if definition is None or data_file(one["system"]) is None:
        return dict(one)
    return {**one, "system": str(definition.parent / one["system"])}


def _sample(family: str, one: Mapping[str, Any], limits: Limits) -> Sample | None:
    """Return how an entry of the definition is sampled; None where it is explored with its transition states."""
    asked = one.get("sampled", False)
    if not asked:
        return None
    if asked is True:
        return Sample(limits.sample)
    section = f"landscapes.{family}.sampled"
    if not isinstance(asked, Mapping):
        raise ValueError(f"[{section}] is {asked!r}; it is true, false or a table such as {{ chains = 10 }}")
    sample = _record(Sample, section, asked)
    if min(sample.chains, sample.quenches) < 1:
        raise ValueError(f"[{section}] has {sample.chains} chains of {sample.quenches} quenches; there is at least one")
    return replace(sample, chains=min(sample.chains, limits.sample))


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
    steps = round(limits.steps * one.get("hopping", 1))
    seconds = min(one.get("seconds", limits.seconds), limits.seconds)
    return [
        Job(
            f"{family}-e{errors:g}-d{draw}", family, draw, one["system"],
            {**options, "errors": float(errors), "seed": seed + draw}, _sample(family, one, limits), steps,
            float(seconds), 60.0 * one.get("guess", 0),
        )
        for draw in range(limits.draws if one.get("draws") else 1)
        for errors in one.get("errors", [0])
    ]  # fmt: skip
