"""
Decision maps of two minima and of an ensemble
==============================================

Two minima with nearly the same loss can predict differently. Averaging the predictions of all minima found often does
better than the lowest one.
"""

from thalweg.analysis import Ensemble, plot_decision_maps, score_table
from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

train, test = ljat3_outcomes("D1", size=600, seed=0).halves()
loss = NetworkLoss(train.inputs, train.labels, hidden=(5,), l2=1e-4, n_classes=4)
landscape = Landscape(Weights.random(loss, seed=0), "maps.zarr", seed=0)
landscape.find_minima(steps=30)

print("accuracy on new data:", score_table(landscape, test, rows=[0, 1])["accuracy"])
plot_decision_maps(landscape, [0, 1, Ensemble(landscape)])
