"""Data on which commands score a network: the testing data of its name, its training data, or those of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.potentials.protocols import LabelledData

if TYPE_CHECKING:
    from thalweg.analysis.systems.exploration_target import Explored
    from thalweg.datasets import Scaling
    from thalweg.landscapes import Landscape

__all__ = [
    "ChosenData", "chosen_data", "class_names", "explored_with", "input_names", "input_scaling", "reference_of",
    "true_training_labels",
]  # fmt: skip


class ChosenData(NamedTuple):
    """Data and their name, as in "the testing data"."""

    name: str
    data: LabelledData


class _FileData(NamedTuple):
    """Arrays of an .npz file: inputs (N, n_in), labels (N,), and which labels are wrong (N,) where known."""

    inputs: np.ndarray
    labels: np.ndarray
    mislabelled: np.ndarray | None


def explored_with(landscape: Landscape) -> dict[str, Any]:
    """Return the system and options that ``thalweg explore`` was given; empty where a script made the store."""
    return dict(landscape.state.get("explore") or {})


def chosen_data(landscape: Landscape, on: str | None, file: Path | None) -> ChosenData:
    """Return the data that the options of a command name.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a network.
    on : {"test", "train"} or None
        Testing or training data; by default the testing data where they are known.
    file : Path or None
        An .npz file with ``inputs`` and ``labels``, and ``mislabelled`` where known, or a table with the columns of
        the training data. Names of classes become the network's, and inputs are scaled as the training data were.

    Raises
    ------
    ValueError, OSError
        If both are given, the file is not of that kind, or the testing data are not known.
    """
    if file is not None:
        if on is not None:
            raise ValueError("--on and --data both choose the data: give one of them")
        return ChosenData(f"the data of {file}", _from_file(file, explored_with(landscape)))
    plan = explored_with(landscape)
    if on == "train" or (on is None and not plan):
        return ChosenData("the training data", landscape.system.potential)
    if not plan:
        raise ValueError(f"{landscape.path} does not say which its testing data are: give --data FILE.npz")
    test = _built(
        landscape, errors=0.0
    ).test  # which labels are wrong does not matter here, and may take a while to say
    if test is None:
        raise ValueError(f"{landscape.path}: {plan['system']} has no testing data: give --data FILE.npz")
    return ChosenData("the testing data", test)


def _built(landscape: Landscape, **other: Any) -> Explored:
    """Build the system of a store again, with other options where given.

    A file of data is looked for where it was when the landscape was explored, and beside the store.

    Raises
    ------
    ValueError
        If its file of data has changed since.
    """
    from thalweg.analysis.systems.named import build, data_file, network_defaults

    plan = explored_with(landscape)
    name = plan["system"]
    # nothing else has data, and a store does not choose what is built
    if name is None or network_defaults(name) is None:
        raise ValueError(f"{name} has no testing data: give --data FILE.npz")
    file = data_file(name)
    beside = None if file is None or not isinstance(landscape.path, Path) else landscape.path.parent / file
    if file is not None and not file.exists():
        if beside is None or not beside.exists():
            raise FileNotFoundError(
                f"there is no file {file} here, nor beside the store: give the data with --data FILE"
            )
        name = str(beside)
    built = build(name, {**plan["options"], **other})
    before = _training(landscape).get("sha256")
    if file is not None and before != built.data["training"]["sha256"]:
        raise ValueError(f"{name} has changed since the landscape was explored: give the data with --data FILE")
    return built


def _from_file(file: Path, plan: Mapping[str, Any]) -> _FileData:
    """Return the data of a file as the network takes them."""
    from thalweg.datasets import Scaling

    training = plan.get("data", {}).get("training", {})
    if file.suffix.lower() in (".csv", ".tsv", ".parquet"):
        data = _from_table(file, plan.get("options", {}), training)
    else:
        data = _from_arrays(file)
        names = training.get("classes", ())
        if names and data.labels.dtype.kind in "US":
            data = data._replace(labels=_codes(file, data.labels, names))
    if "scaling" not in training:
        return data
    return data._replace(inputs=Scaling.described(training["scaling"]).inputs(data.inputs))


def _from_table(file: Path, options: Mapping[str, Any], training: Mapping[str, Any]) -> _FileData:
    from thalweg.datasets import read_dataset

    if not options.get("target") or not training.keys() >= {"inputs", "classes"}:
        raise ValueError(f"{file}: the network was not trained on a table; give an .npz file of inputs and labels")
    data = read_dataset(file, options["target"], training["inputs"])
    labels = np.array(data.identity["classes"])[data.labels]
    return _FileData(data.inputs, _codes(file, labels, training["classes"]), None)


def _codes(file: Path, labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the network's numbers of classes by their names."""
    numbers = {str(name): code for code, name in enumerate(names)}
    unknown = next((label for label in labels.astype(str).tolist() if label not in numbers), None)
    if unknown is not None:
        raise ValueError(f"{file}: there is no class {unknown!r}; the network knows {', '.join(numbers)}")
    return np.array([numbers[label] for label in labels.astype(str).tolist()], dtype=np.int64)


def _from_arrays(file: Path) -> _FileData:
    try:
        with np.load(file) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, AttributeError, TypeError) as error:
        raise ValueError(f"{file} is no .npz file of arrays: {error}") from error
    missing = [name for name in ("inputs", "labels") if name not in held]
    if missing:
        raise ValueError(f"{file} has no array {' or '.join(missing)}; it has {', '.join(held) or 'none'}")
    return _FileData(held["inputs"], held["labels"], held.get("mislabelled"))


def true_training_labels(landscape: Landscape) -> np.ndarray | None:
    """Return the training labels before some were made wrong; None where the store does not say."""
    plan = explored_with(landscape)
    if not plan:
        return None
    calculator = _built(landscape, errors=0.0).subject.calc
    return np.asarray(calculator.labels) if isinstance(calculator, LabelledData) else None


def reference_of(landscape: Landscape, given: str | None) -> int | str:
    """Return the class that AUC tells from the rest: the given number or name, or the default of the data."""
    if given is not None:
        names = class_names(landscape) or []
        if given in names:
            return names.index(given)
        if not given.isdigit() and given != "macro":
            known = f"the name or number of a class ({', '.join(names)})" if names else "the number of a class"
            raise ValueError(f'--reference is {given!r}; {known} or "macro" is needed')
        classes = landscape.system.potential.n_classes
        if given.isdigit() and int(given) >= classes:
            raise ValueError(f"--reference is {given}; classes run from 0 to {classes - 1}")
        return int(given) if given.isdigit() else given
    from thalweg.analysis.systems.named import network_defaults

    network = network_defaults(explored_with(landscape).get("system") or "")
    return 0 if network is None else network.reference


def _training(landscape: Landscape) -> Mapping[str, Any]:
    """Return what the store says of its training data."""
    return explored_with(landscape).get("data", {}).get("training", {})


def input_names(landscape: Landscape) -> list[str] | None:
    """Return the names of the inputs, where the store has them."""
    names = _training(landscape).get("inputs")
    return list(names) if names and len(names) == landscape.system.potential.layers[0] else None


def class_names(landscape: Landscape) -> list[str] | None:
    """Return the names of the classes, where the store has others than their numbers."""
    names = [str(name) for name in _training(landscape).get("classes") or ()]
    numbers = [str(k) for k in range(landscape.system.potential.n_classes)]
    return names if len(names) == len(numbers) and names != numbers else None


def input_scaling(landscape: Landscape) -> Scaling | None:
    """Return the scaling of the inputs, where they were scaled."""
    from thalweg.datasets import Scaling

    described = _training(landscape).get("scaling")
    return None if described is None else Scaling.described(described)
