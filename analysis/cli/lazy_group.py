"""A click group that imports a command when it runs or when its own help is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click

__all__ = ["CommandEntry", "LazyGroup"]


class CommandEntry(NamedTuple):
    """Place of a command, and the line about it in the help of the group.

    Attributes
    ----------
    location : str
        Where the click command is, as ``"package.module:name"``.
    help : str
        First sentence of the command's own help, so that the group's help need not import the command.
    """

    location: str
    help: str


class LazyGroup(click.Group):
    """Group of commands that are imported one at a time, when they are needed.

    Parameters
    ----------
    name : str
        Name of the program.
    entries : mapping of str to CommandEntry
        The commands by name, in the order of the group's help.
    help : str
        Description of the program.
    """

    def __init__(self, name: str, entries: Mapping[str, CommandEntry], help: str) -> None:
        super().__init__(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.entries = dict(entries)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None where there is none of this name."""
        if cmd_name not in self.entries:
            return None
        module, _, name = self.entries[cmd_name].location.partition(":")
        return getattr(import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])
