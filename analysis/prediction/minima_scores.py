"""Scores of a network's minima as properties of the landscape: AUC and testing loss of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from thalweg.analysis.prediction.roc import AREAS, auc_table, class_areas
from thalweg.potentials.neural_network.loss import NetworkLoss

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.landscapes import Landscape

__all__ = ["measure", "measure_classes"]


def measure(landscape: Landscape, test: Dataset, reference: int | str = 0, threads: int | None = None) -> None:
    """Store AUC and testing loss of the minima that have none yet.

    The properties are ``train_auc``, ``incorrect_auc`` (the mislabelled part of the training data, labels as trained
    on), ``correct_auc`` (the rest), ``test_auc``, and ``test_loss``, with the L2 term of the training loss.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a NetworkLoss, open for writing.
    test : Dataset
        Testing data.
    reference : int or "macro"
        Class that AUC tells from the rest, or the mean over all classes.
    threads : int, optional
        Threads over minima; all processors by default.
    """
    from thalweg.landscapes import fill_property

    properties = landscape.properties
    if not len(landscape.minima) or ("test_loss" in properties and not np.isnan(properties["test_loss"]).any()):
        return
    testing = dict(test.identity)
    stored = json.loads(json.dumps({"reference": reference, "testing_points": len(test), "testing": testing}))
    for name in [name for name in (*AREAS, "test_loss") if name in properties]:
        if properties.attributes(name) != stored:
            del properties[name]  # computed from other data: all values of a property have one source
    loss = landscape.system.potential
    tested = loss.with_data(test.inputs, test.labels)

    def scores(weights: np.ndarray) -> np.ndarray:
        losses = tested.energies_gradients(weights, threads=threads)[0]
        return np.column_stack([_areas(weights, loss, test, reference, threads), losses])

    fill_property(
        landscape,
        (*AREAS, "test_loss"),
        scores,
        workers=1,  # the scores of a block are computed on threads already
        may_be_nan=AREAS,  # data may lack a class
        reference=reference,
        testing_points=len(test),
        testing=testing,
    )


def measure_classes(landscape: Landscape, test: Dataset, threads: int | None = None) -> None:
    """Store the AUC of each class as properties that end with its number, beside a mean over all classes.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a NetworkLoss, open for writing.
    test : Dataset
        Testing data.
    threads : int, optional
        Threads over minima; all processors by default.
    """
    from thalweg.landscapes import fill_property

    properties, loss = landscape.properties, landscape.system.potential
    names = [f"{name}_{number}" for number in range(test.n_classes) for name in AREAS]
    # every class is among the training data, other parts may lack one
    needed = [f"{AREAS[0]}_{number}" for number in range(test.n_classes)]
    if all(name in properties and not np.isnan(properties[name]).any() for name in needed):
        return
    stored = {"reference": "each class", "testing_points": len(test)}
    for name in [name for name in names if name in properties]:
        if properties.attributes(name) != stored:
            del properties[name]
    fill_property(
        landscape,
        names,
        lambda weights: class_areas(weights, test, loss=loss, threads=threads).reshape(len(weights), -1),
        workers=1,
        may_be_nan=[name for name in names if name not in needed],
        reference="each class",
        testing_points=len(test),
    )


def _areas(
    weights: np.ndarray, loss: NetworkLoss, test: Dataset, reference: int | str, threads: int | None
) -> np.ndarray:
    """Return the AUC on the training data, their two parts and the testing data, (k, 4)."""
    table = auc_table(weights, loss, test, reference, loss=loss, threads=threads)
    return np.column_stack([table[name] for name in AREAS])
