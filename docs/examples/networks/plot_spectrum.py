"""
Hessian spectrum of a trained network
=====================================

Eigenvalues of the Hessian at a minimum and at a transition state: a few stiff directions, many soft ones, and at the
transition state one negative eigenvalue.
"""

import matplotlib.pyplot as plt
import numpy as np

from thalweg.analysis import hessian_spectrum
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

train, _ = ljat3_outcomes("D1", size=400, seed=0).halves()
loss = NetworkLoss(train.inputs, train.labels, hidden=(5,), l2=1e-4, n_classes=4)
with Landscape(Weights.random(loss, seed=0), "spectrum.zarr", seed=0) as landscape:
    landscape.find_minima(steps=20)
    landscape.connect(searches=40)
    minimum = hessian_spectrum(landscape.system, landscape.minima.coordinates[0])
    state = hessian_spectrum(landscape.system, landscape.transition_states.coordinates[0])

for spectrum, label in ((minimum, "minimum"), (state, "transition state")):
    values = np.sort(spectrum.eigenvalues)
    plt.plot(values, ".", label=f"{label}: {np.sum(values < -1e-9)} negative, trace {values.sum():.2f}")
plt.yscale("symlog", linthresh=1e-4)
plt.xlabel("number of the eigenvalue")
plt.ylabel("eigenvalue")
plt.legend()
