"""Random clusters with a point group, from which searches find the rare stationary points of high symmetry.

The gradient has every symmetry of the positions, so a search that starts symmetric stays symmetric: it moves in a
space of few dimensions, of which a symmetric point attracts a much larger part than of the whole space.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["symmetric_positions"]

_LARGEST = 12  # order of a group, as those of D6, D3d or Td with a subgroup of it
_SAME = 1e-6
_TRIALS = 50


def _turn(order: int) -> np.ndarray:
    """Return the rotation about z by 2 pi / ``order``, shape (3, 3)."""
    c, s = np.cos(2.0 * np.pi / order), np.sin(2.0 * np.pi / order)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


# Rotations about z, planes through z and across it, inversion, a twofold axis across z, and a fourfold improper one
_GENERATORS = (
    *(_turn(order) for order in (2, 3, 4, 5)),
    np.diag([1.0, -1.0, 1.0]), np.diag([1.0, 1.0, -1.0]), -np.eye(3), np.diag([1.0, -1.0, -1.0]),
    _turn(4) @ np.diag([1.0, 1.0, -1.0]),
)  # fmt: skip


@cache
def _group(generators: tuple[int, ...]) -> np.ndarray | None:
    """Return all products of generators, shape (order, 3, 3), the identity first; None if there are too many."""
    elements = [np.eye(3)]
    for element in elements:  # grows meanwhile
        for generator in generators:
            product = _GENERATORS[generator] @ element
            if all(np.abs(product - other).max() > _SAME for other in elements):
                elements.append(product)
        if len(elements) > _LARGEST:
            return None
    return np.array(elements)


def _orbit(group: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the distinct images of a point under the group, shape (images, 3)."""
    images = group @ point
    apart = np.abs(images[:, None] - images[None]).max(axis=2) > _SAME
    return images[[apart[k, :k].all() for k in range(len(images))]]


@cache
def _fixed(generators: tuple[int, ...], number: int) -> np.ndarray:
    """Return the projection on the subspace that an element of a group leaves unchanged, shape (3, 3)."""
    group = _group(generators)
    assert group is not None
    element = group[number]
    total, power, order = np.eye(3), element, 1
    while np.abs(power - np.eye(3)).max() > _SAME:
        total, power, order = total + power, power @ element, order + 1
    return total / order


def symmetric_positions(atoms: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Draw positions in a ball with a random point group of small order.

    One or two operations generate the group; orbits of points in general and in special positions are added until
    there are enough atoms.

    Parameters
    ----------
    atoms : int
        Number of atoms.
    radius : float
        Radius of the ball.
    rng : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    ndarray, shape (atoms, 3)
        Positions in the unit of ``radius``; without symmetry if no group that was drawn suits the number of atoms.
    """
    for _ in range(_TRIALS):
        chosen = tuple(rng.choice(len(_GENERATORS), size=rng.integers(1, 3), replace=False).tolist())
        if _group(chosen) is not None and (positions := _filled(chosen, atoms, radius, rng)) is not None:
            return positions
    return np.array([_in_ball(radius, rng) for _ in range(atoms)])


def _filled(generators: tuple[int, ...], atoms: int, radius: float, rng: np.random.Generator) -> np.ndarray | None:
    """Fill the ball with orbits up to a number of atoms; return None if the last atoms do not fit."""
    group, positions = _group(generators), np.zeros((0, 3))
    assert group is not None
    for _ in range(_TRIALS):
        point = _in_ball(radius, rng)
        if rng.random() < 0.5:
            point = _fixed(generators, int(rng.integers(len(group)))) @ point
        orbit = _orbit(group, point)
        taken = (np.abs(positions[:, None] - orbit[None]).max(axis=2) < _SAME).any()
        if not taken and len(positions) + len(orbit) <= atoms:
            positions = np.concatenate([positions, orbit])
        if len(positions) == atoms:
            return positions
    return None


def _in_ball(radius: float, rng: np.random.Generator) -> np.ndarray:
    direction = rng.normal(size=3)
    return radius * rng.random() ** (1 / 3) * direction / np.linalg.norm(direction)
