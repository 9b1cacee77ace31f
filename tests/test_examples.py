"""The examples in docstrings: every public class and function has one, and all run."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from types import FunctionType

import pytest

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")
PUBLIC = [
    f"{package}.{name}"
    for package in PACKAGES
    for name in import_module(f"thalweg.{package}").__all__
    if isinstance(getattr(import_module(f"thalweg.{package}"), name), type | FunctionType)
]


@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name, tmp_path, monkeypatch, capsys):
    """Run with nothing but what the example itself imports, in an empty folder."""
    package, _, attribute = name.partition(".")
    exported = getattr(import_module(f"thalweg.{package}"), attribute)
    monkeypatch.chdir(tmp_path)
    # module=False: a class says that it lives in its package, its methods that they live in their file
    examples = doctest.DocTestFinder(exclude_empty=True).find(exported, name, module=False, globs={})
    assert any(example.examples for example in examples if example.name == name), f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in examples:
        result = runner.run(example)
        assert result.failed == 0, capsys.readouterr().out


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
