"""
A molecule's landscape beside a network's
=========================================

Energies of atoms and losses of networks have no scale in common, so both are divided by the band: the highest minimum
less the lowest.
"""

import numpy as np
from ase import Atoms

from thalweg.analysis import Comparison
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss, Weights

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 8, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar8", positions, calculator=calculator), "atoms.zarr", seed=0) as landscape:
    landscape.find_minima(steps=60)
    landscape.connect(searches=120)

train, test = ljat3_outcomes("D1", size=400, seed=0).halves()
loss = NetworkLoss(train.inputs, train.labels, hidden=(4,), l2=1e-3, n_classes=4)
with Landscape(Weights.random(loss, seed=0), "network.zarr", seed=0) as landscape:
    landscape.find_minima(steps=30)
    landscape.connect(searches=80)

comparison = Comparison({"LJ8": "atoms.zarr", "D1": "network.zarr"}, sample=20, seed=0)
print(comparison.to_text())
comparison.plot()
