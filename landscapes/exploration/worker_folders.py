"""Folders of worker processes, so that calculators with files do not read those of another process."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ase.calculators.calculator import FileIOCalculator
from ase.calculators.genericfileio import GenericFileIOCalculator

__all__ = ["enter_own_folder", "use_own_folder"]

_entered = False


def use_own_folder(calculator: Any) -> bool:
    """Let a program with input and output files work in a folder of this thread below its own.

    Parameters
    ----------
    calculator : ASE calculator
        Of any kind; those that compute in memory are left as they are.

    Returns
    -------
    bool
        Whether it has such files.
    """
    if not isinstance(calculator, FileIOCalculator | GenericFileIOCalculator):
        return False
    name = f"worker-{socket.gethostname()}-{os.getpid()}-{threading.get_native_id()}"
    folder = Path(calculator.directory) / name
    calculator.directory = str(folder) if isinstance(calculator.directory, str) else folder
    return True


def enter_own_folder() -> None:
    """Make an empty folder the current one of this process, and remove it when the process ends.

    A calculator may write to the current folder without knowing of others. Relative paths that it was made with have
    been used by then.
    """
    global _entered
    if _entered:
        return
    _entered = True
    before, folder = Path.cwd(), tempfile.mkdtemp(prefix="thalweg-worker-")
    sys.path[:] = [os.path.abspath(place) for place in sys.path]
    os.chdir(folder)

    def leave() -> None:
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(leave)
