"""Notice of the first compilation, part of which a second process does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thalweg.analysis.cli.second_process import SecondProcess

__all__ = ["compiling_notice"]

_ELSEWHERE = (
    "thalweg.optimizers.kernels.searches",
    "thalweg.optimizers.kernels.basin_hopping",
    "thalweg.optimizers.kernels.dneb",
)
"""What a second process compiles while this one compiles the potentials."""


@contextmanager
def compiling_notice(say: Callable[[str], object]) -> Iterator[None]:
    """Call ``say`` once if Thalweg's functions are compiled within the block; never where the cache has them.

    Enter it before the modules with compiled functions are imported: they are compiled then.
    """
    from numba.core import event

    class Notice(event.Listener):
        said = False
        other: SecondProcess | None = None

        def on_start(self, event: event.Event) -> None:
            module = event.data["dispatcher"].py_func.__module__
            if not module.startswith("thalweg."):
                return
            if not self.said:
                self.said = True
                say("compiling (first run only, about a minute) ...")
                self.other = SecondProcess(_ELSEWHERE)
            elif module.startswith("thalweg.optimizers."):
                self.wait()

        def on_end(self, event: event.Event) -> None:
            """Nothing to do: the interface asks for it."""

        def wait(self) -> None:
            other, self.other = self.other, None
            problem = None if other is None else other.wait()
            if problem:
                say(f"the second process could not compile its part, which this one does instead; {problem}")

    notice = Notice()
    try:
        with event.install_listener("numba:compile", notice):
            yield
        notice.wait()
    finally:
        if notice.other is not None:
            notice.other.stop()
