"""Lazy imports: names of a package are loaded, and compiled, when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

__all__ = ["lazy_names", "public"]

_Class = TypeVar("_Class", bound=type)


def public(package: str) -> Callable[[_Class], _Class]:
    """Make a class decorator that sets the package a class is imported from, as pickles and stores record it.

    Parameters
    ----------
    package : str
        One of the five packages, whose ``__all__`` lists the class.
    """

    def mark(kind: _Class) -> _Class:
        kind.__module__ = package
        return kind

    return mark


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose modules are loaded when a name is asked for.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        Module of each name. No module may have the name of a class or function of another module: importing it would
        hide that name.

    Returns
    -------
    get, names : callable
        ``__getattr__`` and ``__dir__``.
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
