"""
Two networks that PyTorch trained, joined by a path
===================================================

Two modules are trained by Adam from different starts. Both become points of one loss and are minimised to the bottom
of their basins. Searches join the two minima by transition states, each of them verified, and the path over these is
drawn. The example needs PyTorch.
"""

import numpy as np
import torch
from sklearn.datasets import load_iris

from thalweg.analysis import from_torch, landscape_path
from thalweg.landscapes import Landscape, Minimum
from thalweg.optimizers import minimise

inputs, labels = load_iris(return_X_y=True)
inputs = (inputs - inputs.mean(0)) / inputs.std(0)
criterion, trained = torch.nn.CrossEntropyLoss(), []
for seed in (0, 2):
    torch.manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()
    adam = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(300):
        adam.zero_grad()
        penalty = 1e-3 * sum((part**2).sum() for part in module.parameters())
        (criterion(module(torch.tensor(inputs)), torch.tensor(labels)) + penalty).backward()
        adam.step()
    trained.append(module)

# %%
# These lines join them.

points = [from_torch(module, criterion, inputs, labels, l2=1e-3) for module in trained]
ends = minimise(points[0], np.array([point.x for point in points]), second_order=True)
curvatures = ends.lowest_eigenvalue, ends.log_eigenvalue_product, ends.modes
with Landscape(points[0], "adam.zarr", seed=0) as landscape:
    for numbers in zip(ends.energy, ends.x, ends.rms, *curvatures, strict=True):
        landscape.add_minimum(Minimum(*numbers))
    landscape.connect(pairs=[(0, 1)])
    path = landscape_path(landscape, 0, 1)
path.plot()

# %%
# Adam had stopped a little above both minima.

print("losses after Adam:", *(f"{point.get_potential_energy():.5f}" for point in points))
print("losses of the minima:", *(f"{energy:.5f}" for energy in ends.energy))
