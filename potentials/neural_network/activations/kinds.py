"""Activations by name, their codes in compiled functions, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ACTIVATIONS", "GELU", "LOGISTIC", "ODD", "SILU", "SOFTPLUS", "TANH", "checked_activations"]

TANH, LOGISTIC, SOFTPLUS, GELU, SILU = range(5)

ACTIVATIONS = {"tanh": TANH, "logistic": LOGISTIC, "softplus": SOFTPLUS, "gelu": GELU, "silu": SILU}
"""Code of each activation: gelu is z times the normal distribution function at z, silu z times logistic(z)."""

ODD = frozenset({"tanh"})
"""Activations with f(-z) = -f(z): a unit may change the sign of all its weights."""

_KINKS = {"relu", "leaky_relu", "prelu", "relu6", "hardtanh", "hard_tanh", "abs"}


def checked_activations(activation: str | Sequence[str], layers: int) -> tuple[str, ...]:
    """Return the activation of each hidden layer.

    Parameters
    ----------
    activation : str or sequence of str
        One for all hidden layers, or one for each.
    layers : int
        Number of hidden layers.

    Raises
    ------
    ValueError
        For an unknown activation, one with kinks, or another number of activations than of layers.
    TypeError
        If an activation is no string.
    """
    if not isinstance(activation, str | Sequence):
        raise TypeError(f"activation must be a name or a sequence of names, not {activation!r}")
    given = (activation,) if isinstance(activation, str) else tuple(activation)
    for name in given:
        _check(name)
    names = given * layers if isinstance(activation, str) else given
    if len(names) != layers:
        raise ValueError(f"activation must be one name, or one for each of the {layers} hidden layers: {names}")
    return tuple(str(name) for name in names)


def _check(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"activation must be a name or a sequence of names, not {name!r}")
    if name in _KINKS:
        raise ValueError(
            f"activation={name!r} has kinks: the loss is not differentiable wherever a unit's input is zero for a "
            "training point, and its minima lie there, so that no gradient vanishes at them. "
            'Smooth and near are "softplus" and "gelu" ("silu" too)'
        )
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; it is {name!r}")
