"""Export of the paper's page with its pictures and data, independent of the stores."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from thalweg.analysis.paper.archive import kept_path
from thalweg.analysis.paper.plan import Plan

__all__ = ["kept_files", "publish", "recall"]

_COLOURS = 256
_PEERS = ("peers.md", "peers.csv")  # results of a benchmark, which `thalweg paper` does not repeat


def kept_files(plan: Plan, output: Path) -> Iterable[Path]:
    """Yield the paths, relative to a folder of results, of its files that a page shows or names."""
    names = [f"{name}.csv" for name in ("measures", "growth", "failures", "ceiling", "claims", "comparisons")]
    names += _PEERS
    names += [f"tables/{name}.csv" for name in plan.tables]
    names += [f"figures/{name}.png" for name in (*plan.figures, "growth")]
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
