"""All atoms placed at random: everywhere alike, not on each other, and only where nothing is torn."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, Hookean
from ase.data import covalent_radii
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from thalweg.analysis.systems.report import summary_text
from thalweg.analysis.systems.summary import summarise
from thalweg.landscapes import Landscape
from thalweg.optimizers import AllCoordinates, Move, RandomPositions
from thalweg.optimizers.basin_hopping.default_moves import default_moves, moves_by_name
from thalweg.potentials import as_system


def system_of(atoms, constraint=None, **options):
    atoms = atoms.copy()
    atoms.set_constraint(constraint)
    atoms.calc = EMT()
    return as_system(atoms, **options)


def alloy():
    """Return a skewed cell of copper with gold."""
    atoms = bulk("Cu", a=3.7) * (3, 3, 2)
    atoms.symbols[[1, 5, 6, 12]] = "Au"
    return atoms


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.65))
def test_atoms_keep_their_distances(seed, spacing):
    """ASE's distances with periodic images; gold keeps farther away than copper does."""
    atoms = alloy()
    x = RandomPositions(spacing).start(system_of(atoms), np.random.default_rng(seed))
    radii = covalent_radii[atoms.numbers]
    pairs = np.triu_indices(len(atoms), k=1)
    before = (atoms.get_all_distances(mic=True) / np.add.outer(radii, radii))[pairs]
    atoms.positions = x.reshape(-1, 3)
    after = (atoms.get_all_distances(mic=True) / np.add.outer(radii, radii))[pairs]
    assert after.min() >= spacing * before.min() - 1e-12
    fractions = atoms.get_scaled_positions(wrap=False)
    assert fractions.min() >= 0
    assert fractions.max() < 1


@pytest.mark.parametrize("periodic", [True, False], ids=["cell", "cluster"])
def test_every_place_is_as_likely(periodic):
    rng, move = np.random.default_rng(0), RandomPositions(spacing=0.05)
    atoms = alloy() if periodic else Atoms("Cu12", rng.normal(scale=2.0, size=(12, 3)))
    system = system_of(atoms)
    drawn = np.array([move.start(system, rng).reshape(-1, 3) for _ in range(60)])
    if periodic:
        for fractions in np.linalg.solve(atoms.cell.array.T, drawn.reshape(-1, 3).T):
            assert kstest(fractions, "uniform").pvalue > 1e-3
        return
    centre = atoms.positions.mean(axis=0)
    radius = np.linalg.norm(atoms.positions - centre, axis=1).max()
    away = (drawn.reshape(-1, 3) - centre) / radius
    assert kstest(np.linalg.norm(away, axis=1) ** 3, "uniform").pvalue > 1e-3
    for one in (away / np.linalg.norm(away, axis=1)[:, None]).T:
        assert kstest((one + 1) / 2, "uniform").pvalue > 1e-3


def test_without_room_atoms_are_placed_all_the_same():
    system = system_of(bulk("Cu", cubic=True) * (2, 2, 1))
    x = RandomPositions(spacing=1.0).start(system, np.random.default_rng(0))
    assert np.isfinite(x).all()
    alone = system_of(bulk("Cu"))
    assert RandomPositions().start(alone, np.random.default_rng(0)).shape == (3,)
    # all at one place, as far as distances tell
    piled = system_of(Atoms("Cu3", np.zeros((3, 3)), cell=[4, 4, 4], pbc=True), rigid=np.eye(3, 6))
    assert np.isfinite(RandomPositions().start(piled, np.random.default_rng(0))).all()


@pytest.mark.parametrize(("system", "said"), [
    (lambda: system_of(fcc111("Cu", (2, 2, 2), vacuum=6.0)), "periodic in all directions"),
    (lambda: system_of(bulk("Cu", cubic=True), FixAtoms([0])), "no atom may be fixed"),
    (lambda: system_of(molecule("C2H6")), "permutations='all'"),
    (lambda: system_of(Atoms("Cu4", 2.5 * np.eye(4, 3), cell=[9, 9, 9], pbc=[1, 1, 0])), "periodic in all directions"),
])  # fmt: skip
def test_where_it_does_not_suit_it_is_refused(system, said):
    with pytest.raises(ValueError, match=said):
        RandomPositions().check(system())


def test_wrong_spacings_are_refused():
    for wrong in (0.0, -1.0, 1.5, np.nan):
        with pytest.raises(ValueError, match="spacing must be"):
            RandomPositions(wrong)
    with pytest.raises(TypeError, match="spacing"):
        RandomPositions("wide")


def test_a_spring_between_atoms_does_not_stand_in_the_way():
    RandomPositions().check(system_of(alloy(), Hookean(0, 1, 1.0, rt=3.0)))


def test_it_has_a_name_and_is_never_chosen_unasked():
    """A crystal keeps its lattice."""
    move = moves_by_name(["random"])[0]
    assert isinstance(move, RandomPositions)
    assert repr(Move.from_dict(RandomPositions(0.5, 2.0).to_dict())) == "RandomPositions(spacing=0.5, weight=2.0)"
    vacancy = alloy()
    del vacancy[3]
    for atoms in (alloy(), vacancy, bulk("Cu", cubic=True)):
        assert "RandomPositions" not in map(repr, default_moves(system_of(atoms)) or ())


def test_chains_of_a_landscape_begin_there(tmp_path):
    """By default they begin near the crystal, and find it again and again, though another order of gold is lower."""
    crystal = bulk("Cu", a=3.7) * (2, 2, 2)
    crystal.symbols[[1, 5]] = "Au"
    crystal.calc = EMT()
    energies = {}
    for name, moves in (("near", None), ("anywhere", [AllCoordinates(), RandomPositions()])):
        with Landscape(crystal, tmp_path / f"{name}.zarr") as landscape:
            landscape.find_minima(steps=3 if moves is None else 8, moves=moves, progress=False)
            energies[name] = landscape.searches.energy[:]
            assert all(status == "converged" for status in landscape.searches.status[:])
    assert np.ptp(energies["near"]) < 1e-4
    assert energies["anywhere"].min() < energies["near"].min() - 0.2
    assert "AllCoordinates + RandomPositions" in summary_text(summarise(tmp_path / "anywhere.zarr"))
