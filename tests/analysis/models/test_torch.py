"""Derivatives of PyTorch modules, against torch.func, and modules that are no fixed function of their parameters."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.analysis import from_torch
from thalweg.analysis.models import torch_derivatives
from thalweg.potentials import NetworkLoss, check_potential

torch = pytest.importorskip("torch")
nn = torch.nn

RNG = np.random.default_rng(1)
SERIES, TABLE, IMAGES = RNG.normal(size=(9, 5, 4)), RNG.normal(size=(9, 4)), RNG.normal(size=(9, 1, 6, 6))
LABELS = RNG.integers(0, 3, 9)


class Residual(nn.Module):
    """Two layers, the second added to the first, and a parameter that is not used."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, x):
        h = torch.tanh(self.first(x))
        return self.last(h + torch.tanh(self.second(h)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.last = nn.GRU(4, 3, batch_first=True), nn.Linear(3, 3)

    def forward(self, x):
        return self.last(self.cell(x)[0][:, -1])


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads, self.last = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.last(self.heads(x, x, x, need_weights=False)[0].mean(1))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(5, 2), nn.Linear(2, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.table(x)).mean(1))


class Calling(nn.Module):
    """Linear layers around a function of torch.nn.functional."""

    def __init__(self, function):
        super().__init__()
        self.first, self.last, self.function = nn.Linear(4, 3), nn.Linear(3, 3), function

    def forward(self, x):
        return self.last(self.function(self.first(x), self.training))


def convolution():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Mish(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    )


MODULES = [
    (Residual, TABLE), (Recurrent, SERIES), (Attentive, SERIES), (convolution, IMAGES),
    (Words, RNG.integers(0, 5, (9, 4))),
]  # fmt: skip


def flat_loss(point, module, inputs):
    """Return the loss as a function of one vector, by torch.func, with attention by matrix products."""
    from torch.func import functional_call

    held = dict(module.double().named_parameters())
    sizes = [held[name].numel() for name in point.calc.names]
    given = torch.as_tensor(inputs)

    def loss(x):
        parts = zip(point.calc.names, x.split(sizes), strict=True)
        named = {name: part.reshape(held[name].shape) for name, part in parts}
        return nn.CrossEntropyLoss()(functional_call(module, named, (given,)), torch.as_tensor(LABELS)) + 1e-2 * (x @ x)

    return loss


@pytest.mark.parametrize("at_once", [2**22, 1])
@pytest.mark.parametrize(("make", "inputs"), MODULES)
def test_derivatives_are_those_of_torch_func(make, inputs, at_once, monkeypatch):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    monkeypatch.setattr(torch_derivatives, "_AT_ONCE", at_once)
    torch.manual_seed(0)
    module = make().eval()
    point = from_torch(module, nn.CrossEntropyLoss(), inputs, LABELS, l2=1e-2)
    threads = torch.get_num_threads()
    v = RNG.normal(size=len(point))
    energy, gradient = point.calc.energy_gradient(point.x)
    hessian, product = point.calc.hessian(point.x), point.calc.hessian_vector(point.x, v)
    assert torch.get_num_threads() == threads
    loss, x = flat_loss(point, module, inputs), torch.tensor(point.x)
    with sdpa_kernel(SDPBackend.MATH):
        assert energy == pytest.approx(loss(x).item(), abs=1e-13)
        np.testing.assert_allclose(gradient, torch.func.grad(loss)(x), atol=1e-13)
        exact = torch.func.jacrev(torch.func.grad(loss))(x).numpy()
    np.testing.assert_allclose(hessian, exact, atol=1e-12)
    np.testing.assert_allclose(product, exact @ v, atol=1e-12)
    np.testing.assert_array_equal(hessian, hessian.T)


def test_a_loss_that_is_linear_in_the_parameters_has_no_curvature_but_that_of_l2():
    class Mean(nn.Module):
        def forward(self, outputs, targets):
            return outputs.mean()

    point = from_torch(nn.Linear(4, 1), Mean(), TABLE, LABELS, l2=0.5)
    np.testing.assert_array_equal(point.calc.hessian(point.x), np.eye(5))
    np.testing.assert_array_equal(point.calc.hessian_vector(point.x, point.x), point.x)


def test_a_module_comes_back_as_it_was_but_for_precision_and_mode():
    module = Residual()
    module.first.bias.requires_grad_(False)
    point = from_torch(module, nn.CrossEntropyLoss(), TABLE, LABELS)
    back = point.calc.unpack(point.x + 1.0)
    assert [p.requires_grad for p in back.parameters()] == [p.requires_grad for p in module.parameters()]
    np.testing.assert_array_equal(point.calc.pack(back), point.x + 1.0)
    np.testing.assert_array_equal(point.calc.pack(module), point.x)
    # an evaluation elsewhere changes no module that was given back
    point.calc.energy_gradient(point.x)
    np.testing.assert_array_equal(point.calc.pack(back), point.x + 1.0)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (nn.Dropout(0.2), "Dropout drops a share of 0.2"),
        (nn.AlphaDropout(0.1), "AlphaDropout drops a share of 0.1"),
        (nn.BatchNorm1d(3), "BatchNorm1d normalises"),
    ],
)
def test_training_mode_is_refused_where_it_changes_the_loss(part, said):
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), part, nn.Linear(3, 3))
    with pytest.raises(ValueError, match=rf"training mode, where {said}.*module\.eval\(\)"):
        from_torch(module, nn.CrossEntropyLoss(), TABLE, LABELS)
    point = from_torch(module.eval(), nn.CrossEntropyLoss(), TABLE, LABELS)
    with torch.no_grad():
        own = nn.CrossEntropyLoss()(module.double()(torch.as_tensor(TABLE)), torch.as_tensor(LABELS))
    assert point.get_potential_energy() == pytest.approx(own.item(), abs=1e-13)
    # dropout that is off is nothing, and the rest is known; batch normalisation is not
    assert isinstance(point.calc, NetworkLoss) == (not isinstance(part, nn.BatchNorm1d))


def test_dropout_within_recurrences_and_attention_is_dropout():
    for part in (nn.GRU(4, 3, 2, dropout=0.3), nn.MultiheadAttention(4, 2, dropout=0.3)):
        module = Recurrent() if isinstance(part, nn.GRU) else Attentive()
        setattr(module, "cell" if isinstance(part, nn.GRU) else "heads", part)
        with pytest.raises(ValueError, match=r"drops a share of 0\.3.*module\.eval"):
            from_torch(module, nn.CrossEntropyLoss(), SERIES, LABELS)


def test_dropout_without_a_probability_changes_nothing():
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Dropout(0.0), nn.Linear(3, 3))
    assert isinstance(from_torch(module, nn.CrossEntropyLoss(), TABLE, LABELS).calc, NetworkLoss)


def test_randomness_in_functions_is_found():
    module = Calling(lambda h, training: nn.functional.dropout(h, 0.5, training))
    with pytest.raises(ValueError, match=r"something else there than in evaluation mode.*module\.eval\(\)"):
        from_torch(module, nn.CrossEntropyLoss(), TABLE, LABELS)
    assert check_potential(from_torch(module.eval(), nn.CrossEntropyLoss(), TABLE, LABELS)).passed
    always = Calling(lambda h, training: nn.functional.dropout(h, 0.5))
    with pytest.raises(ValueError, match="other outputs each time"):
        from_torch(always.eval(), nn.CrossEntropyLoss(), TABLE, LABELS)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (nn.functional.relu, "ReLU"),
        (nn.functional.leaky_relu, "LeakyReLU"),
        (nn.functional.hardtanh, "Hardtanh"),
        (lambda h: nn.functional.max_pool1d(h[:, None], 1)[:, 0], "MaxPool"),
    ],
)
def test_kinks_of_functions_are_refused_as_those_of_modules_are(function, name):
    with pytest.raises(ValueError, match=rf"{name}.* has kinks"):
        from_torch(Calling(lambda h, _: function(h)), nn.CrossEntropyLoss(), TABLE, LABELS)


def test_a_module_with_other_running_means_has_another_loss():
    module = convolution()
    point = from_torch(module.eval(), nn.CrossEntropyLoss(), IMAGES, LABELS)
    module.train()(torch.as_tensor(IMAGES, dtype=torch.float32))
    with pytest.raises(ValueError, match=r"1\.running_mean of the module differs"):
        point.calc.pack(module)


def tied():
    shared = nn.Linear(4, 4)
    return nn.Sequential(shared, nn.Tanh(), shared, nn.Tanh(), nn.Linear(4, 3))


def hooked():
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3))
    module[1].register_forward_hook(lambda part, inputs, outputs: 2.0 * outputs)
    return module


def named_as_ours():
    class Tanh(nn.Module):
        def forward(self, x):
            return torch.sin(x)

    return nn.Sequential(nn.Linear(4, 3), Tanh(), nn.Linear(3, 3))


def normalised():
    from torch.nn.utils.parametrizations import weight_norm

    return nn.Sequential(weight_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 3))


@pytest.mark.parametrize(
    "make",
    [
        tied, hooked, named_as_ours, normalised,
        lambda: nn.Sequential(nn.Linear(4, 3, bias=False), nn.Tanh(), nn.Linear(3, 3)),
        lambda: nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Tanh(), nn.Linear(3, 3)),
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3)),
        lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.Tanh()), nn.Linear(3, 3)),
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh()),
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Softplus(beta=2.0), nn.Linear(3, 3)),
        lambda: nn.Sequential(nn.Linear(4, 3), nn.GELU("tanh"), nn.Linear(3, 3)),
    ],
)  # fmt: skip
def test_a_sequential_with_anything_else_is_no_network_loss_and_computed_as_it_is(make):
    torch.manual_seed(2)
    module = make()
    point = from_torch(module, nn.CrossEntropyLoss(), TABLE, LABELS, l2=1e-2)
    assert not isinstance(point.calc, NetworkLoss)
    module = module.double()
    own = nn.CrossEntropyLoss()(module(torch.as_tensor(TABLE)), torch.as_tensor(LABELS))
    own = own + 1e-2 * sum((value**2).sum() for value in module.parameters())
    assert point.get_potential_energy() == pytest.approx(own.item(), abs=1e-13)
    own.backward()
    named = dict(module.named_parameters())
    gradient = np.concatenate([named[name].grad.numpy().ravel() for name in point.calc.names])
    np.testing.assert_allclose(point.get_gradient(), gradient, atol=1e-13)
