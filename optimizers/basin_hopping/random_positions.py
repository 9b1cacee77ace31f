"""Basin-hopping move that places all atoms anew, anywhere: random structure searching in a cell or a cluster."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from ase.geometry import get_distances
from numpy.typing import NDArray

from thalweg.optimizers.basin_hopping.moves import Move, Pool, is_free_cluster
from thalweg.potentials.conversion.numeric_options import positive_number
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System

__all__ = ["RandomPositions"]

# Places tried for an atom, some at once: the first is taken that is far enough from the others, else the farthest
_PLACES, _AT_ONCE = 100, 10


@public("thalweg.optimizers")
class RandomPositions(Move):
    """Place all atoms anew: anywhere in a cell that is periodic in all directions, or in the sphere of a cluster.

    It is for liquids, glasses and clusters whose structure is not known: a crystal melts. Chains of a landscape with
    this move begin at such a structure, too. Two atoms come no nearer than ``spacing`` times the least distance that
    their elements have in the given structure, as long as there is room. Distances of elements are to each other as
    sums of covalent radii.

    Parameters
    ----------
    spacing : float
        Least distance of two atoms, as a part of that in the given structure.
    weight : float
        How often the move is made, relative to the other moves of the chain.

    References
    ----------
    C. J. Pickard and R. J. Needs, J. Phys.: Condens. Matter 23 (2011) 053201.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers import RandomPositions
    >>> from thalweg.potentials import as_system
    >>> crystal = bulk("Cu", cubic=True) * (2, 2, 2)
    >>> crystal.calc = EMT()
    >>> system, move = as_system(crystal), RandomPositions()
    >>> crystal.positions = move.start(system, np.random.default_rng(0)).reshape(-1, 3)
    >>> distances = crystal.get_all_distances(mic=True)[np.triu_indices(32, k=1)]
    >>> bool(distances.min() > 0.7 * 2.55)
    True
    """

    adapts = False

    def __init__(self, spacing: float = 0.7, weight: float = 1.0):
        super().__init__(weight)
        self.spacing = positive_number("spacing", spacing)
        if self.spacing > 1:
            raise ValueError(f"spacing must be at most 1, the distances of the given structure; it is {spacing}")

    def check(self, system: System) -> None:
        full = system.atoms is not None and system.loose and bool(system.atoms.pbc.all())
        if not full and not is_free_cluster(system):
            raise ValueError(
                "RandomPositions places atoms anywhere in a cell that is periodic in all directions, or in a cluster "
                "without a periodic cell; no atom may be fixed"
            )
        if system.permutations == "bonds":
            raise ValueError(
                "RandomPositions would tear the bonds of molecules: take Molecules or Dihedrals, or permutations='all'"
            )

    def numbers(self, system: System) -> int:
        return system.n * _PLACES

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        assert system.atoms is not None, "check() has seen to it"
        atoms = system.atoms
        places = self._region(system, draws.reshape(-1, 3)).reshape(-1, _PLACES // _AT_ONCE, _AT_ONCE, 3)
        least = self.spacing * _least_distances(system)
        positions = places[:, 0, 0].copy()
        for atom in range(1, len(positions)):
            most = -1.0
            for some in places[atom]:
                distances = get_distances(some, positions[:atom], cell=atoms.cell, pbc=atoms.pbc)[1]
                room = np.minimum((distances / least[atom, :atom]).min(axis=1), 1.0)
                if room.max() > most:
                    most, positions[atom] = room.max(), some[room.argmax()]
                if most == 1.0:
                    break
        return positions.ravel()

    def start(self, system: System, rng: np.random.Generator) -> np.ndarray:
        return self.displace(system, system.x, 0.0, rng.random(self.numbers(system)), Pool())

    def _region(self, system: System, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return places (k, 3) that uniform numbers (k, 3) choose: in the cell, or in the sphere about a cluster."""
        assert system.atoms is not None
        if system.atoms.pbc.any():
            return draws @ system.atoms.cell.array
        given = system.x.reshape(-1, 3)
        centre = given.mean(axis=0)
        radius = float(np.linalg.norm(given - centre, axis=1).max())
        height, angle = 2.0 * draws[:, 0] - 1.0, 2.0 * np.pi * draws[:, 1]
        flat = np.sqrt(1.0 - height**2)
        ways = np.column_stack([flat * np.cos(angle), flat * np.sin(angle), height])
        return centre + radius * np.cbrt(draws[:, 2])[:, None] * ways


def _least_distances(system: System) -> NDArray[np.float64]:
    """Return least distances (atoms, atoms), in the ratios of bond lengths and as large as the given structure has."""
    assert system.atoms is not None
    atoms = system.atoms
    radii = covalent_radii[atoms.numbers]
    bonds: NDArray[np.float64] = radii[:, None] + radii
    given = system.x.reshape(-1, 3)
    ratios = get_distances(given, cell=atoms.cell, pbc=atoms.pbc)[1] / bonds
    np.fill_diagonal(ratios, np.inf)
    # a single atom has no neighbours, and atoms of a random structure may lie on each other
    nearest = float(ratios.min())
    return bonds * max(nearest, 1e-6) if np.isfinite(nearest) else bonds
