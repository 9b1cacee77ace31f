"""A package of a few lines, whose compiled functions processes of their own import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEADER = """
from numba import float64
from thalweg.potentials.compiled import jit
from thalweg.potentials.compiled.linking import linked
"""
_LISTEN = """
import sys
from numba.core import event
class Listener(event.Listener):
    def on_start(self, event): print("compiled", event.data["dispatcher"].py_func.__name__)
    def on_end(self, event): pass
import thalweg.potentials.compiled
event.register("numba:compile", Listener())
"""


def write(folder: Path, **modules: str) -> None:
    """Write the modules of the package ``small`` in a folder; each starts with the imports that all need."""
    package = folder / "small"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    for name, text in modules.items():
        (package / f"{name}.py").write_text(HEADER + text)


def start(folder: Path, code: str, *options: str, **environment: str) -> subprocess.Popen:
    """Start Python code in a folder, which says what it compiles, without the user's settings of numba's cache."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CACHE")}
    # Python itself takes bytecode for fresh whose source changed within the same second and kept its size
    clean["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.Popen(
        [sys.executable, *options, "-c", _LISTEN + code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, **environment},
    )


def finish(process: subprocess.Popen) -> tuple[float, list[str], str]:
    """Return the number that a process printed last, the functions that it compiled, and its stderr."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, f"exit {process.returncode}: {err}"
    *compiled, number = out.split("\n")[:-1]
    return float(number), [line.removeprefix("compiled ") for line in compiled], err


def call(folder: Path, code: str = "from small.caller import f; print(f(3.0))") -> tuple[float, list[str]]:
    """Run code in a folder, and return the number printed and the functions compiled."""
    return finish(start(folder, code))[:2]
