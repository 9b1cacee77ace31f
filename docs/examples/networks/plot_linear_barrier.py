"""
The straight line between two networks, and the lowest path
===========================================================

Two trained networks often seem to be separated by a high barrier only because their hidden units stand in another
order. Moved to its nearest copy, the second network is much closer; the lowest path over a transition state is lower
still.
"""

from thalweg.analysis import linear_barrier
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

train, _ = ljat3_outcomes("D1", size=400, seed=0).halves()
loss = NetworkLoss(train.inputs, train.labels, hidden=(5,), l2=1e-4, n_classes=4)
with Landscape(Weights.random(loss, seed=0), "barrier.zarr", seed=0) as landscape:
    landscape.find_minima(steps=20)
    landscape.connect(searches=60)
    landscape.connect(pairs=[(0, 2)])
    barrier = linear_barrier(landscape, 0, 2)

print(barrier)
barrier.plot()
