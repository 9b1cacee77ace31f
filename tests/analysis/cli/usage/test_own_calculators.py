"""Calculators whose modules lie in the current folder, named by whoever types the command."""

from __future__ import annotations

import importlib.util
import shutil
import sys

import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.io import write

from thalweg.analysis.cli.option_types import CalculatorName
from thalweg.landscapes import Landscape

from ....helpers import thalweg

MODULE = """
from ase.calculators.lj import LennardJones


class Mine(LennardJones):
    pass
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a calculator's module and a cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "calculator_of_this_folder.py").write_text(MODULE)
    write("three.xyz", Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 1.0, 0]]))
    yield tmp_path
    sys.modules.pop("calculator_of_this_folder", None)


def test_the_module_of_a_calculator_may_lie_in_the_current_folder(folder):
    named = "calculator_of_this_folder:Mine"
    done = thalweg("explore", "three.xyz", "--calculator", named, "--output", "x.zarr", "--steps", 2, "--searches", 0)
    assert done.exit_code == 0, done.output
    with Landscape.open("x.zarr", trust=True) as landscape:
        pair = Atoms("Ar2", [[0, 0, 0], [2 ** (1 / 6), 0, 0]], calculator=LennardJones())
        assert landscape.minima.energy[0] == pytest.approx(3 * pair.get_potential_energy(), abs=1e-6)


def test_what_a_store_names_is_not_looked_for_in_the_current_folder(folder, monkeypatch):
    before, name = list(sys.path), "calculator_of_this_folder"
    done = thalweg("explore", "three.xyz", "--calculator", f"{name}:Mine", "--output", "x.zarr", "--steps", 1,
                   "--searches", 0)  # fmt: skip
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(sys, "path", before)
    sys.modules.pop(name)
    refused = thalweg("verify", "x.zarr")
    assert refused.exit_code != 0
    assert "trust" in refused.output
    assert name not in sys.modules
    assert importlib.util.find_spec(name) is None


@pytest.mark.parametrize("named", ["emt", "no_such_module:Class", "json:JSONDecoder", ":", "..:x", "a/b:c"])
def test_other_names_leave_the_search_path_as_it_is(folder, named):
    before = list(sys.path)
    assert CalculatorName().convert(named, None, None) == named
    assert sys.path == before


def test_installed_modules_come_first(folder):
    """A folder with a file of an installed module's name, such as json.py, takes nothing's place."""
    shutil.copy("calculator_of_this_folder.py", "shutil.py")
    CalculatorName().convert("shutil:Mine", None, None)
    assert sys.path[-1] == str(folder)
    assert importlib.util.find_spec("shutil").origin != str(folder / "shutil.py")
