"""Command ``thalweg view``: landscapes in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.shared_options import FILE, check_ending, short_names, trust_option
from thalweg.analysis.cli.terminal import say

if TYPE_CHECKING:
    from thalweg.analysis.view.page_server import PageServer

__all__ = ["view"]

_ENDINGS = (".html", ".htm")


@click.command()
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--output", type=FILE, help="Write one .html file that opens without Thalweg, and start no server.")
@overwrite_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the server on this machine.  [default: any free one]",
)
@click.option("--no-browser", is_flag=True, help="Print the address only: open no browser.")
@trust_option
def view(
    paths: tuple[Path, ...], output: Path | None, overwrite: bool, port: int, no_browser: bool, trust: bool
) -> None:
    """Show landscapes in the browser, to click through.

    PATHS are stores, or folders with PATHSAMPLE's files; several are shown side by side. The page shows the
    disconnectivity graph; a click on a branch shows the minimum, and a click on a second one the lowest path between
    the two. A store that still grows is read again. The server listens to this machine alone (127.0.0.1),
    until Ctrl-C; its address has a token, and whoever has it sees the landscapes.
    """
    with errors_in_one_line(OSError, ValueError, ModuleNotFoundError):
        if output is not None:
            check_ending(output, _ENDINGS)
            check_output(output, overwrite)
            from thalweg.analysis.view.landscape_page import LandscapePage

            page = LandscapePage(*paths, names=short_names(paths), trust=trust)
            with output_file(output, overwrite) as file:
                page.save(file)
            say(output)
            return
        from thalweg.analysis.view.page_server import PageServer
        from thalweg.analysis.view.viewed_landscape import ViewedLandscape

        views = [ViewedLandscape(p, name=n, trust=trust) for p, n in zip(paths, short_names(paths), strict=True)]
        with PageServer(views, port) as server:
            _serve(server, browser=not no_browser)


def _serve(server: PageServer, *, browser: bool) -> None:
    """Say where the page is, open it, and answer until Ctrl-C."""
    say(server.url)
    if browser:
        import webbrowser

        webbrowser.open(server.single_use_url())
    try:
        server.serve()
    except KeyboardInterrupt:
        return
