"""
The loss of a small network on the irises
=========================================

Three hidden units learn to tell three kinds of iris apart. Every minimum of the loss is a trained network, and the
graph shows which can be reached from which without climbing high.
"""

from thalweg.analysis import DisconnectivityGraph
from thalweg.datasets import Scaling, iris
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

data = Scaling.of(iris().inputs, "standard").apply(iris())
loss = NetworkLoss(data.inputs, data.labels, hidden=(3,), l2=1e-4)
with Landscape(Weights.random(loss, seed=0), "iris.zarr", seed=0) as landscape:
    landscape.find_minima(steps=30)
    landscape.connect(searches=120)
    lowest = landscape.minima.lowest()
    print(f"{len(landscape.minima)} minima, the lowest loss is {landscape.minima.energy[lowest]:.4f}")

DisconnectivityGraph("iris.zarr").plot(colour="energy")
