"""Databases in the format of PATHSAMPLE: min.data, ts.data, and the sets min.A and min.B."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["number_table", "read_pathsample"]

_LARGEST_ORDER = float(np.nextafter(2.0**63, 0))


def number_table(path: Path, text: str, columns: int) -> np.ndarray:
    """Return the numbers in a text, one row a line, (lines, ...); (0, columns) where it is empty.

    Parameters
    ----------
    path : Path
        Named in the error.
    text : str
        What the file holds.
    columns : int
        Number of columns of an empty table.

    Raises
    ------
    ValueError
        If something is no number, or rows have different lengths.
    """
    if not text.strip():
        return np.empty((0, columns))
    try:
        return np.loadtxt(io.StringIO(text), ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _table(path: Path, columns: int) -> np.ndarray:
    """Return the numbers of a file, one row a line; Fortran's D exponents are understood."""
    table = number_table(path, path.read_text().replace("D", "E").replace("d", "e"), columns)
    if table.shape[1] < columns:
        raise ValueError(f"{path} has {table.shape[1]} numbers a line; at least {columns} are needed")
    return table


def _whole(path: Path, values: np.ndarray, what: str, low: int, high: float) -> np.ndarray:
    """Return one-based numbers as int64 after checking that they are whole and in range."""
    wrong = ~((values == np.round(values)) & (values >= low) & (values <= high))
    if wrong.any():
        line = int(np.flatnonzero(wrong.reshape(len(values), -1).any(axis=1))[0])
        raise ValueError(
            f"{path}, line {line + 1}: {what} is {values[line]}; whole numbers from {low} to {high:g} exist"
        )
    return values.astype(np.int64)


def _orders(path: Path, values: np.ndarray) -> np.ndarray:
    """Return symmetry orders; one beyond 64 bits is refused, since it would wrap around."""
    return _whole(path, values, "the order", 1, _LARGEST_ORDER)


def _read_set(path: Path, n: int) -> np.ndarray:
    """Return the zero-based minima listed in a min.A or min.B file."""
    tokens = path.read_text().split()
    try:
        count, *members = [int(token) for token in tokens]
    except ValueError:
        raise ValueError(f"{path} must hold how many minima there are, then their numbers") from None
    if len(members) != count:
        raise ValueError(f"{path} announces {count} minima and lists {len(members)}")
    return _whole(path, np.array(members, dtype=np.float64), "minimum", 1, n) - 1


def read_pathsample(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a PATHSAMPLE folder into the arguments of :class:`~thalweg.analysis.KineticTransitionNetwork`.

    Parameters
    ----------
    folder : path
        Holds ``min.data`` (energy, lnprod, order, Ix, Iy, Iz), ``ts.data`` (energy, lnprod, order, min1, min2,
        Ix, Iy, Iz), and ``min.A``, ``min.B`` or neither. The files count minima from 1, the result from 0.

    Returns
    -------
    dict
        ``energies``, ``ts_energies``, ``ts_minima``, ``log_eigenvalue_product``, ``symmetry_order`` and the same
        with ``ts_``, ``groups`` with "A" and "B" where present, and principal moments of inertia in
        ``properties["moments_of_inertia"]`` (n, 3) and ``ts_properties``, where the files have them.

    Raises
    ------
    FileNotFoundError
        If ``min.data`` or ``ts.data`` is missing.
    ValueError
        If a file cannot be understood; it is named.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, read_pathsample
    >>> two = KineticTransitionNetwork(
    ...     [0.0, 1.0], [2.0], [[0, 1]], log_eigenvalue_product=[3.0, 4.0], ts_log_eigenvalue_product=[5.0]
    ... )
    >>> two.to_pathsample("written")
    >>> arguments = read_pathsample("written")
    >>> arguments["energies"].tolist(), arguments["ts_minima"].tolist()
    ([0.0, 1.0], [[0, 1]])
    """
    folder = Path(folder)
    for name in ("min.data", "ts.data"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name} is missing: a PATHSAMPLE folder has min.data and ts.data")
    minima, saddles = _table(folder / "min.data", 3), _table(folder / "ts.data", 5)
    ends = _whole(folder / "ts.data", saddles[:, 3:5], "the pair of minima", 1, len(minima)) - 1
    arguments: dict[str, Any] = {
        "energies": minima[:, 0],
        "log_eigenvalue_product": minima[:, 1],
        "symmetry_order": _orders(folder / "min.data", minima[:, 2]),
        "ts_energies": saddles[:, 0],
        "ts_minima": ends,
        "ts_log_eigenvalue_product": saddles[:, 1],
        "ts_symmetry_order": _orders(folder / "ts.data", saddles[:, 2]),
        "groups": {s: _read_set(folder / f"min.{s}", len(minima)) for s in "AB" if (folder / f"min.{s}").is_file()},
    }
    if minima.shape[1] >= 6:
        arguments["properties"] = {"moments_of_inertia": minima[:, 3:6]}
    if saddles.shape[1] >= 8:
        arguments["ts_properties"] = {"moments_of_inertia": saddles[:, 5:8]}
    return arguments
