"""Command ``thalweg paper``: the tables and figures of the paper."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.cli.errors import INTERRUPTED, errors_in_one_line, errors_of_usage
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.shared_options import FILE, time_option, workers_option
from thalweg.analysis.cli.terminal import say

__all__ = ["PaperOptions", "paper"]

_STOPPED = "\nstopped; all that was found is kept. The same command goes on; with --time 0 it writes what there is."


@dataclass(frozen=True)
class PaperOptions:
    """Experiments of the paper, and where their data and results are; None where an option was omitted."""

    output: Path = from_option(
        click.option("--output", required=True, type=FILE, help="Folder for the stores and the results.")
    )
    only: str | None = from_option(
        click.option(
            "--only", help="Make only these tables, figures or landscapes, such as table1,figure6.  [default: all]"
        )
    )
    scale: str = from_option(
        click.option(
            "--scale",
            default="small",
            show_default=True,
            help="Amount of work: tiny, small (ten minutes), full (days), or a scale of your --definition.",
        ),
        default="small",
    )
    seed: int = from_option(
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Seed of the first draw of training data.",
        ),
        default=0,
    )
    mnist: Path | None = from_option(
        click.option(
            "--mnist",
            type=FILE,
            help="Folder that holds MNIST's files, or none to leave MNIST out.  [default: download them]",
        )
    )
    definition: Path | None = from_option(
        click.option(
            "--definition",
            type=FILE,
            help="Experiments other than the paper's: noise, for kinds of label noise beyond uniform, or a file of "
            "your own in the format of paper.toml.",
        )
    )
    page: Path | None = from_option(
        click.option(
            "--page",
            type=FILE,
            help="Write the page here too, such as docs/paper.md, with its pictures and data in docs/paper.",
        )
    )
    workers: int | None = from_option(workers_option)

    def __post_init__(self) -> None:
        if self.page is not None and self.page.suffix != ".md":
            raise ValueError(f"--page is {self.page}; a page is a Markdown file, such as docs/paper.md")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables, figures or landscapes to make; empty for all."""
        return tuple(self.only.split(",")) if self.only else ()

    @property
    def page_name(self) -> str:
        """Name of the page in the output folder: that of the definition where it comes with the package."""
        from thalweg.analysis.paper.plan import DEFINITIONS

        return f"{self.definition if str(self.definition) in DEFINITIONS else 'paper'}.md"

    @property
    def kept(self) -> Path | None:
        """Folder beside the page that keeps its files; None without a page."""
        return None if self.page is None else self.page.with_suffix("")


@click.command()
@with_options("options", PaperOptions)
@time_option
@click.option("--list", "list_only", is_flag=True, help="Only list what is done and what remains.")
@click.pass_context
def paper(context: click.Context, *, options: PaperOptions, seconds: float | None, list_only: bool) -> None:
    """Reproduce the tables and figures of the paper.

    The paper is Chitturi et al. (2020). Each number stands beside the published one on a page, paper.md in the output
    folder. With --definition noise it makes another page, noise.md: which kinds of wrong labels change the landscapes,
    in shallow and in deeper networks. After an interruption the same command goes on; with --time 0 it writes the page
    from what has been found. The landscapes are ordinary stores in the folder landscapes.
    """
    from thalweg.analysis.cli.paper_turns import PaperRun, explore_in_turns, overview, write_page
    from thalweg.landscapes import StoreError

    deadline = None if seconds is None else time.monotonic() + seconds
    with errors_of_usage(ValueError, OSError):
        run = PaperRun.from_options(options, deadline)
    say(overview(run, every=list_only))
    if list_only:
        return
    try:
        with errors_in_one_line(OSError, StoreError), compiling_notice(lambda text: say(text, err=True)):
            run.check_places()
            write_page(run, explore_in_turns(run))
    except KeyboardInterrupt:
        say(_STOPPED, err=True)
        context.exit(INTERRUPTED)
