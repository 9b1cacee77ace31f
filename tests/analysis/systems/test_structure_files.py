"""Structures from files: frames, names with an @, and constraints of the formats that keep them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from tests.helpers import finished
from thalweg.analysis.systems.structure_files import StructureOptions, file_of, read_structure
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point, as_system

EMT = StructureOptions(calculator="emt")
CU3 = [[0, 0, 0], [2.3, 0, 0], [1.1, 2, 0]]


def frames():
    return [Atoms("Cu3", np.array(CU3) * scale) for scale in (1.0, 1.1, 1.2)]


def test_frames_of_a_file(tmp_path):
    write(tmp_path / "a.xyz", frames())
    for name, x in (("a.xyz", 2.76), ("a.xyz@0", 2.3), ("a.xyz@-2", 2.53)):
        assert read_structure(str(tmp_path / name), EMT).positions[1, 0] == pytest.approx(x)
    with pytest.raises(ValueError, match="means several structures: name one of them, such as"):
        read_structure(str(tmp_path / "a.xyz@:"), EMT)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_structure(str(tmp_path / "b.xyz@1"), EMT)


@pytest.mark.parametrize("folder", ["user@host", "a@3", "@", "x@"])
def test_folders_with_an_at_sign(tmp_path, folder):
    (tmp_path / folder).mkdir()
    write(tmp_path / "a.xyz", frames())
    (tmp_path / "a.xyz").rename(tmp_path / folder / "a.xyz")
    path = str(tmp_path / folder / "a.xyz")
    assert str(file_of(path)) == path
    assert read_structure(path, EMT).positions[1, 0] == pytest.approx(2.76)
    assert read_structure(f"{path}@1", EMT).positions[1, 0] == pytest.approx(2.53)


def test_a_file_with_an_at_sign(tmp_path):
    write(tmp_path / "a.xyz", frames())
    (tmp_path / "a.xyz").rename(tmp_path / "a@1.xyz")
    assert read_structure(str(tmp_path / "a@1.xyz"), EMT).positions[1, 0] == pytest.approx(2.76)
    assert read_structure(str(tmp_path / "a@1.xyz@0"), EMT).positions[1, 0] == pytest.approx(2.3)


def test_the_command_reads_from_such_a_folder(tmp_path, monkeypatch):
    (tmp_path / "user@host").mkdir()
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.xyz", frames()[0])
    (tmp_path / "a.xyz").rename(tmp_path / "user@host" / "a.xyz")
    words = "explore user@host/a.xyz --calculator emt --output a.zarr --steps 2 --searches 0"
    assert "Cu3" in finished(*words.split())
    assert len(Landscape.open(tmp_path / "a.zarr").minima) == 1


def test_selective_dynamics_of_a_poscar(tmp_path):
    head = "Cu4\n1.0\n10 0 0\n0 10 0\n{} 0 10\nCu\n4\nSelective dynamics\nCartesian\n"
    lines = "1 1 1 F F F\n3.4 1 1 T T F\n2.2 3 1 T T T\n2.2 1.7 3 T T T\n"
    (tmp_path / "POSCAR").write_text(head.format(0) + lines)
    system = as_system(read_structure(str(tmp_path / "POSCAR"), EMT))
    assert system.frozen.tolist() == [0, 1, 2, 5]
    assert system.constraints is None
    # the second atom moves along the cell vectors a and b all the same, where c is oblique; the first stays
    (tmp_path / "POSCAR").write_text(head.format(2) + lines.replace("T T F", "F T T"))
    system = as_system(read_structure(str(tmp_path / "POSCAR"), EMT))
    assert system.frozen.tolist() == [0, 1, 2]
    assert system.constraints.normals[0, 3:6] == pytest.approx(np.array([10, 0, -2]) / np.sqrt(104))


@pytest.mark.parametrize("path", [None, 3, True])
def test_no_path(path):
    with pytest.raises(TypeError, match="the path of a store must be a folder's name"):
        Landscape(Point([0.0, 0.5], MuellerBrown()), path)
    with pytest.raises(TypeError, match="path"):
        Landscape.open(path)
