"""A word before the first compilation, which takes a minute, and silence ever after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["compiling_notice"]


@contextmanager
def compiling_notice(say: Callable[[str], object]) -> Iterator[None]:
    """Call ``say`` once if Thalweg's functions are compiled within the block; never where numba's cache has them.

    Enter it before the modules with compiled functions are imported: they are compiled then.
    """
    from numba.core import event

    class Notice(event.Listener):
        said = False

        def on_start(self, event: event.Event) -> None:
            module = event.data["dispatcher"].py_func.__module__
            if not self.said and module.startswith("thalweg."):
                self.said = True
                say("compiling (first run only, about a minute) ...")

        def on_end(self, event: event.Event) -> None:
            """Nothing to do: the interface asks for it."""

    with event.install_listener("numba:compile", Notice()):
        yield
