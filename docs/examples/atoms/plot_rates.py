"""
Rates in 1/s against temperature
================================

The rate at which six platinum atoms change from the second lowest structure to the lowest, by harmonic transition state
theory with the atoms' masses.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.analysis import KineticTransitionNetwork
from thalweg.landscapes import Landscape

cluster = Atoms("Pt6", np.random.default_rng(0).uniform(-2.2, 2.2, (6, 3)), calculator=EMT())
with Landscape(cluster, "rates.zarr", seed=0) as landscape:
    landscape.find_minima(steps=10)
    landscape.connect(searches=6)

network = KineticTransitionNetwork.read("rates.zarr")
lowest, other = np.argsort(network.energies)[:2]
kelvin = np.linspace(200, 600, 20)
there = [network.kinetics(kelvin=T).rate_constant(source=[other], target=[lowest]) for T in kelvin]
back = [network.kinetics(kelvin=T).rate_constant(source=[lowest], target=[other]) for T in kelvin]

# %%
# Straight lines in this plot are Arrhenius behaviour.

plt.semilogy(1000 / kelvin, there, label="to the lowest minimum")
plt.semilogy(1000 / kelvin, back, label="back")
plt.xlabel("1000 K / temperature")
plt.ylabel("rate constant / s$^{-1}$")
plt.legend()
