"""Export of the paper's page with its pictures and data, independent of the stores."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from thalweg.analysis.paper.archive import kept_path
from thalweg.analysis.paper.plan import Plan

__all__ = ["check_place", "kept_files", "publish", "recall"]

_COLOURS = 256
_COMMAND = re.compile(r"^    thalweg paper --output ", re.MULTILINE)  # stands on every page
_CEILINGS = "ceiling.csv"  # may be copied into a new folder, where it is read and saves time
_FOLDERS = ("landscapes", "networks")  # of every folder of results
_PEERS = ("peers.md", "peers.csv")  # results of a benchmark, which `thalweg paper` does not repeat


def _results(plan: Plan) -> list[str]:
    """Return the names, relative to a folder of results, of the files that every run writes anew."""
    names = [
        f"{name}.csv"
        for name in ("measures", "classes", "growth", "failures", "landscapes", "ceiling", "claims", "comparisons")
    ]
    names += [f"tables/{name}.csv" for name in plan.tables]
    return names + [f"figures/{name}.png" for name in (*plan.figures, "growth")]


def check_place(plan: Plan, page: Path, folder: Path) -> None:
    """Check that nothing is in the way of a page and its files but what a former run has written.

    Parameters
    ----------
    plan : Plan
    page : Path
        Path of the page.
    folder : Path
        Folder of its files.

    Raises
    ------
    FileExistsError
        If there is a page that ``thalweg paper`` did not write, or files of its names in a folder that is none of its.
    """
    if page.exists():
        if not page.is_file() or not _COMMAND.search(page.read_text(encoding="utf-8", errors="replace")):
            raise FileExistsError(f"{page} exists, and is no page of thalweg paper: move it, or choose another place")
        return
    if any((folder / name).is_dir() for name in _FOLDERS):
        return
    for name in _results(plan):
        if name != _CEILINGS and (folder / name).exists():
            raise FileExistsError(
                f"{folder / name} exists, and no page of thalweg paper beside it: move it, or choose another place"
            )


def kept_files(plan: Plan, output: Path) -> Iterable[Path]:
    """Yield the paths, relative to a folder of results, of its files that a page shows or names."""
    names = [*_results(plan), *_PEERS]
    paths = [*map(Path, names), *(kept_path(Path(), job) for job in plan.jobs)]
    yield from (path for path in paths if (output / path).is_file())


def recall(output: Path, folder: Path) -> None:
    """Copy the benchmark's files from the folder beside a page into a folder of results, unless it has its own."""
    if any((output / name).exists() for name in _PEERS):
        return
    for name in _PEERS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, output / name)


def publish(plan: Plan, output: Path, page: Path, text: str) -> int:
    """Write a page and copy its files: CSV unchanged, pictures with 256 colours, at a third of the size.

    Parameters
    ----------
    plan : Plan
    output : Path
        Folder of results.
    page : Path
        Path of the page, NAME.md; its files go into NAME/ beside it and replace files of the same names.
    text : str
        Text of the page.

    Returns
    -------
    int
        Size of the page and its files in bytes.
    """
    folder = page.with_suffix("")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    size = page.stat().st_size
    for name in kept_files(plan, output):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.suffix == ".png":
            _shrink(output / name, target)
        else:
            shutil.copyfile(output / name, target)
        size += target.stat().st_size
    return size


def _shrink(source: Path, target: Path) -> None:
    from PIL import Image

    with Image.open(source) as picture:
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
