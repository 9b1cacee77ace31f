"""Exchanges of hidden units of any module, declared by names, beside those that a NetworkLoss knows."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.analysis import from_torch
from thalweg.landscapes import Landscape, StoreError
from thalweg.potentials import BlockSymmetry, NetworkLoss, as_system, check_potential

torch = pytest.importorskip("torch")
nn = torch.nn

RNG = np.random.default_rng(3)
X, LABELS = RNG.normal(size=(12, 2)), RNG.integers(0, 2, 12)


class Wrapped(nn.Module):
    """One hidden layer under names of its own."""

    def __init__(self, activation=torch.tanh, width=2):
        super().__init__()
        self.body = nn.ModuleList([nn.Linear(2, width), nn.Linear(width, 2)])
        self.activation = activation

    def forward(self, x):
        return self.body[1](self.activation(self.body[0](x)))


UNITS = [("body.0", "body.1")]


def test_minima_are_counted_once_as_those_of_the_network_loss(tmp_path):
    torch.manual_seed(0)
    module = Wrapped()
    known = nn.Sequential(module.body[0], nn.Tanh(), module.body[1])
    found = {}
    for name, point in (
        ("known", from_torch(known, nn.CrossEntropyLoss(), X, LABELS, l2=1e-2)),
        ("declared", from_torch(module, nn.CrossEntropyLoss(), X, LABELS, l2=1e-2, hidden_units=UNITS)),
        ("unknown", from_torch(module, nn.CrossEntropyLoss(), X, LABELS, l2=1e-2)),
    ):
        assert isinstance(point.calc, NetworkLoss) == (name == "known")
        with Landscape(point, tmp_path / name, seed=0) as landscape:
            landscape.find_minima(40, progress=False)
            found[name] = np.sort(landscape.minima.energy[:])
    np.testing.assert_allclose(found["declared"], found["known"], atol=1e-9)
    assert len(found["unknown"]) > len(found["known"])


@pytest.mark.parametrize(("activation", "signs"), [(torch.tanh, True), (torch.sigmoid, False), (torch.sin, True)])
def test_signs_are_found_out(activation, signs):
    point = from_torch(Wrapped(activation, 3), nn.CrossEntropyLoss(), X, LABELS, l2=1e-2, hidden_units=UNITS)
    assert point.calc.symmetry.signs == (signs,)
    assert check_potential(point).passed
    system = as_system(point)
    copy = system.symmetry.random_copy(system.x, np.random.default_rng(0))
    assert system.distance(system.x, copy) < 1e-12
    assert np.linalg.norm(copy - system.x) > 1e-3


def test_channels_before_a_flattened_layer_are_units():
    module = nn.Sequential(nn.Conv1d(1, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(9, 2))
    series = RNG.normal(size=(12, 1, 4))
    point = from_torch(module, nn.CrossEntropyLoss(), series, LABELS, hidden_units=[("0", "3")])
    assert [table.shape for table in point.calc.symmetry.groups] == [(3, 2 + 1 + 2 * 3)]
    assert check_potential(point).passed


def test_what_is_wrong_is_said():
    def make(module, pairs, **options):
        return from_torch(module, nn.CrossEntropyLoss(), X, LABELS, hidden_units=pairs, **options)

    with pytest.raises(ValueError, match=r"a layer 'head' without weights; those with weights are body\.0, body\.1"):
        make(Wrapped(), [("body.0", "head")])
    with pytest.raises(ValueError, match=r"body\.0 has 3 units, and body\.0 weights of the shape \(3, 2\)"):
        make(Wrapped(width=3), [("body.0", "body.0")])
    with pytest.raises(ValueError, match=r"exchanging the 3 units between body\.0 and body\.1 changes the loss"):
        make(Wrapped(lambda h: h.cumsum(1), 3), UNITS)
    with pytest.raises(ValueError, match="share weights"):
        make(Wrapped(), [*UNITS, *UNITS])
    with pytest.raises(ValueError, match="symmetry= is given"):
        make(Wrapped(), UNITS, symmetry=BlockSymmetry([[0], [1]]))
    chain = [nn.Linear(2, 2), nn.Mish(), nn.Linear(2, 2)]
    with pytest.raises(ValueError, match="linear layers are known"):
        make(nn.Sequential(*chain), [("0", "2")])
    with pytest.raises(ValueError, match="computed as a NetworkLoss"):
        make(nn.Sequential(chain[0], nn.Tanh(), chain[2]), [("0", "2")])


def test_a_store_knows_whether_units_were_declared(tmp_path):
    declared = from_torch(Wrapped(), nn.CrossEntropyLoss(), X, LABELS, hidden_units=UNITS)
    Landscape(declared, tmp_path / "own").close()
    Landscape(declared, tmp_path / "own").close()
    with pytest.raises(StoreError, match="hidden_units"):
        Landscape(from_torch(declared.calc.module, nn.CrossEntropyLoss(), X, LABELS), tmp_path / "own")
