"""Cache of compiled functions on disk, keyed by the content of all sources that a function depends on.

Numba's own cache looks at nothing but the file of the function itself, and keeps a caller compiled against an inlined
callee in another file that has since changed.

A function has one file for each signature and processor. The file says what it was made from, and is replaced as a
whole: whatever moment a process is killed at, and whatever other processes do, what is loaded is what was asked for.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import sys
import uuid
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite.binding
import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from thalweg.potentials.compiled.cache_folder import cache_folder
from thalweg.potentials.compiled.source_digest import source_digest

if TYPE_CHECKING:
    from numba.core.base import BaseContext
    from numba.core.typing import Signature

__all__ = ["LINKED", "CodeCache"]

LINKED = "thalweg linked function "
"""How the symbols begin under which functions call others by name, see :mod:`~thalweg.potentials.compiled.linking`."""

_log = logging.getLogger(__name__)


class CodeCache(_Cache):
    """Cache of one function's compiled code, as numba's dispatchers use it.

    A function whose module has no file, as in an interactive session, is not kept: nothing tells when its
    dependencies change.

    Parameters
    ----------
    function : callable
        The Python function.
    """

    def __init__(self, function: Callable) -> None:
        self._function = function
        self._source, self._folder = _origin(function)

    @property
    def cache_path(self) -> str | None:
        """Folder of the compiled code, or None."""
        return None if self._folder is None else str(self._folder)

    def load_overload(self, sig: Signature, target_context: BaseContext) -> CompileResult | None:
        """Return what is kept for a signature, None if that is nothing, damaged, or made from other sources."""
        if self._folder is None:
            return None
        target_context.refresh()
        name, key = self._identity(sig, target_context.codegen())
        try:
            found, symbols, data = pickle.loads((self._folder / name).read_bytes())
            if found == key and _registered(symbols):
                return CompileResult._rebuild(target_context, *pickle.loads(data))
        except FileNotFoundError:
            pass
        except Exception as error:  # whatever a damaged file gives: it is compiled anew
            _log.info("%s cannot be read: %r", self._folder / name, error)
        return None

    def save_overload(self, sig: Signature, data: CompileResult) -> None:
        """Keep what was compiled for a signature, where that is possible."""
        if self._folder is None or data.library.has_dynamic_globals or any(not each.can_cache for each in data.lifted):
            return
        name, key = self._identity(sig, data.codegen)
        try:
            _replace(self._folder / name, dumps((key, _linked_symbols(data.library), dumps(data._reduce()))))
        except OSError as error:  # a full disk, say: the function itself is there
            _log.warning("compiled code of %s is not kept: %s", self._function.__qualname__, error)

    def _identity(self, sig: Signature, codegen: Any) -> tuple[str, bytes]:
        """Return the name of the file, and the key that says what it must have been made from.

        The sources are in the key alone, so that new code replaces old.
        """
        function = self._function
        cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
        variant = _digest(_machine(codegen), sig, dumps(cells) if cells else b"")
        code = function.__code__
        key = _digest(variant, self._source, code.co_firstlineno, code.co_code)
        qualname = function.__qualname__.replace("<", "").replace(">", "")
        return f"{Path(code.co_filename).stem}.{qualname}-{variant.hex()[:16]}.nbc", key

    def enable(self) -> None:
        """Do nothing: numba's interface asks for it."""

    disable = flush = enable


def _origin(function: Callable) -> tuple[bytes | None, Path | None]:
    """Return the digest of the sources that a function depends on, and the folder of its compiled code."""
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    # code from elsewhere than the module's file, as of a doctest, would pass for the file's
    if file is None or os.path.abspath(file) != os.path.abspath(function.__code__.co_filename):
        return None, None
    # beside the file itself: a folder of links, as an editable install makes it, is made anew by the next install
    return source_digest(function.__module__), cache_folder(os.path.dirname(os.path.realpath(file)))


@cache
def _machine(codegen: Any) -> tuple:
    """Return all but sources that machine code depends on: versions, and the processor that it is made for."""
    return sys.version, numba.__version__, codegen.magic_tuple()


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def _linked_symbols(library: Any) -> list[str]:
    """Return the symbols of linked functions that compiled code calls, its inlined callees included."""
    functions = library._final_module.functions
    return [each.name for each in functions if each.is_declaration and each.name.startswith(LINKED)]


def _registered(symbols: Iterable[str]) -> bool:
    """Say whether all symbols have an address. Code that calls one that has none would end the process."""
    return all(llvmlite.binding.address_of_symbol(symbol) is not None for symbol in symbols)


def _replace(path: Path, data: bytes) -> None:
    """Write a file as a whole: another process sees the old content or the new."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
