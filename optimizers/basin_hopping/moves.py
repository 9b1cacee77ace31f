"""Basin-hopping moves: base class, moves of all coordinates, and moves of a surface atom.

A new move is one small class::

    class Shake(Move):
        def displace(self, system, x, step, draws, pool):
            return x + step * np.sin(2 * np.pi * draws)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.optimizers.kernels.moves import move_all, move_surface_atom
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AllCoordinates", "Move", "Pool", "SurfaceAtom", "checked_moves", "is_free_cluster"]


class Pool:
    """The lowest minima of different energies so far, of which some moves combine two.

    Parameters
    ----------
    size : int
        Largest number of minima kept.

    Attributes
    ----------
    energies : list of float
        Energies of the minima, rising, in the potential's unit.
    coordinates : list of ndarray, shape (n,)
        Their coordinates, in the same order.
    """

    def __init__(self, size: int = 20):
        self.size = size
        self.energies: list[float] = []
        self.coordinates: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self.energies)

    def add(self, energy: float, x: np.ndarray, tolerance: float = 1e-7) -> None:
        """Keep a copy of a minimum if it is new and low enough."""
        place = bisect_left(self.energies, energy - tolerance)
        if place == self.size or (place < len(self) and self.energies[place] <= energy + tolerance):
            return
        insort(self.energies, energy)
        self.coordinates.insert(place, np.array(x))
        del self.energies[self.size :], self.coordinates[self.size :]

    def partner(self, number: float, x: np.ndarray) -> np.ndarray:
        """Return the minimum that a uniform number in [0, 1) selects; x itself while there are none."""
        return self.coordinates[int(number * len(self))] if len(self) else x


@public("thalweg.optimizers")
class Move(ABC):
    """Base class of basin-hopping moves: a subclass defines :meth:`displace`.

    Parameters
    ----------
    weight : float
        How often the move is made, relative to the other moves of the chain.
    step : float, optional
        Size of the move, in the coordinates' unit; the chain's step where missing.

    Attributes
    ----------
    adapts : bool
        Whether a chain with an acceptance ratio to keep may change the step.
    compiled : compiled function of type ``MOVE``, or None
        The same as :meth:`displace`, for a chain without Python between its steps.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import BasinHopping, Move
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> class Shift(Move):
    ...     def numbers(self, system):
    ...         return 1
    ...     def displace(self, system, x, step, draws, pool):
    ...         moved = x.copy()
    ...         moved[0] += step * draws[0]
    ...         return moved
    >>> search = BasinHopping(atoms, temperature=0.8, step=0.4, moves=Shift())
    >>> search.run(5)
    False
    """

    adapts = True
    compiled: Any = None

    def __init__(self, weight: float = 1.0, step: float | None = None):
        if step is not None:
            positive_number("step", step)
        self.weight, self.step = positive_number("weight", weight), step

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={getattr(self, name)}" for name in signature(type(self)).parameters)
        return f"{type(self).__name__}({arguments})"

    def to_dict(self) -> dict[str, Any]:
        """Return the class and the arguments as plain values, from which :meth:`from_dict` makes the same move.

        A subclass keeps each argument in an attribute of that name.
        """
        made = {"class": f"{type(self).__module__}:{type(self).__qualname__}"}
        return {**made, **{name: getattr(self, name) for name in signature(type(self)).parameters}}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Move:
        """Return the move that :meth:`to_dict` described."""
        arguments = dict(values)
        module, name = arguments.pop("class").split(":")
        made = getattr(import_module(module), name)
        if not (isinstance(made, type) and issubclass(made, Move)):
            raise TypeError(f"class must be that of a Move, not {values['class']!r}")
        return made(**arguments)

    def check(self, system: System) -> None:  # noqa: B027  (most suit any system)
        """Raise ValueError if the move does not suit the system."""

    def numbers(self, system: System) -> int:
        """Return the number of uniform random numbers that a step takes; by default one a coordinate."""
        return system.n

    def start(self, system: System, rng: np.random.Generator) -> np.ndarray | None:
        """Return where a landscape's chain with this move begins (n,); None for a start that the system draws."""
        return None

    @abstractmethod
    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        """Return a displaced copy of x, a pure function of the arguments.

        Parameters
        ----------
        system : System
            Atoms or a Point with a calculator.
        x : ndarray, shape (n,)
            Minimum where the chain stands; the method must not change it.
        step : float
            Size of the move, in the coordinates' unit.
        draws : ndarray, shape (numbers,)
            Uniform random numbers in [0, 1).
        pool : Pool
            The lowest minima found so far.

        Returns
        -------
        ndarray, shape (n,)
            Displaced coordinates; the chain restores the frozen ones.
        """


class CompiledMove(Move):
    """Base class of moves that call a compiled function."""

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        out = np.empty(system.n)
        self.compiled(np.ascontiguousarray(x), system.free, float(step), np.ascontiguousarray(draws), out)
        return out


@public("thalweg.optimizers")
class AllCoordinates(CompiledMove):
    """Displace every free coordinate uniformly in (-step, step): the default.

    Parameters
    ----------
    weight : float
        How often the move is made, relative to the other moves of the chain.
    step : float, optional
        Largest displacement; the chain's step where missing.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import AllCoordinates, BasinHopping
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> search = BasinHopping(atoms, temperature=0.8, step=0.4, moves=AllCoordinates(), target=-3.0)
    >>> search.run(50)
    True
    """

    compiled = staticmethod(move_all)

    def numbers(self, system: System) -> int:
        return system.n_free


@public("thalweg.optimizers")
class SurfaceAtom(CompiledMove):
    """Put a weakly bound atom at a random place on the surface of a cluster (GMIN calls it the angular move).

    The surface is the sphere about the centre of the other atoms through the outermost of them. The sum of r^-6
    over all other atoms measures how strongly an atom is bound.

    Parameters
    ----------
    among : int
        Number of the most weakly bound atoms from which one is chosen at random.
    weight : float
        How often the move is made, relative to the other moves of the chain.

    References
    ----------
    D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import AllCoordinates, BasinHopping, SurfaceAtom
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> moves = [AllCoordinates(), SurfaceAtom(weight=0.5)]
    >>> BasinHopping(atoms, temperature=0.8, step=0.4, moves=moves, target=-3.0).run(50)
    True
    """

    adapts = False
    compiled = staticmethod(move_surface_atom)

    def __init__(self, among: int = 1, weight: float = 1.0):
        self.among = whole_number("among", among, 1)
        super().__init__(weight, float(self.among))

    def check(self, system: System) -> None:
        if not is_free_cluster(system) or system.n < 9:
            raise ValueError("SurfaceAtom moves atoms of a cluster of at least 3, none fixed, without periodic cell")
        if self.among > system.n // 3:
            raise ValueError(f"among must be at most the number of atoms, {system.n // 3}; it is {self.among}")

    def numbers(self, system: System) -> int:
        return 3


def is_free_cluster(system: System) -> bool:
    """Return whether the system consists of atoms that may all move, without a periodic cell."""
    return system.atoms is not None and system.loose and not system.atoms.pbc.any()


def checked_moves(moves: Move | Sequence[Move] | None, system: System) -> tuple[Move, ...]:
    """Return moves as a tuple, :class:`AllCoordinates` where there are none; raise unless all suit the system."""
    moves = (AllCoordinates(),) if moves is None else (moves,) if isinstance(moves, Move) else tuple(moves)
    if not moves:
        raise ValueError("moves must name at least one move")
    for move in moves:
        if not isinstance(move, Move):
            raise TypeError(f"moves must be of the class Move, not {move!r}")
        move.check(system)
    return moves
