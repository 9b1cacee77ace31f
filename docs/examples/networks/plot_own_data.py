"""
A table of your own
===================

A network on the columns of a CSV file. On the command line this is
``thalweg explore flowers.csv --target species --hidden 3 --output flowers.zarr``.
"""

from pathlib import Path

from thalweg.analysis import plot_decision_map, score_table
from thalweg.datasets import Scaling, iris, read_dataset
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

flowers = iris()
rows = [f"{x[2]},{x[3]},{'abc'[label]}" for x, label in zip(flowers.inputs, flowers.labels, strict=True)]
Path("flowers.csv").write_text("\n".join(["length,width,species", *rows]))

data = read_dataset("flowers.csv", target="species")
train = Scaling.of(data.inputs, "standard").apply(data)
loss = NetworkLoss(train.inputs, train.labels, hidden=(3,), l2=1e-3)
landscape = Landscape(Weights.random(loss, seed=0), "flowers.zarr", seed=0)
landscape.find_minima(steps=20)

scores = score_table(landscape, train)
lowest = landscape.minima.lowest()
print(f"accuracy of the lowest minimum: {scores['accuracy'][lowest]:.3f}")

# %%
# What the network at the lowest minimum predicts: the most probable class, paler where it is less sure.

plot_decision_map(landscape, lowest)
