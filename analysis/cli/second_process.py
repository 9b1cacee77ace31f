"""Second process that compiles part of the functions of a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from importlib import import_module

__all__ = ["SecondProcess"]


class SecondProcess:
    """A process that imports modules, so that their functions are compiled and kept.

    It ends when this process does, however that ends.

    Parameters
    ----------
    modules : iterable of str
        The modules' names.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        code = f"from {__name__} import import_and_end; import_and_end()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *modules],
            stdin=subprocess.PIPE,  # never written to: it is closed when this process ends
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> str | None:
        """Wait until all is compiled; return what went wrong, None if nothing did."""
        with self._process as process:
            assert process.stderr is not None
            said = process.stderr.read().strip().splitlines()
            status = process.wait()
        return f"exit {status}: {said[-1] if said else 'nothing said'}" if status else None

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self.wait()


def import_and_end() -> None:
    """Import the modules that the command line names, unless the process that started this one ends before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it here too, but the other process decides
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    for name in sys.argv[1:]:
        import_module(name)


def _end_with_the_other() -> None:
    os.read(0, 1)
    os._exit(1)
