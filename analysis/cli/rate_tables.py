"""Tables of rate constants, fastest paths, committors and rates over transition states, as lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.cli.rows import Row, checked_members
from thalweg.analysis.cli.terminal import text_width
from thalweg.analysis.networks.network_reader import is_pathsample
from thalweg.analysis.systems.text_table import TextColumn, text_table
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.analysis.cli.rates import RateOptions, Temperature
    from thalweg.analysis.kinetics import Kinetics
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.lowest_barrier_paths import Path as Steps
    from thalweg.analysis.networks.parts.numbered import NumberedPart

__all__ = ["check_frequencies", "power_text", "rates_between", "rates_over_states", "rates_title"]

_MINIMA = 50  # whose committors are shown, at most


def power_text(logarithm: float, digits: int = 5) -> str:
    """Return exp(logarithm) as text, also where it is beyond the range of a double.

    Examples
    --------
    >>> from thalweg.analysis.cli.rate_tables import power_text
    >>> power_text(0.0), power_text(-2000.0), power_text(float("-inf"))
    ('1', '2.5765e-869', '0')
    """
    if not math.isfinite(logarithm):
        return "0" if logarithm < 0 else f"{logarithm}"
    if abs(logarithm) < 700:
        return f"{math.exp(logarithm):.{digits}g}"
    exponent = math.floor(logarithm / math.log(10))
    return f"{math.exp(logarithm - exponent * math.log(10)):.{digits}g}e{exponent:+d}"


def rates_title(path: Path, network: KineticTransitionNetwork, options: RateOptions) -> str:
    """Return a line that says how the rates are computed and in which unit of time; errors of `check_frequencies`."""
    check_frequencies(path, network)
    if network.motion is None:
        masses = "masses as in the files" if is_pathsample(path) else "masses one"
        return f"harmonic transition-state theory, {masses}, time in reduced units"
    parts = ["harmonic transition-state theory", "masses of the atoms"]
    parts.append("quantised vibrations" if options.quantum else "classical vibrations")
    if options.rotational is not False and np.any(network.motion.moments):
        parts.append("rigid rotors")
    if options.tunnelling is not None:
        parts.append("tunnelling by Wigner's correction")
    return ", ".join(parts)


def check_frequencies(path: Path, network: KineticTransitionNetwork) -> None:
    """Raise ValueError where atoms in eV lack the vibrational frequencies by which their rates are in 1/s."""
    if network.motion is None and network.units == "eV" and not is_pathsample(path) and _has_masses(path):
        raise ValueError(
            f"{path} has no vibrational frequencies, without which there are no rates in 1/s: "
            f"thalweg verify {path} --frequencies computes them"
        )


def _has_masses(path: Path) -> bool:
    """Return whether a store's points could have vibrational frequencies."""
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.vibrations.hessians import check_vibrating

    try:
        check_vibrating(Landscape.open(path))
    except ValueError:
        return False
    return True


def rates_between(
    part: NumberedPart,
    ends: tuple[str | Sequence[Row], str | Sequence[Row]],
    options: RateOptions,
    paths: int,
    committors: bool,
) -> list[str]:
    """Return a table of rate constants by temperature, and for each temperature the fastest paths.

    Raises
    ------
    ValueError, IndexError
        If the sets make no sense, or rates cannot be computed.
    """
    whole = part.whole
    sets = [checked_members(o, e, whole.energies, whole.groups) for o, e in zip(("--from", "--to"), ends, strict=True)]
    _check_apart(*sets)
    source, target = (part.inside(option, rows) for option, rows in zip(("--from", "--to"), sets, strict=True))
    chains = [_kinetics(part.network, one, options) for one in options.temperatures]
    lines = [f"from minim{_named(sets[0])} to minim{_named(sets[1])}", *_constants(chains, source, target)]
    for chain in chains:
        found = chain.path_shares(source, target, paths)
        for number, one in enumerate(found):
            which = "fastest path" if number == 0 else f"fastest path but {number}"
            lines += [
                "",
                f"{which} at {_at(chain)}, {100 * one.share:.3g} % of the rate, barrier {_barrier(chain, one.path)}",
            ]
            lines += _steps(part, chain, one.path, options)
        lines += _committors(part, chain, source, target) if committors else []
    return lines


def _check_apart(source: Sequence[int], target: Sequence[int]) -> None:
    for option, rows in (("--from", source), ("--to", target)):
        if not len(rows):
            raise ValueError(f"{option} names no minimum")
    both = sorted({*source} & {*target})
    if both:
        raise ValueError(
            f"--from and --to overlap: minimum {both[0]} is in both; rates from one copy of a minimum to another are "
            "shown without them"
        )


def _named(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:8])) + (" ..." if len(rows) > 8 else "")
    return f"um {shown}" if len(rows) == 1 else f"a {shown}"


def _kinetics(network: KineticTransitionNetwork, at: Temperature, options: RateOptions) -> Kinetics:
    return network.kinetics(at.temperature, kelvin=at.kelvin, **_approximations(options))


def _approximations(options: RateOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("rotational", "quantum", "tunnelling")}


def _at(chain: Kinetics) -> str:
    return f"k_B T = {chain.temperature:g}" if chain.kelvin is None else f"{chain.kelvin:g} K"


def _unit(chain_unit: str) -> str:
    return " in 1/s" if chain_unit == "s" else ""


def _constants(chains: Sequence[Kinetics], source: list[int], target: list[int]) -> list[str]:
    """Return a table of the rate constants, a row a temperature."""
    unit, kelvin = _unit(chains[0].time_unit), chains[0].kelvin is not None
    temperatures = [f"{chain.kelvin:g}" if kelvin else f"{chain.temperature:g}" for chain in chains]
    occupied = [
        [float(np.logaddexp.reduce(chain.log_populations[rows])) for rows in (source, target)] for chain in chains
    ]
    columns = [
        TextColumn("K" if kelvin else "k_B T", temperatures),
        TextColumn(f"rate constant{unit}", [power_text(chain.log_rate_constant(source, target)) for chain in chains]),
        TextColumn(f"back{unit}", [power_text(chain.log_rate_constant(target, source)) for chain in chains]),
        TextColumn("occupation from", [power_text(pair[0]) for pair in occupied], spare=1),
        TextColumn("to", [power_text(pair[1]) for pair in occupied], spare=1),
    ]
    return text_table(columns, text_width())


def _barrier(chain: Kinetics, path: Steps) -> str:
    network = chain.network
    assert network is not None
    unit = "" if network.units == "reduced" else f" {printable(network.units)}"
    return f"{path.energy - network.energies[path.minima[0]]:.6g}{unit}"


def _steps(part: NumberedPart, chain: Kinetics, path: Steps, options: RateOptions) -> list[str]:
    """Return a table of a path: minima by their rows, and the transition states between, with the rates over them."""
    network = part.network
    over = network.transition_state_rates(chain.temperature, **_approximations(options))
    rows, states = part.minima[path.minima], part.transition_states[path.transition_states]
    steps = list(zip(pairwise(path.minima.tolist()), path.transition_states.tolist(), strict=True))
    sides = [(state, int(network.ts_minima[state, 1] == here)) for (here, _), state in steps]
    columns = [
        TextColumn("minimum", [str(row) for row in rows]),
        TextColumn("energy", [f"{energy:.8g}" for energy in network.energies[path.minima]], spare=1),
        TextColumn("over state", [*(str(state) for state in states), ""]),
        TextColumn("barrier", [*(f"{network.ts_energies[s] - network.energies[a]:.6g}" for (a, _), s in steps), ""]),
        TextColumn(f"rate{_unit(chain.time_unit)}", [*(_rate(over[side]) for side in sides), ""]),
    ]
    return [f"  {line}" for line in text_table(columns, text_width() - 2)]


def _rate(value: float) -> str:
    return f"{value:.5g}" if value > 0 else "below 1e-308"


def _committors(part: NumberedPart, chain: Kinetics, source: list[int], target: list[int]) -> list[str]:
    values = chain.committor(source, target)
    shown = np.argsort(part.network.energies, kind="stable")[:_MINIMA]
    columns = [
        TextColumn("minimum", [str(part.minima[i]) for i in shown]),
        TextColumn("energy", [f"{part.network.energies[i]:.8g}" for i in shown]),
        TextColumn("committor", ["not connected" if np.isnan(values[i]) else f"{values[i]:.5g}" for i in shown]),
    ]
    lines = ["", f"committors at {_at(chain)}", *(f"  {line}" for line in text_table(columns, text_width() - 2))]
    left = len(values) - len(shown)
    return [*lines, f"  ... and {left} minima of higher energy"] if left else lines


def rates_over_states(part: NumberedPart, options: RateOptions, most: int) -> list[str]:
    """Return a table for each temperature of the rates over transition states, the lowest first.

    Raises
    ------
    ValueError
        If there is no transition state, or rates cannot be computed.
    """
    network = part.network
    if not network.n_transition_states:
        raise ValueError("there are no transition states, so no rates")
    shown = np.argsort(network.ts_energies, kind="stable")[:most]
    lines: list[str] = []
    for at in options.temperatures:
        rates = network.transition_state_rates(at.temperature, kelvin=at.kelvin, **_approximations(options))
        lines += [*([""] if lines else []), *_states(part, shown, rates, at)]
    left = network.n_transition_states - len(shown)
    if left:
        lines.append(f"... and {left} of higher energy: --states shows more")
    if network.degenerate[shown].any():
        lines.append("* degenerate rearrangement: leads to another copy of the same minimum, and counts all such ways")
    return lines


def _states(part: NumberedPart, shown: np.ndarray, rates: np.ndarray, at: Temperature) -> list[str]:
    network = part.network
    unit = _unit("s" if network.motion is not None else "")
    degenerate = network.degenerate
    columns = [
        TextColumn("state", [f"{part.transition_states[t]}{'*' if degenerate[t] else ''}" for t in shown]),
        TextColumn("energy", [f"{network.ts_energies[t]:.8g}" for t in shown], spare=1),
    ]
    for side, name in enumerate(("from minimum", "and from minimum")):
        ends = [network.ts_minima[t, side] for t in shown]
        once = [bool(side) and bool(degenerate[t]) for t in shown]
        barriers = [f"{network.ts_energies[t] - network.energies[i]:.6g}" for t, i in zip(shown, ends, strict=True)]
        texts = (
            (name, [str(part.minima[i]) for i in ends]),
            ("barrier", barriers),
            (f"rate{unit}", [_rate(rates[t, side]) for t in shown]),
        )
        columns += [
            TextColumn(head, ["" if skip else cell for cell, skip in zip(cells, once, strict=True)])
            for head, cells in texts
        ]
    return [f"rates over transition states at {at}", *text_table(columns, text_width())]
