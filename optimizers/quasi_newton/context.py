"""What the searches of one call share: the surface, how far they go, and what they know."""

from __future__ import annotations

from dataclasses import dataclass, field

from thalweg.optimizers.quasi_newton.fragments import Fragments
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials.system import System

__all__ = ["LONGEST", "Context"]

LONGEST = 0.25
"""Largest displacement of an atom in a step, angstrom."""


@dataclass
class Context:
    """Settings and knowledge of searches.

    Attributes
    ----------
    system : System
    goal : float
        Rms gradient to reach.
    known : KnownPoints
    steps : int
        Most steps of a descent.
    longest : float
        Largest displacement of an atom in a step.
    surface : Surface
    fragments : Fragments
    """

    system: System
    goal: float
    known: KnownPoints
    steps: int = 10_000
    longest: float = LONGEST
    surface: Surface = field(init=False)
    fragments: Fragments = field(init=False)

    def __post_init__(self) -> None:
        self.surface = Surface(self.system)
        self.fragments = Fragments(self.system, self.known.whole)
