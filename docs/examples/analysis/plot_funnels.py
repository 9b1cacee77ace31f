"""
Funnels
=======

A funnel is a set of minima from which going downhill, over the lowest transition state each time, ends at the same
bottom (a monotonic sequence basin). Branches have the colour of their funnel.
"""

import numpy as np
from ase import Atoms

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, monotonic_basins
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 9, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar9", positions, calculator=calculator), "funnels.zarr", seed=0) as landscape:
    landscape.find_minima(steps=150)
    landscape.connect(searches=200)

network = KineticTransitionNetwork.read("funnels.zarr")
bottoms, sizes = np.unique(monotonic_basins(network), return_counts=True)
print(f"{len(bottoms)} funnels of {sizes} minima")
DisconnectivityGraph(network).plot(groups="basins", descendants="same", labels={network.global_minimum: "lowest"})
