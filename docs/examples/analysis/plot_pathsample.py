"""
To PATHSAMPLE's files and back
==============================

PATHSAMPLE keeps a landscape in text files: ``min.data`` has a line for each minimum, ``ts.data`` for each transition
state. Thalweg writes and reads them.
"""

from pathlib import Path

import numpy as np
from ase import Atoms

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 7, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar7", positions, calculator=calculator), "pathsample.zarr", seed=0) as landscape:
    landscape.find_minima(steps=40)
    landscape.connect(searches=100)

KineticTransitionNetwork.read("pathsample.zarr").to_pathsample("pathsample_files")
print(Path("pathsample_files/min.data").read_text())

# %%
# What was written gives the same graph.

network = KineticTransitionNetwork.from_pathsample("pathsample_files")
DisconnectivityGraph(network).plot(colour="energy")
