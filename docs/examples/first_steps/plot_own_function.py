"""
A function of your own, with a symmetry
=======================================

Any function of a vector can be explored; derivatives are taken by differences where they are not given. This one does
not change when its three coordinates are exchanged. Declared so, copies of one minimum count once.
"""

import numpy as np

from thalweg.analysis import DisconnectivityGraph
from thalweg.landscapes import Landscape
from thalweg.potentials import BlockSymmetry, Function, Point


def energy(x):
    return np.sum((x**2 - 1) ** 2) + 0.2 * (x.sum() ** 2 - x @ x) / 2 + 0.1 * x.sum()


def gradient(x):
    return 4 * x * (x**2 - 1) + 0.2 * (x.sum() - x) + 0.1


exchange = BlockSymmetry(np.arange(3).reshape(3, 1))
wells = Function(energy, gradient, symmetry=exchange, name="three wells")
with Landscape(Point([0.5, 0.4, 0.3], wells), "wells.zarr", seed=0, bounds=(-1.5, 1.5)) as landscape:
    landscape.find_minima(steps=40)
    landscape.connect(searches=60)
    print(f"{len(landscape.minima)} minima and {len(landscape.transition_states)} transition states")
    print(landscape.minima.coordinates[:].round(3))

# %%
# Without the symmetry there would be eight minima: one for each choice of a sign for each coordinate. Those with one
# or two positive coordinates come three times.

DisconnectivityGraph("wells.zarr").plot(colour="energy")
