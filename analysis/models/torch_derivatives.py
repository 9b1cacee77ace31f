"""Energy, gradient, Hessian and products of a PyTorch module's loss, by autograd on the module itself.

The parameters of one module are overwritten at each call, which costs little: ``torch.func`` on a flat vector takes
twice as long for the gradient of a small module, and three times as long for its Hessian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

    from thalweg.potentials.protocols import Matrix, Vector

__all__ = ["ModuleDerivatives"]

_THREADED = 2**20  # numbers kept for a gradient from which PyTorch may use several threads
_AT_ONCE = 2**22  # numbers kept for the rows of a Hessian that are computed together, 32 MB for each operation

_KINKS = {
    "Relu": "ReLU", "LeakyRelu": "LeakyReLU", "PreluKernel": "PReLU", "RreluWithNoise": "RReLU",
    "Hardtanh": "Hardtanh or ReLU6", "Hardsigmoid": "Hardsigmoid", "Hardswish": "Hardswish",
    "Hardshrink": "Hardshrink", "Softshrink": "Softshrink", "Threshold": "Threshold",
}  # fmt: skip


class ModuleDerivatives:
    """Loss of a module on fixed data as a function of its parameters, and its derivatives.

    Small modules are computed on one thread: PyTorch's threads cost more than they save there, and on a processor that
    others use as well they make a gradient a hundred times slower.

    Parameters
    ----------
    module : torch.nn.Module
        In float64; its parameters are overwritten.
    criterion : torch.nn.Module
    inputs, targets : torch.Tensor
    names : sequence of str
        Names of its parameters in the order of the coordinates.

    Raises
    ------
    ValueError
        If the criterion does not return one number that can be differentiated.
    """

    def __init__(
        self, module: nn.Module, criterion: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, names: Sequence[str]
    ):
        held = dict(module.named_parameters())
        self._module, self._criterion, self._inputs, self._targets = module, criterion, inputs, targets
        self._parameters = [held[name].requires_grad_(True) for name in names]
        self.sizes = [int(value.numel()) for value in self._parameters]
        self.n = sum(self.sizes)
        self._one_thread, self._exact_attention, self._batched = True, False, True
        self._kept, self._operations = self._first_look()
        self._one_thread = self._kept < _THREADED
        # the fast kernels of attention have no second derivatives
        self._exact_attention = any(name.startswith("ScaledDotProduct") for name in self._operations)

    @property
    def kinks(self) -> str | None:
        """Activation with kinks that was computed, as a function or as a part of the module; None where none was."""
        for name in sorted(self._operations):
            known = _KINKS.get(name.split("Backward")[0])
            if known or "MaxPool" in name:
                return known or "MaxPool"
        return None

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the loss and its gradient (n,) at parameters x (n,)."""
        with self._settings():
            loss = self._loss_at(x)
            return loss.item(), self._joined(self._derivatives(loss)).numpy()

    def hessian(self, x: Vector) -> Matrix:
        """Return the exact second derivatives (n, n) at x (n,), not symmetrised."""
        import torch

        with self._settings():
            gradient = self._differentiable_gradient(x)
            if not gradient.requires_grad:  # linear in the parameters
                return np.zeros((self.n, self.n))
            rows = max(1, min(self.n, _AT_ONCE // max(self._kept, 1)))
            unit = torch.eye(self.n, dtype=torch.float64)
            return torch.cat([self._rows(gradient, part) for part in unit.split(rows)]).numpy()

    def product(self, x: Vector, v: Vector) -> Vector:
        """Return the exact product (n,) of the Hessian at x with v, both (n,)."""
        import torch

        with self._settings():
            gradient = self._differentiable_gradient(x)
            if not gradient.requires_grad:
                return np.zeros(self.n)
            return self._joined(self._derivatives(gradient, torch.tensor(v, dtype=torch.float64))).numpy()

    def _first_look(self) -> tuple[int, set[str]]:
        """Return how many numbers autograd keeps for a gradient, and the names of the operations it differentiates."""
        from torch.autograd.graph import saved_tensors_hooks

        kept = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal kept
            kept += tensor.numel()
            return tensor

        with self._settings(), saved_tensors_hooks(count, lambda tensor: tensor):
            loss = self._criterion(self._module(self._inputs), self._targets)
        if loss.numel() != 1:
            raise ValueError(
                f"the criterion must return one number for these data; it returns an array of shape {tuple(loss.shape)}"
            )
        return kept, _operations(loss)

    @contextmanager
    def _settings(self) -> Iterator[None]:
        """Compute with gradients, on one thread where that is faster, and with kernels that have second derivatives."""
        import torch

        threads = torch.get_num_threads()
        try:
            if self._one_thread:
                torch.set_num_threads(1)
            with torch.inference_mode(False), torch.enable_grad(), _attention(self._exact_attention):
                yield
        finally:
            if self._one_thread:
                torch.set_num_threads(threads)

    def _loss_at(self, x: Vector) -> torch.Tensor:
        import torch

        given = torch.tensor(x, dtype=torch.float64)
        for parameter, part in zip(self._parameters, given.split(self.sizes), strict=True):
            parameter.data.copy_(part.view_as(parameter))
        return self._criterion(self._module(self._inputs), self._targets)

    def _differentiable_gradient(self, x: Vector) -> torch.Tensor:
        return self._joined(self._derivatives(self._loss_at(x), again=True))

    def _derivatives(
        self, value: torch.Tensor, directions: torch.Tensor | None = None, *, again: bool = False, batch: bool = False
    ) -> tuple[torch.Tensor | None, ...]:
        """Return derivatives of a value, or of its products with directions, by each parameter.

        With ``again`` the way back is kept: the gradient can be differentiated, and other directions follow.
        """
        import torch

        return torch.autograd.grad(
            value, self._parameters, directions, create_graph=again and directions is None, retain_graph=again or None,
            is_grads_batched=batch, allow_unused=True,
        )  # fmt: skip

    def _joined(self, parts: Sequence[torch.Tensor | None], rows: tuple[int, ...] = ()) -> torch.Tensor:
        """Return derivatives by each parameter as one array (*rows, n); None, for a parameter without use, is zero."""
        import torch

        flat = [
            torch.zeros((*rows, size), dtype=torch.float64) if part is None else part.reshape(*rows, size)
            for part, size in zip(parts, self.sizes, strict=True)
        ]
        return torch.cat(flat, dim=-1)

    def _rows(self, gradient: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """Return rows (k, n) of the Hessian, together where PyTorch can, else one after the other."""
        import torch

        if self._batched:
            try:
                parts = self._derivatives(gradient, directions, again=True, batch=True)
                return self._joined(parts, (len(directions),))
            except RuntimeError:  # an operation that cannot be batched
                self._batched = False
        rows = [self._joined(self._derivatives(gradient, one, again=True)) for one in directions]
        return torch.stack(rows)


@contextmanager
def _attention(exact: bool) -> Iterator[None]:
    """Compute attention by plain matrix products, which have second derivatives."""
    if not exact:
        yield
        return
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield


def _operations(loss: torch.Tensor) -> set[str]:
    """Return the names of the operations that autograd would go back through from a loss."""
    waiting, seen, names = [loss.grad_fn], set(), set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        names.add(node.name())
        waiting += [below for below, _ in node.next_functions]
    return names
