"""Compiled code on disk: used again while nothing that it was made from has changed, and only then."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from thalweg import optimizers, potentials
from thalweg.potentials.compiled.source_digest import sources_of

from .small_package import call, finish, start, write

CALLER = "@jit(float64(float64))\ndef f(x): return g(x) + 1.0\n"
CALLEE = "@jit(float64(float64))\ndef g(x): return 2.0 * x\n"
LINKED = "@linked(float64(float64))\ndef g(x): return 2.0 * x\n"


def changed(text):
    """Return the same function with another constant."""
    return text.replace("2.0", "5.0")


@pytest.mark.parametrize("callee", [CALLEE, LINKED], ids=["inlined", "linked"])
def test_a_caller_follows_a_callee_in_another_file(tmp_path, callee):
    write(tmp_path, callee=callee, caller="from small.callee import g\n" + CALLER)
    assert call(tmp_path) == (7.0, ["g", "f"])
    assert call(tmp_path) == (7.0, [])
    write(tmp_path, callee=changed(callee))
    assert call(tmp_path)[0] == 16.0
    assert call(tmp_path) == (16.0, [])


@pytest.mark.parametrize(
    "modules",
    [
        {"middle": "from small.callee import g\n", "caller": "from small.middle import g\n"},
        {"caller": "from .callee import g\n"},
        {"caller": "from small import callee\ng = callee.g\n"},
        {"caller": "import small.callee as callee\ng = callee.g\n"},
        {"caller": "from small.callee import (\n    g,  # a comment (in brackets)\n)\n"},
        {"middle": "def __getattr__(name):\n    from small.callee import g\n    return g\n",
         "caller": "from small.middle import g\n"},
    ],
    ids=["re-exported", "relative", "module", "module by name", "brackets", "lazy"],
)  # fmt: skip
def test_a_caller_follows_a_callee_however_it_is_imported(tmp_path, modules):
    write(tmp_path, callee=CALLEE, **modules)
    with (tmp_path / "small" / "caller.py").open("a") as file:
        file.write(CALLER)
    assert call(tmp_path)[0] == 7.0
    write(tmp_path, callee=changed(CALLEE))
    assert call(tmp_path)[0] == 16.0


def test_a_function_follows_a_constant_of_another_file(tmp_path):
    write(tmp_path, constants="K = 2.0\n", caller="from small.constants import K\n" + CALLEE.replace("2.0", "K"))
    code = "from small.caller import g; print(g(3.0))"
    assert call(tmp_path, code)[0] == 6.0
    write(tmp_path, constants="K = 5.0\n")
    assert call(tmp_path, code)[0] == 15.0


def test_what_it_does_not_depend_on_leaves_it_alone(tmp_path):
    write(tmp_path, other="K = 2.0\n", callee=CALLEE, caller="from small.callee import g\n" + CALLER)
    code = "import small.other; from small.caller import f; print(f(3.0))"
    assert call(tmp_path, code) == (7.0, ["g", "f"])
    write(tmp_path, other="K = 5.0\n")
    assert call(tmp_path, code) == (7.0, [])


def test_a_copy_with_other_times_of_modification_is_not_compiled_again(tmp_path):
    write(tmp_path, callee=CALLEE, caller="from small.callee import g\n" + CALLER)
    call(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "small", copy / "small", copy_function=shutil.copyfile)
    assert call(copy) == (7.0, [])


def test_a_folder_of_links_shares_the_code_of_the_files_it_links_to(tmp_path):
    """An editable install is such a folder, and is made anew by each install."""
    write(tmp_path, caller="@jit(float64(float64))\ndef f(x):\n    return 2.0 * x\n")
    assert call(tmp_path)[1] == ["f"]
    links = tmp_path / "links"
    (links / "small").mkdir(parents=True)
    for file in (tmp_path / "small").glob("*.py"):
        (links / "small" / file.name).symlink_to(file)
    assert call(links) == (6.0, [])


def test_a_module_that_is_changed_and_loaded_again_gives_its_new_code(tmp_path):
    write(tmp_path, callee=CALLEE)
    code = """
import importlib, pathlib, small.callee
file = pathlib.Path(small.callee.__file__)
file.write_text(file.read_text().replace("2.0", "5.00"))
print(importlib.reload(small.callee).g(3.0))"""
    assert call(tmp_path, code)[0] == 15.0


def test_a_script_that_is_changed_and_run_again_gives_its_new_code(tmp_path):
    """As IPython's %run does."""
    write(tmp_path, script=CALLEE + "print(g(3.0))\n")
    code = """
import pathlib, runpy
file = pathlib.Path("small/script.py").absolute()
runpy.run_path(str(file), run_name="__main__")
file.write_text(file.read_text().replace("2.0", "5.00"))
runpy.run_path(str(file), run_name="__main__")"""
    out = start(tmp_path, code).communicate(timeout=120)[0]
    assert out.split("\n") == ["compiled g", "6.0", "compiled g", "15.0", ""]


@pytest.mark.parametrize("hidden", [False, True], ids=["seen", "unseen"])
def test_a_linked_callee_moves_behind_a_re_export(tmp_path, hidden):
    """The caller's code asks for a name that no longer exists: that ended the process."""
    # an indented import is one that the digest of the sources does not see
    find = "if True:\n    from small.callee import g\n" if hidden else "from small.callee import g\n"
    write(tmp_path, callee=LINKED, caller=find + CALLER)
    assert call(tmp_path)[0] == 7.0
    write(tmp_path, new_home=LINKED, callee="from small.new_home import g\n")
    assert call(tmp_path) == (7.0, ["g", "f"])
    assert call(tmp_path) == (7.0, [])


def test_a_linked_callee_changes_its_types(tmp_path):
    write(tmp_path, callee=LINKED, caller="if True:\n    from small.callee import g\n" + CALLER)
    assert call(tmp_path)[0] == 7.0
    write(tmp_path, callee="from numba import float32\n" + LINKED.replace("(float64)", "(float32)"))
    assert call(tmp_path) == (7.0, ["g", "f"])


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:50], lambda data: data[:-9], lambda data: b"x" * 99]
)
def test_a_damaged_file_is_compiled_again(tmp_path, damage):
    write(tmp_path, caller=CALLEE)
    code = "from small.caller import g; print(g(3.0))"
    call(tmp_path, code)
    (file,) = (tmp_path / "small" / "__pycache__").glob("*.nbc")
    file.write_bytes(damage(file.read_bytes()))
    assert call(tmp_path, code) == (6.0, ["g"])
    assert call(tmp_path, code) == (6.0, [])


def test_processes_that_compile_at_once_leave_one_file(tmp_path):
    write(tmp_path, caller=CALLEE)
    code = "from small.caller import g; print(g(3.0))"
    assert [finish(each)[0] for each in [start(tmp_path, code) for _ in range(3)]] == [6.0] * 3
    files = [path.name for path in (tmp_path / "small" / "__pycache__").iterdir() if ".pyc" not in path.name]
    assert len(files) == 1
    assert files[0].startswith("caller.g-")


def test_code_without_a_file_is_compiled_and_not_kept(tmp_path):
    code = (
        "from thalweg.potentials.compiled import jit\n@jit('float64(float64)')\ndef g(x): return x + x\nprint(g(3.0))"
    )
    assert call(tmp_path, code) == (6.0, ["g"])
    assert call(tmp_path, code) == (6.0, ["g"])


def compiled_modules():
    """Return the names of all modules that compile something when they are loaded, which this does."""
    found = []
    for package in (potentials, optimizers):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if "cuda" not in module.name:
                loaded = vars(importlib.import_module(module.name))
                if {"jit", "linked", "exact"} & loaded.keys():
                    found.append(module.name)
    return found


def imported_at_the_margin(name):
    """Return what a module of Thalweg imports at its left margin, as Python's own parser sees it."""
    module = sys.modules[name]
    found = set()
    for node in ast.parse(Path(module.__file__).read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {each for each in found if each.startswith("thalweg.") and each in sys.modules}


def test_the_sources_of_compiled_modules_are_what_they_import():
    names = compiled_modules()
    assert len(names) > 20
    for name in names:
        sources, pending = {name}, [name]
        while pending:
            new = imported_at_the_margin(pending.pop()) - sources
            sources |= new
            pending += new
        assert sources <= sources_of(name), name


def test_compiled_functions_use_nothing_from_elsewhere():
    """Every function and constant of Thalweg that a compiled function names is in one of its sources."""
    seen = 0
    for name in compiled_modules():
        for value in vars(sys.modules[name]).values():
            python = getattr(value, "py_func", value if hasattr(value, "compiled") else None)
            code = getattr(python, "__code__", None)
            if code is None or python.__module__ != name:
                continue
            used = [python.__globals__.get(each) for each in code.co_names]
            homes = {getattr(each, "__module__", None) for each in used if not isinstance(each, np.ufunc)}
            assert {each for each in homes if str(each).startswith("thalweg.")} <= sources_of(name), (
                name,
                code.co_name,
            )
            seen += 1
    assert seen > 100
