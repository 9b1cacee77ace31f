"""Errors of the package as one-line errors of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from thalweg.potentials.conversion.printable import printable_lines

__all__ = ["INTERRUPTED", "errors_in_one_line", "errors_of_usage"]

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C or SIGTERM has stopped."""


@contextmanager
def errors_in_one_line(*kinds: type[Exception]) -> Iterator[None]:
    """Turn exceptions of these kinds into one line on stderr and exit status 1.

    A pipe whose reader has ended (``thalweg info d1.zarr | head``) needs no word: click ends the command quietly.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except kinds as error:
        raise click.ClickException(_named_by_options(printable_lines(error))) from error


@contextmanager
def errors_of_usage(*kinds: type[Exception]) -> Iterator[None]:
    """Turn exceptions of these kinds into one line on stderr, after the usage of the command, and exit status 2."""
    try:
        yield
    except kinds as error:
        raise click.UsageError(_named_by_options(printable_lines(error))) from error


# Names of arguments that are no English words: they mean an argument wherever they stand.
_NO_WORDS = {"emin", "emax", "vmin", "vmax", "cmap", "linewidth", "dpi"}
_SAID_OF = (
    r"(?= is| are| has| have| holds| must| names| needs|:|=|\[)"  # what follows an argument that an error is about
)


def _named_by_options(message: str) -> str:
    """Return an error of the package with the options of the running command in place of its Python arguments.

    The package's errors begin with the name of the argument that is wrong; on the command line it is an option.
    """
    context = click.get_current_context(silent=True)
    for parameter in [] if context is None else context.command.params:
        name = parameter.name or ""
        option = parameter.opts[0] if isinstance(parameter, click.Option) else name.upper()
        # an option of several values is called --temperature, its argument temperatures
        for word in {name, option.lstrip("-").replace("-", "_")}:
            message = re.sub(rf"^{re.escape(word)}(=True)?{_SAID_OF}", option, message)
        if "_" in name or name in _NO_WORDS:
            message = re.sub(rf"(?<![\w-]){re.escape(name)}(=True)?(?![\w=])", option, message)
    return message
