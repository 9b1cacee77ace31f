"""Stores that commands about predictions cannot read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["check_network_store"]


def check_network_store(landscape: Landscape, what: str) -> None:
    """Raise TypeError unless a store is that of a NetworkLoss; nothing is built or run.

    Parameters
    ----------
    landscape : Landscape
    what : str
        What the command computes, such as "predictions".
    """
    calculator = landscape._store.description().get("calculator")
    name = calculator.get("name") if isinstance(calculator, Mapping) else None
    if name != "NetworkLoss":
        held = printable(str(name or "another potential"))
        said = (
            f"{landscape.path}: minima of {held} have no {what}: only stores of a NetworkLoss do, which hold its data"
        )
        if held in ("TorchLoss", "JaxLoss"):
            said += ". A model of PyTorch or JAX predicts by itself with the weights of a minimum: point.calc.unpack(x)"
        raise TypeError(said)
