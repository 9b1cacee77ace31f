"""
Vibrations of a metal cluster, at a minimum and at a transition state
=====================================================================

Six platinum atoms with ASE's effective medium theory. Each stationary point of atoms in eV is stored with its
vibrational frequencies; the transition state has one imaginary frequency, drawn as negative.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.landscapes import Landscape

cluster = Atoms("Pt6", np.random.default_rng(0).uniform(-2.2, 2.2, (6, 3)), calculator=EMT())
with Landscape(cluster, "frequencies.zarr", seed=0) as landscape:
    landscape.find_minima(steps=10)
    landscape.connect(searches=6)
    minimum = landscape.frequencies("minimum", landscape.minima.lowest())
    state = landscape.frequencies("transition state", 0)

figure, axes = plt.subplots(figsize=(6.4, 3), layout="constrained")
axes.vlines(minimum, 0, 1, color="tab:blue", label="lowest minimum")
axes.vlines(state, 1, 2, color="tab:orange", label="transition state")
axes.set(xlabel="frequency / cm$^{-1}$ (imaginary ones negative)", yticks=[])
figure.legend(loc="outside upper center", ncols=2)
