"""Command ``thalweg explore``: find minima and transition states, and draw the graph."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.cli.completion import SystemName
from thalweg.analysis.cli.errors import INTERRUPTED, errors_in_one_line, errors_of_usage
from thalweg.analysis.cli.interruption import last_words
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.option_types import CalculatorName, Energy, Json, Names, Widths
from thalweg.analysis.cli.output_files import overwrite_option
from thalweg.analysis.cli.shared_options import FILE, failures_option, new_store_option, time_option, trust_option
from thalweg.analysis.cli.system_help import SystemCommand
from thalweg.analysis.cli.terminal import say
from thalweg.analysis.cli.worker_options import WorkerOptions
from thalweg.analysis.systems.label_noise import NOISES

__all__ = ["UNLIMITED", "SystemOptions", "Totals", "explore"]

UNLIMITED = 10**9
"""Number of steps or searches where something else than their number ends them."""


@dataclass(frozen=True)
class SystemOptions:
    """Options of the system as they were given; None where one was omitted."""

    data: int | None = from_option(
        click.option(
            "--data",
            type=click.IntRange(min=1),
            help="Number of training points, drawn at random.  [default: 1000; of a file three quarters]",
        )
    )
    errors: float | None = from_option(
        click.option(
            "--errors", type=click.FloatRange(0, 100), help="Percentage of training labels to make wrong.  [default: 0]"
        )
    )
    noise: str | None = from_option(
        click.option(
            "--noise",
            type=click.Choice(NOISES),
            help="Kind of the wrong labels (--errors): any other class; the next class (asymmetric); where the classes "
            "overlap; or those that raise the testing loss most (adversarial).  [default: uniform]",
        )
    )
    hidden: tuple[int, ...] | None = from_option(
        click.option("--hidden", type=Widths(), help="Widths of the hidden layers, such as 10 or 5,5.  [default: 10]")
    )
    activation: tuple[str, ...] | None = from_option(
        click.option(
            "--activation",
            type=Names(),
            help="Activation of the hidden layers: tanh, logistic, softplus, gelu or silu, or one for each, such as "
            "gelu,tanh.  [default: tanh]",
        )
    )
    loss: str | None = from_option(
        click.option(
            "--loss",
            type=click.Choice(["cross_entropy", "logistic"]),
            help="Loss of the outputs; logistic has one output, for data of two classes.  [default: cross_entropy]",
        )
    )
    l2: float | None = from_option(
        click.option(
            "--l2",
            type=click.FloatRange(min=0),
            help="Strength of the L2 regularisation.  [default: D1 to D3 1e-4; MNIST 0.1; others 1e-2]",
        )
    )
    neighbours: int | None = from_option(
        click.option(
            "--neighbours",
            type=click.IntRange(min=1),
            help="Number of nearest nodes in adjacent layers that each hidden node connects to.",
        )
    )
    path: Path | None = from_option(
        click.option("--path", type=FILE, help="Folder that holds MNIST's files.  [default: download them]")
    )
    pixels: str | None = from_option(
        click.option(
            "--pixels",
            type=click.Choice(["0 to 1", "0 to 255"]),
            help="Range of MNIST's pixels; with 0 to 255 AUC are of the paper's size.  [default: 0 to 1]",
        )
    )
    target: str | None = from_option(
        click.option("--target", help="Column of a file of data that holds the labels, or array of an .npz file.")
    )
    inputs: tuple[str, ...] | None = from_option(
        click.option(
            "--inputs", type=Names(), help="Columns of a file of data that are inputs.  [default: all but the target]"
        )
    )
    scale: str | None = from_option(
        click.option(
            "--scale",
            type=click.Choice(["none", "standard", "minmax"]),
            help="Scaling of the inputs of a table, by its training points.  [default: standard]",
        )
    )
    calculator: str | None = from_option(
        click.option(
            "--calculator",
            type=CalculatorName(),
            help="Calculator of a structure: emt, lj, another that ASE knows, or module:Class (of this folder, too).",
        )
    )
    parameters: dict[str, object] | None = from_option(
        click.option(
            "--parameters", type=Json(), help="The calculator's parameters as JSON, such as '{\"sigma\": 2.5}'."
        )
    )
    rms: float | None = from_option(
        click.option(
            "--rms",
            type=click.FloatRange(min=0, min_open=True),
            help="Rms gradient below which a point of a structure is stored.  "
            "[default: ten times the calculator's noise, at least 1e-6]",
        )
    )
    permutations: str | None = from_option(
        click.option(
            "--permutations",
            type=click.Choice(["bonds", "all", "none"]),
            help="Equal atoms of a structure that may change places: where bonds stay, all, or none.  "
            "[default: bonds for molecules, else all]",
        )
    )
    inversion: bool | None = from_option(
        click.option(
            "--inversion/--no-inversion",
            default=None,
            help="Whether a mirror image of a structure is the same.  [default: it is]",
        )
    )
    substrate: bool | None = from_option(
        click.option(
            "--substrate/--no-substrate",
            default=None,
            help="Whether sites are the same that the symmetry of fixed atoms or of the cell makes equal.  "
            "[default: only without a periodic cell]",
        )
    )
    moves: tuple[str, ...] | None = from_option(
        click.option(
            "--moves",
            type=Names(),
            help="Basin-hopping moves of a structure, some of all,dihedrals,molecules,exchange,surface,random; random "
            "places all atoms anywhere, also at the start: for liquids and glasses.  [default: those that suit it]",
        )
    )
    seed: int | None = from_option(
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            help="Seed of the training data's draw and of all searches.  [default: 0]",
        )
    )

    def given(self) -> dict[str, Any]:
        """Return the options that were given, as JSON holds them."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        if self.hidden is not None:
            values["hidden"] = list(self.hidden)
        if self.activation is not None:
            values["activation"] = self.activation[0] if len(set(self.activation)) == 1 else list(self.activation)
        if self.inputs is not None:
            values["inputs"] = list(self.inputs)
        if self.moves is not None:
            values["moves"] = list(self.moves)
        if self.path is not None:
            values["path"] = str(self.path.resolve())
        return values

    def names_calculator(self, options: Mapping[str, Any]) -> bool:
        """Return whether the calculator in a plan's options is the user's own word, with all its parameters."""
        return self.calculator is not None and (self.parameters is not None or not options.get("parameters"))


@dataclass(frozen=True)
class Totals:
    """Limits of the search as they were given; None or False where one was omitted."""

    steps: int | None = from_option(
        click.option("--steps", type=click.IntRange(min=0), help="Total number of basin-hopping steps.")
    )
    searches: int | None = from_option(
        click.option(
            "--searches",
            type=click.IntRange(min=0),
            help="Total number of transition-state searches. Where it is omitted, those of LJ8 to LJ10 go on while "
            "transition states are probably missing.",
        )
    )
    minima: int | None = from_option(
        click.option("--minima", type=click.IntRange(min=1), help="Stop basin-hopping once this many minima are known.")
    )
    until_converged: bool = from_option(
        click.option(
            "--until-converged",
            is_flag=True,
            help="Search for transition states until few are likely to be missing.",
        ),
        default=False,
    )
    below: float | str | None = from_option(
        click.option(
            "--below",
            type=Energy(),
            help="Search for transition states only from points below this energy, which alone count for "
            "--until-converged; +0.01 is 0.01 above the lowest minimum.",
        )
    )

    def given(self) -> dict[str, Any]:
        """Return the limits that were given; a number of minima or convergence replaces a number that was omitted."""
        values = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        if self.minima is not None:
            values.setdefault("steps", UNLIMITED)
        if self.until_converged:
            values.setdefault("searches", UNLIMITED)
        return values


@click.command(cls=SystemCommand)
@click.argument("system", type=SystemName())
@new_store_option
@overwrite_option
@with_options("options", SystemOptions)
@with_options("totals", Totals)
@time_option
@with_options("workers", WorkerOptions)
@failures_option
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Device of the searches; cuda is an NVIDIA GPU.  [default: auto]",
)
@click.option("--resume", is_flag=True, help="Continue the exploration of an existing store, up to the totals.")
@trust_option
@click.pass_context
def explore(
    context: click.Context,
    system: str,
    output: Path,
    overwrite: bool,
    *,
    options: SystemOptions,
    totals: Totals,
    seconds: float | None,
    workers: WorkerOptions,
    failures: int,
    device: str | None,
    resume: bool,
    trust: bool,
) -> None:
    """Find the minima and transition states of SYSTEM.

    SYSTEM is one of the names or files below.

    The results go to a zarr store, with a picture of the disconnectivity graph beside it. Steps and searches are
    totals: with --resume only those that remain are done. Omitted options keep the store's values.
    thalweg explore SYSTEM --help shows the defaults of one system.
    """
    from thalweg.analysis.cli.exploration_plan import plan_exploration
    from thalweg.analysis.cli.exploration_run import ExplorationRun, run_exploration
    from thalweg.analysis.systems.named import resolve_name
    from thalweg.landscapes import StoreError

    deadline = None if seconds is None else time.monotonic() + seconds
    with errors_of_usage(ValueError):
        plan = plan_exploration(resolve_name(system), output, resume, totals, options)
    trust = trust or options.names_calculator(plan.options)
    run = ExplorationRun(plan, output, workers, device, deadline, overwrite, trust, failures)
    try:
        with (
            errors_in_one_line(OSError, ImportError, RuntimeError, StoreError),
            last_words(run.farewell),
            compiling_notice(lambda text: say(text, err=True)),
        ):
            run_exploration(run)
    except KeyboardInterrupt:
        say(run.farewell(), err=True, wrap=False)
        context.exit(INTERRUPTED)
