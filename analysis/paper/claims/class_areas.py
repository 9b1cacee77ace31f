"""AUC of each class by itself, beside the mean over all classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.paper.claims.cases import Row

__all__ = ["CLASSES", "class_areas", "class_lines", "closest", "with_class_areas"]

CLASSES = 10
"""Number of MNIST's classes, those whose AUC claims compare."""

_PARTS = ("train", "incorrect", "correct", "test")
_COLUMNS = tuple(f"{part}_{measure}" for part in _PARTS for measure in ("gmin", "mean", "sd"))
_OF_CLASS = re.compile(r"test_auc_(\d+)")


def class_areas(network: KineticTransitionNetwork) -> list[dict[str, float]]:
    """Return the AUC of each class that was scored, by class: of Gmin, mean and standard deviation over minima.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Minima with properties such as ``test_auc_3``.

    Returns
    -------
    list of dict of str to float
        ``class``, and columns named as in measures.csv; NaN where a part of the data lacks the class.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    >>> from thalweg.analysis.paper.claims.class_areas import class_areas
    >>> scored = {"test_auc_3": np.array([0.5, 0.75])}
    >>> network = KineticTransitionNetwork([-1.0, 0.0], [], np.zeros((0, 2), int), properties=scored)
    >>> [(line["class"], line["test_gmin"], line["test_mean"], line["test_sd"]) for line in class_areas(network)]
    [(3, 0.5, 0.625, 0.125)]
    """
    known = sorted(int(match[1]) for name in network.properties if (match := _OF_CLASS.fullmatch(name)))
    return [{"class": each, **_areas(network, each)} for each in known]


def _areas(network: KineticTransitionNetwork, each: int) -> dict[str, float]:
    line = {}
    for part in _PARTS:
        values = network.properties.get(f"{part}_auc_{each}", np.zeros(0))
        known = values[np.isfinite(values)]
        line[f"{part}_gmin"] = float(values[network.global_minimum]) if len(known) else math.nan
        line[f"{part}_mean"] = float(known.mean()) if len(known) else math.nan
        line[f"{part}_sd"] = float(known.std()) if len(known) else math.nan
    return line


def with_class_areas(row: Row, areas: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return a line of measures.csv with columns such as ``test_mean_3`` of each class, NaN where unknown."""
    unknown = {f"{column}_{each}": math.nan for each in range(CLASSES) for column in _COLUMNS}
    found = {f"{column}_{line['class']:.0f}": line[column] for line in areas for column in _COLUMNS}
    return {**unknown, **row, **found}


def class_lines(areas: Mapping[str, Sequence[Mapping[str, float]]]) -> list[dict[str, Any]]:
    """Return the lines of classes.csv from the AUC of each class, by the name of a landscape."""
    return [
        {"name": name, "class": int(line["class"]), **{column: line[column] for column in _COLUMNS}}
        for name, lines in areas.items()
        for line in lines
    ]


def closest(
    table: Mapping[str, Any], behind: Mapping[Any, Sequence[Row]], areas: Mapping[str, Sequence[Mapping[str, float]]]
) -> str:
    """Return a sentence on how far the mean over classes, and each class, lie from a table's published means.

    Parameters
    ----------
    table : mapping
        Table of the definition.
    behind : mapping
        Lines of measures.csv behind each row of the table.
    areas : mapping of str to sequence
        AUC of each class, by the name of a landscape.

    Returns
    -------
    str
        Empty where no landscape of the table has AUC of classes.
    """
    _, *columns = table["columns"]
    apart: dict[str, list[float]] = {}
    for head, *published in table["rows"]:
        known = [with_class_areas(row, areas[row["name"]]) for row in behind[head] if areas.get(row["name"])]
        for column, value in zip(columns, published, strict=False):
            if not (known and column.endswith("_mean") and math.isfinite(value)):
                continue
            for name, end in (("the mean", ""), *((f"class {each}", f"_{each}") for each in range(CLASSES))):
                ours = [row[f"{column}{end}"] for row in known]
                apart.setdefault(name, []).append(float(np.mean(ours)) - value)
    if not apart:
        return ""
    sizes = {name: math.sqrt(np.mean(np.square(these))) for name, these in apart.items()}
    number = len(apart["the mean"])
    told = "; ".join(f"{name} {size:.3f}" for name, size in sorted(sizes.items(), key=lambda item: item[1]))
    return (
        "The published AUC may be the mean over the classes or that of one class. Root mean square distance of ours "
        f"from the {number} published mean{'s' if number > 1 else ''} of the rows that are explored: {told}. "
        "classes.csv has the AUC of each class."
    )
