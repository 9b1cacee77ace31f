"""Ensembles of minima: weights by their formulas, predictions by plain averages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import Ensemble, class_probabilities, confusion, ensemble_table, score_table
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights

from ..trained_networks import blobs, explored


@pytest.fixture(scope="module")
def landscape(tmp_path_factory):
    path = tmp_path_factory.mktemp("ensembles") / "a.zarr"
    explored(path)
    return Landscape.open(path)


@pytest.fixture(scope="module")
def data():
    return blobs(1, 300)


def test_equal_weights_average(landscape, data):
    ensemble = Ensemble(landscape)
    wanted = class_probabilities(landscape, data).mean(axis=0)
    np.testing.assert_allclose(ensemble.probabilities(data), wanted, atol=1e-14)
    np.testing.assert_array_equal(ensemble.predict(data), wanted.argmax(axis=1))
    assert ensemble.effective_size == pytest.approx(len(landscape.minima))


@pytest.mark.parametrize("temperature", [1e-3, 0.02, 10.0])
def test_boltzmann_weights(landscape, data, temperature):
    energies = landscape.minima.energy[:]
    factors = np.exp(-(energies - energies.min()) / temperature)
    ensemble = Ensemble(landscape, "boltzmann", temperature)
    np.testing.assert_allclose(ensemble.weights, factors / factors.sum(), rtol=1e-12)
    wanted = np.average(class_probabilities(landscape, data), axis=0, weights=factors)
    np.testing.assert_allclose(ensemble.probabilities(data), wanted, atol=1e-14)


def test_harmonic_weights_know_how_wide_a_minimum_is(landscape):
    """The Gaussian integral around each minimum, from the eigenvalues of its Hessian computed here."""
    minima, system, temperature = landscape.minima, landscape.system, 0.01
    values = [np.linalg.eigvalsh(system.hessian(x)) for x in minima.coordinates[:]]
    logs = [-e / temperature - 0.5 * np.log(v).sum() for e, v in zip(minima.energy[:], values, strict=True)]
    copies = np.exp(np.array(logs) - max(logs)) / minima.symmetry_order[:]
    ensemble = Ensemble(landscape, "harmonic", temperature)
    np.testing.assert_allclose(ensemble.weights, copies / copies.sum(), rtol=1e-6)


def test_cold_ensembles_are_the_lowest_minimum(landscape, data):
    lowest = class_probabilities(landscape, data, rows=landscape.minima.lowest())[0]
    for name in ("boltzmann", "harmonic"):
        cold = Ensemble(landscape, name, 1e-9)
        assert cold.effective_size == pytest.approx(1)
        np.testing.assert_allclose(cold.probabilities(data), lowest, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_averaging_never_raises_the_log_loss_above_the_mean(seed, count):
    """-ln is convex; and the order of the minima does not matter."""
    rng, data = np.random.default_rng(seed), blobs(3, 40)
    loss = NetworkLoss(data.inputs, data.labels, hidden=(2,))
    rows, weights = rng.normal(size=(count, loss.n_weights)), rng.random(count) + 0.01
    ensemble = Ensemble(rows, weights, loss=loss)
    single = score_table(rows, data, loss=loss)["log_loss"]
    assert ensemble.scores(data)["log_loss"] <= np.average(single, weights=weights) + 1e-12
    order = rng.permutation(count)
    shuffled = Ensemble(rows[order], weights[order], loss=loss)
    np.testing.assert_allclose(shuffled.probabilities(data), ensemble.probabilities(data), atol=1e-14)


def test_boltzmann_weights_of_an_array_compute_their_energies(landscape):
    rows = landscape.minima.coordinates[:]
    ensemble = Ensemble(rows, "boltzmann", 0.01, loss=landscape.system.potential)
    np.testing.assert_allclose(ensemble.weights, Ensemble(landscape, "boltzmann", 0.01).weights, rtol=1e-9)


def test_chosen_rows(landscape, data):
    ensemble = Ensemble(landscape, "boltzmann", 0.01, rows=[2, 0])
    energies = landscape.minima.energy[[2, 0]]
    factors = np.exp(-(energies - energies.min()) / 0.01)
    np.testing.assert_allclose(ensemble.weights, factors / factors.sum())
    np.testing.assert_allclose(
        ensemble.probabilities(data),
        np.average(class_probabilities(landscape, data, rows=[2, 0]), axis=0, weights=factors),
        atol=1e-14,
    )


def test_one_minimum_alone_scores_as_itself(landscape, data):
    alone = Ensemble(landscape, rows=1)
    single = score_table(landscape, data, 2, rows=1)
    assert alone.scores(data, 2) == {name: values[0] for name, values in single.items()}
    np.testing.assert_array_equal(alone.confusion(data), confusion(landscape, data, rows=1)[0])


@pytest.mark.parametrize("rows", [None, [0, 2, 3]])
def test_the_table_has_what_its_parts_say(landscape, data, rows):
    table = ensemble_table(landscape, data, [0.01], 2, rows=rows)
    single = score_table(landscape, data, 2, rows=rows)
    energies = landscape.minima.energy[:] if rows is None else landscape.minima.energy[rows]
    assert list(table) == ["lowest", "best", "mean", "sd", "equal", "boltzmann 0.01", "harmonic 0.01"]
    for name, values in single.items():
        assert table["lowest"][name] == values[energies.argmin()]
        assert table["best"][name] == (values.min() if name == "log_loss" else values.max())
        assert table["mean"][name] == pytest.approx(values.mean(), abs=1e-14)
        assert table["sd"][name] == pytest.approx(values.std(), abs=1e-14)
        for row, ensemble in (
            ("equal", Ensemble(landscape, rows=rows)),
            ("boltzmann 0.01", Ensemble(landscape, "boltzmann", 0.01, rows=rows)),
            ("harmonic 0.01", Ensemble(landscape, "harmonic", 0.01, rows=rows)),
        ):
            assert table[row][name] == pytest.approx(ensemble.scores(data, 2)[name], abs=1e-9)
            assert table[row]["effective_size"] == ensemble.effective_size


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("thermal",), ValueError, "weighting is 'thermal'; there are equal, boltzmann, harmonic"),
        (("boltzmann",), TypeError, "temperature"),
        (("boltzmann", 0.0), ValueError, "temperature is 0.0; it must be positive"),
        (("harmonic", -1.0), ValueError, "temperature"),
        (("equal", 1.0), TypeError, "temperature means nothing for equal weights"),
        (([1.0],), ValueError, r"weighting has shape \(1,\)"),
    ],
)
def test_bad_weights_are_named(landscape, arguments, error, message):
    with pytest.raises(error, match=message):
        Ensemble(landscape, *arguments)


def test_other_bad_input_is_named(landscape, data, tmp_path):
    with pytest.raises(ValueError, match="not negative"):
        Ensemble(landscape, [-1.0, 2.0], rows=[0, 1])
    with pytest.raises(TypeError, match="harmonic weights need a landscape"):
        Ensemble(landscape.minima.coordinates[:], "harmonic", 0.1, loss=landscape.system.potential)
    with pytest.raises(IndexError, match="no minimum 99"):
        Ensemble(landscape, rows=[99])
    with pytest.raises(ValueError, match="an ensemble needs one at least"):
        Ensemble(landscape, rows=[])
    with pytest.raises(ValueError, match=r"data\.inputs has shape"):
        Ensemble(landscape).probabilities(np.zeros((3, 4)))
    loss = landscape.system.potential
    with Landscape(Weights.random(loss, 0), tmp_path / "empty.zarr") as empty:
        for function in (Ensemble, lambda minima: ensemble_table(minima, data)):
            with pytest.raises(ValueError, match="no minima"):
                function(empty)
