"""A page that can be kept without the stores: its pictures and data in a folder of its name beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from thalweg.analysis.paper.archive import kept_path
from thalweg.analysis.paper.plan import Plan

__all__ = ["kept_files", "publish", "recall"]

_COLOURS = 256
_PEERS = ("peers.md", "peers.csv")  # of a benchmark, which no call makes again


def kept_files(plan: Plan, output: Path) -> Iterable[Path]:
    """Yield the files of a folder of results that a page shows or names, relative to it."""
    names = [f"{name}.csv" for name in ("measures", "growth", "failures", "ceiling", "claims")]
    names += _PEERS
    names += [f"tables/{name}.csv" for name in plan.tables]
    names += [f"figures/{name}.png" for name in (*plan.figures, "growth")]
    paths = [*map(Path, names), *(kept_path(Path(), job) for job in plan.jobs)]
    yield from (path for path in paths if (output / path).is_file())


def recall(output: Path, folder: Path) -> None:
    """Copy into a folder of results what the folder beside a page has kept of the benchmark, unless it has its own."""
    if any((output / name).exists() for name in _PEERS):
        return
    for name in _PEERS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, output / name)


def publish(plan: Plan, output: Path, page: Path, text: str) -> int:
    """Write a page and copy its files: CSV as they are, pictures with 256 colours, a third of the size.

    Parameters
    ----------
    plan : Plan
    output : Path
        The folder of results.
    page : Path
        The page, NAME.md; its files go into NAME/ beside it, where those of the same names are replaced.
    text : str
        Of the page.

    Returns
    -------
    int
        Bytes of the page and its files.
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
