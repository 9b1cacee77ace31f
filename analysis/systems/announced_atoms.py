"""Check of .xyz files, which say how many atoms follow."""

from __future__ import annotations

import lzma
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

__all__ = ["check_announced_atoms"]

_LONGEST_NUMBER = 1000  # characters


class _Frame(NamedTuple):
    """Number of atoms that a frame announces, and number of lines that follow."""

    announced: str
    lines: int


def check_announced_atoms(file: Path) -> None:
    """Check that an .xyz file has as many lines as it announces atoms: ASE would go on reading after its end.

    Parameters
    ----------
    file : Path
        Any file; those of other formats pass.

    Raises
    ------
    ValueError
        It announces more.
    """
    if not any(suffix.lower() in (".xyz", ".extxyz") for suffix in file.suffixes[-2:]):
        return
    from ase.io.formats import open_with_compression

    missing = None
    damage = (ValueError, EOFError, OSError, zlib.error, lzma.LZMAError)  # ASE says what else is wrong
    with suppress(*damage), open_with_compression(str(file)) as lines:
        missing = _announced_in_vain(lines)
    if missing is not None:
        raise ValueError(f"{file} announces {missing.announced} atoms, and {missing.lines} lines follow")


def _announced_in_vain(lines: IO[str]) -> _Frame | None:
    """Return the first frame whose atoms are not all there; ValueError where a number of atoms is none."""
    while first := lines.readline(_LONGEST_NUMBER).strip():
        if first.startswith("VEC"):
            continue
        announced = int(first)
        for found in range(announced + 1):  # the comment, and a line for each atom
            if not lines.readline():
                return _Frame(first if len(first) <= 20 else f"{first[:17]}...", found)
    return None
