"""Command ``thalweg rates``: rate constants between sets of minima, and the rates over transition states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.option_types import Numbers
from thalweg.analysis.cli.part_options import PartOptions
from thalweg.analysis.cli.rows import Members, Row
from thalweg.analysis.cli.shared_options import store_argument
from thalweg.analysis.cli.terminal import say

__all__ = ["RateOptions", "Temperature", "rates"]


class Temperature(NamedTuple):
    """A temperature as k_B T in the landscape's unit of energy, or in kelvin; the other is None."""

    temperature: float | None = None
    kelvin: float | None = None

    def __str__(self) -> str:
        return f"k_B T = {self.temperature:g}" if self.kelvin is None else f"{self.kelvin:g} K"


@dataclass(frozen=True)
class RateOptions:
    """Temperatures of rates, and the approximations by which they are computed."""

    kelvin: tuple[float, ...] | None = from_option(
        click.option(
            "--kelvin",
            type=Numbers(),
            help="Temperatures in kelvin, such as 300,500, where energies are in eV.",
        )
    )
    temperature: tuple[float, ...] | None = from_option(
        click.option("--temperature", type=Numbers(), help="Temperatures as k_B T, in the landscape's unit of energy.")
    )
    quantum: bool = from_option(
        click.option(
            "--quantum", is_flag=True, help="Quantise the vibrations of atoms in eV: zero-point energies count."
        ),
        default=False,
    )
    tunnelling: str | None = from_option(
        click.option("--tunnelling", type=click.Choice(["wigner"]), help="Correct rates of atoms in eV for tunnelling.")
    )
    rotational: bool | None = from_option(
        click.option(
            "--rotational/--no-rotational",
            default=None,
            help="Whether moments of inertia count.  [default: of molecules in eV, or if vibrations differ in number]",
        )
    )

    def __post_init__(self) -> None:
        if (self.kelvin is None) == (self.temperature is None):
            raise ValueError("give the temperatures by --kelvin, or as k_B T by --temperature")

    @property
    def temperatures(self) -> list[Temperature]:
        """Each temperature that was given."""
        if self.kelvin is not None:
            return [Temperature(kelvin=kelvin) for kelvin in self.kelvin]
        return [Temperature(energy) for energy in self.temperature or ()]


@click.command()
@store_argument
@click.option(
    "--from", "source", type=Members(), help="Minima where the rate starts, such as lowest or 1,4,7-9, or a group."
)
@click.option("--to", "target", type=Members(), help="Minima where it ends, or a group.")
@with_options("options", RateOptions)
@click.option(
    "--paths", type=click.IntRange(min=1), default=1, show_default=True, help="Number of fastest paths to show."
)
@click.option("--committors", is_flag=True, help="Show the probability of each minimum to reach --to before --from.")
@click.option(
    "--states", type=click.IntRange(min=1), default=20, show_default=True, help="Most transition states to show."
)
@with_options("part", PartOptions)
def rates(
    path: Path,
    source: str | tuple[Row, ...] | None,
    target: str | tuple[Row, ...] | None,
    paths: int,
    committors: bool,
    states: int,
    *,
    options: RateOptions,
    part: PartOptions,
) -> None:
    """Compute rate constants by harmonic transition-state theory.

    PATH is a store, or a folder with PATHSAMPLE's min.data and ts.data, whose groups are A and B. With --from and --to,
    sets of minima, the rate constants between them both ways are shown, and the fastest paths. Without, the rates over
    each transition state are: hops of an adatom, for example, from one site to an equal one. Rates of atoms in eV are
    in 1/s, with their masses; the others have the landscape's reduced unit of time.
    """
    if (source is None) != (target is None):
        raise click.UsageError("--from and --to are the two ends of a rate: give both, or none")
    if source is None and committors:
        raise click.UsageError("--committors needs --from and --to")
    from thalweg.analysis.cli.rate_tables import rates_between, rates_over_states, rates_title
    from thalweg.analysis.networks.network_reader import read_network

    with errors_in_one_line(OSError, ValueError, IndexError, ArithmeticError):
        whole = read_network(path)
        lines = [rates_title(path, whole, options), ""]
        if source is None or target is None:
            lines += rates_over_states(part.of(whole), options, states)
        else:
            lines += rates_between(part.of(whole), (source, target), options, paths, committors)
    say("\n".join(lines))
