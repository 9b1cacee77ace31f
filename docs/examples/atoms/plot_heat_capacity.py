"""
Heat capacity of a cluster
==========================

Thermodynamics by harmonic superposition: every minimum counts with its Boltzmann factor, its vibrations and its number
of copies.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms

from thalweg.analysis import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 10, np.random.default_rng(0)).reshape(-1, 3)
with Landscape(Atoms("Ar10", positions, calculator=calculator), "heat_capacity.zarr", seed=0) as landscape:
    landscape.find_minima(steps=300)
    print(f"{len(landscape.minima)} minima")

network = KineticTransitionNetwork.read("heat_capacity.zarr")
temperatures = np.linspace(0.02, 0.6, 100)
heat = network.thermodynamics(temperatures)

figure, (above, below) = plt.subplots(2, sharex=True)
above.plot(temperatures, heat.heat_capacity)
above.set_ylabel("heat capacity / k$_B$")
below.plot(temperatures, np.asarray(heat.occupation)[:, network.global_minimum])
below.set(xlabel="temperature / epsilon", ylabel="occupation of\nthe lowest minimum")
