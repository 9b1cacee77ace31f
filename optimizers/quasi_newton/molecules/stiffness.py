"""Initial Hessian of several molecules: the model's, corrected where molecules are much stiffer or softer."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import Frames
from thalweg.optimizers.quasi_newton.model_hessian import model_hessian
from thalweg.optimizers.quasi_newton.surface import Surface

__all__ = ["initial_hessian"]

# How many times stiffer or softer than the model a molecule may be before its Hessian is measured
_AGREES = 3.0
# Softest that a change of shape is taken to be, eV/angstrom**2
_SOFTEST = 0.3


def initial_hessian(surface: Surface, x: np.ndarray, gradient: np.ndarray, frames: Frames) -> np.ndarray:
    """Return a positive definite guess of the Hessian (n_free, n_free) at x, in the frames of molecules.

    The model knows bonds by their lengths. Springs in the place of rigid molecules are hundreds of times stiffer, and a
    search learns one stiff direction a step. One difference, in which all molecules change their shapes at once, tells
    whether the model will do; where not, one difference for each way in which the largest changes its shape gives all
    their Hessians, since molecules hardly feel the shapes of their neighbours.

    Parameters
    ----------
    surface : Surface
    x, gradient : (n,) ndarrays
    frames : Frames
        Made at x; a single molecule, or other atoms, have the Hessian of a model.
    """
    if frames.model is not None:
        return frames.model
    hessian, free = model_hessian(surface.system, x), surface.system.free
    if not frames.molecules:
        return hessian
    # over all coordinates: atoms of molecules are free, but the others need not be
    full = np.zeros((x.size, x.size))
    full[np.ix_(free, free)] = hessian
    pairs = zip(frames.molecules, frames.shapes(x), strict=True)
    shapes = [_Shape(atoms, directions, full) for atoms, directions in pairs if directions.size]
    if not shapes or not _measured(surface, x, gradient, shapes):
        return hessian
    for shape in shapes:
        rows, u = shape.rows, shape.directions
        others = np.eye(len(rows)) - u @ u.T
        full[rows] = others @ full[rows]
        full[:, rows] = full[:, rows] @ others
        full[np.ix_(rows, rows)] += u @ shape.stiffness @ u.T
    reduced: np.ndarray = full[np.ix_(free, free)]
    return 0.5 * (reduced + reduced.T)


class _Shape:
    """Ways in which a molecule changes its shape, by the model the stiffest first, and how stiff they are."""

    def __init__(self, atoms: np.ndarray, directions: np.ndarray, hessian: np.ndarray) -> None:
        self.rows = (3 * atoms[:, None] + np.arange(3)).ravel()
        stiffness = directions.T @ hessian[np.ix_(self.rows, self.rows)] @ directions
        values, vectors = np.linalg.eigh(stiffness)
        self.directions, self.stiffness = directions @ vectors[:, ::-1], np.diag(values[::-1])

    def measure(self, products: np.ndarray) -> None:
        """Take the stiffness (k, k) from what the gradient (k, n) changes by along each direction."""
        matrix = self.directions.T @ products[: len(self.stiffness), self.rows].T
        values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
        self.stiffness = (vectors * np.maximum(np.abs(values), _SOFTEST)) @ vectors.T


def _measured(surface: Surface, x: np.ndarray, gradient: np.ndarray, shapes: list[_Shape]) -> bool:
    """Measure how stiff molecules are, where the model is wrong; return whether they were measured."""
    step = surface.forward

    def product(parts: list[np.ndarray]) -> np.ndarray:
        direction = np.zeros(x.size)
        for shape, part in zip(shapes, parts, strict=True):
            direction[shape.rows] = shape.directions @ part
        change: np.ndarray = (surface(x + step * direction)[1] - gradient) / step
        return change

    every = [np.full(len(shape.stiffness), len(shape.stiffness) ** -0.5) for shape in shapes]
    change = product(every)
    ratios = [
        (shape.directions @ part) @ change[shape.rows] / (part @ shape.stiffness @ part)
        for shape, part in zip(shapes, every, strict=True)
    ]
    if not np.isfinite(ratios).all() or (min(ratios) > 1 / _AGREES and max(ratios) < _AGREES):
        return False
    most = max(len(shape.stiffness) for shape in shapes)
    products = np.array([product([np.eye(len(s.stiffness), most)[:, k] for s in shapes]) for k in range(most)])
    if not np.isfinite(products).all():
        return False
    for shape in shapes:
        shape.measure(products)
    return True
