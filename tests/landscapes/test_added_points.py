"""Trained models and other points of one's own in a landscape, by one line."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from zarr.storage import MemoryStore

from tests.helpers import random_cluster
from thalweg.landscapes import AddedSearch, Landscape, RejectedError, Search, verify
from thalweg.potentials import MuellerBrown, NetworkLoss, Point, Weights


def iris():
    inputs, labels = load_iris(return_X_y=True)
    return (inputs - inputs.mean(0)) / inputs.std(0), labels


@pytest.fixture
def landscape():
    loss = NetworkLoss(*iris(), hidden=(3,), l2=1e-3)
    with Landscape(Weights.random(loss, seed=0), MemoryStore(), seed=0) as made:
        yield made


def test_a_classifier_of_scikit_learn(landscape):
    inputs, labels = iris()
    model = MLPClassifier((3,), activation="tanh", alpha=0.3, solver="lbfgs", random_state=0, max_iter=2000)
    model.fit(inputs, labels)
    added = landscape.add(model)
    assert added.new
    assert added.energy < added.energy_before
    x = landscape.minima.coordinates[added.row]
    assert np.abs(landscape.system.energy_gradient(x)[1]).max() < 1e-7
    assert verify(landscape, workers=1) == []
    again = landscape.add(x)
    assert (again.row, again.new) == (added.row, False)
    assert again.moved < 1e-6
    # the probabilities where it started were the model's
    start = Weights(landscape.system.potential, packed(model))
    np.testing.assert_allclose(start.calc.probabilities(start.x, inputs), model.predict_proba(inputs), atol=1e-12)
    assert start.get_potential_energy() == pytest.approx(added.energy_before, abs=1e-12)
    assert added.moved == pytest.approx(np.linalg.norm(x - start.x), abs=1e-12)
    assert added.moved_share == pytest.approx(added.moved / np.linalg.norm(x), abs=1e-12)


def packed(model):
    return np.concatenate([*(part.T.ravel() for part in model.coefs_), *model.intercepts_])


def test_a_classifier_of_two_classes_keeps_its_probabilities():
    inputs, labels = iris()
    labels = (labels > 0).astype(int)
    model = MLPClassifier((2,), activation="tanh", random_state=0, max_iter=50, solver="lbfgs").fit(inputs, labels)
    loss = NetworkLoss(inputs, labels, hidden=(2,), l2=1e-3)
    with Landscape(Weights.random(loss, seed=0), MemoryStore()) as landscape:
        added = landscape.add(model)
    right = -np.log(model.predict_proba(inputs)[np.arange(150), labels]).mean()
    weights = np.concatenate([part.ravel() for part in (*model.coefs_[:-1], *model.intercepts_[:-1])])
    last = np.concatenate([part.ravel() for part in (model.coefs_[-1], model.intercepts_[-1])])
    assert added.energy_before == pytest.approx(right + 1e-3 * (weights @ weights + last @ last / 2), abs=1e-10)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_a_module_of_pytorch():
    torch = pytest.importorskip("torch")
    from thalweg.analysis import from_torch

    inputs, labels = iris()
    torch.manual_seed(0)
    for activation in (torch.nn.Tanh(), torch.nn.ELU()):  # a NetworkLoss, and a loss computed by PyTorch
        module = torch.nn.Sequential(torch.nn.Linear(4, 2), activation, torch.nn.Linear(2, 3))
        point = from_torch(module, torch.nn.CrossEntropyLoss(), inputs, labels, l2=1e-2)
        with Landscape(point, MemoryStore()) as landscape:
            added = landscape.add(module)
            assert added.energy_before == pytest.approx(point.get_potential_energy(), abs=1e-12)
            assert added.energy < added.energy_before
            with pytest.raises(ValueError, match=r"widths|parameters of the module"):
                landscape.add(torch.nn.Linear(4, 3))


def test_what_does_not_fit_is_named(landscape):
    with pytest.raises(ValueError, match="must have 27 coordinates"):
        landscape.add(np.zeros(5))
    with pytest.raises(ValueError, match="must be finite"):
        landscape.add(np.full(27, np.nan))
    with pytest.raises(TypeError, match="cannot read a LogisticRegression"):
        landscape.add(LogisticRegression())
    inputs, labels = iris()
    with pytest.raises(ValueError, match=r"widths \[4, 3, 3\]"):
        landscape.add(MLPClassifier((5,), solver="lbfgs", random_state=0, max_iter=5000).fit(inputs, labels))
    assert len(landscape.minima) == 0


def test_points_that_lead_to_no_minimum_are_rejected_with_the_reason():
    loss = NetworkLoss(*iris(), hidden=(3,), l2=0.0)
    with Landscape(Weights.random(loss, seed=0), MemoryStore()) as landscape:
        with pytest.raises(RejectedError, match="l2=0"):
            landscape.add(Weights.random(loss, seed=1))
        assert len(landscape.minima) == 0


def test_atoms_surfaces_and_searches():
    with Landscape(random_cluster(4), MemoryStore()) as landscape:
        assert landscape.add(random_cluster(4)).energy == pytest.approx(-6.0, abs=1e-8)
        assert isinstance(landscape.add(Search(0, "walk", "too many steps")), AddedSearch)
    with Landscape(Point([0.0, 0.5], MuellerBrown()), MemoryStore()) as landscape:
        landscape.add([0.6, 0.0])
        assert landscape.minima.energy[:] == pytest.approx([-108.166724], abs=1e-5)
