"""Systems, commands and looks at stores that many tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr
from ase import Atoms
from click.testing import CliRunner, Result

from thalweg.potentials import LJAT, NetworkLoss, Weights

__all__ = [
    "axes_of_formaldehyde",
    "files_of",
    "finished",
    "near_hydroxycarbene",
    "random_cluster",
    "small_network",
    "stored_arrays",
    "thalweg",
]


def random_cluster(n: int, Z: float = 0.0, **more: Any) -> Atoms:
    """Return n atoms of LJAT at random in a cube, always the same ones; ``more`` goes to Atoms."""
    positions = np.random.default_rng(0).uniform(-1.2, 1.2, (n, 3))
    return Atoms(f"Ar{n}", positions, calculator=LJAT(Z=Z), **more)


def small_network(seed: int = 0, hidden: tuple[int, ...] = (3,), l2: float = 1e-3, **more: Any) -> Weights:
    """Return the weights of a network of 2 inputs and 4 classes on 20 random points; ``more`` goes to its loss."""
    rng = np.random.default_rng(seed)
    inputs, labels = rng.normal(size=(20, 2)), rng.integers(0, 4, 20)
    return Weights.random(NetworkLoss(inputs, labels, hidden=hidden, l2=l2, n_classes=4, **more), seed=0)


def thalweg(*words: object) -> Result:
    """Run the command ``thalweg`` with these words, in this process."""
    from thalweg.analysis.cli.main import program

    return CliRunner().invoke(program, [str(word) for word in words])


def finished(*words: object) -> str:
    """Run ``thalweg`` and return what it printed; it must have ended well and said nothing to stderr."""
    result = thalweg(*words)
    assert result.exit_code == 0, result.output
    if "compiling" not in result.stderr:
        assert result.stderr == ""
    return result.stdout


def stored_arrays(path: Path) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Return shape and bytes of every array of a store but those that describe the system, by name."""
    root = zarr.open_group(path, mode="r")
    names = [name for name, item in root.members(max_depth=None) if isinstance(item, zarr.Array)]
    arrays = {name: np.asarray(root[name][...]) for name in names if name.split("/")[0] != "system"}
    return {name: (array.shape, array.tobytes()) for name, array in sorted(arrays.items())}


def files_of(path: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, by relative path."""
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def axes_of_formaldehyde(formaldehyde: Atoms) -> tuple[tuple[int, int, int], np.ndarray, np.ndarray]:
    """Return the places of oxygen, carbon and a hydrogen atom, and unit vectors along C=O and across it to H."""
    oxygen, carbon, hydrogen = (formaldehyde.get_chemical_symbols().index(name) for name in "OCH")
    along = formaldehyde.positions[oxygen] - formaldehyde.positions[carbon]
    along /= np.linalg.norm(along)
    across = formaldehyde.positions[hydrogen] - formaldehyde.positions[carbon]
    across -= along * (across @ along)
    return (oxygen, carbon, hydrogen), along, across / np.linalg.norm(across)


def near_hydroxycarbene(formaldehyde: Atoms) -> Atoms:
    """Return formaldehyde with one hydrogen atom moved to the oxygen, from where it relaxes to HCOH."""
    (oxygen, _, hydrogen), along, across = axes_of_formaldehyde(formaldehyde)
    other = formaldehyde.copy()
    other.positions[hydrogen] = formaldehyde.positions[oxygen] + 0.3 * along + 0.9 * across
    return other
