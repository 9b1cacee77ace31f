"""MNIST's handwritten digits, from local IDX files or downloaded once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pooch

from thalweg.datasets.cache import cache_folder
from thalweg.datasets.idx import read_idx
from thalweg.datasets.labelled_data import Dataset

__all__ = ["PIXELS", "local_files", "mnist"]

PIXELS: dict[str, float] = {"0 to 1": 255.0, "0 to 255": 1.0}
"""Ranges of pixels, and what the bytes of the files are divided by."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The checksums that torchvision lists
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
_TIMEOUT = 60


def mnist(
    path: str | os.PathLike[str] | None = None,
    train: bool = True,
    cache: str | os.PathLike[str] | bool | None = None,
    *,
    pixels: str = "0 to 1",
) -> Dataset:
    """Load MNIST's handwritten digits of 28 by 28 pixels.

    Parameters
    ----------
    path : path, optional
        Folder with the IDX files, gzipped or not, under their usual names (``train-images-idx3-ubyte`` or
        ``train-images.idx3-ubyte`` and so on; without ``train-`` for a set that is not divided). If it is not given,
        the files are downloaded once, checked against their known checksums and kept.
    train : bool
        Whether to load the 60,000 training digits (or a set that is not divided) instead of the 10,000 for testing.
    cache : path or bool, optional
        Folder of the downloads, as for :func:`~thalweg.datasets.cache.cache_folder`; it cannot be False.
    pixels : {"0 to 1", "0 to 255"}
        Range of the pixels: scaled, or as they are in the files, which the data's identity then says.

    Returns
    -------
    Dataset
        Inputs (n, 784), pixels row by row from the top; ten classes.
        Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits (1998).

    Raises
    ------
    FileNotFoundError
        If the folder or a file in it is missing.
    ConnectionError
        If nothing could be downloaded.
    ValueError
        If a file is not IDX, is cut short, or images and labels disagree, or there is no such range of pixels.

    Examples
    --------
    >>> from pathlib import Path
    >>> from thalweg.datasets import mnist
    >>> images, labels = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]), bytes([0, 0, 8, 1, 0, 0, 0, 2])
    >>> written = Path("train-images-idx3-ubyte").write_bytes(images + bytes(2 * 28 * 28))
    >>> written = Path("train-labels-idx1-ubyte").write_bytes(labels + bytes([7, 4]))
    >>> mnist(path=".").labels
    array([7, 4])
    """
    if pixels not in PIXELS:
        raise ValueError(f"pixels must be one of {', '.join(map(repr, PIXELS))}; it is {pixels!r}")
    images_file, labels_file = local_files(Path(path), train) if path is not None else _downloaded(train, cache)
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise ValueError(f"{images_file} must hold images of 28 by 28 bytes; it holds {images.dtype} {images.shape}")
    if labels.ndim != 1 or labels.dtype != np.uint8:
        raise ValueError(f"{labels_file} must hold a list of bytes; it holds {labels.dtype} {labels.shape}")
    if len(images) != len(labels):
        raise ValueError(f"{images_file} holds {len(images)} images, {labels_file} {len(labels)} labels: not a pair")
    if labels.size and labels.max() > 9:
        raise ValueError(f"{labels_file} must hold labels 0 to 9; it has {labels.max()}")
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    identity = {"name": "MNIST", "images": images_file.name, "labels": labels_file.name, "sha256": digest}
    if PIXELS[pixels] == 1.0:
        identity["pixels"] = pixels
    inputs = images.reshape(len(images), 784) / PIXELS[pixels]
    return Dataset(inputs, labels.astype(np.int64), n_classes=10, identity=identity)


def local_files(folder: Path, train: bool) -> tuple[Path, Path]:
    """Return the files of images and labels in a folder, or raise FileNotFoundError."""
    if not folder.is_dir():
        raise FileNotFoundError(f"path must be a folder with MNIST's IDX files; {folder} is none")
    prefixes = ("train-", "") if train else ("t10k-",)
    for prefix in prefixes:
        pair = [_variant(folder, f"{prefix}{what}") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")]
        if pair[0] is not None and pair[1] is not None:
            return pair[0], pair[1]
    wanted = " or ".join(f"{prefix}images-idx3-ubyte[.gz] and {prefix}labels-idx1-ubyte[.gz]" for prefix in prefixes)
    raise FileNotFoundError(f"path must hold {wanted}; {folder} does not")


def _variant(folder: Path, name: str) -> Path | None:
    """Return the first file there is under one of the spellings of a name."""
    spellings = (name, name.replace("-idx", ".idx"))
    candidates = (folder / f"{spelling}{end}" for spelling in spellings for end in ("", ".gz"))
    return next((file for file in candidates if file.is_file()), None)


def _downloaded(train: bool, cache: str | os.PathLike | bool | None) -> tuple[Path, Path]:
    """Return the files of images and labels in the cache, downloading what is not there."""
    folder = cache_folder(cache)
    if folder is None:
        raise ValueError("cache must not be False without path=: the download has to be kept somewhere")
    prefix = "train-" if train else "t10k-"
    names = (f"{prefix}images-idx3-ubyte.gz", f"{prefix}labels-idx1-ubyte.gz")
    images, labels = (_retrieve(name, folder / "mnist") for name in names)
    return images, labels


def _retrieve(name: str, folder: Path) -> Path:
    """Return one file of the cache, downloaded from the first mirror that gives it whole."""
    errors = []
    for mirror in MIRRORS:
        try:
            downloader = pooch.HTTPDownloader(timeout=_TIMEOUT)
            found = pooch.retrieve(mirror + name, CHECKSUMS[name], fname=name, path=folder, downloader=downloader)
            return Path(found)
        except (OSError, ValueError) as error:  # no network, no such page; a wrong checksum
            errors.append(f"{mirror}: {error}")
    raise ConnectionError(
        f"MNIST's {name} could not be downloaded; put MNIST's IDX files in a folder and give it as path=.\n"
        + "\n".join(errors)
    )
