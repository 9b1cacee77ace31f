"""Errors of the package as one-line errors of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from thalweg.potentials.conversion.printable import printable_lines

__all__ = ["INTERRUPTED", "errors_in_one_line", "errors_of_usage"]

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C or SIGTERM has stopped."""


@contextmanager
def errors_in_one_line(*kinds: type[Exception]) -> Iterator[None]:
    """Turn exceptions of these kinds into one line on stderr and exit status 1."""
    try:
        yield
    except kinds as error:
        raise click.ClickException(printable_lines(error)) from error


@contextmanager
def errors_of_usage(*kinds: type[Exception]) -> Iterator[None]:
    """Turn exceptions of these kinds into one line on stderr, after the usage of the command, and exit status 2."""
    try:
        yield
    except kinds as error:
        raise click.UsageError(printable_lines(error)) from error
