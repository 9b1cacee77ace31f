"""Description of a task: plain data that any worker can be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.optimizers.quasi_newton.knowledge import Proved

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """Task of one worker: searches of one kind, with their starts and random numbers.

    Attributes
    ----------
    sequence : str
        Sequence of tasks that it belongs to: the name of the strategy that chose it.
    number : int
        Its number in the sequence.
    kind : str
        BASIN_HOPPING, SINGLE_ENDED, FROM_STATE, FROM_SYMMETRIC or DOUBLE_ENDED.
    entropy : tuple of int
        Entropy of its random numbers.
    starts : tuple of (int, int)
        Rows of the minima (FROM_STATE: transition states) it sets out from, -1 where there is none (it starts at a
        random point then): one pair a search, or one for a chain.
    coordinates : (k, n) array
        Of the points in ``starts``, in their order, -1 left out.
    settings : dict
        Sizes of steps, temperature, and the rules of the minimiser.
    known : (k,) array
        Energies of transition states: a single-ended search that ends at one of them brings an `Arrival`.
    minima : tuple of Proved
        Minima that are known, for calculators without a Hessian: what falls into their basins ends early.
    lowest : tuple of (float, (n,) array)
        Energies and coordinates of the lowest minima, which basin-hopping moves may combine.
    """

    sequence: str
    number: int
    kind: str
    entropy: tuple[int, ...]
    starts: tuple[tuple[int, int], ...]
    coordinates: np.ndarray
    settings: dict[str, Any] = field(default_factory=dict)
    known: np.ndarray = field(default_factory=lambda: np.empty(0))
    minima: tuple[Proved, ...] = ()
    lowest: tuple[tuple[float, np.ndarray], ...] = ()
