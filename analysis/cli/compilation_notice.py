"""The first compilation: said once, and done by two processes; silence ever after."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["compiling_notice"]

_ELSEWHERE = ("searches", "basin_hopping", "dneb")


def _compile_elsewhere() -> subprocess.Popen:
    """Start a process that compiles the optimizers into numba's cache, while this one compiles the potentials."""
    modules = ", ".join(f"thalweg.optimizers.kernels.{name}" for name in _ELSEWHERE)
    # a failure is not worth a word: this process compiles what it does not find
    return subprocess.Popen(
        [sys.executable, "-c", f"import {modules}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def compiling_notice(say: Callable[[str], object]) -> Iterator[None]:
    """Call ``say`` once if Thalweg's functions are compiled within the block; never where numba's cache has them.

    Enter it before the modules with compiled functions are imported: they are compiled then.
    """
    from numba.core import event

    class Notice(event.Listener):
        other: subprocess.Popen | None = None

        def on_start(self, event: event.Event) -> None:
            module = event.data["dispatcher"].py_func.__module__
            if not module.startswith("thalweg."):
                return
            if self.other is None:
                say("compiling (first run only, about a minute) ...")
                self.other = _compile_elsewhere()
            elif module.startswith("thalweg.optimizers."):
                self.other.wait()

        def on_end(self, event: event.Event) -> None:
            """Nothing to do: the interface asks for it."""

    notice = Notice()
    try:
        with event.install_listener("numba:compile", notice):
            yield
    finally:
        if notice.other is not None:
            notice.other.wait()
