"""Names of a package that are loaded, and compiled, when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

__all__ = ["lazy_names", "public"]

_Class = TypeVar("_Class", bound=type)


def public(package: str) -> Callable[[_Class], _Class]:
    """Return a decorator that says which package a class is imported from: what pickles and stores write down.

    Parameters
    ----------
    package : str
        One of the five packages; its ``__all__`` has the class.
    """

    def mark(kind: _Class) -> _Class:
        kind.__module__ = package
        return kind

    return mark


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose names live in modules that load late.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        The module of each name. No module may be called as a name that another one holds: importing it would hide
        the name.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
