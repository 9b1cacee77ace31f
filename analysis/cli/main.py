"""The command line: ``thalweg explore``, ``info``, ``plot`` and so on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.option_types import Duration, Json, Minima, Widths

__all__ = ["main"]

# Commands load what they need when they run: numba and matplotlib take a second that --help should not.


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thalweg", prog_name="thalweg")
def main() -> None:
    """Explore energy landscapes: of atomic clusters and of neural networks, with the same tools."""


@main.command()
@click.argument("system")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The store, a folder: d1.zarr, say.")
@click.option("--data", type=click.IntRange(min=1), help="Training points, drawn with the seed.  [default: 1000]")
@click.option("--errors", type=click.FloatRange(0, 100), help="Percentage of training labels made wrong.  [default: 0]")
@click.option("--hidden", type=Widths(), help="Widths of the hidden layers, such as 10 or 5,5.  [default: 10]")
@click.option("--l2", type=click.FloatRange(min=0), help="Strength of the L2 term.  [default: 1e-4; MNIST 0.1]")
@click.option("--neighbours", type=click.IntRange(min=1), help="Nearest nodes a hidden node keeps, below and above.")
@click.option("--path", type=click.Path(path_type=Path), help="Folder with MNIST's files; downloaded without it.")
@click.option("--calculator", help="Of a structure: emt, lj, another that ASE knows, or module:Class.")
@click.option("--parameters", type=Json(), help="Its parameters, as JSON: '{\"sigma\": 2.5}'.")
@click.option("--rms", type=click.FloatRange(min=0, min_open=True), help="Gradient of its points.  [default: 1e-6]")
@click.option("--seed", type=click.IntRange(min=0), help="Of the draw of data and of all searches.  [default: 0]")
@click.option("--steps", type=click.IntRange(min=0), help="Steps of basin-hopping, in total.")
@click.option("--searches", type=click.IntRange(min=0), help="Searches for transition states, in total.")
@click.option("--time", "seconds", type=Duration(), help="Stop early after this time: 90, 90s, 2m or 8h.")
@click.option("--minima", type=click.IntRange(min=1), help="Take no further steps once so many are known.")
@click.option("--until-converged", is_flag=True, help="Search until nothing is likely to remain.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; all processors by default.")
@click.option("--processes", type=click.IntRange(min=1), help="Processes instead of threads.")
@click.option("--scheduler", help="Address of a dask scheduler, whose workers do the work instead.")
@click.option("--ahead", type=click.IntRange(min=1), help="Tasks in flight at once: four a worker.  [default: 16]")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="cuda: search on a GPU.  [default: auto]")
@click.option("--resume", is_flag=True, help="Go on with the store that is there, up to the totals.")
@click.pass_context
def explore(context: click.Context, **given: Any) -> None:
    """Find the minima and transition states of SYSTEM.

    SYSTEM is D1, D2 or D3 (outcomes of LJAT3 learned by a network), MNIST, digits, LJAT3, LJ<n>, such as LJ7, a
    surface (MuellerBrown, SixHumpCamel, ...), or a structure in a file that ASE reads, such as slab.xyz, with its
    --calculator; energies are in eV then. What is found goes to a zarr store, with a disconnectivity graph as a PNG
    beside it. Steps and searches are totals, so that going on with --resume does what remains; options that are not
    given again are the store's.
    """
    from thalweg.analysis.cli.explore import run

    context.exit(run(**given))


@main.command(short_help="Find more transition states, or join two minima.")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("first", type=click.IntRange(min=0), required=False)
@click.argument("second", type=click.IntRange(min=0), required=False)
@click.option("--searches", type=click.IntRange(min=1), help="Searches to be done.  [default: until joined; else 1000]")
@click.option("--lower", is_flag=True, help="Once FIRST and SECOND are joined, look for lower paths.")
@click.option("--strategy", help="Where to search, without FIRST and SECOND: connect or untrap.  [default: connect]")
@click.option("--time", "seconds", type=Duration(), help="Stop early after this time: 90, 90s, 2m or 8h.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; all processors by default.")
def connect(**given: Any) -> None:
    """Find more transition states of the store at PATH: between the minima FIRST and SECOND, until these are joined.

    Prints the path whose highest transition state is lowest. Without FIRST and SECOND, searches everywhere.
    """
    from thalweg.analysis.cli.connect import run

    run(**given)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
def info(path: Path) -> None:
    """Say what is in the store at PATH."""
    from thalweg.analysis.cli.info import run

    run(path)


@main.command(short_help="Draw the disconnectivity graph.")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--output", type=click.Path(path_type=Path), help="PNG, PDF or SVG; by default a PNG beside the store.")
@click.option("--colour", help="Property that colours the branches, or none.  [default: test_auc where there is one]")
@click.option("--groups", help="Colour groups instead: basins, groups (PATHSAMPLE's A and B), or a property.")
@click.option("--descendants", help="Colour superbasins too: lowest, mean, min, max; for groups same or majority.")
@click.option("--widths", type=click.Choice(["size"]), help="Widen branches by how many minima are under them.")
@click.option("--lowest", type=click.IntRange(min=1), help="Show only so many minima, the lowest.")
@click.option("--connected-to", type=Minima(), help="Show what is connected to these, such as 0,17.  [default: lowest]")
@click.option("--all-components", is_flag=True, help="Show what is not connected to the lowest minimum, too.")
@click.option("--monotonic", is_flag=True, help="Show one minimum a monotonic sequence basin: one branch a funnel.")
@click.option("--levels", type=click.IntRange(min=2), default=50, show_default=True, help="Levels of energy.")
@click.option("--emin", type=float, help="Energy from which the levels are counted.  [default: lowest minimum]")
@click.option("--emax", type=float, help="Highest energy shown.  [default: where all is joined]")
@click.option("--labels", type=Minima(), help="Minima to number, such as 0,17.")
@click.option("--draw", type=Minima(), help="Minima whose atoms, or whose decision map, to draw under their branches.")
@click.option("--own-scales", is_flag=True, help="With several stores: each on its own scale of energy.")
@click.option("--linewidth", type=click.FloatRange(min=0, min_open=True), help="Of the lines, in points.")
@click.option("--dpi", type=click.FloatRange(10, 2400), default=200, show_default=True, help="Dots an inch of a PNG.")
def plot(**given: Any) -> None:
    """Draw the disconnectivity graph of the store at PATH, or of several, side by side on one scale of energy.

    A folder with PATHSAMPLE's min.data and ts.data will do for a store.
    """
    from thalweg.analysis.cli.plot import run

    run(**given)


@main.command(short_help="Compare landscapes: a table and a figure.")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--output", type=click.Path(path_type=Path), help="PNG, PDF or SVG for the figure; none without.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "csv"]),
    default="text",
    show_default=True,
    help="Of the table.",
)
@click.option("--sample", type=click.IntRange(min=1), default=100, show_default=True, help="Pairs for distances.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
def compare(**given: Any) -> None:
    """Compare the landscapes in the stores at PATHS, of molecules or networks: a table, and a figure.

    A folder with PATHSAMPLE's min.data and ts.data will do for a store. docs/compare.md defines every measure.
    """
    from thalweg.analysis.cli.compare import run

    run(**given)


_STORE = click.argument("path", type=click.Path(path_type=Path))


@main.command(short_help="Show one minimum or transition state.")
@_STORE
@click.argument("kind", type=click.Choice(["minimum", "state"]))
@click.argument("row", type=click.IntRange(min=0))
@click.option("--output", type=click.Path(path_type=Path), help="Write it to this .xyz (atoms) or .npz file.")
def show(**given: Any) -> None:
    """Show one minimum, or one transition state ("state"), of the store at PATH."""
    from thalweg.analysis.cli.show import run

    run(**given)


@main.command(short_help="Show the lowest-barrier path between two minima.")
@_STORE
@click.argument("start", type=click.IntRange(min=0))
@click.argument("end", type=click.IntRange(min=0))
@click.option(
    "--output",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A table (.csv), picture (.png, .pdf, .svg) or, of atoms, geometries (.xyz); may be repeated.",
)
@click.option("--points", type=click.IntRange(min=5), default=60, show_default=True, help="Of each piece, about.")
@click.option("--stationary", is_flag=True, help="Only minima and transition states: nothing is computed.")
def path(**given: Any) -> None:
    """Show the lowest-barrier path between the minima START and END of the store at PATH.

    Every transition state on it is followed down again for the energies between.
    """
    from thalweg.analysis.cli.path import run

    run(**given)


@main.command(short_help="Compute the stored points again.")
@_STORE
@click.option("--sample", type=click.IntRange(min=1), help="Look at so many of each kind, drawn at random, not at all.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; all processors by default.")
@click.option("--mark", is_flag=True, help="Look at what was imported; mark in the store what passes as verified.")
@click.pass_context
def verify(context: click.Context, **given: Any) -> None:
    """Compute the points of the store at PATH again, and say what is wrong: exit status 1 if anything is."""
    from thalweg.analysis.cli.verify import run

    context.exit(run(**given))


@main.command(short_help="Put two stores of one system into a new one.")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The new store.")
def merge(**given: Any) -> None:
    """Put the stores FIRST and SECOND, of the same system, together in a new one; duplicates are recognised."""
    from thalweg.analysis.cli.merge import run

    run(**given)


@main.command()
@_STORE
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["pathsample", "graphml", "parquet", "csv"]),
    help="PATHSAMPLE's files, a networkx graph, or tables of minima and transition states.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A file (graphml) or a folder.")
def export(**given: Any) -> None:
    """Write the store at PATH for other programs."""
    from thalweg.analysis.cli.export import run

    run(**given)


@main.command("import", short_help="Make a store from PATHSAMPLE's files.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--system", required=True, help="What it is of: LJ38, say, or a store of the same system.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The new store.")
def import_(**given: Any) -> None:
    """Make a store from PATHSAMPLE's min.data, ts.data, points.min and points.ts in FOLDER.

    Gradients and Hessians are computed; what does not pass for a stationary point is kept, and marked as not verified.
    """
    from thalweg.analysis.cli.import_store import run

    run(**given)


_ON = click.option("--on", type=click.Choice(["test", "train"]), help="Which data.  [default: test where known]")
_DATA = click.option("--data", type=click.Path(path_type=Path), help="Data of this .npz instead: inputs and labels.")


@main.command()
@_STORE
@click.option("--minimum", type=click.IntRange(min=0), help="Whose confusion to show.  [default: the lowest]")
@_ON
@_DATA
@click.option("--lowest", type=click.IntRange(min=1), help="Look at so many minima only, the lowest.")
@click.option("--temperature", "temperatures", type=float, multiple=True, help="Of ensembles.  [default: 1/N]")
@click.option("--reference", help="The class of AUC, or macro: the mean over all.  [default: what suits the data]")
@click.option("--keep", metavar="PREFIX", help="Keep all minima's scores as properties: test_accuracy, say.")
@click.option("--output", type=click.Path(path_type=Path), help="A .csv of all scores; or .npz: probabilities of one.")
def predict(**given: Any) -> None:
    """Say how well a network's minima predict.

    PATH is the store of a network. Ensembles of its minima are scored beside them, and whether they have learned the
    mislabelled points.
    """
    from thalweg.analysis.cli.predict import run

    run(**given)


@main.command("map")
@_STORE
@click.argument("minima", type=click.IntRange(min=0), nargs=-1)
@click.option("--output", type=click.Path(path_type=Path), help="PNG, PDF or SVG; by default a PNG beside the store.")
@click.option("--on", type=click.Choice(["train", "test", "none"]), help="Data drawn on top.  [default: train]")
@_DATA
@click.option("--probability-of", type=click.IntRange(min=0), help="Draw the probability of this class.")
@click.option("--plane", type=(int, int), default=(0, 1), show_default=True, help="The two inputs that vary.")
@click.option("--ensemble", is_flag=True, help="Add a map of all minima together.")
@click.option("--resolution", type=click.IntRange(min=2), default=200, show_default=True, help="Pixels a side.")
@click.option("--points", type=click.IntRange(min=0), default=1000, show_default=True, help="Most data drawn.")
def map_(**given: Any) -> None:
    """Draw decision maps of a network's minima.

    PATH is the store of a network, MINIMA the numbers of one or more of its minima, the lowest where none is named.
    """
    from thalweg.analysis.cli.map import run

    run(**given)


@main.command()
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder of stores and results.")
@click.option("--only", help="Some tables, figures or landscapes: table1,figure6.  [default: all]")
@click.option(
    "--scale", default="small", show_default=True, help="full, small (ten minutes), tiny, or one of your own."
)
@click.option("--time", "seconds", type=Duration(), help="Explore no longer than this: 90, 90s, 2m or 8h.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; all processors by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first draw.")
@click.option("--mnist", type=click.Path(path_type=Path), help="Folder with MNIST's files; downloaded without it.")
@click.option("--definition", type=click.Path(path_type=Path), help="Experiments of your own, a file like paper.toml.")
@click.option("--list", "list_only", is_flag=True, help="Only say what is done and what remains.")
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="Write the page here too, say docs/paper.md, its pictures and data beside it in docs/paper.",
)
@click.pass_context
def paper(context: click.Context, only: str | None, **given: Any) -> None:
    """Make every table and figure of Chitturi et al. (2020) again, beside the published numbers.

    The same command goes on after an interruption, and with --time 0 it writes what there is. The page is paper.md in
    the output folder; landscapes are ordinary stores in its landscapes folder.
    """
    from thalweg.analysis.cli.paper import run

    context.exit(run(only=tuple(only.split(",")) if only else (), **given))
