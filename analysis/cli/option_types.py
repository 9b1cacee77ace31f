"""Kinds of values that the command line takes."""

from __future__ import annotations

import json
import re
from typing import Any

import click

__all__ = ["Duration", "Json", "Minima", "Widths"]

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(click.ParamType):
    """A time, such as 90, 90s, 2m, 1.5h or 1h30m; seconds as a float."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        """Return the seconds, or fail."""
        if isinstance(value, float):
            return value
        parts = re.fullmatch(r"\s*((?:\d+(?:\.\d*)?[smhd])+|\d+(?:\.\d*)?)\s*", str(value).lower())
        if parts is None:
            self.fail(f"{value!r} is no time: write 90, 90s, 2m or 8h", param, context)
        return sum(float(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+(?:\.\d*)?)([smhd]?)", parts[1]))


class Widths(click.ParamType):
    """Widths of hidden layers, such as 10 or 5,5; a tuple of int."""

    name = "widths"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        """Return the widths, or fail."""
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5})*", str(value)):
            self.fail(f"{value!r} is no list of widths: write 10, or 5,5 for two layers", param, context)
        return tuple(int(width) for width in str(value).split(","))


class Json(click.ParamType):
    """Parameters by name, as a JSON object; a dict."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> dict[str, Any]:
        """Return the dict, or fail."""
        if isinstance(value, dict):
            return value
        try:
            parsed = json.loads(value)
        except ValueError as error:
            self.fail(f"{value!r} is not JSON ({error}): write '{{\"sigma\": 2.5}}'", param, context)
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} names no parameters: write '{{\"sigma\": 2.5}}'", param, context)
        return parsed


class Minima(click.ParamType):
    """Numbers of minima, counted from 0, such as 17 or 0,4,17; a tuple of int."""

    name = "minima"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        """Return the numbers, or fail."""
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", str(value)):
            self.fail(f"{value!r} is no list of minima: write 17, or 0,4,17; they count from 0", param, context)
        return tuple(int(number) for number in str(value).split(","))
