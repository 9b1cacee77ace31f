"""
Seven atoms: explore, and draw the graph
========================================

Seven atoms that attract each other by the Lennard-Jones potential have four minima. This finds them, and the transition
states between them.
"""

import numpy as np
from ase import Atoms

from thalweg.analysis import DisconnectivityGraph
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 7, np.random.default_rng(0)).reshape(-1, 3)
atoms = Atoms("Ar7", positions, calculator=calculator)

with Landscape(atoms, "lj7.zarr", seed=0) as landscape:
    landscape.find_minima(steps=40)
    landscape.connect(searches=100)
    print(np.sort(landscape.minima.energy[:]))

# %%
# Each line of the disconnectivity graph ends at a minimum. Two lines meet at the energy above which a path leads from
# one minimum to the other.

DisconnectivityGraph("lj7.zarr").plot(colour="energy")
