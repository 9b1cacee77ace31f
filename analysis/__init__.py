"""What it means: kinetic transition networks, disconnectivity graphs, and how well each minimum predicts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.analysis.colours import RED_TO_BLUE
    from thalweg.analysis.disconnectivity import DisconnectivityGraph
    from thalweg.analysis.network import KineticTransitionNetwork
    from thalweg.analysis.paths import Path
    from thalweg.analysis.pathsample import read_pathsample
    from thalweg.analysis.roc import auc, auc_table, roc_auc
    from thalweg.analysis.tree import SuperbasinTree

__all__ = [
    "RED_TO_BLUE",
    "DisconnectivityGraph",
    "KineticTransitionNetwork",
    "Path",
    "SuperbasinTree",
    "auc",
    "auc_table",
    "read_pathsample",
    "roc_auc",
]

# Loaded when first asked for: the command line lives here too and must not wait for matplotlib to answer.
_HOMES = {
    "RED_TO_BLUE": "colours",
    "DisconnectivityGraph": "disconnectivity",
    "KineticTransitionNetwork": "network",
    "Path": "paths",
    "SuperbasinTree": "tree",
    "auc": "roc",
    "auc_table": "roc",
    "read_pathsample": "pathsample",
    "roc_auc": "roc",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
