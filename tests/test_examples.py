"""The examples in docstrings: every public class and function has one, and all run."""

from __future__ import annotations

import ast
import doctest
import inspect
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")
PUBLIC = [
    f"{package}.{name}"
    for package in PACKAGES
    for name in import_module(f"thalweg.{package}").__all__
    if isinstance(getattr(import_module(f"thalweg.{package}"), name), type | FunctionType)
]


ROOT = Path(__file__).resolve().parents[1]


def others():
    """Yield the other classes and functions with an example, as ``module:name``."""
    public = {name.partition(".")[2] for name in PUBLIC}
    files = [ROOT / "former_names.py", *(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))]
    for file in sorted(files):
        for node in ast.parse(file.read_text()).body:
            other = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in public
            if other and ">>>" in ast.unparse(node):
                yield f"thalweg.{'.'.join(file.relative_to(ROOT).with_suffix('').parts)}:{node.name}"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the examples of a class, its methods' too, or of a function; return whether it has one itself.

    They run with nothing but what each imports, in an empty folder.
    """

    def run(exported, name):
        monkeypatch.chdir(tmp_path)
        # module=False: a class says that it lives in its package, its methods that they live in their file
        examples = doctest.DocTestFinder().find(exported, name, module=False, globs={})
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        for example in examples:
            assert runner.run(example).failed == 0, capsys.readouterr().out
        return any(example.examples for example in examples if example.name == name)

    return run


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example_that_runs(name, run):
    package, _, attribute = name.partition(".")
    assert run(getattr(import_module(f"thalweg.{package}"), attribute), name), f"{name} has no example"


@pytest.mark.parametrize("name", list(others()))
def test_other_examples_run(name, run):
    module, _, attribute = name.partition(":")
    run(getattr(import_module(module), attribute), name)


def test_every_public_name_is_documented():
    """Numpydoc: what each parameter of a public function or class means."""
    for name in PUBLIC:
        package, _, attribute = name.partition(".")
        exported = getattr(import_module(f"thalweg.{package}"), attribute)
        text = inspect.getdoc(exported) or ""
        try:
            parameters = inspect.signature(exported).parameters.values()
        except ValueError:
            continue
        if inspect.isclass(exported) and issubclass(exported, Exception):
            continue
        named = any(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters)
        assert not named or "Parameters" in text or "Attributes" in text, name
