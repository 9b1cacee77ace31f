"""
A plane through three minima
============================

Pictures of losses on a plane are popular. Here the plane goes through three minima of one landscape.
"""

from thalweg.analysis import loss_surface
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

train, _ = ljat3_outcomes("D1", size=400, seed=0).halves()
loss = NetworkLoss(train.inputs, train.labels, hidden=(5,), l2=1e-4, n_classes=4)
with Landscape(Weights.random(loss, seed=0), "plane.zarr", seed=0) as landscape:
    landscape.find_minima(steps=20)
    surface = loss_surface(landscape.system, *landscape.minima.coordinates[:3])

surface.plot()
