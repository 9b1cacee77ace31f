"""Modules of PyTorch whose loss in training mode is random, or depends on how its data are put into batches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["refuse_randomness"]


def refuse_randomness(module: nn.Module, inputs: torch.Tensor) -> None:
    """Raise ValueError unless a module gives the same outputs each time, and the same in both modes.

    In training mode dropout is random and batch normalisation depends on the batch: the user is to say that the loss
    in evaluation mode is meant.

    Parameters
    ----------
    module : torch.nn.Module
        As the user has it, in either mode.
    inputs : torch.Tensor
    """
    named = _changed_by_training(module)
    if named is not None:
        raise ValueError(
            f"the module is in training mode, where {named}: its loss is not a fixed function of the parameters. Call "
            "module.eval() first, which turns dropout off and makes batch normalisation use its running means"
        )
    tried = copy.deepcopy(module).cpu().double()
    first, second = _outputs(tried, inputs), _outputs(tried, inputs)
    if tried.training and not _equal(first, _outputs(tried.eval(), inputs)):
        raise ValueError(
            "the module is in training mode and computes something else there than in evaluation mode (dropout, for "
            "instance): its loss is not a fixed function of the parameters. Call module.eval() first"
        )
    if not _equal(first, second):
        raise ValueError(
            "the module gives other outputs each time: its loss is not a fixed function of the parameters. Leave out "
            "what is random, such as torch.nn.functional.dropout without training=self.training"
        )


def _changed_by_training(module: nn.Module) -> str | None:
    """Return what training mode changes, in words; None where no part in training mode is known to change."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.dropout import _DropoutNd

    for part in module.modules():
        name = type(part).__name__
        if not part.training:
            continue
        if isinstance(part, _BatchNorm):
            return f"{name} normalises by the means of the batch"
        share = part.p if isinstance(part, _DropoutNd) else 0.0
        if isinstance(part, nn.RNNBase | nn.MultiheadAttention):
            share = float(part.dropout)
        if share > 0:
            return f"{name} drops a share of {share:g} at random"
    return None


def _outputs(module: nn.Module, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return the tensors among what a module returns."""
    import torch

    with torch.no_grad():
        returned = module(inputs)
    return [one for one in (returned if isinstance(returned, tuple | list) else [returned]) if torch.is_tensor(one)]


def _equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    """Return whether outputs agree but for rounding."""
    import torch

    return all(
        torch.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True) for one, other in zip(a, b, strict=True)
    )
