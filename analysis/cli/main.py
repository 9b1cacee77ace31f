"""Commands of the command line: ``thalweg explore``, ``info``, ``plot`` and so on."""

from __future__ import annotations

import click

from thalweg.analysis.cli.lazy_group import CommandEntry, LazyGroup

__all__ = ["program"]

_HERE = "thalweg.analysis.cli"

_ENTRIES = {
    "explore": CommandEntry(f"{_HERE}.explore:explore", "Find the minima and transition states of SYSTEM."),
    "connect": CommandEntry(f"{_HERE}.connect:connect", "Find more transition states, or join two minima."),
    "info": CommandEntry(f"{_HERE}.info:info", "Summarise the contents of a store."),
    "plot": CommandEntry(f"{_HERE}.plot:plot", "Draw the disconnectivity graph of one or more stores."),
    "view": CommandEntry(f"{_HERE}.view:view", "Show landscapes in the browser, to click through."),
    "path": CommandEntry(f"{_HERE}.path:path", "Show the lowest-barrier path between two minima."),
    "slice": CommandEntry(
        f"{_HERE}.slice:slice_command", "Draw losses or energies on a line or a plane through minima."
    ),
    "rates": CommandEntry(f"{_HERE}.rates:rates", "Compute rate constants by harmonic transition-state theory."),
    "show": CommandEntry(f"{_HERE}.show:show", "Show one minimum or transition state."),
    "compare": CommandEntry(f"{_HERE}.compare:compare", "Compare landscapes in a table and a figure."),
    "predict": CommandEntry(f"{_HERE}.predict:predict", "Score the predictions of a network's minima."),
    "map": CommandEntry(f"{_HERE}.map:map_", "Draw decision maps of a network's minima."),
    "verify": CommandEntry(f"{_HERE}.verify:verify", "Recompute the stored points and report every error."),
    "merge": CommandEntry(f"{_HERE}.merge:merge", "Merge two stores of the same system into a new one."),
    "reconverge": CommandEntry(f"{_HERE}.reconverge:reconverge", "Converge a store's points under another calculator."),
    "export": CommandEntry(f"{_HERE}.export:export", "Write a store in the format of another program."),
    "import": CommandEntry(f"{_HERE}.import_store:import_", "Make a store from the files of another program."),
    "paper": CommandEntry(f"{_HERE}.paper:paper", "Reproduce the tables and figures of the paper."),
}

program = click.version_option(package_name="thalweg", prog_name="thalweg")(
    LazyGroup("thalweg", _ENTRIES, "Explore energy landscapes of atomic clusters and of neural networks.")
)
"""The command ``thalweg`` with all its subcommands."""
