"""Names of modules that stand in strings, where neither Python nor an editor notices that one has moved."""

from __future__ import annotations

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

from thalweg.analysis.cli.compilation_notice import _ELSEWHERE
from thalweg.potentials.stored_systems.calculators import _OWN

PACKAGES = ("potentials", "optimizers", "analysis")


def defined_in(module):
    """Return the names that a module binds, without importing it."""
    spec = find_spec(module)
    assert spec is not None, f"there is no module {module}"
    assert spec.origin is not None
    names = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_lazy_names_are_where_their_package_says(package):
    loaded = importlib.import_module(f"thalweg.{package}")
    assert set(loaded._HOMES) <= set(loaded.__all__)
    for name, home in loaded._HOMES.items():
        assert name in defined_in(f"thalweg.{package}.{home}"), name


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_a_home(package):
    loaded = importlib.import_module(f"thalweg.{package}")
    assert set(loaded.__all__) <= set(loaded._HOMES) | vars(loaded).keys()


def test_calculators_of_stores_are_where_stores_look_for_them():
    for name, module in _OWN.items():
        assert name in defined_in(module), name


@pytest.mark.parametrize("module", _ELSEWHERE)
def test_the_second_process_finds_what_it_compiles(module):
    assert "jit" in Path(find_spec(module).origin).read_text()
