"""Handling of Ctrl-C and SIGTERM, also during imports and compilation.

Python raises KeyboardInterrupt wherever the main thread happens to be. In the middle of an import it leaves half a
module, in a callback of LLVM it is swallowed, and while LLVM works on one function, for seconds, nothing is raised at
all. Nothing of this needs to be unwound: compiled functions are kept as a whole or not at all, as are commits to a
store. While modules load and functions compile, a signal therefore ends the process at once; at other moments it
raises KeyboardInterrupt, or does what those do who handle it themselves, such as an exploration, which first commits.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["SignalWatch", "last_words"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_COMPILER = ("numba.core.", "numba.cuda.core.", "numba.cuda.compiler", "llvmlite.")
_AGAIN = 0.2  # seconds between looks at what the main thread does
_ANSWERED = 1.0  # seconds for which a signal counts as the same one


def _stopped() -> str:
    return "\nstopped"


_words: Callable[[], str] = _stopped


@contextmanager
def last_words(words: Callable[[], str]) -> Iterator[None]:
    """Print what ``words`` returns to stderr where a signal ends the process within the block."""
    global _words
    before, _words = _words, words
    try:
        yield
    finally:
        _words = before


class SignalWatch:
    """Signals of the whole process; made once, in the main thread, before anything large is imported.

    Attributes
    ----------
    raised : int
        The last signal that was raised as KeyboardInterrupt, 0 before.
    finished : bool
        Set it when nothing is left to do: then a signal ends the process at once.
    """

    def __init__(self) -> None:
        self.raised = 0
        self.finished = False
        self._answered = -_ANSWERED
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        if os.name == "posix":  # elsewhere a signal waits until C code returns
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            # Python calls its handlers in the main thread, once C code there returns; this pipe is written to at once
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(reader,), daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.finished or _is_loading(frame) or _is_compiling():
            _end(number)
        self.raised, self._answered = number, time.monotonic()
        raise KeyboardInterrupt

    def _watch(self, reader: int) -> None:
        """End the process where the main thread does not get to handle a signal because it compiles."""
        while read := os.read(reader, 1):
            if read[0] in _SIGNALS:
                self._wait_for_answer(read[0])

    def _wait_for_answer(self, number: int) -> None:
        others = False
        while True:
            time.sleep(_AGAIN)
            ours = signal.getsignal(number) == self._handle
            if ours and (others or time.monotonic() - self._answered < _ANSWERED):
                return
            # somebody else who handles it may wait for work that waits for the compiler
            if _is_compiling() or (ours and _is_loading(sys._current_frames().get(threading.main_thread().ident or 0))):
                _end(number)
            others = others or not ours


def _is_loading(frame: FrameType | None) -> bool:
    """Say whether a frame is a part of an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _is_compiling() -> bool:
    """Say whether any thread compiles."""
    return any(name.startswith(_COMPILER) for frame in sys._current_frames().values() for name in _modules(frame))


def _modules(frame: FrameType | None) -> Iterable[str]:
    while frame is not None:
        yield str(frame.f_globals.get("__name__"))
        frame = frame.f_back


def _end(number: int) -> None:
    """End the process with the exit status that shells give to a signal."""
    try:
        # no stream of Python's: this may interrupt a write to it
        os.write(2, f"{_words()}\n".encode())
    finally:
        os._exit(128 + number)
