"""
How long does a walk take?
==========================

The mean first passage time is one number. The distribution shows more: two peaks mean that some walks fall into a trap
on their way.
"""

import numpy as np
from ase import Atoms

from thalweg.analysis import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 8, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar8", positions, calculator=calculator), "passage.zarr", seed=0) as landscape:
    landscape.find_minima(steps=60)
    landscape.connect(searches=120)

network = KineticTransitionNetwork.read("passage.zarr")
order = np.argsort(network.energies)
kinetics = network.kinetics(temperature=0.1)
times = kinetics.first_passage_distribution(source=[order[-1]], target=[order[0]])
mean = kinetics.mean_first_passage_time(source=[order[-1]], target=[order[0]])
print(f"mean {mean:.3g}, median {times.quantile(0.5):.3g}")
times.plot()
