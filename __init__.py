"""Thalweg explores energy landscapes: of atomic clusters and of neural networks, with the same tools.

The five packages are loaded when they are first asked for: ``thalweg.potentials``, ``thalweg.optimizers``,
``thalweg.datasets``, ``thalweg.landscapes`` and ``thalweg.analysis``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from thalweg.former_names import FormerNames

if TYPE_CHECKING:
    from thalweg import analysis, datasets, landscapes, optimizers, potentials

    __version__: str

__all__ = ["__version__", "analysis", "datasets", "landscapes", "optimizers", "potentials"]

_PACKAGES = ("analysis", "datasets", "landscapes", "optimizers", "potentials")

FormerNames().install()


def __getattr__(name: str) -> str | ModuleType:
    if name == "__version__":
        from importlib.metadata import version

        return version("thalweg")
    if name in _PACKAGES:
        return import_module(f"thalweg.{name}")
    raise AttributeError(f"module 'thalweg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
