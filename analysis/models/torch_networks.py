"""Modules of PyTorch that a NetworkLoss computes: linear layers with known activations, and known criteria."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LinearChain", "activation_of", "kinks_of", "linear_chain", "loss_of_criterion", "packed"]

_KINKS = (
    "ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "Hardtanh", "Hardsigmoid", "Hardswish", "Hardshrink", "Softshrink",
    "Threshold", "MaxPool1d", "MaxPool2d", "MaxPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "L1Loss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiMarginLoss", "MultiLabelMarginLoss",
)  # fmt: skip
_ODD = ("Tanh", "Softsign", "Tanhshrink")
_ELEMENTWISE = (
    "Tanh", "Sigmoid", "Softplus", "GELU", "SiLU", "Mish", "Softsign", "Tanhshrink", "LogSigmoid", "ELU", "CELU",
    "SELU",
)  # fmt: skip


class LinearChain(NamedTuple):
    """Linear layers with activations between them.

    Attributes
    ----------
    linear : list of torch.nn.Linear
    activations : list of torch.nn.Module
        One for each hidden layer.
    """

    linear: list[nn.Linear]
    activations: list[nn.Module]

    @property
    def layers(self) -> tuple[int, ...]:
        """Widths from the inputs to the outputs."""
        return (self.linear[0].in_features, *(one.out_features for one in self.linear))

    @property
    def odd(self) -> tuple[bool, ...]:
        """Whether the activation of each hidden layer is odd."""
        return tuple(type(one).__name__ in _ODD for one in self.activations)


def kinks_of(module: nn.Module, criterion: nn.Module) -> str | None:
    """Return the name of the first part that is not differentiable everywhere; None where none is known."""
    for part in (*module.modules(), *criterion.modules()):
        if type(part).__module__.startswith("torch.nn") and type(part).__name__ in _KINKS:
            return type(part).__name__
    return None


def linear_chain(module: nn.Module) -> LinearChain | None:
    """Return the layers of a Sequential of Linear and elementwise activations in turn; None for other modules.

    Nothing else may happen in it: no hooks (weight normalisation is one), and no layer that occurs twice.
    """
    from torch import nn
    from torch.nn.modules.dropout import _DropoutNd

    if type(module) is not nn.Sequential or any(_has_hooks(part) for part in module.modules()):
        return None
    parts = [part for part in module if not isinstance(part, nn.Identity | _DropoutNd)]
    linear, activations = [part for part in parts[::2] if type(part) is nn.Linear], parts[1::2]
    known = all(type(part).__name__ in _ELEMENTWISE and type(part).__module__.startswith("torch.nn.")
                for part in activations)  # fmt: skip
    if not known or len(linear) != len(parts[::2]) or len(linear) != len(activations) + 1:
        return None
    own = {id(value) for part in linear for value in (part.weight, part.bias) if isinstance(value, nn.Parameter)}
    held = [value for part in linear for _, value in part.named_parameters()]
    if len(own) != 2 * len(linear) or len(held) != 2 * len(linear):
        return None
    if any(below.out_features != above.in_features for below, above in pairwise(linear)):
        return None
    return LinearChain(linear, activations)


def _has_hooks(part: nn.Module) -> bool:
    """Return whether something else is called with a part, such as old weight or spectral normalisation."""
    return bool(part._forward_hooks or part._forward_pre_hooks)


def activation_of(part: nn.Module) -> str | None:
    """Return the name by which a NetworkLoss knows an activation; None where it does not."""
    name = type(part).__name__
    if name == "Softplus":
        # above the threshold PyTorch's is linear, and differs from the function by exp(-threshold)
        return "softplus" if getattr(part, "beta", 0) == 1 and float(getattr(part, "threshold", 0)) >= 20 else None
    if name == "GELU":
        return "gelu" if part.approximate == "none" else None
    return {"Tanh": "tanh", "Sigmoid": "logistic", "SiLU": "silu"}.get(name)


def loss_of_criterion(criterion: nn.Module, outputs: int) -> str | None:
    """Return the name by which a NetworkLoss knows a criterion for so many outputs; None where it does not."""
    name = type(criterion).__name__
    if getattr(criterion, "reduction", None) != "mean" or getattr(criterion, "weight", None) is not None:
        return None
    if name == "CrossEntropyLoss":
        return "cross_entropy" if not criterion.label_smoothing and criterion.ignore_index == -100 else None
    if outputs != 1:  # PyTorch divides by the number of outputs as well
        return None
    if name == "BCEWithLogitsLoss":
        return "logistic" if criterion.pos_weight is None else None
    return "squared_error" if name == "MSELoss" else None


def packed(chain: LinearChain) -> np.ndarray:
    """Return weights and biases in the order of a NetworkLoss."""
    matrices = [one.weight.detach().cpu().double().numpy().ravel() for one in chain.linear]
    return np.concatenate([*matrices, *(one.bias.detach().cpu().double().numpy() for one in chain.linear)])
