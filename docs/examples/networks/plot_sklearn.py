"""
Where does scikit-learn's optimizer end in the landscape?
=========================================================

``MLPClassifier`` is trained from ten random starts. Each result becomes a point of Thalweg's loss, is minimised to the
bottom of its basin, and is compared with the minima that exploring finds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from thalweg.analysis import from_sklearn
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.optimizers import minimise

train, _ = ljat3_outcomes("D1", size=400, seed=0).halves()
starts = []
for seed in range(10):
    model = MLPClassifier((5,), activation="tanh", solver="lbfgs", alpha=0.01, max_iter=200, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train.inputs, train.labels)
    starts.append(from_sklearn(model, train.inputs, train.labels, same_loss=True))

ends = minimise(starts[0], np.array([start.x for start in starts]))

with Landscape(starts[0], "sklearn.zarr", seed=0) as landscape:
    landscape.find_minima(steps=200)
    known = landscape.minima.energy[:]

# %%
# Which minimum a training ends in depends on its random start.

print(f"{np.sum(ends.energy < known.min() + 1e-6)} of {len(starts)} trainings end in the lowest minimum known")

plt.figure(layout="constrained")
plt.eventplot([known, ends.energy], lineoffsets=[0, 1], linelengths=0.8)
plt.yticks([0, 1], ["minima found\nby exploring", "ends of\nMLPClassifier"])
plt.xlabel("loss")
