"""Moves of molecules and alloys keep what they must, and are chosen where they suit."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from thalweg.analysis.systems.report import details_text, summary_text
from thalweg.analysis.systems.summary import summarise
from thalweg.landscapes import Landscape
from thalweg.optimizers import AllCoordinates, Dihedrals, ExchangeAtoms, Molecules
from thalweg.optimizers.basin_hopping.default_moves import default_moves, moves_by_name
from thalweg.optimizers.basin_hopping.molecular_moves import molecules, torsions, turned
from thalweg.optimizers.basin_hopping.moves import Pool
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs
from thalweg.potentials.symmetry.bonds.matching import BondMatching

from ...helpers import small_network


def system_of(atoms, constraint=None, calculator=None):
    atoms = atoms.copy()
    atoms.set_constraint(constraint)
    atoms.calc = calculator or EMT()
    return as_system(atoms)


def waters(count, spacing=3.2, **cell):
    atoms = Atoms(**cell)
    for k in range(count):
        one = molecule("H2O")
        one.positions += [spacing * k, 0.4 * k, 0.0]
        atoms += one
    return atoms


BUTANE, ETHANOL, ACETAMIDE = molecule("trans-butane"), molecule("CH3CH2OH"), molecule("CH3CONH2")


@pytest.mark.parametrize(("atoms", "constraint", "bonds"), [
    (BUTANE, None, {(6, 6)}),
    (ETHANOL, None, {(6, 8)}),
    (ACETAMIDE, None, {(6, 7)}),
    (molecule("C2H6"), None, {(6, 6)}),
    (molecule("C2H4"), None, set()),
    (molecule("C6H6"), None, set()),
    (molecule("CH4"), None, set()),
    (BUTANE, FixAtoms(range(14)[:13]), None),
])  # fmt: skip
def test_which_bonds_turn(atoms, constraint, bonds):
    system = system_of(atoms, constraint)
    found = torsions(system, system.x)[1]
    if bonds is not None:
        assert {tuple(sorted(atoms.numbers[list(torsion.axis)].tolist())) for torsion in found} == bonds
    for torsion in found:
        assert not np.isin(torsion.turning, system.frozen // 3).any()
        assert torsion.axis[0] not in torsion.turning


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 3))
def test_dihedral_moves_keep_bonds_lengths_and_handedness(seed, count):
    rng, system = np.random.default_rng(seed), system_of(BUTANE)
    x = system.x + 0.02 * rng.normal(size=system.n)
    move = Dihedrals(count)
    moved = move.displace(system, x, 0.4, rng.random(move.numbers(system)), Pool())
    a, b = x.reshape(-1, 3), moved.reshape(-1, 3)
    pairs = bonded_pairs(BUTANE.numbers, a)
    assert np.array_equal(bonded_pairs(BUTANE.numbers, b), pairs)
    np.testing.assert_allclose(np.linalg.norm(a[pairs[:, 0]] - a[pairs[:, 1]], axis=1),
                               np.linalg.norm(b[pairs[:, 0]] - b[pairs[:, 1]], axis=1), atol=1e-9)  # fmt: skip
    none = np.zeros((0, 3))
    matching = BondMatching(BUTANE.numbers, BUTANE.numbers, np.zeros(3, bool), np.zeros((3, 3)), none)
    assert matching.keeps(a, b, np.arange(len(a)), 1)
    assert np.abs(a - b).max() > 0.0


def test_dihedral_angles_are_uniform():
    system, rng, angles = system_of(BUTANE), np.random.default_rng(0), []
    axis = torsions(system, system.x)[1][0].axis
    ends = [next(j if i == c else i for i, j in bonded_pairs(BUTANE.numbers, BUTANE.positions).tolist()
                 if c in (i, j) and axis[1 - k] not in (i, j) and 6 == BUTANE.numbers[i] == BUTANE.numbers[j])
            for k, c in enumerate(axis)]  # fmt: skip
    for _ in range(400):
        atoms = BUTANE.copy()
        atoms.positions = Dihedrals().displace(system, system.x, 0.4, rng.random(16), Pool()).reshape(-1, 3)
        angles.append(atoms.get_dihedral(ends[0], *axis, ends[1]))
    # all turns but those at which the ends would touch
    counts = np.histogram(angles, bins=6, range=(0, 360))[0]
    assert counts[1:5].min() > 40


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), periodic=st.booleans())
def test_molecules_move_as_wholes(seed, periodic):
    rng = np.random.default_rng(seed)
    atoms = waters(3, cell=[11.0, 11.0, 11.0], pbc=periodic)
    if periodic:
        atoms.positions += [9.9, 0.1, 0.2]
        atoms.wrap()
    system = system_of(atoms)
    whole, found = molecules(system, system.x)
    assert [one.tolist() for one in found] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    move = Molecules()
    moved = move.displace(system, system.x, 0.5, rng.random(move.numbers(system)), Pool()).reshape(-1, 3)
    for one in found:
        np.testing.assert_allclose(pdist(moved[one]), pdist(whole[one]), atol=1e-9)
        assert np.abs((moved[one] - whole[one]).mean(axis=0)).max() <= 0.5 + 1e-9
    assert not np.allclose(pdist(moved), pdist(whole))


def test_a_fixed_molecule_stays():
    system = system_of(waters(2), FixAtoms([1]))
    move = Molecules()
    moved = move.displace(system, system.x, 0.5, np.random.default_rng(0).random(move.numbers(system)), Pool())
    assert np.array_equal(moved[:9], system.x[:9])
    assert not np.array_equal(moved[9:], system.x[9:])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 3))
def test_unlike_atoms_change_places(seed, count):
    rng = np.random.default_rng(seed)
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.numbers[[1, 4, 6]] = 79
    system, move = system_of(atoms, FixAtoms([0, 1])), ExchangeAtoms(count)
    moved = move.displace(system, system.x, 0.4, rng.random(2 * count), Pool()).reshape(-1, 3)
    assert sorted(map(tuple, moved)) == sorted(map(tuple, atoms.positions))
    assert np.array_equal(moved[:2], atoms.positions[:2])
    changed = np.flatnonzero((moved != atoms.positions).any(axis=1))
    assert count > 1 or sorted(atoms.numbers[changed]) == [29, 79]


@pytest.mark.parametrize(("system", "names"), [
    (lambda: system_of(BUTANE), ["AllCoordinates", "Dihedrals"]),
    (lambda: system_of(waters(2)), ["AllCoordinates", "Molecules"]),
    (lambda: system_of(molecule("HCN")), None),
    (lambda: system_of(bulk("Cu", cubic=True)), None),
    (lambda: system_of(Atoms("Cu2Au2", 2.5 * np.eye(4, 3))), ["AllCoordinates", "ExchangeAtoms"]),
    (lambda: system_of(fcc111("Cu", (2, 2, 2), vacuum=6.0) + Atoms("CO", [[0, 0, 14.2], [0, 0, 15.35]])),
     ["AllCoordinates", "Molecules"]),
    (lambda: as_system(Atoms("Ar4", np.eye(4, 3), calculator=LJAT(Z=0.0))), None),
    (lambda: system_of(Atoms("Ar4", np.eye(4, 3)), calculator=LennardJones(rc=20)), None),
    (lambda: as_system(small_network(hidden=(3,))), None),
    (lambda: as_system(small_network(hidden=(3, 2))), ["HiddenUnits", "SpliceNetworks"]),
    (lambda: as_system(small_network(hidden=(600, 2))), None),
])  # fmt: skip
def test_default_moves(system, names):
    system = system()
    chosen = default_moves(system)
    assert (chosen and [type(move).__name__ for move in chosen]) == names
    for move in chosen or ():
        move.check(system)


def test_molecules_are_torn_seldom_but_surfaces_are_not_forgotten():
    def weights(system):
        return [move.weight for move in default_moves(system)]

    assert weights(system_of(waters(3))) == [pytest.approx(1 / 3), 1.0]
    water = molecule("H2O")
    water.translate([0.0, 0.0, 14.5])
    assert weights(system_of(fcc111("Cu", (2, 2, 2), vacuum=6.0) + water))[0] == 1.0


def test_wrong_moves_are_refused():
    for move, atoms in (
        (Dihedrals(), molecule("CH4")),
        (Molecules(), bulk("Cu")),
        (ExchangeAtoms(), bulk("Cu", cubic=True)),
    ):
        with pytest.raises(ValueError, match="there are none"):
            move.check(system_of(atoms))
    for make in (lambda: Dihedrals(0), lambda: ExchangeAtoms(1.5), lambda: Molecules(0.0)):
        with pytest.raises(ValueError, match="must be"):
            make()
    with pytest.raises(ValueError, match="no move hop"):
        moves_by_name(["all", "hop"])


@pytest.mark.parametrize("seed", range(5))
def test_a_start_towards_a_barrier_turns_one_bond_of_butane(seed):
    """ASE's dihedral angle says by how much; bond lengths and angles stay."""
    system = system_of(BUTANE)
    moved = BUTANE.copy()
    moved.positions = turned(system, system.x, np.random.default_rng(seed)).reshape(-1, 3)
    turn = (moved.get_dihedral(0, 1, 2, 3) - BUTANE.get_dihedral(0, 1, 2, 3)) % 360
    assert 30 <= turn <= 330
    assert not 150 < turn < 210
    for first, second in bonded_pairs(BUTANE.numbers, BUTANE.positions, BUTANE.pbc, BUTANE.cell.array):
        assert moved.get_distance(first, second) == pytest.approx(BUTANE.get_distance(first, second))
    assert moved.get_angle(0, 1, 2) == pytest.approx(BUTANE.get_angle(0, 1, 2))


def test_where_nothing_turns_no_start_is_turned():
    system = system_of(molecule("CH4"))
    assert turned(system, system.x, np.random.default_rng(0)) is None


def test_what_was_chosen_is_in_the_summary(tmp_path):
    atoms = Atoms("Cu3Au", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.2, 0], [1.2, 0.7, 2.0]], calculator=EMT())
    with Landscape(atoms, tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=2, progress=False)
    summary = summarise(tmp_path / "a.zarr")
    assert "AllCoordinates + ExchangeAtoms" in summary_text(summary)
    assert "permutations all, inversion True" in details_text(summary)
    with Landscape(atoms, tmp_path / "b.zarr") as landscape:
        landscape.find_minima(steps=1, moves=[AllCoordinates()], progress=False)
    assert "ExchangeAtoms" not in summary_text(summarise(tmp_path / "b.zarr"))
