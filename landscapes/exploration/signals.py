"""Deferral of Ctrl-C and SIGTERM until the next commit."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["deferred_signals"]


@contextmanager
def deferred_signals() -> Iterator[Callable[[], bool]]:
    """Hold SIGINT and SIGTERM back inside the block; yield a function that says whether one has come.

    Leaving the block after one raises KeyboardInterrupt. A second signal is not held back. In any thread but the
    main one, where Python delivers no signals, nothing is changed.

    Raises
    ------
    KeyboardInterrupt
        On leaving, if a signal came.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def remember(number, frame):
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
