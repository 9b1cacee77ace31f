"""What the page is told of minima, beside plain numpy."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.view.kept_points import kept_points
from thalweg.analysis.view.shapes import RESOLUTION
from thalweg.analysis.view.viewed_landscape import ViewedLandscape
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss, Weights

from ...helpers import finished
from ..trained_networks import LAYERS, plain_probabilities

TYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "u1"}


def unpacked(value):
    return np.frombuffer(b64decode(value["data"]), TYPES[value["type"]])


def test_decision_maps_and_weights(trained):
    """Class and certainty at each place of the map, by a network in numpy; the weights of each layer, biases last."""
    path, data = trained
    view = ViewedLandscape(path)
    about = view.summary()["network"]["map"]
    left, right, bottom, top = about["extent"]
    assert left < data.inputs[:, 0].min() < data.inputs[:, 0].max() < right
    shape = view.point("minima", 1)["shape"]
    x = Landscape.open(path).minima.coordinates[1]
    across, up = np.meshgrid(np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION))
    wanted = plain_probabilities(LAYERS, x, np.column_stack([across.ravel(), up.ravel()]))
    kind, step = np.divmod(unpacked(shape["map"]).astype(int), about["strengths"])
    clear = np.diff(np.sort(wanted, axis=1)[:, -2:]).ravel() > 1e-6
    np.testing.assert_array_equal(kind[clear], wanted.argmax(axis=1)[clear])
    certainty = (wanted.max(axis=1) - 1 / 3) / (2 / 3)
    np.testing.assert_allclose(step / (about["strengths"] - 1), certainty, atol=0.5 / (about["strengths"] - 1) + 1e-9)
    (rows, columns, layer), _ = shape["matrices"]
    assert (rows, columns) == (LAYERS[1], LAYERS[0] + 1)
    assert set(unpacked(layer).round(5)) <= set(x.astype("f4").round(5))


@pytest.mark.parametrize("kind", ["regression", "many inputs"])
def test_networks_without_a_map_show_their_weights(tmp_path, kind):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(30, 2 if kind == "regression" else 12))
    if kind == "regression":
        loss = NetworkLoss(inputs, inputs[:, 0] * inputs[:, 1], hidden=(3,), l2=1e-2, loss="squared_error")
    else:
        loss = NetworkLoss(inputs, (inputs[:, 0] > 0).astype(int), hidden=(2,), l2=1e-2)
    with Landscape(Weights.random(loss, seed=0), tmp_path / "a.zarr", seed=0) as landscape:
        landscape.find_minima(4, workers=1)
    view = ViewedLandscape(tmp_path / "a.zarr")
    assert "map" not in view.summary()["network"]
    shape = view.point("minima", 0)["shape"]
    assert "map" not in shape
    (rows, columns, layer), _ = shape["matrices"]
    x = Landscape.open(tmp_path / "a.zarr").minima.coordinates[0]
    first = np.column_stack([x[: rows * (columns - 1)].reshape(rows, -1), np.zeros(rows)])
    np.testing.assert_allclose(unpacked(layer).reshape(rows, columns)[:, :-1], first[:, :-1], rtol=1e-6)


def test_spectra(stores):
    """Eigenvalues of a Hessian of differences; frequencies that are stored, in cm^-1."""
    landscape = Landscape.open(stores / "lj13.zarr")
    x, step, n = landscape.minima.coordinates[0], 1e-5, 39
    gradients = [landscape.system.energy_gradient(x + s * step * row)[1] for row in np.eye(n) for s in (1, -1)]
    hessian = (np.array(gradients[::2]) - np.array(gradients[1::2])) / (2 * step)
    wanted = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    seen = ViewedLandscape(stores / "lj13.zarr").point("minima", 0)["spectrum"]
    assert seen["label"] == "eigenvalue of the Hessian"
    np.testing.assert_allclose(unpacked(seen["values"]), wanted[6:], rtol=1e-4)
    slab = Landscape.open(stores / "slab.zarr")
    seen = ViewedLandscape(stores / "slab.zarr").point("states", 0)["spectrum"]
    assert seen["label"] == "frequency / cm⁻¹"
    values = unpacked(seen["values"])
    np.testing.assert_allclose(values, slab.frequencies("transition state", 0), rtol=1e-6)
    assert (values < 0).sum() == 1


def test_structures_of_a_file_lie_on_each_other(stores):
    """Each is a copy of the stored point, turned and with equal atoms exchanged; steps along the forest are short."""
    view, landscape = ViewedLandscape(stores / "lj13.zarr"), Landscape.open(stores / "lj13.zarr")
    kept = kept_points(view, 10**9)
    assert {kind: len(points) for kind, points in kept.items()}["minima"] == len(landscape.minima)
    potential = LJAT(Z=0.0)
    forest = view.network.spanning_forest
    for state in forest[:20].tolist():
        here = unpacked(kept["states"][str(state)]["shape"]["positions"]).astype(float)
        assert potential.energy(here) == pytest.approx(landscape.transition_states.energy[state], abs=1e-4)
        for end in view.network.ts_minima[state].tolist():
            there = unpacked(kept["minima"][str(end)]["shape"]["positions"]).astype(float)
            assert potential.energy(there) == pytest.approx(landscape.minima.energy[end], abs=1e-4)
            apart = landscape.geometry.distance(here, there)
            assert np.linalg.norm(here - there) < 1.2 * apart + 1e-3  # the best of all exchanges is not always found


def test_a_folder_of_pathsample(stores, tmp_path):
    """Energies, neighbours and paths without structures."""
    finished("export", stores / "lj13.zarr", "--format", "pathsample", "--output", tmp_path / "files")
    view = ViewedLandscape(tmp_path / "files")
    network = KineticTransitionNetwork.read(stores / "lj13.zarr")
    np.testing.assert_allclose(unpacked(view.summary()["energy"]), network.energies, atol=1e-8)
    assert view.summary()["kind"] == "none"
    point = view.point("minima", 0)
    assert "shape" not in point
    assert len(point["neighbours"]) == min(50, int((network.ts_minima == 0).any(axis=1).sum()))


def test_classes_and_outcomes(stores):
    """Class 0 is the triangle, the others are the line; the labels of the data say so, too."""
    from thalweg.analysis.view.class_links import class_link

    landscapes = [Landscape.open(stores / f"{name}.zarr") for name in ("d1", "ljat3")]
    link = class_link(landscapes)
    assert (link["network"], link["molecule"]) == (0, 1)
    triangle, *lines = link["rows"]
    moments = [np.sort(np.linalg.eigvalsh(np.cov(landscapes[1].minima.coordinates[k].reshape(3, 3).T))) for k in (0, 1)]
    flat = int(np.argmin([values[1] for values in moments]))  # all atoms on one line
    assert lines == [flat] * 3
    assert triangle == 1 - flat
    assert class_link([landscapes[0], None]) is None
    assert ljat3_outcomes("D1", size=200, seed=0).labels.max() == 3
