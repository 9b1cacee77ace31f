"""What the five packages export is what is meant, whichever name is asked for first."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_hides_an_exported_name(package):
    """Every name is asked for after every module is loaded, which is when a module of the same name would hide it."""
    exported = import_module(f"thalweg.{package}")
    homes = {
        getattr(exported, name).__module__
        for name in exported.__all__
        if hasattr(getattr(exported, name), "__module__")
    }
    for home in homes:
        import_module(home)
    assert [name for name in exported.__all__ if isinstance(getattr(exported, name), ModuleType)] == []


def test_a_class_and_a_function_of_one_module():
    code = "from thalweg.analysis import LandscapePath, landscape_path; assert callable(landscape_path), landscape_path"
    subprocess.run([sys.executable, "-c", code], check=True)
