"""Stationary points in OPTIM's file path.info."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from thalweg.analysis.programs.foreign_points import ForeignPoints, rows_of_numbers

__all__ = ["read_path_info"]

# The line after the energy: order and symbol of the point group
_GROUP = re.compile(r"\s*\d+\s+[A-Za-z][A-Za-z0-9 ]*\s*$")


def read_path_info(path: Path, n: int) -> ForeignPoints:
    """Read minima and transition states from path.info.

    The file has blocks of an energy, order and symbol of the point group, eigenvalues (unless OPTIM was told not to
    compute them) and coordinates. They are triples of a minimum, a transition state and a minimum, or a chain in which
    minima and transition states alternate; energies tell which.

    Parameters
    ----------
    path : Path
        The file, or a folder that has it.
    n : int
        Number of coordinates of a point.

    Returns
    -------
    ForeignPoints
        Minima as often as they are in the file.

    Raises
    ------
    ValueError
        If the file cannot be understood; OSError if it cannot be read.
    """
    path = path / "path.info" if path.is_dir() else path
    lines = path.read_text(errors="replace").splitlines()
    heads = [k - 1 for k in range(1, len(lines)) if _GROUP.match(lines[k])]
    if not heads or heads[0] != 0:
        raise ValueError(f"{path} is no path.info: it must begin with an energy and a line such as '1 C1'")
    energies, points = [], []
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        energies += _numbers(path, lines, head, head + 1)
        values = _numbers(path, lines, head + 2, end)
        if len(values) not in (n, 2 * n):
            raise ValueError(
                f"{path}, line {head + 1}: a point has {len(values)} numbers; the system has {n} coordinates, and "
                f"{2 * n} numbers with eigenvalues"
            )
        points.append(values[-n:])
    middles, ends = _kinds(path, np.array(energies))
    coordinates = rows_of_numbers(points, n)
    minima = np.setdiff1d(np.arange(len(points)), middles)
    return ForeignPoints(coordinates[minima], coordinates[middles], np.searchsorted(minima, ends).reshape(-1, 2))


def _numbers(path: Path, lines: list[str], first: int, last: int) -> list[float]:
    values = []
    for k in range(first, last):
        try:
            values += [float(word.replace("D", "E").replace("d", "e")) for word in lines[k].split()]
        except ValueError:
            raise ValueError(f"{path}, line {k + 1}: {lines[k].strip()[:60]!r} are no numbers") from None
    return values


def _kinds(path: Path, energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of transition states, and those of the minima beside each."""
    count = len(energies)
    triples, chain = np.arange(1, count, 3), np.arange(1, count, 2)
    for middles, whole in ((triples, count % 3 == 0), (chain, count % 2 == 1)):
        if whole and (energies[middles] >= np.maximum(energies[middles - 1], energies[middles + 1]) - 1e-8).all():
            return middles, np.column_stack([middles - 1, middles + 1])
    raise ValueError(
        f"{path} has {count} points; neither triples of minimum, transition state and minimum nor a chain of these "
        "has its transition states above their minima"
    )
