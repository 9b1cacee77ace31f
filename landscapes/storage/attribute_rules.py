"""Rules for attributes of a store: type, range and length of each, with the words that docs/format.md has for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Either",
    "Fields",
    "Flag",
    "Free",
    "Items",
    "Nullable",
    "Number",
    "Numbers",
    "Places",
    "Plain",
    "Rule",
    "Text",
    "Whole",
    "shown",
]


class Rule(Protocol):
    """Rule for one value."""

    @property
    def words(self) -> str:
        """Sentence part after "must be"."""

    def check(self, value: Any, where: str) -> None:
        """Raise ValueError, naming ``where``, if the value breaks the rule."""


def shown(value: Any) -> str:
    """Return a value as an error message shows it: whatever it is, in a few characters."""
    text = repr(value) if isinstance(value, int | float | str | bool | None) else f"of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse(rule: Rule, value: Any, where: str) -> None:
    raise ValueError(f"{where} is {shown(value)}; it must be {rule.words}")


@dataclass(frozen=True)
class Whole:
    """A whole number in a range, ends included."""

    low: int
    high: int

    @property
    def words(self) -> str:
        """As `Rule`."""
        return f"a whole number from {_power(self.low)} to {_power(self.high)}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if type(value) is not int or not self.low <= value <= self.high:
            _refuse(self, value, where)


@dataclass(frozen=True)
class Number:
    """A finite number in a range; ``above`` leaves its lower end out, ``below`` its upper end."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    @property
    def words(self) -> str:
        """As `Rule`."""
        lowest = f"{'above' if self.above else 'from'} {self.low:g}"
        return f"a number {lowest} {'and below' if self.below else 'to'} {self.high:g}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        inside = type(value) in (int, float) and self.low <= value <= self.high and math.isfinite(value)
        if not inside or (self.above and value == self.low) or (self.below and value == self.high):
            _refuse(self, value, where)


@dataclass(frozen=True)
class Text:
    """A text of limited length, or one of a few."""

    longest: int = 200
    choices: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """As `Rule`."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        return f"a text of at most {self.longest} characters"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, str) or len(value) > self.longest or (self.choices and value not in self.choices):
            _refuse(self, value, where)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, bool):
            _refuse(self, value, where)


@dataclass(frozen=True)
class Plain:
    """A number, a text, true, false or null."""

    words: str = "a number, a text, true, false or null"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if isinstance(value, dict | list):
            _refuse(self, value, where)


@dataclass(frozen=True)
class Free:
    """An object whose content is another's business."""

    words: str = "an object"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, dict):
            _refuse(self, value, where)


@dataclass(frozen=True)
class Nullable:
    """Null, or what another rule says."""

    rule: Rule

    @property
    def words(self) -> str:
        """As `Rule`."""
        return f"null or {self.rule.words}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if value is not None:
            self.rule.check(value, where)


@dataclass(frozen=True)
class Either:
    """What one of two rules says: the second for values of a type, the first for all others."""

    first: Rule
    second: Rule
    kind: type[list] | type[str]

    @property
    def words(self) -> str:
        """As `Rule`."""
        return f"{self.first.words}, or {self.second.words}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        (self.second if isinstance(value, self.kind) else self.first).check(value, where)


@dataclass(frozen=True)
class Items:
    """A list, or an object with any names, whose values keep one rule; ``said`` are shorter words for it."""

    rule: Rule
    kind: type[dict] | type[list]
    longest: int
    said: str = ""

    @property
    def words(self) -> str:
        """As `Rule`."""
        if self.said:
            return self.said
        what = "a list" if self.kind is list else "an object"
        return f"{what} of at most {self.longest} values, each {self.rule.words}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, self.kind) or len(value) > self.longest:
            _refuse(self, value, where)
        for name, one in value.items() if self.kind is dict else enumerate(value):
            self.rule.check(one, f"{where}/{name}")


@dataclass(frozen=True)
class Numbers:
    """An array of a type, given by numpy's letters for kinds of it, and of a shape, whose lengths may bear names."""

    kinds: str
    shape: tuple[int | str, ...]
    low: float = -math.inf
    below: float | str = math.inf

    @property
    def words(self) -> str:
        """As `Rule`."""
        kinds = {"f": "numbers", "fiu": "numbers", "iu": "whole numbers", "b": "truth values"}[self.kinds]
        shape = ", ".join(str(length) for length in self.shape)
        within = "" if self.low == -math.inf else f" from {self.low:g} to below {self.below}"
        return f"an array of {kinds}{within}, shape ({shape}{',' if len(self.shape) == 1 else ''})"

    def check(self, value: Any, where: str, **lengths: int) -> None:
        """As `Rule`; ``lengths`` are those that have names, of which an unknown one may be any."""
        if not isinstance(value, np.ndarray):
            _refuse(self, value, where)
        wanted = tuple(lengths.get(length, -1) if isinstance(length, str) else length for length in self.shape)
        same = len(value.shape) == len(wanted) and all(a in (-1, b) for a, b in zip(wanted, value.shape, strict=True))
        if not same or value.dtype.kind not in self.kinds:
            raise ValueError(f"{where} is {value.dtype} of shape {value.shape}; it must be {self.words}, {lengths}")
        below = lengths.get(self.below, math.inf) if isinstance(self.below, str) else self.below
        if value.dtype.kind != "b" and not ((value >= self.low) & (value < below)).all():
            raise ValueError(f"{where} holds what it must not; it must be {self.words}, {lengths}")


@dataclass(frozen=True)
class Places:
    """A list with a rule for each place; those from ``needed`` on may be missing."""

    rules: tuple[Rule, ...]
    needed: int

    @property
    def words(self) -> str:
        """As `Rule`."""
        return f"a list of {', '.join(rule.words for rule in self.rules)}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, list) or not self.needed <= len(value) <= len(self.rules):
            _refuse(self, value, where)
        for place, (rule, one) in enumerate(zip(self.rules, value, strict=False)):
            rule.check(one, f"{where}/{place}")


@dataclass(frozen=True)
class Fields:
    """An object with these names and no others; those in ``needed`` must be there."""

    rules: Mapping[str, Rule]
    needed: frozenset[str] = frozenset()
    others: bool = False

    @property
    def words(self) -> str:
        """As `Rule`."""
        return f"an object with {', '.join(self.rules)}"

    def check(self, value: Any, where: str) -> None:
        """As `Rule`."""
        if not isinstance(value, dict):
            _refuse(self, value, where)
        for name in sorted(self.needed - value.keys()):
            raise ValueError(f"{where}/{name} is missing; it must be {self.rules[name].words}")
        for name, one in value.items():
            if name in self.rules:
                self.rules[name].check(one, f"{where}/{name}")
            elif not self.others:
                raise ValueError(
                    f"{where}/{shown(name)} is no attribute of this format; there are {', '.join(self.rules)}"
                )


def _power(number: int) -> str:
    """Return a number in words that a reader can take in."""
    exponent = number.bit_length() - 1
    if exponent >= 20 and number == 2**exponent:
        return f"2^{exponent}"
    return f"2^{exponent + 1} - 1" if exponent >= 19 and number == 2 ** (exponent + 1) - 1 else str(number)
