"""Standard output and standard error of the command line."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from contextlib import suppress

import click

from thalweg.potentials.conversion.printable import printable_lines

__all__ = ["accept_any_text", "finish_output", "say", "text_width"]

_WIDTH = 120  # of texts that go to a file or another program
_LEAST = 20


def say(text: object, err: bool = False, wrap: bool = True) -> None:
    """Print text, without control characters: parts of it may come from a store that somebody else made.

    Parameters
    ----------
    text : object
        Text of one or more lines, or a path.
    err : bool
        Whether it goes to standard error.
    wrap : bool
        Whether lines that are wider than the terminal are continued on the next line; never a path, nor where a file
        or another program reads.
    """
    said = printable_lines(text)
    width = _wrap_width(err) if wrap and not isinstance(text, os.PathLike) else None
    if width is not None:
        said = "\n".join(_wrapped(line, width) for line in said.split("\n"))
    click.echo(said, err=err)


def text_width() -> int:
    """Return the number of columns of texts on standard output: the variable COLUMNS, the terminal's, or 120."""
    return max(_LEAST, shutil.get_terminal_size((_WIDTH, 24)).columns)


def _wrap_width(err: bool) -> int | None:
    """Return the number of columns of a stream; None where neither COLUMNS nor a terminal says."""
    stream = sys.stderr if err else sys.stdout
    if not os.environ.get("COLUMNS", "").isdigit() and not (stream is not None and stream.isatty()):
        return None
    return text_width()


def _wrapped(line: str, width: int) -> str:
    """Return a line cut at spaces, what follows indented by two more; words are never broken."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )


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
