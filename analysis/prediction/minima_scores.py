"""What a network's minima are worth: AUC and testing loss of each, as properties of the landscape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.landscapes import Landscape

__all__ = ["measure"]

_AREAS = ("train_auc", "incorrect_auc", "correct_auc", "test_auc")


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
    from thalweg.landscapes import fill_property

    properties = landscape.properties
    if not len(landscape.minima) or ("test_loss" in properties and not np.isnan(properties["test_loss"]).any()):
        return
    source = {"reference": reference, "testing_points": len(test), "testing": dict(test.identity)}
    stored = json.loads(json.dumps(source))
    for name in [name for name in (*_AREAS, "test_loss") if name in properties]:
        if properties.attributes(name) != stored:
            del properties[name]  # computed from other data: all values of a property have one source
    loss = landscape.system.potential
    tested = _on(loss, test)

    def scores(weights: np.ndarray) -> np.ndarray:
        table = auc_table(weights, loss, test, reference, loss=loss, threads=threads)
        losses = tested.energies_gradients(weights, threads=threads)[0]
        return np.column_stack([*(table[name] for name in _AREAS), losses])

    # workers=1: the scores of a block are computed on threads already. Where data lack a class, its AUC stays NaN
    fill_property(landscape, (*_AREAS, "test_loss"), scores, workers=1, may_be_nan=_AREAS, **source)


def _on(loss: Any, data: Dataset) -> Any:
    """Return the same network's loss on other data."""
    return type(loss)(
        data.inputs, data.labels, hidden=loss.hidden, l2=loss.l2, n_classes=loss.n_classes, neighbours=loss.neighbours
    )
