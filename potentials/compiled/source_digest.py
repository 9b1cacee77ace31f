"""Digest of a module's source and of all modules of Thalweg that it imports.

Machine code holds the constants, and often the code, of what it uses from other modules. It is up to date as long as
the content of all these files is: times of modification say nothing after a checkout or a copy.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["source_digest", "sources_of"]

# Imports that stand at the left margin: those under TYPE_CHECKING and in functions bring nothing into compiled code.
# Searching takes a tenth of the time of parsing, which every process would spend again.
_IMPORT = re.compile(
    r"^from[ \t]+(?P<package>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|.*)|^import[ \t]+(?P<modules>.+)",
    re.MULTILINE,
)

_known: dict[str, tuple[Any, bytes, frozenset[str]]] = {}
_digests: dict[str, tuple[dict[str, Any], bytes]] = {}


def source_digest(name: str) -> bytes | None:
    """Return a digest that changes when the source of a loaded module does, or that of a module that it depends on.

    Parameters
    ----------
    name : str
        The module's name in :data:`sys.modules`. Everything that it imports at its left margin must be loaded.

    Returns
    -------
    bytes or None
        None where the module has no file, as in an interactive session.
    """
    if not getattr(sys.modules.get(name), "__file__", None):
        return None
    # every function of the module asks again
    specs, digest = _digests.get(name, ({name: None}, b""))
    if not all(_is_still(module, spec) for module, spec in specs.items()):
        sources = sorted(sources_of(name))
        digest = hashlib.sha256(b"".join(_read(module)[0] for module in sources)).digest()
        _digests[name] = {module: _spec(module) for module in sources}, digest
    return digest


def sources_of(name: str) -> set[str]:
    """Return the names of a module and of all modules of its own package and of Thalweg that it depends on."""
    roots = {name.partition(".")[0], "thalweg"}
    found, pending = {name}, [name]
    while pending:
        for other in _read(pending.pop())[1]:
            if other not in found and other.partition(".")[0] in roots:
                found.add(other)
                pending.append(other)
    return found


def _read(name: str) -> tuple[bytes, frozenset[str]]:
    """Return the digest of a module's own source, and the loaded modules with a source that it imports."""
    module, spec = sys.modules[name], _spec(name)
    if name not in _known or not _is_still(name, _known[name][0]):
        source = _source(module)
        imports = frozenset(_imports(source.decode("utf-8", "replace"), module))
        _known[name] = spec, hashlib.sha256(name.encode() + b"\0" + source).digest(), imports
    return _known[name][1:]


def _spec(name: str) -> Any:
    """Return what a loaded module was loaded from: a new object when it is loaded again, as its source may be new."""
    return getattr(sys.modules.get(name), "__spec__", None)


def _is_still(name: str, spec: Any) -> bool:
    """Say whether a module is certainly what was loaded from a spec; a script has none, and may run again changed."""
    return spec is not None and spec is _spec(name)


def _source(module: ModuleType) -> bytes:
    file: Any = module.__file__
    read = getattr(module.__loader__, "get_data", None)  # from a zip archive too; a script may have no loader
    return read(file) if read else Path(file).read_bytes()


def _imports(source: str, module: ModuleType) -> Iterator[str]:
    for match in _IMPORT.finditer(source):
        package, names, modules = match.group("package", "names", "modules")
        candidates = re.findall(r"[.\w]+", modules) if modules else _imported(package, names, module)
        for name in candidates:
            # the words of a comment, and functions, are no modules
            if getattr(sys.modules.get(name), "__file__", None):
                yield name


def _imported(package: str, names: str, module: ModuleType) -> Iterator[str]:
    """Return the modules that ``from package import names`` may have loaded."""
    if package.startswith("."):
        package = resolve_name(package, module.__package__ or "")
    yield package
    for name in re.findall(r"\w+", names):
        yield f"{package}.{name}"
        # where a package loads a name lazily, no import at the margin says where it comes from
        yield str(getattr(vars(module).get(name), "__module__", ""))
