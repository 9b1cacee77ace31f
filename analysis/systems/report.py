"""Plain-text summaries of stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.formula import Formula
from ase.units import kB
from rich.console import Console
from rich.table import Table

from thalweg.analysis.systems.network_systems import network_title, settings_title
from thalweg.analysis.systems.summary import Spread, Summary
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.noise import Noise

if TYPE_CHECKING:
    from thalweg.analysis.systems.low_region import LowRegion
    from thalweg.landscapes.discoveries.found_points import Discoveries
    from thalweg.landscapes.discoveries.growth_curve import Forecast
    from thalweg.landscapes.lowest_paths import LowestPath

__all__ = ["WIDTH", "cluster_title", "describe", "details_text", "path_text", "region_text", "summary_text"]

_ORDER = ("train_auc", "test_auc", "incorrect_auc", "correct_auc", "test_loss")
_WIDE = 20.0
WIDTH = 120
"""Characters in a line where nothing else is said."""


def describe(summary: Summary) -> str:
    """Return a description of the system in one line."""
    calculator = summary.calculator
    if calculator["name"] == "NetworkLoss":
        wrong = calculator.get("mislabelled")
        points, inputs = calculator["inputs"].shape
        layers = (inputs, *calculator["hidden"], _outputs(calculator))
        wrong = 0 if wrong is None else int(np.sum(wrong))
        title = network_title(layers, points, wrong, calculator["l2"], calculator["neighbours"])
        return title + settings_title(calculator)
    z = calculator.get("Z", 0.0)  # a stranger's store may hold anything here
    if calculator["name"] == "LJAT" and "numbers" in summary.system and isinstance(z, int | float):
        return cluster_title(len(summary.system["numbers"]), z)
    said = {**calculator, **calculator["parameters"]} if calculator.get("ase") else calculator
    hidden = ("ase", "class")
    plain = {name: value for name, value in said.items() if isinstance(value, str | int | float) and name not in hidden}
    parameters = ", ".join(f"{name} = {value}" for name, value in plain.items())
    parameters = parameters.replace("name = ", "", 1)
    if "numbers" in summary.system:
        return f"{Formula.from_list(_symbols(summary.system['numbers'])).format('hill')}, {parameters}"
    return parameters


def cluster_title(atoms: int, z: float) -> str:
    """Return a description of a cluster of Lennard-Jones atoms; their symbols, argon's as a rule, mean nothing."""
    return f"{atoms} Lennard-Jones atoms" + (f", Axilrod-Teller Z = {z:g}" if z else "")


def _symbols(numbers: Iterable[int]) -> list[str]:
    from ase.data import chemical_symbols

    return [chemical_symbols[number] for number in numbers]


def summary_text(summary: Summary, width: int = WIDTH) -> str:
    """Return the results of an exploration in about twenty lines of at most so many characters."""
    return _text(width, [_pairs(_counts(summary)), *_properties(summary), *_searches(summary), *_labels(summary)])


def details_text(summary: Summary, width: int = WIDTH) -> str:
    """Return the results and the settings of a store in lines of at most so many characters."""
    attributes = summary.attributes
    head = [
        f"{summary.path}: {describe(summary)}",
        f"seed {attributes['seed']}, {_unit_of(summary)}, {attributes['created_by']}",
    ]
    counts = _pairs([*_counts(summary), *_energies(summary)])
    tail = [
        *_properties(summary),
        *_searches(summary),
        *_labels(summary),
        "",
        _pairs([*_same_points(summary), *_settings(summary)]),
    ]
    return _text(width, [*head, counts, *tail])


def region_text(region: LowRegion, width: int = WIDTH) -> str:
    """Return how complete and how well connected a low-lying region is, in lines of at most so many characters."""
    above = f" ({region.name[1:]} above the lowest minimum)" if region.name.startswith("+") else ""
    share = 100 * region.joined / region.minima
    joined = f"{region.joined} of {region.minima} minima ({share:.0f} %) are connected to the lowest below the limit"
    if region.joined_at_all > region.joined:
        joined += f", {region.joined_at_all} over any transition states"
    rows = [
        ("minima", str(region.minima)),
        ("transition states", str(region.transition_states)),
        ("connected", joined),
        ("probably missing", _missing(region.discoveries)),
    ]
    return _text(width, [f"below {region.energy:.10g}{above}:", _pairs(rows)])


def _text(width: int, parts: Iterable[str | Table]) -> str:
    """Return text and tables as one string."""
    console = Console(file=StringIO(), highlight=False, markup=False, emoji=False, width=width)
    with console.capture() as capture:
        for part in parts:
            if isinstance(part, str):
                console.print(printable(part), soft_wrap=True)
            else:
                console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _pairs(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, value in rows:
        _add(table, name, value)
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row, one line of the table whatever its text holds."""
    table.add_row(*map(printable, cells))


def _calls(summary: Summary) -> str:
    """Return the calls of the calculator: in all, in basin-hopping a minimum, in other searches a transition state."""
    hopping = summary.calls.get("find_minima", 0)
    searching = sum(summary.calls.values()) - hopping
    parts = []
    if hopping:
        parts.append(f"{hopping} in basin-hopping{_each(hopping, summary.minima, 'minimum')}")
    if searching:
        parts.append(f"{searching} in searches{_each(searching, summary.transition_states, 'transition state')}")
    return f"{hopping + searching}: {', '.join(parts)}"


def _each(calls: int, points: int, name: str) -> str:
    return f" ({calls / points:.0f} a {name})" if points else ""


def _counts(summary: Summary) -> list[tuple[str, str]]:
    parts = str(summary.components)
    if summary.components > 1:
        parts += f", the largest of {summary.largest} minima; "
        parts += f"{summary.joined} of {summary.minima} minima are connected to the lowest"
    state = summary.attributes["state"]
    rows = [
        ("minima", str(summary.minima)),
        ("transition states", str(summary.transition_states)),
        ("connected components", parts),
    ]
    moves = _names_of_moves(((state.get("find_minima") or {}).get("settings") or {}).get("moves"))
    if moves:
        rows.append(("moves", moves))
    if summary.searches:
        rows.append(("probably missing", _missing(summary.discoveries)))
    if summary.calls:
        rows.append(("force calls", _calls(summary)))
    if summary.vibrating is not None and summary.vibrating < (points := summary.minima + summary.transition_states):
        known = f"stored of {summary.vibrating} of {points} points, and rates in 1/s need all"
        rows.append(("frequencies", f"{known}: thalweg verify {summary.path} --frequencies computes the others"))
    if summary.minima:
        name = "Gmin loss" if summary.labels is not None else "lowest energy"
        units = summary.attributes["units"]
        unit = f" {units}" if units != "reduced" else ""
        rows.append((name, f"{summary.lowest[0].energy:.10f}{unit}, minimum {summary.lowest[0].row}"))
    return rows


def _missing(found: Discoveries) -> str:
    """Return how many points probably remain, with 95 % intervals, and the searches since the last new one."""
    parts = []
    for kind in ("minima", "transition_states"):
        known = found.forecast(kind)
        if known.found:
            parts.append(_remaining(known, kind.replace("_", " ")))
    said = ", ".join(parts) or "not known"
    return f"{said}; nothing new in the last {found.quiet} searches" if found.quiet else said


def _remaining(known: Forecast, kind: str) -> str:
    """Return how many points of a kind remain; only the lower end of an interval too wide to say more."""
    if known.high > max(_WIDE * max(known.low, 1.0), known.found):
        return f"at least {known.low:.0f} {kind}"
    interval = f" ({known.low:.0f} to {known.high:.0f})" if known.high >= 0.5 else ""
    return f"{known.remaining:.0f} {kind}{interval}"


def _unit_of(summary: Summary) -> str:
    """Return the unit of energy; that of a network's loss is its own."""
    units = summary.attributes["units"]
    if units == "reduced" and summary.calculator["name"] == "NetworkLoss":
        return "energies are losses"
    return f"energies in {'reduced units' if units == 'reduced' else units}"


def _energies(summary: Summary) -> list[tuple[str, str]]:
    rows = []
    if summary.minima:
        lines = [f"minimum {row}: {energy:.8f}" for row, energy in summary.lowest]
        rows += [("" if k else "lowest minima", line) for k, line in enumerate(lines)]
        rows.append(("highest minimum", f"{summary.highest:.8f}"))
    if summary.transition_states:
        low, high = summary.barriers
        rows.append(("transition states from", f"{low:.8f} to {high:.8f}"))
    return rows


def _outputs(calculator: Mapping[str, Any]) -> int:
    """Return the number of outputs of a stored network."""
    if calculator.get("loss", "cross_entropy") == "cross_entropy":
        return int(calculator["n_classes"])
    targets = np.asarray(calculator["labels"] if "labels" in calculator else calculator["targets"])
    return 1 if targets.ndim == 1 else targets.shape[1]


def _properties(summary: Summary) -> list[str | Table]:
    properties = {name: spread for name, spread in summary.properties.items() if spread.known}
    if not properties:
        return []
    table = _table("", "Gmin", "mean", "sd")
    for name in sorted(properties, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)):
        spread = properties[name]
        note = "" if spread.known == summary.minima else f"  ({spread.known} of {summary.minima} minima)"
        _add(table, name.replace("_", " ").replace("auc", "AUC"), *_numbers(spread), note)
    if "test_loss" not in properties or summary.labels is None or "l2_biases" in summary.calculator:
        return ["", table]
    plain = properties["test_loss"].lowest - summary.calculator["l2"] * summary.weights_squared
    return ["", table, f"test loss of Gmin without the L2 term: {plain:.5f}"]


def _numbers(spread: Spread) -> list[str]:
    return [f"{spread.lowest:.5f}", f"{spread.mean:.5f}", f"{spread.deviation:.5f}"]


def _searches(summary: Summary) -> list[str | Table]:
    if not summary.searches:
        return []
    table = _table("searches", "number", "succeeded")
    for kind, ended in summary.searches.items():
        failures = ", ".join(f"{reason}: {count}" for reason, count in ended.items() if reason != "converged")
        failures = failures and f"failed, {failures}"
        _add(table, kind, str(sum(ended.values())), str(ended.get("converged", 0)), failures)
    return ["", table]


def _labels(summary: Summary) -> list[str | Table]:
    counts = summary.labels
    if counts is None:
        return []
    total = counts.sum()
    shares = (f"{k}: {count} ({100 * count / total:.1f} %)" for k, count in enumerate(counts.tolist()))
    return ["", "training labels  " + "  ".join(shares)]


def _same_points(summary: Summary) -> list[tuple[str, str]]:
    """Return which points of atoms count as the same."""
    system = summary.system
    said = [f"permutations {system.get('permutations', 'all')}", f"inversion {bool(system.get('inversion', True))}"]
    if "substrate" in system:
        said.append(f"substrate {bool(system['substrate'])}")
    return [("same points", ", ".join(said))] if "numbers" in system else []


def _names_of_moves(moves: object) -> str:
    """Return the names of basin-hopping moves as a store describes them; empty for anything else."""
    if not isinstance(moves, list):
        return ""
    described = [str(move.get("class", "")) for move in moves if isinstance(move, dict)]
    return " + ".join(one.rpartition(":")[2] for one in described)


def _settings(summary: Summary) -> list[tuple[str, str]]:
    """Return the settings of an exploration: options, tolerances, step sizes and rules."""
    attributes = summary.attributes
    state = attributes["state"]
    rows = []
    for name, values in (
        ("explored as", (state.get("explore") or {}).get("options")),
        ("tolerances", attributes["tolerances"]),
        ("noise", _noise(attributes.get("noise"))),
        *((sequence, (state.get(sequence) or {}).get("settings")) for sequence in ("find_minima", "connect")),
        ("rules", attributes["rules"]),
    ):
        plain = {key: value for key, value in (values or {}).items() if not isinstance(value, dict)}
        if _names_of_moves(plain.get("moves")):
            plain["moves"] = _names_of_moves(plain["moves"])
        if attributes["units"] == "eV" and isinstance(plain.get("temperature"), float):
            plain["temperature"] = f"{plain['temperature']} ({plain['temperature'] / kB:.0f} K)"
        if plain:
            rows.append((name, ", ".join(f"{key} {value}" for key, value in plain.items())))
    return rows


def _noise(stored: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the measured noise of a calculator, and the step of differences that was chosen by it."""
    if not stored:
        return {}
    noise = Noise(**stored)
    return {"gradient": f"{noise.gradient:.1e}", "step of differences": f"{noise.difference_step:g}"}


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="", show_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    return table


def path_text(path: LowestPath, minima: np.ndarray, states: np.ndarray, width: int = WIDTH) -> str:
    """Return a path as a table of energies.

    Parameters
    ----------
    path : LowestPath
    minima : (m,) ndarray
        Energies of all minima of the landscape.
    states : (t,) ndarray
        Energies of all its transition states.
    width : int
        Characters in a line.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="", show_edge=False)
    for column in ("minimum", "energy", "transition state", "energy"):
        table.add_column(column, justify="right")
    for row, state in zip(path.minima, (*path.transition_states, None), strict=True):
        over = ("", "") if state is None else (str(state), f"{states[state]:.8f}")
        table.add_row(str(row), f"{minima[row]:.8f}", *over)
    top = path.transition_states[int(np.argmax(states[list(path.transition_states)]))]
    return _text(width, [table, f"the highest is transition state {top}, {states[top]:.8f}"])
