"""
Basin-hopping, called as ASE's dynamics are
===========================================

A chain steps from minimum to minimum of 13 Lennard-Jones atoms until it finds the icosahedron, at -44.326801.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms

from thalweg.optimizers import BasinHopping, basin_hopping_steps
from thalweg.potentials import LJAT

calculator = LJAT(Z=0.0)
positions = calculator.random_coordinates(3 * 13, np.random.default_rng(0)).reshape(-1, 3)
atoms = Atoms("Ar13", positions, calculator=calculator)

search = BasinHopping(atoms, temperature=0.8, step=0.4, seed=0, target=-44.326801)
print("found:", search.run(2000))
energy, icosahedron = search.get_minimum()
print(f"lowest energy {energy:.6f}")

# %%
# ``basin_hopping_steps`` is the same as a function, and returns every quench.

rng = np.random.default_rng(0)
chain = basin_hopping_steps(atoms, positions, None, rng, steps=150, step=0.4, temperature=0.8)
plt.plot(chain.energy, ".", color="0.6", label="energy of each quench")
plt.plot(np.minimum.accumulate(chain.energy), color="tab:blue", label="lowest so far")
plt.xlabel("step")
plt.ylabel("energy / epsilon")
plt.legend()
