"""Make the pictures of README.md and docs/, each by the commands that the pages show for it.

    python docs/make_pictures.py                make all, or those named: d1.png lj13.png
    python docs/make_pictures.py --check        say which are stale; takes seconds

Stores stay in the folder ``--work`` (build/pictures), so that a second run only draws. pictures.json records for every
picture its commands, and what the drawing code made of small landscapes. A picture is stale where its commands have
changed, where its file is another than the one that was made, or where the drawing code draws differently. Versions of
matplotlib draw differently, too: the last is only compared with the version that made the pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
RECORD = DOCS / "pictures.json"

D1 = "thalweg explore D1 --output d1.zarr"
D2 = "thalweg explore D2 --output d2.zarr"
LJ13 = "thalweg explore LJ13 --output lj13.zarr --steps 1000 --searches 2000"
LJAT3 = "thalweg explore LJAT3 --output ljat3.zarr"

PICTURES: dict[str, tuple[str, ...]] = {
    "d1.png": (D1,),
    "lj13.png": (
        LJ13,
        "thalweg plot lj13.zarr --draw lowest,16,4,13 --colour energy --descendants lowest --output lj13.png",
    ),
    "path.png": (LJ13, "thalweg path lj13.zarr 0 lowest --output path.png"),
    "lj38.png": (
        "thalweg plot lj38_64 --groups basins --descendants same --labels lowest --emax -168.2 --output lj38.png",
    ),
    "d1_maps.png": (
        "thalweg explore D1 --data 200 --steps 40 --searches 100 --output d1_200.zarr",
        "thalweg plot d1_200.zarr --draw lowest,0,29,74 --output d1_maps.png",
    ),
    "decision_maps.png": (
        "thalweg explore D1 --errors 10 --steps 40 --searches 0 --output d1_10.zarr",
        "thalweg map d1_10.zarr 0 1 --ensemble --output decision_maps.png",
    ),
    "ljat3_d1.png": (LJAT3, D1, "thalweg compare ljat3.zarr d1.zarr --output ljat3_d1.png"),
    "compare.png": (LJ13, D1, D2, "thalweg compare lj13.zarr d1.zarr d2.zarr --output compare.png"),
}
"""Commands of each picture, as the pages show them."""

EXAMPLES = DOCS.parent.parent / "shared" / "data" / "networks"
"""Where PATHSAMPLE's examples are looked for, if not in the working folder: the folder lj38_64."""


def digest(data: bytes) -> str:
    """Return a short digest."""
    return hashlib.sha256(data).hexdigest()[:20]


def drawn() -> str:
    """Return the digest of what the drawing code makes of small landscapes, as SVG."""
    import numpy as np

    from thalweg.analysis import Comparison, DisconnectivityGraph, KineticTransitionNetwork, LandscapePath
    from thalweg.optimizers.pictures.files import save_figure

    rng = np.random.default_rng(0)
    energies = np.sort(rng.gamma(3.0, 1.0, 30))
    pairs = np.array([[k, rng.integers(0, k)] for k in range(1, 30)])
    states = energies[pairs].max(axis=1) + rng.exponential(0.5, 29)
    network = KineticTransitionNetwork(energies, states, pairs)
    graph = DisconnectivityGraph(network, lowest=25)
    kinds = np.array(["minimum", "transition state", "minimum"])
    path = LandscapePath(
        np.array([0.0, 2.0, 1.0]), np.arange(3.0), kinds, np.arange(3), np.zeros((3, 1)), np.ones(1, bool)
    )
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.svg"
        for options in (
            {"colour": "energy", "descendants": "lowest", "title": "graph"},
            {"groups": "basins", "labels": range(12)},
            {"widths": "size", "drawings": {3: np.eye(4)}},
        ):
            graph.save(file, metadata={"Date": None}, **options)
            pictures.append(file.read_bytes())
        save_figure(Comparison({"one": network, "two": network}).plot(), file, metadata={"Date": None})
        pictures.append(file.read_bytes())
        path.save(file, metadata={"Date": None})
        pictures.append(file.read_bytes())
    return digest(b"".join(pictures))


def drawn_by() -> str:
    """Return what decides about the last digits of a drawing: matplotlib's version and the platform."""
    import matplotlib

    return f"matplotlib {matplotlib.__version__} on {sys.platform}"


def record() -> dict[str, object]:
    """Return what was recorded; nothing where nothing was."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {"drawn": "", "drawn by": "", "pictures": {}}


def stale() -> list[str]:
    """Return a line for each picture that is not what its commands would make, and why."""
    known, lines = record(), []
    for name, commands in PICTURES.items():
        made = known["pictures"].get(name)
        if made is None or not (DOCS / name).exists():
            lines.append(f"{name} has not been made")
        elif made["commands"] != list(commands):
            lines.append(f"{name} was made by other commands: {'; '.join(made['commands'])}")
        elif made["file"] != digest((DOCS / name).read_bytes()):
            lines.append(f"{name} is not the file that was made")
    if known["drawn by"] == drawn_by() and known["drawn"] != drawn():
        lines.append("the drawing code draws differently from when the pictures were made")
    return lines + undocumented()


def undocumented() -> list[str]:
    """Return a line for each command that no page shows."""
    pages = " ".join(" ".join(page.read_text().split()) for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")])
    commands = dict.fromkeys(command for commands in PICTURES.values() for command in commands)
    return [f"no page shows the command: {command}" for command in commands if command not in pages]


def make(name: str, work: Path) -> bool:
    """Make one picture, and record it; return whether it could be made."""
    for command in PICTURES[name]:
        words = shlex.split(command)
        output = work / words[words.index("--output") + 1]
        if output.suffix == ".zarr" and output.exists():
            if output.with_suffix(".png").name == name:  # what thalweg explore draws beside a store
                subprocess.run([sys.executable, "-m", "thalweg", "plot", output.name], cwd=work, check=True)
            continue
        if "lj38_64" in words and not (work / "lj38_64").exists():
            if not (EXAMPLES / "lj38_64").is_dir():
                print(f"{name}: PATHSAMPLE's example lj38_64 is not in {work}")
                return False
            shutil.copytree(EXAMPLES / "lj38_64", work / "lj38_64")
        print(command, flush=True)
        subprocess.run([sys.executable, "-m", "thalweg", *words[1:]], cwd=work, check=True)
    shutil.copyfile(work / name, DOCS / name)
    known = record()
    known["pictures"][name] = {"commands": list(PICTURES[name]), "file": digest((DOCS / name).read_bytes())}
    known["pictures"] = {name: known["pictures"][name] for name in sorted(set(known["pictures"]) & set(PICTURES))}
    known = {"drawn": drawn(), "drawn by": drawn_by(), "pictures": known["pictures"]}
    RECORD.write_text(json.dumps(known, indent=1) + "\n")
    return True


def main() -> int:
    """Make pictures, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to make; all by default")
    parser.add_argument("--check", action="store_true", help="say which pictures are stale, and make none")
    parser.add_argument("--work", type=Path, default=DOCS.parent / "build" / "pictures", help="folder of the stores")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PICTURES):
        parser.error(f"there is no picture {min(unknown)}; there are {', '.join(PICTURES)}")
    if options.check:
        lines = stale()
        print("\n".join(lines) or f"{len(PICTURES)} pictures are what their commands make")
        return bool(lines)
    options.work.mkdir(parents=True, exist_ok=True)
    made = [make(name, options.work) for name in options.names or PICTURES]
    return not all(made)


if __name__ == "__main__":
    sys.exit(main())
