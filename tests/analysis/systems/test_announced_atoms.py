"""Files of atoms that announce more atoms than follow: refused at once, by name."""

from __future__ import annotations

import gzip

import pytest
from ase import Atoms
from ase.io import read, write

from thalweg.analysis.systems.announced_atoms import check_announced_atoms

ATOM = "Ar 0 0 0\n"


@pytest.mark.parametrize(
    ("content", "announced", "lines"),
    [
        (f"999999999999\n\n{ATOM}", 999999999999, 2),
        ("3", 3, 0),
        ("9" * 5000, f"{'9' * 17}...", 1),
        ("2\ncomment\n", 2, 1),
        (f"1\n\n{ATOM}1000000\n\n{ATOM}", 1000000, 2),
        (f"1\n\n{ATOM}VEC1 1 0 0\nVEC2 0 1 0\n5\n\n{ATOM}", 5, 2),
    ],
)
@pytest.mark.parametrize("name", ["a.xyz", "a.extxyz", "A.XYZ", "a.xyz.gz"])
def test_more_atoms_than_lines_are_refused(tmp_path, name, content, announced, lines):
    file = tmp_path / name
    file.write_bytes(gzip.compress(content.encode()) if name.endswith("gz") else content.encode())
    with pytest.raises(ValueError, match=rf"{name} announces {announced} atoms, and {lines} lines follow"):
        check_announced_atoms(file)


@pytest.mark.parametrize("content", ["", "\n", "argon\n", "-3\n\n", "1.5\n\n" + ATOM, "\xff\xfe"])
def test_what_is_wrong_otherwise_is_left_to_ase(tmp_path, content):
    file = tmp_path / "a.xyz"
    file.write_bytes(content.encode("latin-1"))
    check_announced_atoms(file)


def test_other_formats_and_files_that_are_right_pass(tmp_path):
    frames = [Atoms("Ar3", positions=[[0, 0, k], [1, 0, 0], [0, 1, 0]], cell=[9, 9, 9]) for k in range(1, 4)]
    for name in ("a.xyz", "a.extxyz", "a.xyz.gz", "a.traj", "POSCAR"):
        file = tmp_path / name
        write(file, frames if name != "POSCAR" else frames[0])
        check_announced_atoms(file)
        assert len(read(file)) == 3
