"""Models of PyTorch and JAX as potentials, against PyTorch's and JAX's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.analysis import from_jax, from_torch, to_torch
from thalweg.landscapes import Landscape
from thalweg.optimizers import minimise
from thalweg.potentials import BlockSymmetry, NetworkLoss, Weights, as_system, check_potential

# PyTorch's own
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
LABELS = RNG.integers(0, 3, 30)
BINARY = RNG.integers(0, 2, (30, 1)).astype(float)
NUMBERS = RNG.normal(size=(30, 1))


def chain(torch, activation, outputs):
    torch.manual_seed(1)
    parts = [torch.nn.Linear(4, 3), activation, torch.nn.Linear(3, 2), activation, torch.nn.Linear(2, outputs)]
    return torch.nn.Sequential(*parts)


def own_energy(torch, module, criterion, x, y, l2):
    module = module.double()
    value = criterion(module(torch.as_tensor(x)), torch.as_tensor(y))
    return value + l2 * sum((p**2).sum() for p in module.parameters())


KNOWN = [
    ("Tanh", "CrossEntropyLoss", 3, LABELS),
    ("Sigmoid", "CrossEntropyLoss", 3, LABELS),
    ("Softplus", "BCEWithLogitsLoss", 1, BINARY),
    ("GELU", "MSELoss", 1, NUMBERS),
    ("SiLU", "MSELoss", 1, NUMBERS),
]
OTHERS = [
    ("Mish", "CrossEntropyLoss", 3, LABELS),
    ("Softsign", "MSELoss", 2, RNG.normal(size=(30, 2))),
    ("Tanh", "BCEWithLogitsLoss", 2, RNG.integers(0, 2, (30, 2)).astype(float)),
    ("Tanh", "SmoothL1Loss", 1, NUMBERS),
]


@pytest.mark.parametrize(("activation", "criterion", "outputs", "y"), KNOWN + OTHERS)
def test_energy_and_gradient_are_pytorchs(activation, criterion, outputs, y):
    torch = pytest.importorskip("torch")
    module, loss = chain(torch, getattr(torch.nn, activation)(), outputs), getattr(torch.nn, criterion)()
    point = from_torch(module, loss, X, y, l2=1e-3)
    known = (activation, criterion, outputs) in [one[:3] for one in KNOWN]
    assert isinstance(point.calc, NetworkLoss) == known
    energy = own_energy(torch, module, loss, X, y, 1e-3)
    assert point.get_potential_energy() == pytest.approx(energy.item(), abs=1e-12)
    energy.backward()
    linear = [part for part in module if isinstance(part, torch.nn.Linear)]
    gradient = [p.grad.numpy().ravel() for p in (*(one.weight for one in linear), *(one.bias for one in linear))]
    np.testing.assert_allclose(point.get_gradient(), np.concatenate(gradient), atol=1e-12)


@pytest.mark.parametrize(("activation", "criterion", "outputs", "y"), [KNOWN[1], OTHERS[0], OTHERS[1]])
def test_hidden_units_may_be_exchanged(activation, criterion, outputs, y):
    torch = pytest.importorskip("torch")
    module = chain(torch, getattr(torch.nn, activation)(), outputs)
    point = from_torch(module, getattr(torch.nn, criterion)(), X, y, l2=1e-3)
    assert check_potential(point).passed
    system = as_system(point)
    copy = system.symmetry.random_copy(system.x, np.random.default_rng(3))
    assert np.linalg.norm(copy - system.x) > 1e-3
    assert system.distance(system.x, copy) < 1e-9


def test_sigmoid_units_have_mirror_images_where_no_l2_term_counts_biases():
    torch = pytest.importorskip("torch")
    module, criterion = chain(torch, torch.nn.Sigmoid(), 1), torch.nn.SmoothL1Loss()
    point = from_torch(module, criterion, X, NUMBERS)
    assert not isinstance(point.calc, NetworkLoss)
    system, copy = as_system(point), point.x.copy()
    # sigmoid(-z) = 1 - sigmoid(z): the first unit changes sign, and what it gave is added to the biases above
    copy[[*range(4), 20]] *= -1
    copy[[23, 24]] += copy[[12, 15]]
    copy[[12, 15]] *= -1
    assert system.energy_gradient(copy)[0] == pytest.approx(point.get_potential_energy(), abs=1e-13)
    assert np.linalg.norm(copy - point.x) > 0.1
    assert system.distance(point.x, copy) < 1e-9
    counted = as_system(from_torch(module, criterion, X, NUMBERS, l2=1e-3))
    assert counted.distance(point.x, copy) > 0.1


def test_a_convolution_is_computed_by_pytorch_with_exact_derivatives():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv1d(1, 2, 3), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(4, 3)
    ).eval()
    point = from_torch(module, torch.nn.CrossEntropyLoss(), X[:, None, :], LABELS, l2=1e-2)
    assert check_potential(point).passed
    assert len(point) == sum(p.numel() for p in module.parameters())
    found = minimise(point, rms=1e-8, second_order=True)
    assert found.converged[0]
    trained = point.calc.unpack(found.x[0])
    energy = own_energy(torch, trained.eval(), torch.nn.CrossEntropyLoss(), X[:, None, :], LABELS, 1e-2)
    assert energy.item() == pytest.approx(found.energy[0], abs=1e-12)
    np.testing.assert_array_equal(point.calc.pack(trained), found.x[0])
    # the user's own module is as it was
    np.testing.assert_allclose(point.calc.pack(module), point.x)


def test_there_and_back():
    torch = pytest.importorskip("torch")
    module = chain(torch, torch.nn.Tanh(), 3)
    point = from_torch(module, torch.nn.CrossEntropyLoss(), X, LABELS)
    assert isinstance(point, Weights)
    again = to_torch(point)
    inputs = torch.as_tensor(X)
    torch.testing.assert_close(again(inputs), module.double()(inputs), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "Hardtanh", "PReLU"])
def test_kinks_are_refused_at_once(name):
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=rf"{name} has kinks: .*Softplus and GELU"):
        from_torch(chain(torch, getattr(torch.nn, name)(), 3), torch.nn.CrossEntropyLoss(), X, LABELS)
    with pytest.raises(ValueError, match="L1Loss has kinks"):
        from_torch(chain(torch, torch.nn.Tanh(), 1), torch.nn.L1Loss(), X, NUMBERS)


def test_what_is_wrong_is_said():
    torch = pytest.importorskip("torch")
    module = chain(torch, torch.nn.Mish(), 3)
    with pytest.raises(ValueError, match="one number"):
        from_torch(module, torch.nn.CrossEntropyLoss(reduction="none"), X, LABELS)
    with pytest.raises(ValueError, match="l2 must be at least 0"):
        from_torch(module, torch.nn.CrossEntropyLoss(), X, LABELS, l2=-1.0)


def test_null_modes_are_declared_for_modules_that_are_no_network_loss():
    torch = pytest.importorskip("torch")
    module, criterion = chain(torch, torch.nn.Mish(), 3), torch.nn.CrossEntropyLoss()
    shift = np.zeros(32)
    shift[-3:] = 1.0  # the biases of all outputs: without an L2 term the cross-entropy does not change
    point = from_torch(module, criterion, X, LABELS, null_modes=shift)
    assert check_potential(point).passed
    system = as_system(point)
    np.testing.assert_allclose(np.abs(system.null_modes(system.x)), [shift / 3**0.5])
    # hidden units may be exchanged besides
    copy = system.symmetry.random_copy(system.x, np.random.default_rng(3)) + 2.0 * shift
    assert system.distance(system.x, copy) < 1e-9
    with pytest.raises(ValueError, match="null_modes have 5 coordinates, and x has 32"):
        from_torch(module, criterion, X, LABELS, null_modes=np.ones(5))
    with pytest.raises(ValueError, match="computed as a NetworkLoss"):
        from_torch(chain(torch, torch.nn.Tanh(), 3), criterion, X, LABELS, null_modes=shift)


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def test_a_tree_of_jax(jax):
    jnp = jax.numpy

    def loss(p):
        h = jnp.tanh(X @ p["first"]["w"].T + p["first"]["b"])
        residual = h @ p["last"] - NUMBERS[:, 0]
        return jnp.mean(residual**2) + 1e-3 * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p))

    rng = np.random.default_rng(2)
    tree = {"first": {"w": rng.normal(size=(3, 4)), "b": np.zeros(3)}, "last": rng.normal(size=3)}
    point = from_jax(loss, tree)
    assert point.get_potential_energy() == pytest.approx(float(loss(tree)), abs=1e-13)
    assert check_potential(point).passed
    back = point.calc.unpack(point.x)
    np.testing.assert_array_equal(back["first"]["w"], tree["first"]["w"])
    found = minimise(point, rms=1e-8, second_order=True)
    assert found.converged[0]
    # biases come first, then weights row by row, then the last layer: one block a hidden unit
    blocks = [[unit, *(3 + 4 * unit + np.arange(4)), 15 + unit] for unit in range(3)]
    declared = from_jax(loss, tree, symmetry=BlockSymmetry(blocks, signs=True))
    assert check_potential(declared).passed


def test_trees_of_jax_are_packed_in_the_order_of_ravel_pytree(jax):
    from jax.flatten_util import ravel_pytree

    def loss(tree):
        return sum(jax.numpy.sum((leaf - 1.0) ** 2) for leaf in jax.tree.leaves(tree))

    rng = np.random.default_rng(4)
    tree = {"w": rng.normal(size=(2, 3)), "b": [rng.normal(size=2), 0.5]}
    point = from_jax(loss, tree)
    np.testing.assert_array_equal(point.calc.pack(tree), ravel_pytree(tree)[0])
    x = rng.normal(size=len(point))
    np.testing.assert_array_equal(point.calc.pack(point.calc.unpack(x)), x)
    with pytest.raises(ValueError, match="must be the tree"):
        point.calc.pack({"w": tree["w"]})
    with pytest.raises(ValueError, match=r"parameters \['w'\] must have the shape \(2, 3\); theirs is \(3, 2\)"):
        point.calc.pack({**tree, "w": tree["w"].T})
    # a trained tree enters a landscape as a module of PyTorch does
    with Landscape(point, MemoryStore()) as landscape:
        added = landscape.add(tree)
        assert added.energy_before == pytest.approx(float(loss(tree)), abs=1e-12)
        assert added.moved == pytest.approx(np.linalg.norm(point.calc.pack(tree) - 1.0), abs=1e-6)
    pair = from_jax(loss, [np.ones(2), np.zeros(1)])
    with Landscape(pair, MemoryStore()) as landscape:
        assert landscape.add([np.zeros(2), np.zeros(1)]).energy_before == 3.0
        assert landscape.add([0.0, 0.0, 1.0]).energy_before == 2.0
        with pytest.raises(ValueError, match="must be the tree"):
            landscape.add({"a": np.zeros(3)})
    matrix = from_jax(loss, np.zeros((2, 2)))
    with Landscape(matrix, MemoryStore()) as landscape:
        assert landscape.add(np.ones(4)).moved < 1e-6
        assert landscape.add(np.ones((2, 2))).moved < 1e-6


def test_a_state_dict_of_pytorch_is_packed():
    torch = pytest.importorskip("torch")
    module = chain(torch, torch.nn.Mish(), 3)
    point = from_torch(module, torch.nn.CrossEntropyLoss(), X, LABELS, l2=1e-2)
    loss = point.calc
    np.testing.assert_array_equal(loss.pack(module.state_dict()), loss.pack(module))
    with pytest.raises(ValueError, match=r"missing: 0\.bias"):
        loss.pack({name: value for name, value in module.state_dict().items() if name != "0.bias"})
    with Landscape(point, MemoryStore()) as landscape:
        added = landscape.add(module.state_dict())
        assert added.energy_before == pytest.approx(point.get_potential_energy(), abs=1e-12)
        assert landscape.add([landscape.minima.coordinates[0]]).moved < 1e-6


def test_stores_of_models_open_again(tmp_path, jax):
    torch = pytest.importorskip("torch")
    module = chain(torch, torch.nn.Mish(), 3)

    def pair(p):
        return (p["a"] ** 2 - 1) ** 2 + (p["a"] - p["b"]) ** 2

    for name, point in (
        ("torch", from_torch(module, torch.nn.CrossEntropyLoss(), X, LABELS, l2=1e-2)),
        ("jax", from_jax(pair, {"a": 0.3, "b": 0.1})),
    ):
        with Landscape(point, tmp_path / name, seed=0) as landscape:
            landscape.find_minima(1, progress=False)
        with Landscape(point, tmp_path / name) as landscape:
            assert len(landscape.minima) == 1


def test_single_precision_of_jax_is_refused(jax):
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(ValueError, match="jax_enable_x64"):
        from_jax(lambda p: p["a"] ** 2, {"a": 1.0})


def test_functions_of_jax_return_one_number(jax):
    with pytest.raises(ValueError, match="one number"):
        from_jax(lambda p: p["a"], {"a": [1.0, 2.0]})
