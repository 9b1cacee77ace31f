"""Command-line options as fields of frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from functools import wraps
from typing import Any, TypeVar

import click

__all__ = ["from_option", "with_options"]

_OPTION = "option"
_Command = TypeVar("_Command", bound=Callable[..., object])


def from_option(option: Callable[[_Command], _Command], default: object = None) -> Any:
    """Return a dataclass field whose value comes from an option of the command line.

    Parameters
    ----------
    option : decorator
        As made by `click.option`; the option's name must be the field's.
    default : object
        Value of the field in Python. click's own default is the one that the option declares.

    Returns
    -------
    dataclasses.Field
        Typed as anything, like that of `dataclasses.field`: the annotation of the field counts.
    """
    return field(default=default, metadata={_OPTION: option})


def with_options(name: str, group: type) -> Callable[[_Command], Callable[..., object]]:
    """Decorate a command with all options of a dataclass; it is called with one instance of that class.

    Parameters
    ----------
    name : str
        Argument of the command that takes the instance.
    group : type
        A frozen dataclass with fields from :func:`from_option`. A ValueError in its construction becomes an error of
        usage.
    """
    options = [(entry.name, entry.metadata[_OPTION]) for entry in fields(group)]

    def decorate(command: _Command) -> Callable[..., object]:
        @wraps(command)
        def gathered(*args: object, **given: object) -> object:
            values = {option: given.pop(option) for option, _ in options}
            try:
                together = group(**values)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
            return command(*args, **given, **{name: together})

        decorated: Callable[..., object] = gathered
        for _, option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
