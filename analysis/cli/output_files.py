"""Files that commands write: no file that Thalweg did not draw is replaced unless ``--overwrite`` is given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["check_output", "is_own_picture", "output_file", "overwrite_option", "picture_beside", "picture_metadata"]

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace an existing file, even if it is no picture that Thalweg drew."
)

# Where matplotlib writes the program's name, which picture_metadata gives it, by the ending of the file.
_MARKS = {
    ".png": re.compile(rb"tEXtSoftware\x00thalweg[ \x00-\x1f]"),
    ".pdf": re.compile(rb"/Creator \(thalweg( [^)]*)?\)"),
    ".svg": re.compile(rb"<cc:Agent>\s*<dc:title>thalweg( \d[^<]*)?</dc:title>"),
    **dict.fromkeys((".html", ".htm"), re.compile(rb'<meta name="generator" content="thalweg[ "]')),
}
_ENDS = 2**16  # bytes at the beginning and at the end of a picture among which the mark is


def picture_beside(store: Path) -> Path:
    """Return the path of the picture of a store: d1.png for d1.zarr."""
    return store.with_suffix(".png") if store.suffix == ".zarr" else store.with_name(store.name + ".png")


def picture_metadata(path: Path) -> dict[str, str]:
    """Return what marks a picture as Thalweg's, as the ``metadata`` of matplotlib's ``savefig``."""
    from thalweg.landscapes.storage.whole_stores import created_by

    return {"Software" if path.suffix.lower() == ".png" else "Creator": created_by()}


def is_own_picture(path: Path) -> bool:
    """Say whether a file is a picture that a command of Thalweg drew."""
    mark = _MARKS.get(path.suffix.lower())
    if mark is None or not path.is_file():
        return False
    with path.open("rb") as file:
        found = file.read(_ENDS)
        file.seek(max(len(found), file.seek(0, os.SEEK_END) - _ENDS))
        return mark.search(found + file.read(_ENDS)) is not None


def check_output(path: Path, overwrite: bool) -> None:
    """Raise an error where a file may not be written: before anything is computed.

    Parameters
    ----------
    path : Path
        The file.
    overwrite : bool
        Whether ``--overwrite`` was given.

    Raises
    ------
    FileExistsError
        It exists, and is no picture that Thalweg drew; FileNotFoundError where its folder does not.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder: choose another file")
    if path.exists() and not overwrite and not is_own_picture(path):
        drawn = ", and is no picture that Thalweg drew" if path.suffix.lower() in _MARKS else ""
        raise FileExistsError(f"{path} exists{drawn}: add --overwrite to replace it, or choose another name")


@contextmanager
def output_file(path: Path, overwrite: bool) -> Iterator[Path]:
    """Write a file beside its place and rename it at the end: after an error there is what was there before.

    Parameters
    ----------
    path, overwrite
        As for `check_output`, and so are the errors.

    Yields
    ------
    Path
        Path to write to, with the same ending.
    """
    check_output(path, overwrite)
    final = path.resolve()  # of a link, the file that it names
    part = final.with_name(f".{final.stem[:100]}-{os.urandom(4).hex()}{final.suffix}")
    try:
        yield part
        check_output(path, overwrite)  # somebody may have written it meanwhile
        os.replace(part, final)
    finally:
        part.unlink(missing_ok=True)
