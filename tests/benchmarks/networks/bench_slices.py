"""Do slices of a landscape tell what its graph tells? Basins and saddle-minimum distances of both, on one store.

thalweg explore D1 --output d1.zarr
python -m tests.benchmarks.networks.bench_slices d1.zarr
"""

from __future__ import annotations

import sys

import numpy as np

from thalweg.analysis import KineticTransitionNetwork, loss_surface, merge_tree, saddle_minimum_distance
from thalweg.landscapes import Landscape


def told(name: str, network: KineticTransitionNetwork) -> None:
    """Print one row of the table."""
    found = saddle_minimum_distance(network)
    print(f"| {name} | {network.n_minima} | {found.mean:.2e} | {found.normalised:.3f} |")


def subspace(system, x, vectors, span, points):
    """Return the merge tree of the grid that some eigenvectors span around a point."""
    axis = np.linspace(-span, span, points)
    steps = np.stack(np.meshgrid(*[axis] * len(vectors), indexing="ij"), axis=-1)
    grid = x + steps.reshape(-1, len(vectors)) @ vectors
    return merge_tree(system.energies_gradients(grid)[0].reshape(steps.shape[:-1]))


def main() -> None:
    landscape = Landscape.open(sys.argv[1])
    system, minima = landscape.system, landscape.minima.coordinates[:]
    lowest = landscape.minima.lowest()
    x = minima[lowest]
    nearest = np.array([system.distance(x, other) for other in minima])
    span = float(np.quantile(nearest, 0.5))
    print(f"half of the minima lie within {span:.2f} of Gmin\n")
    print("| | basins | saddle-minimum average distance | normalised |\n|---|---|---|---|")
    told("the graph", KineticTransitionNetwork.read(landscape))
    trees = [loss_surface(system, x, seed=seed).merge_tree() for seed in range(20)]
    distances = [saddle_minimum_distance(tree).mean for tree in trees]
    print(f"| 20 random planes around Gmin | {np.mean([t.n_minima for t in trees]):.1f} | {np.mean(distances):.2e} | |")
    _, vectors = np.linalg.eigh(system.hessian(x)[np.ix_(system.free, system.free)])
    modes = np.zeros((len(vectors), system.n))
    modes[:, system.free] = vectors.T
    for name, chosen in (("stiffest", modes[::-1]), ("softest", modes)):
        told(f"the 2 {name} modes of Gmin", subspace(system, x, chosen[:2], span, 51))
        told(f"the 3 {name} modes of Gmin", subspace(system, x, chosen[:3], span, 31))
    order = np.argsort(landscape.minima.energy[:])[:3]
    aligned = [minima[order[0]], *(system.align(minima[order[0]], minima[row]) for row in order[1:])]
    told("the plane through the 3 lowest minima", loss_surface(system, *aligned, points=201).merge_tree())


if __name__ == "__main__":
    main()
