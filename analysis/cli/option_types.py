"""Types of the values that options of the command line take."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

__all__ = ["CalculatorName", "Duration", "Energy", "Json", "Names", "Numbers", "Widths"]

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class CalculatorName(click.ParamType):
    """A calculator by ASE's name or as module:Class, whose module may lie in the current folder."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; where the current folder has the module, the folder is searched after all others.

        What a store names is not looked for there: the name has to come from whoever types the command.
        """
        module, separator, _ = value.partition(":")
        here, first = Path.cwd(), module.partition(".")[0]
        has_it = (here / f"{first}.py").is_file() or (here / first).is_dir()
        if separator and first and has_it and str(here) not in sys.path:
            # kept, for worker processes build the calculator again
            sys.path.append(str(here))
        return value


class Duration(click.ParamType):
    """A time, such as 90, 90s, 2m, 1.5h or 1h30m; converted to seconds, a float."""

    name = "time"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or fail with the option's name."""
        if isinstance(value, float):
            return value
        parts = re.fullmatch(r"\s*((?:\d+(?:\.\d*)?[smhd])+|\d+(?:\.\d*)?)\s*", str(value).lower())
        if parts is None:
            self.fail(f"{value!r} is not a time: write 90, 90s, 2m or 8h", param, ctx)
        return sum(float(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+(?:\.\d*)?)([smhd]?)", parts[1]))


class Energy(click.ParamType):
    """An energy, or a height above the lowest minimum, such as +0.01; converted to what `EnergyLimit.read` takes."""

    name = "energy"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return a number, or the text of a height."""
        from thalweg.landscapes.energy_limit import EnergyLimit  # --help does not need it

        try:
            return EnergyLimit.read(value).stored()
        except ValueError:
            self.fail(f"{value!r} is no energy: write -44.2, or +0.01 for 0.01 above the lowest minimum", param, ctx)


class Widths(click.ParamType):
    """Widths of hidden layers, such as 10 or 5,5; converted to a tuple of int."""

    name = "widths"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the widths, or fail with the option's name."""
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5})*", value):
            self.fail(f"{value!r} is not a list of widths: write 10, or 5,5 for two layers", param, ctx)
        return tuple(int(width) for width in value.split(","))


class Numbers(click.ParamType):
    """Numbers, such as 300 or 300,500,1e3; converted to a tuple of float."""

    name = "numbers"

    def convert(
        self, value: str | tuple[float, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers, or fail with the option's name."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(number) for number in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers: write 300, or 300,500,1000", param, ctx)


class Names(click.ParamType):
    """Names of columns, such as length,width; converted to a tuple of str."""

    name = "names"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names, or fail with the option's name."""
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in value.split(","))
        if not all(names):
            self.fail(f"{value!r} is not a list of names: write length,width", param, ctx)
        return names


class Json(click.ParamType):
    """Parameters by name, as a JSON object; converted to a dict."""

    name = "json"

    def convert(
        self, value: str | dict[str, object], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, object]:
        """Return the dict, or fail with the option's name."""
        if isinstance(value, dict):
            return value
        try:
            parsed = json.loads(value)
        except ValueError as error:
            self.fail(f"{value!r} is not JSON ({error}): write '{{\"sigma\": 2.5}}'", param, ctx)
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} is not a JSON object: write '{{\"sigma\": 2.5}}'", param, ctx)
        return parsed
