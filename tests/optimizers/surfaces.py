"""Surfaces and systems with known answers, for these tests."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.potentials import LJAT, Function
from thalweg.potentials.neural_network.loss import NetworkLoss

# K. Mueller and L. D. Brown, Theoret. Chim. Acta 53 (1979) 75
_A = np.array([-200.0, -100.0, -170.0, 15.0])
_B = np.array([[-1.0, 0.0, -10.0], [-1.0, 0.0, -10.0], [-6.5, 11.0, -6.5], [0.7, 0.6, 0.7]])
_C = np.array([[1.0, 0.0], [0.0, 0.5], [-0.5, 1.5], [-1.0, 1.0]])

MUELLER_BROWN_MINIMA = np.array([[-0.558224, 1.441726], [-0.050011, 0.466694], [0.623499, 0.028038]])
MUELLER_BROWN_SADDLES = np.array([[-0.822002, 0.624313], [0.212487, 0.292988]])
MUELLER_BROWN_SADDLE_ENERGIES = np.array([-40.664844, -72.248940])

LINEAR, TRIANGLE, LJAT3_SADDLE = -2.2190981697, -2.1850988403, -1.98506966


def _terms(x):
    d = x - _C
    return d, _A * np.exp(_B[:, 0] * d[:, 0] ** 2 + _B[:, 1] * d[:, 0] * d[:, 1] + _B[:, 2] * d[:, 1] ** 2)


def mueller_brown(x):
    """Energy at x, shape (2,)."""
    return _terms(x)[1].sum()


def mueller_brown_gradient(x):
    """Gradient (2,) at x."""
    d, e = _terms(x)
    return np.array(
        [
            np.sum(e * (2 * _B[:, 0] * d[:, 0] + _B[:, 1] * d[:, 1])),
            np.sum(e * (_B[:, 1] * d[:, 0] + 2 * _B[:, 2] * d[:, 1])),
        ]
    )


def mueller_brown_potential():
    """A Function of it."""
    return Function(mueller_brown, mueller_brown_gradient)


def cluster(n, seed, Z=0.0, side=1.15):
    """Random LJAT atoms in a cube."""
    positions = np.random.default_rng(seed).uniform(0, side * n ** (1 / 3), (n, 3))
    return Atoms(f"Ar{n}", positions=positions, calculator=LJAT(Z=Z))


def copper(n, seed):
    """A copper cluster for ASE's EMT, not far from compact."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    order = np.argsort(np.sum((grid - 0.9) ** 2, axis=1), kind="stable")[:n]
    return Atoms(f"Cu{n}", positions=2.5 * grid[order] + rng.uniform(-0.2, 0.2, (n, 3)), calculator=EMT())


def small_loss(l2=1e-2):
    """A loss of 19 weights and 40 points in three classes."""
    rng = np.random.default_rng(5)
    inputs = rng.uniform(-1, 1, (40, 2))
    labels = (inputs @ rng.normal(size=(2, 3)) + 0.5 * rng.normal(size=(40, 3))).argmax(axis=1)
    return NetworkLoss(inputs, labels, hidden=(3,), l2=l2, n_classes=3)


def difference_hessian(gradient, x, h=1e-5):
    """Central differences of a gradient, written apart from the package's."""
    rows = []
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = h
        rows.append((gradient(x + step) - gradient(x - step)) / (2 * h))
    matrix = np.array(rows)
    return 0.5 * (matrix + matrix.T)
