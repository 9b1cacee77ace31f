"""Completion of words on the command line: systems, properties of a store, colour maps."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

__all__ = ["ColourMap", "PropertyName", "SystemName"]

_CLUSTERS = ("LJAT3", "LJ7", "LJ13", "LJ38")


def _beginning(words: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.lower().startswith(incomplete.lower())]


class SystemName(click.ParamType):
    """Name of a system, or a file; any text is accepted here."""

    name = "system"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the systems whose names begin like a word, else have the shell complete files."""
        from thalweg.analysis.systems.named import NETWORKS, SURFACES

        found = _beginning([*NETWORKS, *SURFACES, *_CLUSTERS], incomplete)
        return found or [CompletionItem(incomplete, type="file")]


class PropertyName(click.ParamType):
    """Name of a property of minima; any text is accepted here.

    Parameters
    ----------
    *words : str
        Words that the option takes besides properties.
    """

    name = "property"

    def __init__(self, *words: str) -> None:
        self.words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the option's own words and the properties of the stores that the command line names so far."""
        stores = ctx.params.get("paths") or [ctx.params.get("path")]
        names = {name for store in stores if store for name in _properties(Path(store))}
        return _beginning([*sorted(names), *self.words], incomplete)


def _properties(store: Path) -> list[str]:
    """Return the names of a store's properties; none where it cannot be read, since completion says no errors."""
    from thalweg.landscapes.storage.store import Store

    try:
        opened = Store.open(store)
    except (OSError, ValueError):
        return []
    try:
        return [path.removeprefix("properties/") for path in opened.columns if path.startswith("properties/")]
    finally:
        opened.close()


class ColourMap(click.ParamType):
    """Name of a colour map; any text is accepted here."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the colour maps whose names begin like a word."""
        from matplotlib import colormaps

        return _beginning(["dark_to_light", "red_to_blue", *sorted(colormaps)], incomplete)
