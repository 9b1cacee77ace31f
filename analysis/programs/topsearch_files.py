"""Stationary points in the text files that TopSearch writes: min.data, min.coords, ts.data, ts.coords."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.networks.pathsample import number_table
from thalweg.analysis.programs.foreign_points import ForeignPoints

__all__ = ["is_topsearch", "read_topsearch"]


def is_topsearch(folder: Path) -> bool:
    """Say whether a folder has TopSearch's files, which PATHSAMPLE's are not, though two have the same names."""
    return (folder / "min.coords").is_file() and (folder / "min.data").is_file()


def read_topsearch(folder: Path, n: int) -> ForeignPoints:
    """Read a network that TopSearch's ``dump_network`` has written.

    Parameters
    ----------
    folder : Path
        It has min.data (number and energy of each minimum), min.coords, ts.data (numbers of both minima and energy of
        each transition state) and ts.coords. Energies have five decimals there: they are computed anew.
    n : int
        Number of coordinates of a point.

    Raises
    ------
    ValueError
        If a file cannot be understood; it is named. OSError if one cannot be read.
    """
    minima, coordinates = _table(folder / "min.data", 2), _table(folder / "min.coords", n)
    states, points = _table(folder / "ts.data", 3), _table(folder / "ts.coords", n)
    for name, data, rows in (("min", minima, coordinates), ("ts", states, points)):
        if len(data) != len(rows):
            raise ValueError(f"{folder / f'{name}.coords'} has {len(rows)} points, {name}.data has {len(data)}")
    numbers = {number: row for row, number in enumerate(minima[:, 0].tolist())}
    if len(numbers) != len(minima):
        raise ValueError(f"{folder / 'min.data'} has two minima of one number")
    try:
        ends = [[numbers[a], numbers[b]] for a, b in states[:, :2].tolist()]
    except KeyError as error:
        raise ValueError(f"{folder / 'ts.data'}: there is no minimum {error.args[0]:g} in min.data") from None
    return ForeignPoints(coordinates, points, np.array(ends, dtype=np.int64).reshape(-1, 2))


def _table(path: Path, columns: int) -> NDArray[np.float64]:
    table = number_table(path, path.read_text(errors="replace"), columns)
    if table.shape[1] != columns:
        raise ValueError(f"{path} has {table.shape[1]} numbers a line; {columns} are needed")
    return table
