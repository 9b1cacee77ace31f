"""Commands that reproduce the page and each of its parts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Source"]


class Source(NamedTuple):
    """Options of the command that made the results.

    Attributes
    ----------
    output : Path
        Folder with ``landscapes/``.
    only : str
        Names of tables, figures or landscapes, "" for all.
    options : mapping of str to Any
        Other options that the numbers depend on, by name; None for those not given.
    """

    output: Path
    only: str
    options: Mapping[str, Any]

    def command(self, output: Path | str | None = None, only: str | None = None) -> str:
        """Return the command, for another folder or other tables, figures or landscapes where given."""
        chosen = {"only": self.only if only is None else only} if self.only or only else {}
        words = [f"--{name}={value}" for name, value in {**chosen, **self.options}.items() if value is not None]
        return shlex.join(["thalweg", "paper", "--output", str(self.output if output is None else output), *words])
