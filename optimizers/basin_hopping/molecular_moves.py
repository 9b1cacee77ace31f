"""Basin-hopping moves of molecules and alloys: dihedral angles, whole molecules, exchange of unlike atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from thalweg.optimizers.basin_hopping.moves import Move, Pool
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
from thalweg.potentials.lazy import public
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs
from thalweg.potentials.symmetry.bonds.torsions import Torsion, joined, molecules_of, torsions_of
from thalweg.potentials.system import System

__all__ = [
    "Dihedrals",
    "ExchangeAtoms",
    "Molecules",
    "exchanges",
    "molecules",
    "only_molecules",
    "random_start",
    "scattered",
    "shuffled",
    "torsions",
    "turned",
    "turns_as_wholes",
]

_TRIES = 8  # displacements, of which the first is taken that makes and breaks no bond
_STRAIN = 1.0  # eV that a random displacement may strain a molecule by


@public("thalweg.optimizers")
class Dihedrals(Move):
    """Turn parts of molecules about single bonds that are in no ring, by any angle.

    Bonds and the handedness of atoms stay. Bonds are found by covalent radii in the minimum where the chain stands;
    double bonds, and groups such as methyl, are not turned. Of eight random turns the first is taken after which no
    atoms have come so near to each other that they would be bonded.

    Parameters
    ----------
    count : int
        Number of bonds that are turned at once, or all where there are fewer.
    weight : float
        How often the move is made, relative to the other moves of the chain.

    Examples
    --------
    >>> from ase.build import molecule
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers import Dihedrals
    >>> from thalweg.potentials import as_system
    >>> system = as_system(molecule("trans-butane", calculator=EMT()))
    >>> move = Dihedrals()
    >>> move.check(system)
    >>> move.numbers(system)
    16
    """

    adapts = False

    def __init__(self, count: int = 1, weight: float = 1.0):
        if count != int(count) or count < 1:
            raise ValueError(f"count must be a whole number, at least 1; it is {count}")
        super().__init__(weight)
        self.count = int(count)

    def check(self, system: System) -> None:
        if not torsions(system, system.x)[1]:
            raise ValueError("Dihedrals turns parts of molecules about single bonds: there are none that may turn")

    def numbers(self, system: System) -> int:
        return 2 * self.count * _TRIES

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        whole, found = torsions(system, x)
        if not found:
            return np.array(x)
        moved, before = whole, _bonds(system, whole)
        for numbers in draws.reshape(_TRIES, self.count, 2):
            moved = whole.copy()
            for which, angle in numbers:
                _turn(moved, found[int(which * len(found))], 2.0 * np.pi * angle)
            if np.array_equal(_bonds(system, moved), before):
                break
        return moved.ravel()


@public("thalweg.optimizers")
class Molecules(Move):
    """Shift and turn molecules as wholes: every molecule that may move, as in clusters of water.

    Each is shifted uniformly by up to the step along x, y and z, and turned by up to ``angle`` about each axis through
    its centre. Bonds within molecules and their shapes stay. Of eight random displacements the first is taken that
    makes no bonds between molecules.

    Parameters
    ----------
    angle : float
        Largest turn about an axis, in radians.
    weight : float
        How often the move is made, relative to the other moves of the chain.
    step : float, optional
        Largest shift along an axis, in the coordinates' unit; the chain's step where missing.

    Examples
    --------
    >>> from ase.build import molecule
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers import Molecules
    >>> from thalweg.potentials import as_system
    >>> two = molecule("H2O")
    >>> two += molecule("H2O", positions=molecule("H2O").positions + 3.0)
    >>> two.calc = EMT()
    >>> Molecules().numbers(as_system(two))
    96
    """

    def __init__(self, angle: float = 1.0, weight: float = 1.0, step: float | None = None):
        if not 0 < angle <= np.pi:
            raise ValueError(f"angle must be positive, at most pi; it is {angle}")
        super().__init__(weight, step)
        self.angle = float(angle)

    def check(self, system: System) -> None:
        if not molecules(system, system.x)[1]:
            raise ValueError("Molecules shifts and turns molecules as wholes: there are none that may move")

    def numbers(self, system: System) -> int:
        return 6 * max(1, len(molecules(system, system.x)[1])) * _TRIES

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        whole, found = molecules(system, x)
        moved, before = whole, _bonds(system, whole)
        for numbers in draws.reshape(_TRIES, -1, 6):
            moved = whole.copy()
            # a reaction may have made more molecules of those there were at first
            for atoms, own in zip(found, np.resize(numbers, (len(found), 6)), strict=True):
                centre = whole[atoms].mean(axis=0)
                turn = Rotation.from_rotvec(self.angle * (2.0 * own[3:] - 1.0))
                moved[atoms] = turn.apply(whole[atoms] - centre) + centre + step * (2.0 * own[:3] - 1.0)
            if np.array_equal(_bonds(system, moved), before):
                break
        return moved.ravel()


@public("thalweg.optimizers")
class ExchangeAtoms(Move):
    """Exchange two unlike atoms, as in alloys and mixed clusters.

    Parameters
    ----------
    count : int
        Number of pairs that are exchanged at once.
    weight : float
        How often the move is made, relative to the other moves of the chain.

    Examples
    --------
    >>> from ase import Atoms
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers import BasinHopping, ExchangeAtoms
    >>> positions = [[0, 0, 0], [2.5, 0, 0], [1.2, 2.2, 0], [1.2, 0.7, 2.0]]
    >>> atoms = Atoms("Cu2Au2", positions, calculator=EMT())
    >>> search = BasinHopping(atoms, temperature=0.1, step=0.4, moves=ExchangeAtoms(), rms=1e-4)
    >>> search.run(1), len(search.energies) > 0
    (False, True)
    """

    adapts = False

    def __init__(self, count: int = 1, weight: float = 1.0):
        if count != int(count) or count < 1:
            raise ValueError(f"count must be a whole number, at least 1; it is {count}")
        super().__init__(weight)
        self.count = int(count)

    def check(self, system: System) -> None:
        if not exchanges(system):
            raise ValueError("ExchangeAtoms exchanges two unlike atoms that may move: there are none")

    def numbers(self, system: System) -> int:
        return 2 * self.count

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        assert system.atoms is not None, "check() has seen to it"
        positions, numbers, free = x.reshape(-1, 3).copy(), system.atoms.numbers, np.flatnonzero(~_fixed(system))
        for first, second in draws.reshape(self.count, 2):
            one = free[int(first * len(free))]
            unlike = free[numbers[free] != numbers[one]]
            if len(unlike):
                other = unlike[int(second * len(unlike))]
                positions[[one, other]] = positions[[other, one]]
        return positions.ravel()


def _fixed(system: System) -> NDArray[np.bool_]:
    """Return the mask (atoms,) of the atoms with a coordinate that does not move."""
    fixed: NDArray[np.bool_] = np.zeros(system.n, dtype=bool)
    fixed[system.frozen] = True
    if system.constraints is not None:
        fixed |= np.repeat(system.constraints.held, 3)
    whole: NDArray[np.bool_] = np.any(fixed.reshape(-1, 3), axis=1)
    return whole


def _bonds(system: System, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    assert system.atoms is not None
    return bonded_pairs(system.atoms.numbers, positions, system.atoms.pbc, system.atoms.cell.array)


def molecules(system: System, x: np.ndarray) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    """Return positions (atoms, 3) of molecules in one piece, and the atoms of each that may move."""
    if system.atoms is None:
        return x.reshape(-1, 1), []
    atoms = system.atoms
    whole, pairs = joined(atoms.numbers, x.reshape(-1, 3), atoms.pbc, atoms.cell.array)
    return whole, molecules_of(pairs, _fixed(system))


def torsions(system: System, x: np.ndarray) -> tuple[NDArray[np.float64], list[Torsion]]:
    """Return positions (atoms, 3) of molecules in one piece, and the bonds about which they may turn."""
    if system.atoms is None:
        return x.reshape(-1, 1), []
    atoms = system.atoms
    whole, pairs = joined(atoms.numbers, x.reshape(-1, 3), atoms.pbc, atoms.cell.array)
    return whole, torsions_of(atoms.numbers, whole, pairs, _fixed(system))


def turned(system: System, x: np.ndarray, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Turn a part of a molecule about one bond, by 30 to 150 degrees either way: towards a barrier between conformers.

    Returns
    -------
    ndarray, shape (n,), or None
        None where nothing may turn. Of eight random turns the first is taken that makes and breaks no bond.
    """
    whole, found = torsions(system, x)
    if not found:
        return None
    moved, before = whole, _bonds(system, whole)
    for _ in range(_TRIES):
        moved = whole.copy()
        angle = rng.choice((-1.0, 1.0)) * rng.uniform(np.pi / 6, 5 * np.pi / 6)
        _turn(moved, found[int(rng.integers(len(found)))], angle)
        if np.array_equal(_bonds(system, moved), before):
            break
    return moved.ravel()


def turns_as_wholes(system: System, x: np.ndarray) -> bool:
    """Return whether there are molecules that may turn against other atoms."""
    found = molecules(system, x)[1]
    return bool(found) and len(found[0]) < x.size // 3


def only_molecules(system: System, x: np.ndarray) -> bool:
    """Return whether all atoms are in several molecules that may turn, as in a cluster of water."""
    found = molecules(system, x)[1]
    return len(found) > 1 and sum(map(len, found)) == x.size // 3


def shuffled(system: System, x: np.ndarray, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn one of the molecules by 30 to 150 degrees, the others a little: towards another hydrogen bond.

    Parameters
    ----------
    system : System
    x : (n,) ndarray
    size : float
        Standard deviation of the shifts, and of turns in radians, of all molecules.
    rng : Generator

    Returns
    -------
    ndarray, shape (n,)
        Of eight random displacements the first is taken that makes no bonds between molecules.
    """
    whole, found = molecules(system, x)
    moved, before = whole, _bonds(system, whole)
    for _ in range(_TRIES):
        moved, chosen = whole.copy(), int(rng.integers(len(found)))
        for number, atoms in enumerate(found):
            turn = size * rng.standard_normal(3)
            if number == chosen:
                axis = rng.standard_normal(3)
                turn = axis / np.linalg.norm(axis) * rng.uniform(np.pi / 6, 5 * np.pi / 6)
            centre = whole[atoms].mean(axis=0)
            arms = Rotation.from_rotvec(turn).apply(whole[atoms] - centre)
            moved[atoms] = arms + centre + size * rng.standard_normal(3)
        if np.array_equal(_bonds(system, moved), before):
            break
    return moved.ravel()


def scattered(system: System, x: np.ndarray, step: np.ndarray, most: float = _STRAIN) -> NDArray[np.float64]:
    """Displace all atoms by a random step, molecules as wholes, and their shapes by no more than they bear.

    Parameters
    ----------
    system : System
    x, step : (n,) ndarrays
    most : float
        Strain of a molecule, eV.

    Returns
    -------
    ndarray, shape (n,)
        Each molecule is shifted and turned as the step says. What is left of it is shortened where it would strain the
        molecule by more, by the largest second derivative that was met when noise was measured: springs in the place of
        rigid molecules would take hundreds of eV.
    """
    frames, kept, stiffness = TurningMolecules(system, x), step.copy(), system.noise.curvature
    rows = kept.reshape(-1, 3)
    for atoms, directions in zip(frames.molecules, frames.shapes(x), strict=True):
        along = directions.T @ rows[atoms].ravel()
        strain = 0.5 * stiffness * float(along @ along)
        kept_part = min(1.0, np.sqrt(most / strain)) if strain > 0.0 else float(most > 0.0)
        rows[atoms] -= (1.0 - kept_part) * (directions @ along).reshape(-1, 3)
    return frames.moved(x, kept)[0]


def random_start(system: System, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random starting point (n,), on which no molecule of several is torn.

    That of :meth:`~thalweg.potentials.System.random`. Several molecules are displaced as wholes by it, and where there
    is nothing else, as in a cluster of water, they point in random directions, too.
    """
    start = system.random(rng)
    if system.atoms is None or system.permutations != "bonds" or not turns_as_wholes(system, system.x):
        return start
    x = scattered(system, system.x, start - system.x, 0.0)
    whole, found = molecules(system, x)
    if system.atoms.pbc.any() or not only_molecules(system, x):
        return x
    before = _bonds(system, whole)
    for _ in range(_TRIES):
        turned = whole.copy()
        for atoms in found:
            centre = whole[atoms].mean(axis=0)
            turned[atoms] = Rotation.random(rng=rng).apply(whole[atoms] - centre) + centre
        if np.array_equal(_bonds(system, turned), before):
            return turned.ravel()
    return x


def exchanges(system: System) -> bool:
    """Return whether there are two unlike atoms that may move."""
    return system.atoms is not None and len(set(system.atoms.numbers[~_fixed(system)].tolist())) > 1


def _turn(positions: NDArray[np.float64], torsion: Torsion, angle: float) -> None:
    """Turn a part of a molecule about a bond, in place."""
    first, second = positions[list(torsion.axis)]
    axis = (second - first) / np.linalg.norm(second - first)
    turn = Rotation.from_rotvec(angle * axis)
    positions[torsion.turning] = turn.apply(positions[torsion.turning] - second) + second
