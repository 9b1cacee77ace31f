"""Command ``thalweg reconverge``: the points of a store under another calculator, in a new store."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.option_types import CalculatorName, Json
from thalweg.analysis.cli.shared_options import new_store_option, store_argument
from thalweg.analysis.cli.terminal import say

__all__ = ["reconverge"]


@click.command()
@store_argument
@click.option(
    "--calculator",
    type=CalculatorName(),
    required=True,
    help="The other calculator: emt, lj, another that ASE knows, or module:Class (of this folder, too).",
)
@click.option("--parameters", type=Json(), help="Its parameters as JSON, such as '{\"sigma\": 2.5}'.")
@click.option(
    "--rms",
    type=click.FloatRange(min=0, min_open=True),
    help="Largest rms gradient of a stored point, eV/angstrom.  "
    "[default: ten times the calculator's noise, at least 1e-6]",
)
@new_store_option
def reconverge(
    path: Path, calculator: str, parameters: dict[str, object] | None, rms: float | None, output: Path
) -> None:
    """Converge a store's points under another calculator.

    PATH is the store of atoms, such as one of xTB's; its own calculator is not needed. Every minimum is minimised,
    every transition state searched again with both of its sides. What is found goes into a new store. Which points
    stay, become one or vanish, and why, is printed.
    """
    from thalweg.landscapes import Landscape, Tolerances
    from thalweg.landscapes import reconverge as reconverge_points
    from thalweg.potentials.ase_calculators import calculator_by_name

    with errors_in_one_line(OSError, ValueError, ImportError):
        landscape = Landscape.open(path)
        if landscape.geometry.atoms is None:
            raise ValueError(f"{path} has no atoms: --calculator computes energies of atoms")
        other = calculator_by_name(calculator, parameters)
        tolerances = None if rms is None else Tolerances.converged_to(rms)
        result = reconverge_points(landscape, other, output, tolerances=tolerances)
        say(result.to_text())
        new = Landscape.open(output)
        say(f"{output}: {len(new.minima)} minima, {len(new.transition_states)} transition states")
