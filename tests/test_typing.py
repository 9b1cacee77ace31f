"""A type checker finds Thalweg, and a script that uses every public class passes strictly."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

pytest.importorskip("mypy")

SCRIPT = """
from pathlib import Path

import numpy as np
from ase import Atoms

import thalweg
from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, Kinetics, LandscapeClassifier, auc
from thalweg.datasets import Dataset, ljat3_outcomes, mislabel
from thalweg.landscapes import Landscape, verify
from thalweg.optimizers import LBFGS, Rules, find_transition_states, minimise
from thalweg.potentials import LJAT, Function, NetworkLoss, Point, Weights, as_system

atoms = Atoms("Ar3", positions=[[0, 0, 0], [1.1, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=2.0))
converged: bool = LBFGS(atoms, logfile="-", trajectory="min.traj").run(fmax=1e-8)
found = find_transition_states(atoms, atoms.positions.ravel() + 0.1)
lowest: float = float(found.lowest_eigenvalue[0])
data: Dataset = ljat3_outcomes("D1", size=200, seed=0)
train, test = data.halves()
train = mislabel(train[:50], fraction=0.1, seed=0)
loss = NetworkLoss(train.inputs, train.labels, hidden=(10,), l2=1e-4, n_classes=4)
weights = Weights.random(loss, seed=0)
best = minimise(as_system(weights), np.zeros((2, loss.n_weights)), rms=1e-9, rules=Rules())
with Landscape(weights, Path("d1.zarr"), seed=0) as landscape:
    landscape.find_minima(steps=5)
    landscape.connect(searches=5)
    landscape.properties["test_auc"] = auc(landscape.minima, test, reference=0)
    verify(landscape)
network = KineticTransitionNetwork.read("d1.zarr")
DisconnectivityGraph(network).save("d1.png", colour=network.properties["test_auc"])
bowl = Point([0.5, 0.5], calc=Function(lambda x: float(x @ x)))
version: str = thalweg.__version__
thalweg.analysis.Kinetics
"""

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")


def check(tmp_path, text):
    """Return what mypy --strict says of a script, with the package as it is installed."""
    script = tmp_path / "script.py"
    script.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*command, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if ": note:" not in line] + done.stderr.splitlines()


def test_a_strict_script_of_every_public_class_passes(tmp_path):
    every = "\n".join(
        f"from thalweg.{package} import {name} as {package}_{name}\nprint({package}_{name})"
        for package in PACKAGES
        for name in import_module(f"thalweg.{package}").__all__
    )
    assert check(tmp_path, SCRIPT + every) == []


def test_a_wrong_argument_is_found(tmp_path):
    found = check(tmp_path, "from thalweg.potentials import NetworkLoss\nNetworkLoss([[0.0]], [0], hiden=3)\n")
    assert any("hiden" in line for line in found)
