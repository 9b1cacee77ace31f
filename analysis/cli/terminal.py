"""Standard output and standard error of the command line."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from thalweg.potentials.conversion.printable import printable_lines

__all__ = ["accept_any_text", "finish_output", "say"]


def say(text: object, err: bool = False) -> None:
    """Print text, without control characters: parts of it may come from a store that somebody else made."""
    click.echo(printable_lines(text), err=err)


def accept_any_text() -> None:
    """Make both streams write characters that their encoding lacks as escapes, where Python would raise an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def finish_output(status: int) -> int:
    """Write what is left in the buffer of standard output, and return the exit status: not 0 where that failed.

    Python would do so after everything else, and end with a traceback.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):  # standard error may be full, too
            click.echo(f"Error: standard output: {error.strerror}", err=True)
        # what is left in the buffer goes nowhere: Python tries once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or 1
    return status
