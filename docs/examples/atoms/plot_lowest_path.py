"""
The lowest path between two minima of a cluster
===============================================

Of all paths between two minima, this is the one whose highest point is lowest.
"""

import numpy as np
from ase import Atoms

from thalweg.analysis import landscape_path
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 8, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar8", positions, calculator=calculator), "path.zarr", seed=0) as landscape:
    landscape.find_minima(steps=60)
    landscape.connect(searches=120)
    order = np.argsort(landscape.minima.energy[:])

path = landscape_path("path.zarr", order[-1], order[0])
path.plot()

# %%
# The stationary points on the way, with energies and lengths:

print(path.table()[:200])
