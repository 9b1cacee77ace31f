"""Description of a system as a tree of groups, and the differences of two descriptions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from thalweg.landscapes.storage.array_spec import ArraySpec, static_array
from thalweg.landscapes.storage.schema import (
    ASE_CALCULATOR,
    ATOMS,
    CALCULATOR,
    CLASSES,
    LIMITS,
    NETWORK,
    NETWORK_ARRAYS,
    NETWORK_TARGETS,
    SUBJECT,
    SYSTEM,
    SYSTEM_ARRAYS,
    system_name_fault,
)

__all__ = [
    "Json",
    "build_description",
    "check_description",
    "description_differences",
    "flatten_description",
    "static_spec",
]

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Value that JSON has: attributes of a store."""


def flatten_description(description: Mapping[str, Any], path: str) -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """Split a nested description into attributes of groups, and arrays, both by path.

    Parameters
    ----------
    description : mapping
        Scalars, strings, lists, numpy arrays, and mappings of these.
    path : str
        The group that it becomes.

    Raises
    ------
    ValueError
        For anything that a store cannot hold, naming it.
    """
    attributes: dict[str, Any] = {}
    groups: dict[str, dict] = {path: attributes}
    arrays: dict[str, np.ndarray] = {}
    for name, value in description.items():
        fault = system_name_fault(name)
        if fault:
            raise ValueError(f"{path}: {name!r} is no name that a store can hold: {fault}")
        if isinstance(value, Mapping):
            if path.count("/") >= LIMITS["levels of nesting"]:
                raise ValueError(f"{path} is nested more than {LIMITS['levels of nesting']} levels deep")
            below_groups, below_arrays = flatten_description(value, f"{path}/{name}")
            groups |= below_groups
            arrays |= below_arrays
        elif isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf":
            arrays[f"{path}/{name}"] = value
        else:
            attributes[name] = _plain(value, f"{path}/{name}")
    return groups, arrays


def _plain(value: Any, where: str) -> Any:
    """Return the value as JSON gives it back."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{where} = {value!r} cannot be stored: use finite numbers, strings, lists and arrays ({error})"
        ) from error


def build_description(groups: Mapping[str, dict], arrays: Mapping[str, np.ndarray], path: str) -> dict[str, Any]:
    """Return the description that `flatten_description` split under ``path``."""
    description: dict[str, Any] = dict(groups[path])
    for below in groups:
        if below.rpartition("/")[0] == path:
            description[below.rpartition("/")[2]] = build_description(groups, arrays, below)
    for below, values in arrays.items():
        if below.rpartition("/")[0] == path:
            description[below.rpartition("/")[2]] = values
    return description


def check_description(description: Mapping[str, Any], n: int) -> None:
    """Check a description that was read: the parts of it that have a meaning, wherever they are.

    Parameters
    ----------
    description : mapping
        Description of the system, as `build_description` returns it.
    n : int
        Length of coordinate vectors.

    Raises
    ------
    ValueError
        Something is missing, or of another type, shape or range than the format has.
    """
    SYSTEM.check(description, "system")
    if description.get("kind") == "point":
        _check_there(description, SUBJECT, "system")
    if description.get("kind") == "atoms" or "numbers" in description:
        _check_there(description, ("kind", *SUBJECT, "numbers", "cell", "pbc"), "system")
        ATOMS.check(description, "system")
        if n % 3:
            raise ValueError(f"system is of atoms, and coordinates have {n} numbers, which is no multiple of 3")
    for name, rule in SYSTEM_ARRAYS.items():
        if name in description:
            rule.check(description[name], f"system/{name}", n=n, atoms=n // 3)
    if "calculator" not in description:
        return
    calculator, where = description["calculator"], "system/calculator"
    CALCULATOR.check(calculator, where)
    if calculator.get("ase"):
        _check_there(calculator, ("parameters",), where)
        ASE_CALCULATOR.check(calculator, where)
    if calculator["name"] == "NetworkLoss":
        NETWORK.check(calculator, where)
        _check_network(calculator, n, where)


def _check_there(held: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in names:
        if name not in held:
            raise ValueError(f"{where}/{name} is missing")


def _check_network(loss: Mapping[str, Any], n: int, where: str) -> None:
    _check_there(loss, ("inputs",), where)
    NETWORK_ARRAYS["inputs"].check(loss["inputs"], f"{where}/inputs")
    data, inputs = loss["inputs"].shape
    outputs, classes = _outputs(loss, data, where)
    for name, rule in NETWORK_ARRAYS.items():
        if loss.get(name) is not None:
            rule.check(loss[name], f"{where}/{name}", data=data, n_classes=classes)
    layers = (inputs, *loss["hidden"], outputs)
    weights = sum((below + 1) * above for below, above in itertools.pairwise(layers))
    if n != weights:
        raise ValueError(f"{where} has {weights} weights; coordinates have {n} numbers")


def _outputs(loss: Mapping[str, Any], data: int, where: str) -> tuple[int, int]:
    """Return the number of outputs of a network, and that of its classes; one output tells two classes apart."""
    crossed = loss.get("loss", "cross_entropy") == "cross_entropy"
    if crossed or "targets" not in loss:
        _check_there(loss, ("labels", "n_classes"), where)
        CLASSES.check(loss["n_classes"], f"{where}/n_classes")
        return (loss["n_classes"], loss["n_classes"]) if crossed else (1, 2)
    one, several = NETWORK_TARGETS
    targets, flat = loss["targets"], np.ndim(loss["targets"]) == 1
    (one if flat else several).check(targets, f"{where}/targets", data=data)
    outputs = 1 if flat else targets.shape[1]
    return outputs, outputs


def description_differences(stored: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return what differs between two descriptions, one line each; none where they describe the same system.

    The free entries of the coordinates ``x`` are only where a user happened to be: they do not count.
    """
    left, right = _leaves(stored), _leaves(given)
    lines = [
        f"system/{name}: stored {_short(left.get(name, 'nothing'))}, given {_short(right.get(name, 'nothing'))}"
        for name in sorted(left.keys() | right.keys())
        if name not in left or name not in right or not _same(left[name], right[name])
    ]
    return lines


def _leaves(description: Mapping[str, Any]) -> dict[str, Any]:
    groups, arrays = flatten_description(description, "")
    leaves: dict[str, Any] = {
        f"{path}/{name}".lstrip("/"): value for path, held in groups.items() for name, value in held.items()
    }
    leaves |= {path.lstrip("/"): values for path, values in arrays.items()}
    if "x" in leaves and "frozen" in leaves:
        leaves["x"] = leaves["x"][np.asarray(leaves["frozen"], dtype=np.int64)]
    return leaves


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())
    return bool(a == b)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"an array {value.shape} beginning {value.ravel()[:3].tolist()}"
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


def static_spec(path: str, values: np.ndarray) -> ArraySpec:
    """Return the array, one chunk and never growing, that holds ``values``."""
    return static_array(path, values.dtype, values.shape)
