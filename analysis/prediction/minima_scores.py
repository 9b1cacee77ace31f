"""What a network's minima are worth: AUC and testing loss of each, as properties of the landscape."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.landscapes import Landscape

__all__ = ["measure"]

_BLOCK = 256
_SECONDS_BETWEEN_SAVES = 30.0


def measure(landscape: Landscape, test: Dataset, reference: int | str = 0, threads: int | None = None) -> None:
    """Store AUC and testing loss of the minima that have none yet.

    The properties are ``train_auc``, ``incorrect_auc`` (the mislabelled part of the training data, labels as trained
    on), ``correct_auc`` (the rest), ``test_auc``, and ``test_loss``, with the L2 term as the training loss has it.

    Parameters
    ----------
    landscape : Landscape
        Of a NetworkLoss, open for writing.
    test : Dataset
        Testing data.
    reference : int or str
        The class that AUC tells from the rest, or "macro" for the mean over all.
    threads : int, optional
        All processors by default.
    """
    from thalweg.analysis.prediction.roc import auc_table

    unknown = np.flatnonzero(np.isnan(_known(landscape, "test_loss")))
    if not len(unknown):
        return
    loss = landscape.system.potential
    tested = _on(loss, test)
    source = {"reference": reference, "testing_points": len(test), "testing": dict(test.identity)}
    table: dict[str, np.ndarray] = {}
    saved = time.monotonic()
    for first in range(0, len(unknown), _BLOCK):
        rows = unknown[first : first + _BLOCK]
        weights = landscape.minima.coordinates[rows]
        block = auc_table(weights, loss, test, reference, loss=loss, threads=threads)
        block["test_loss"] = tested.energies_gradients(weights, threads=threads)[0]
        for name, values in block.items():
            table.setdefault(name, _known(landscape, name))[rows] = values
        if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES or first + _BLOCK >= len(unknown):
            _save(landscape, table, source)
            saved = time.monotonic()


def _save(landscape: Landscape, table: dict[str, np.ndarray], source: dict[str, Any]) -> None:
    """Commit what has been computed; test_loss last, since what has none is computed again."""
    for name in sorted(table, key=lambda name: name == "test_loss"):
        landscape.properties.set(name, table[name], **source)


def _known(landscape: Landscape, name: str) -> np.ndarray:
    if name in landscape.properties:
        return landscape.properties[name]
    return np.full(len(landscape.minima), np.nan)


def _on(loss: Any, data: Dataset) -> Any:
    """Return the same network's loss on other data."""
    return type(loss)(
        data.inputs, data.labels, hidden=loss.hidden, l2=loss.l2, n_classes=loss.n_classes, neighbours=loss.neighbours
    )
