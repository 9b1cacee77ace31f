"""Cache of generated datasets, keyed by a digest of their parameters."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pooch

__all__ = ["cache_folder", "load_cached", "store_cached"]

log = logging.getLogger(__name__)

_MAGIC = b"thalweg cache 1\n"


def cache_folder(cache: str | os.PathLike[str] | bool | None = None) -> Path | None:
    """Return the folder that keeps made and downloaded data.

    Parameters
    ----------
    cache : path or bool, optional
        A folder; True or None for the usual one, which is $THALWEG_CACHE if set, else the system's cache
        folder; False for none.

    Returns
    -------
    pathlib.Path or None
        The folder, which need not exist.
    """
    if cache is False:
        return None
    if cache is None or cache is True:
        cache = os.environ.get("THALWEG_CACHE") or pooch.os_cache("thalweg")
    return Path(cache).expanduser()


def load_cached(folder: Path | None, identity: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
    """Return the arrays stored under an identity, or None if there are none or the file is damaged.

    Parameters
    ----------
    folder : pathlib.Path or None
        From :func:`cache_folder`; with None nothing is ever found.
    identity : mapping
        JSON-able values: everything that the arrays depend on.

    Returns
    -------
    dict of str to ndarray, or None
    """
    if folder is None:
        return None
    path = _file(folder, identity)
    try:
        content = path.read_bytes()
        return _unpacked(content, identity)
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile and numpy have many for a damaged file, and none of them matters here
        log.warning("cache file %s cannot be used (%s): its content is made again", path, error)
        return None


def store_cached(folder: Path | None, identity: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Store arrays under an identity; the file appears whole or not at all.

    If the folder cannot be written to, a warning is logged and nothing is raised: the data are made again next time.

    Parameters
    ----------
    folder, identity
        As for :func:`load_cached`; with None nothing is stored.
    arrays : mapping of str to ndarray
        The arrays.
    """
    if folder is None:
        return
    path = _file(folder, identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=path.stem, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_packed(identity, arrays))
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        log.warning("cache file %s cannot be written (%s): its content will be made again next time", path, error)


def _canonical(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True)


def _file(folder: Path, identity: Mapping[str, Any]) -> Path:
    digest = hashlib.sha256(_canonical(identity).encode()).hexdigest()
    return folder / f"{identity.get('name', 'data')}-{digest[:24]}.cache"


def _packed(identity: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the file's content: a magic line, the checksum of the rest, and the rest as npz."""
    buffer = io.BytesIO()
    everything: dict[str, Any] = {"identity": np.array(_canonical(identity)), **arrays}
    np.savez(buffer, **everything)
    payload = buffer.getvalue()
    return _MAGIC + hashlib.sha256(payload).digest() + payload


def _unpacked(content: bytes, identity: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays in a file's content, or raise ValueError with what is wrong with it."""
    start = len(_MAGIC) + hashlib.sha256().digest_size
    payload = content[start:]
    if content[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a cache file of this version")
    if hashlib.sha256(payload).digest() != content[len(_MAGIC) : start]:
        raise ValueError("wrong checksum")
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("its arrays are packed, as no cache file's are")
        found = {member.removesuffix(".npy"): _array(archive.read(member)) for member in archive.namelist()}
    if str(found.pop("identity")) != _canonical(identity):
        raise ValueError("made from something else")
    return found


def _array(content: bytes) -> np.ndarray:
    """Return the array in an npy file, or raise ValueError before more memory is taken than the file itself has."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = reader(file)
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"an array announces the shape {shape}, and has {len(content) - file.tell()} bytes")
    return np.load(io.BytesIO(content), allow_pickle=False)
