"""Which data a command scores a network on: those of its store's name, those it was trained on, or a file's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

__all__ = ["ChosenData", "chosen_data", "explored_with", "input_names", "reference_of", "true_training_labels"]


class ChosenData(NamedTuple):
    """Data, and what they are called."""

    name: str
    data: Any


def explored_with(landscape: Any) -> dict[str, Any]:
    """Return what ``thalweg explore`` was asked for; empty where a script made the store."""
    return dict(landscape.state.get("explore") or {})


def chosen_data(landscape: Any, on: str | None, file: Path | None) -> ChosenData:
    """Return the data that were asked for.

    Parameters
    ----------
    landscape : Landscape
        Of a network.
    on : {"test", "train"} or None
        The testing data by default where they are known.
    file : Path or None
        An .npz file with ``inputs`` and ``labels``, and ``mislabelled`` where known.

    Raises
    ------
    ValueError, OSError
        If both are given, the file is none, or the testing data are not known.
    """
    if file is not None:
        if on is not None:
            raise ValueError("--on and --data both say on which data: give one of them")
        return ChosenData(f"the data of {file}", _from_file(file))
    plan = explored_with(landscape)
    if on == "train" or (on is None and not plan):
        return ChosenData("the training data", landscape.system.potential)
    if not plan:
        raise ValueError(f"{landscape.path} does not say which its testing data are: give --data FILE.npz")
    return ChosenData("the testing data", _built(plan).test)


def _built(plan: dict[str, Any], **other: Any) -> Any:
    from thalweg.analysis.systems.named import build

    return build(plan["system"], {**plan["options"], **other})


def _from_file(file: Path) -> Any:
    try:
        with np.load(file) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, AttributeError, TypeError) as error:
        raise ValueError(f"{file} is no .npz file of arrays: {error}") from error
    missing = [name for name in ("inputs", "labels") if name not in held]
    if missing:
        raise ValueError(f"{file} has no array {' or '.join(missing)}; it has {', '.join(held) or 'none'}")
    return SimpleNamespace(**{name: held.get(name) for name in ("inputs", "labels", "mislabelled")})


def true_training_labels(landscape: Any) -> np.ndarray | None:
    """Return the training labels as they were before some were made wrong; None where nothing says."""
    plan = explored_with(landscape)
    return _built(plan, errors=0.0).subject.calc.labels if plan else None


def reference_of(landscape: Any, given: str | None) -> int | str:
    """Return the class of AUC: the one given, or what suits the data."""
    if given is not None:
        return int(given) if given.isdigit() else given
    from thalweg.analysis.systems.named import NETWORKS

    plan = explored_with(landscape)
    return NETWORKS[plan["system"]].reference if plan.get("system") in NETWORKS else 0


def input_names(landscape: Any) -> list[str] | None:
    """Return what the inputs are called, where the store says."""
    names = explored_with(landscape).get("data", {}).get("training", {}).get("inputs")
    return list(names) if names and len(names) == landscape.system.potential.layers[0] else None
