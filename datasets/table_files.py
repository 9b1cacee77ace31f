"""Data of one's own from a file: a table as CSV, TSV or Parquet, or arrays as .npz."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.datasets.labelled_data import Dataset

__all__ = ["TABLES", "read_dataset"]

_MOST_CLASSES = 1000


def read_dataset(
    path: str | os.PathLike[str], target: str | None = None, inputs: Sequence[str] | None = None
) -> Dataset:
    """Read labelled data of one's own from a file.

    Parameters
    ----------
    path : path
        A table with a line of column names, as .csv (separated by commas, semicolons or tabs), .tsv or .parquet (read
        by pyarrow), or an .npz file with an array of inputs (n, d), named ``inputs`` or ``X``, and one of labels
        (n,), named ``labels`` or ``y``. A CSV file without names has columns named "0", "1" and so on.
    target : str, optional
        Column, or array of an .npz file, that holds the labels: names or whole numbers. A table needs it.
    inputs : sequence of str, optional
        Columns of a table that are inputs; all but the target by default.

    Returns
    -------
    Dataset
        Classes are numbered in sorted order; ``identity`` has their names as ``classes``, the names of the inputs as
        ``inputs``, and the SHA-256 digest of the file.

    Raises
    ------
    ValueError
        If the file is of another kind or damaged, a column is missing, an input is not a finite number (the message
        names line and column), or the target is no class.
    FileNotFoundError
        If there is no such file.
    ImportError
        If a .parquet file is to be read and pyarrow is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from thalweg.datasets import read_dataset
    >>> done = Path("flowers.csv").write_text("length,width,species\\n1.4,0.2,setosa\\n4.7,1.4,versicolor\\n")
    >>> read_dataset("flowers.csv", target="species")
    Dataset(flowers.csv: 2 points, 2 inputs, 2 classes, 0 mislabelled)
    """
    file = Path(path)
    read = TABLES.get(file.suffix.lower())
    if read is None:
        raise ValueError(f"{file}: data are read from {', '.join(TABLES)} files, not from {file.suffix or 'others'!r}")
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {file}") from None
    try:
        names, values, labels = read(content, target, inputs)
        classes, codes = _classes(labels)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    identity = {"name": file.name, "sha256": hashlib.sha256(content).hexdigest(), "inputs": names, "classes": classes}
    return Dataset(values, codes, n_classes=len(classes), identity=identity)


_Content = tuple[list[str], NDArray[np.float64], NDArray[Any]]


def _read_csv(content: bytes, target: str | None, inputs: Sequence[str] | None, separators: str = ",;\t") -> _Content:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8 ({error.reason} at byte {error.start})") from error
    first = text.partition("\n")[0]
    separator = max(separators, key=first.count)
    try:
        rows = [(number, row) for number, row in _numbered(text, separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"it is no table ({error})") from error
    if not rows:
        raise ValueError("it is empty")
    names, rows = _names(rows, target)
    wrong = next(((number, row) for number, row in rows if len(row) != len(names)), None)
    if wrong:
        raise ValueError(f"line {wrong[0]} has {len(wrong[1])} cells, the first line {len(names)}")
    columns = {name: [row[at].strip() for _, row in rows] for at, name in enumerate(names)}
    lines = [number for number, _ in rows]
    return _from_columns(columns, target, inputs, lambda column, row: f"line {lines[row]}, column {column!r}")


def _numbered(text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    return [(reader.line_num, row) for row in reader]


def _names(rows: list[tuple[int, list[str]]], target: str | None) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns and the rows below; numbers are no names unless the target is beside them."""
    first = [cell.strip() for cell in rows[0][1]]
    if target not in first and any(_is_number(cell) for cell in first):
        return [str(at) for at in range(len(first))], rows
    double = next((name for name in first if first.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"two columns are named {double!r}")
    return first, rows[1:]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_parquet(content: bytes, target: str | None, inputs: Sequence[str] | None) -> _Content:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("a .parquet file is read by pyarrow: pip install 'thalweg[tables]'") from error
    from pyarrow import ArrowException

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(content))
        columns = {str(name): table.column(name).to_pylist() for name in table.column_names}
    except (ArrowException, OSError) as error:
        raise ValueError(f"it is no Parquet file ({error})") from error
    return _from_columns(columns, target, inputs, lambda column, row: f"row {row}, column {column!r}")


def _from_columns(
    columns: Mapping[str, list[Any]],
    target: str | None,
    inputs: Sequence[str] | None,
    where: Callable[[str, int], str],
) -> _Content:
    """Return the inputs and labels of a table whose columns are lists of cells."""
    if target is None:
        raise ValueError(f"name the column of the labels as target (--target); there are {_listed(columns)}")
    chosen = [name for name in columns if name != target] if inputs is None else list(inputs)
    missing = [name for name in (target, *chosen) if name not in columns]
    if missing:
        raise ValueError(f"there is no column {missing[0]!r}; there are {_listed(columns)}")
    if target in chosen:
        raise ValueError(f"column {target!r} is the target: it cannot be an input as well")
    if not chosen:
        raise ValueError("there are no inputs beside the target")
    values = np.empty((len(columns[target]), len(chosen)))
    for at, name in enumerate(chosen):
        for row, cell in enumerate(columns[name]):
            values[row, at] = _number(cell, lambda name=name, row=row: where(name, row))  # type: ignore[misc]
    labels = columns[target]
    empty = next((row for row, label in enumerate(labels) if label is None or label == ""), None)
    if empty is not None:
        raise ValueError(f"{where(target, empty)} is empty: leave points without a label out")
    return chosen, values, np.array([str(label) for label in labels])


def _number(cell: Any, where: Callable[[], str]) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        shown = "empty" if cell is None or cell == "" else repr(cell)
        raise ValueError(
            f"{where()} is {shown}: inputs are numbers; encode text as numbers, leave such lines out, or choose the "
            "columns that are inputs"
        ) from None
    if not np.isfinite(number):
        raise ValueError(f"{where()} is {number}: inputs must be finite; leave such lines out or fill them in")
    return number


def _read_npz(content: bytes, target: str | None, inputs: Sequence[str] | None) -> _Content:
    if inputs is not None:
        raise ValueError("columns are chosen by name in a table; an .npz file has an array of inputs")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, OSError, MemoryError) as error:
        raise ValueError(f"it is no .npz file of plain arrays ({error})") from error
    x, y = (
        _array(held, ("inputs", "X"), "inputs"),
        _array(held, ("labels", "y") if target is None else (target,), "labels"),
    )
    if x.ndim != 2 or not x.shape[1] or x.dtype.kind not in "biuf":
        raise ValueError(f"the inputs must be numbers of shape (n, d); they are {x.dtype} of shape {x.shape}")
    if y.shape != (len(x),):
        raise ValueError(f"the labels must have shape ({len(x)},), one for each row of inputs; they have {y.shape}")
    bad = np.argwhere(~np.isfinite(x.astype(np.float64)))
    if len(bad):
        raise ValueError(
            f"row {bad[0][0]}, column {bad[0][1]} of the inputs is {x[tuple(bad[0])]}: they must be finite"
        )
    return [str(at) for at in range(x.shape[1])], x.astype(np.float64), y


def _array(held: Mapping[str, NDArray[Any]], names: Sequence[str], what: str) -> NDArray[Any]:
    for name in names:
        if name in held:
            return held[name]
    raise ValueError(f"it has no array {' or '.join(map(repr, names))} of {what}; there are {_listed(held)}")


def _classes(labels: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Return names of classes and a number for each label; numbers are sorted as numbers."""
    if not len(labels):
        raise ValueError("it has no points")
    try:
        numbers = labels.astype(np.float64)
    except ValueError:
        numbers = None
    if numbers is not None:
        if not (np.isfinite(numbers) & (numbers == np.round(numbers))).all():
            fraction = numbers[numbers != np.round(numbers)][0]
            raise ValueError(f"the target holds {fraction}: classes are names or whole numbers")
        labels = numbers.astype(np.int64)
    found, codes = np.unique(labels, return_inverse=True)
    if len(found) < 2:
        raise ValueError(f"all labels are {found[0]!s}: there must be two classes at least")
    if len(found) > _MOST_CLASSES:
        raise ValueError(f"the target has {len(found)} different values; at most {_MOST_CLASSES} classes are possible")
    return [str(one) for one in found], codes.astype(np.int64)


def _listed(names: Mapping[str, Any]) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "") if shown else "none"


TABLES: dict[str, Callable[[bytes, str | None, Sequence[str] | None], _Content]] = {
    ".csv": _read_csv,
    ".tsv": lambda content, target, inputs: _read_csv(content, target, inputs, "\t"),
    ".npz": _read_npz,
    ".parquet": _read_parquet,
}
"""Function that reads each kind of file, by the end of its name."""
