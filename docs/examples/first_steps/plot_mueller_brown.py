"""
A surface of two variables, with its lowest path
================================================

The Müller-Brown surface is the usual test of methods that look for transition states: three minima, two transition
states between them, and a bent valley that leads from one to the next.
"""

import matplotlib.pyplot as plt
import numpy as np

from thalweg.analysis import landscape_path
from thalweg.landscapes import Landscape
from thalweg.potentials import MuellerBrown, Point

surface = MuellerBrown()
with Landscape(Point([0.0, 0.5], surface), "mueller_brown.zarr", seed=0) as landscape:
    landscape.find_minima(steps=80)
    landscape.connect(searches=160)
    minima = landscape.minima.coordinates[:]
    states = landscape.transition_states.coordinates[:]
    lowest, second = np.argsort(landscape.minima.energy[:])[:2]

path = landscape_path("mueller_brown.zarr", second, lowest)

# %%
# The path follows steepest descent on both sides of each transition state.

x, y = np.meshgrid(np.linspace(-1.6, 1.2, 150), np.linspace(-0.4, 2.0, 150))
energies = [surface.energy_gradient(point)[0] for point in np.column_stack([x.ravel(), y.ravel()])]

figure, axes = plt.subplots()
axes.contour(x, y, np.reshape(energies, x.shape), levels=np.arange(-150, 100, 15), cmap="Greys_r", linewidths=0.7)
axes.plot(*path.points.T, color="tab:blue", label="lowest path")
axes.plot(*minima.T, "o", color="tab:orange", label="minima")
axes.plot(*states.T, "x", color="black", label="transition states")
axes.legend()

# %%
# Its energies along the way:

path.plot()
