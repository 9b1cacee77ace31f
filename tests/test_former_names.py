"""Modules found under the names they had before they were sorted into rooms."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from thalweg.former_names import FORMER


@pytest.mark.parametrize("old", FORMER)
def test_a_former_name_has_the_names_of_todays_module(old):
    now = import_module(FORMER[old])
    assert now.__all__
    for name in now.__all__:
        assert getattr(import_module(old), name) is getattr(now, name)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("thalweg.analysis.disconnectivity", "DisconnectivityGraph"),
        ("thalweg.analysis.kinetics", "Kinetics"),
        ("thalweg.landscapes.exploration", "Progress"),
        ("thalweg.optimizers.basin_hopping", "BasinHopping"),
        ("thalweg.potentials.compiled", "_compiled"),
        ("thalweg.potentials.ljat", "LJAT"),
        ("thalweg.potentials.surfaces", "MuellerBrown"),
    ],
)
def test_a_package_that_was_a_module_has_its_former_names(package, name):
    """In a process of its own, where nothing has been looked up before."""
    code = f"from {package} import {name}; print({name}.__name__)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (name, "")


def test_former_names_hide_no_function():
    """Importing a module binds it in its package: no function of the package may be called as it was."""
    code = (
        "import thalweg, pickle; from importlib import import_module; from thalweg.former_names import FORMER\n"
        "for name in FORMER: import_module(name)\n"
        "from thalweg import analysis, landscapes\n"
        "from thalweg.analysis import landscape_path\n"
        "print(callable(landscape_path), callable(landscapes.verify))\n"
        "for package in thalweg._PACKAGES:\n"
        "    held = import_module(f'thalweg.{package}')\n"
        "    print(*[n for n in held.__all__ if type(getattr(held, n)).__name__ == 'module'])\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


def test_a_module_that_never_was_is_not_found():
    assert find_spec("thalweg.landscapes.never_was") is None
