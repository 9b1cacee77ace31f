"""What the page shows of one geometry: positions of atoms, or the weights and the decision map of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.view.encoding import Json, packed

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.potentials.neural_network.loss import NetworkLoss
    from thalweg.potentials.point import Point
    from thalweg.potentials.system import System

__all__ = ["RESOLUTION", "kind_of", "shape_of", "subject_summary"]

RESOLUTION = 64
"""Points along each side of a decision map."""

_STRENGTHS = 25  # steps of certainty: a class and a step make one byte
_MOST_CLASSES = 10
_MOST_INPUTS = 10  # a plane of two inputs says little about networks with more
_MOST_WEIGHTS = 20_000
_MOST_DATA = 500


def kind_of(landscape: Landscape) -> str:
    """Return "atoms", "network" or "points"."""
    description = landscape._store.description()
    if "numbers" in description:
        return "atoms"
    calculator = description.get("calculator")
    is_network = isinstance(calculator, dict) and calculator.get("name") == "NetworkLoss"
    return "network" if is_network else "points"


def subject_summary(landscape: Landscape) -> dict[str, Json]:
    """Return what all geometries of a landscape have in common: atoms with colours and radii, or a network's layers."""
    kind = kind_of(landscape)
    if kind == "atoms":
        return {"kind": kind, "atoms": _atoms(landscape)}
    if kind == "network":
        return {"kind": kind, "network": _network(landscape)}
    return {"kind": kind}


def _atoms(landscape: Landscape) -> dict[str, Json]:
    from ase.data import chemical_symbols, covalent_radii
    from ase.data.colors import jmol_colors

    description = landscape._store.description()
    numbers = np.asarray(description["numbers"])
    # reduced units: spheres that touch at the minimum of the pair potential, 2^(1/6)
    radii = covalent_radii[numbers] if landscape.units == "eV" else np.full(len(numbers), 0.5 * 2 ** (1 / 6))
    return {
        "symbols": [chemical_symbols[number] for number in numbers.tolist()],
        "pbc": np.asarray(description["pbc"], dtype=bool).tolist(),
        "colours": packed(np.round(255 * jmol_colors[numbers]), "u1"),
        "radii": packed(radii, "f4"),
        "cell": np.asarray(description["cell"], dtype=float).tolist(),
    }


def _network(landscape: Landscape) -> dict[str, Json]:
    from thalweg.analysis.prediction.data_arguments import training_data
    from thalweg.analysis.prediction.decision_maps import class_colours

    loss = landscape.system.potential
    summary: dict[str, Json] = {"layers": [int(width) for width in loss.layers]}
    if not _has_map(loss):
        return summary
    data = training_data(loss)
    inputs, labels = np.asarray(data.inputs), np.asarray(data.labels)
    colours = np.round(255 * np.array(class_colours(loss.n_classes)))
    summary["map"] = {
        "classes": int(loss.n_classes),
        "colours": packed(colours, "u1"),
        "extent": list(_extent(loss)),
        "resolution": RESOLUTION,
        "strengths": _STRENGTHS,
        "inputs": packed(inputs[:_MOST_DATA, :2], "f4"),
        "labels": packed(labels[:_MOST_DATA], "u1"),
    }
    return summary


def _has_map(loss: NetworkLoss) -> bool:
    return loss.classifies and 2 <= loss.layers[0] <= _MOST_INPUTS and loss.n_classes <= _MOST_CLASSES


def _extent(loss: NetworkLoss) -> tuple[float, float, float, float]:
    """Return the ranges of the first two inputs, left, right, bottom and top: those of the data, and a margin."""
    from thalweg.analysis.prediction.data_arguments import training_data

    inputs = np.asarray(training_data(loss).inputs)[:, :2]
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    pad = np.where(high > low, 0.03 * (high - low), 0.5)
    (left, bottom), (right, top) = (low - pad).tolist(), (high + pad).tolist()
    return left, right, bottom, top


def shape_of(landscape: Landscape, x: NDArray[np.float64], *, weights: bool = True) -> dict[str, Json]:
    """Return one geometry for the page.

    Parameters
    ----------
    landscape : Landscape
    x : (n,) ndarray
        Coordinates.
    weights : bool
        Whether the weights of a network come beside its decision map; without a map they do anyhow.

    Returns
    -------
    dict
        ``positions``; or ``map`` (bytes, class and certainty in one) and ``matrices`` (rows, columns and values of the
        weights of each layer, biases as the last column); or ``coordinates``.
    """
    kind = kind_of(landscape)
    if kind == "atoms":
        return {"positions": packed(x, "f4")}
    if kind == "network":
        return _network_shape(landscape.system, x, weights)
    return {"coordinates": packed(x[:_MOST_WEIGHTS], "f8")}


def _network_shape(system: System, x: NDArray[np.float64], weights: bool) -> dict[str, Json]:
    from thalweg.analysis.prediction.conversions import layer_matrices

    point, loss = system.subject(x), system.potential
    shape: dict[str, Json] = {}
    mapped = _has_map(loss)
    if mapped:
        shape["map"] = packed(_map_bytes(point, loss), "u1")
    if (weights or not mapped) and len(x) <= _MOST_WEIGHTS:
        layers = [np.column_stack([matrix, bias]) for matrix, bias in zip(*layer_matrices(point), strict=True)]
        shape["matrices"] = [[*layer.shape, packed(layer, "f4")] for layer in layers]
    return shape


def _map_bytes(point: Point, loss: NetworkLoss) -> NDArray[np.uint8]:
    """Return the most probable class of each place and how certain it is, in one byte each, (rows, columns)."""
    from thalweg.analysis.prediction.decision_grids import decision_grid

    grid = decision_grid(point, extent=_extent(loss), resolution=RESOLUTION)
    n = grid.probabilities.shape[2]
    certainty = (grid.probabilities.max(axis=2) - 1 / n) / (1 - 1 / n)
    step = np.clip(np.round(certainty * (_STRENGTHS - 1)), 0, _STRENGTHS - 1)
    return (grid.classes * _STRENGTHS + step).astype(np.uint8)
