"""What ASE's own tests ask of an optimizer: filters, bands, restart files, numbers of steps, later calculators."""

from __future__ import annotations

import json
from itertools import pairwise

import ase.optimize
import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixBondLength, FixedLine, FixedPlane
from ase.filters import Filter, FrechetCellFilter, StrainFilter, UnitCellFilter
from ase.io import read
from ase.mep import NEB
from ase.optimize.basin import BasinHopping
from ase.optimize.optimize import RestartError
from ase.utils.abc import Optimizable

from thalweg.optimizers import LBFGS, EigenvectorFollowing, SecondOrder, dneb, find_transition_states, minimise
from thalweg.potentials import LJAT, as_system

OURS = [LBFGS, SecondOrder]


def gold(rattle=0.1):
    atoms = bulk("Au", cubic=True)
    atoms.rattle(rattle, seed=1)
    atoms.calc = EMT()
    return atoms


class Booth(Optimizable):
    """Booth's function, whose minimum is 0 at (1, 3)."""

    def __init__(self):
        self.x = np.array([1.234, 2.345])

    def ndofs(self):
        return 2

    def get_x(self):
        return self.x.copy()

    def set_x(self, x):
        self.x[:] = x

    def get_value(self):
        a, b = self.x @ [1, 2] - 7, self.x @ [2, 1] - 5
        return a * a + b * b

    def get_gradient(self):
        a, b = self.x @ [1, 2] - 7, self.x @ [2, 1] - 5
        return np.array([2 * a + 4 * b, 4 * a + 2 * b])

    def iterimages(self):
        return iter([])

    def gradient_norm(self, gradient):
        return np.linalg.norm(gradient)


@pytest.mark.parametrize("kind", OURS)
def test_an_optimizable_of_ones_own(kind):
    booth = Booth()
    assert kind(booth).run(fmax=1e-8)
    assert booth.x == pytest.approx([1, 3], abs=1e-8)


@pytest.mark.parametrize("cell_filter", [FrechetCellFilter, UnitCellFilter, StrainFilter])
@pytest.mark.parametrize("kind", OURS)
def test_cells_relax(kind, cell_filter):
    energies = []
    for method in (ase.optimize.BFGS, kind):
        atoms = gold(0.02)
        atoms.set_cell(atoms.cell * [[1.03], [1.0], [0.99]], scale_atoms=True)
        assert method(cell_filter(atoms), logfile=None).run(fmax=5e-3, steps=200)
        energies.append(atoms.get_potential_energy())
    assert energies[1] == pytest.approx(energies[0], abs=1e-4)


def test_a_filter_moves_some_atoms_only():
    atoms = gold()
    before = atoms.positions.copy()
    assert LBFGS(Filter(atoms, indices=[1, 3])).run(fmax=0.01)
    assert np.array_equal(atoms.positions[[0, 2]], before[[0, 2]])
    assert np.linalg.norm(atoms.get_forces()[[1, 3]], axis=1).max() < 0.01


def adatom():
    slab = fcc100("Al", (2, 2, 3), vacuum=8.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    slab.calc = EMT()
    assert LBFGS(slab).run(fmax=1e-3)
    end = slab.copy()
    end.positions[-1, 0] += slab.cell[0, 0] / 2
    end.calc = EMT()
    assert LBFGS(end).run(fmax=1e-3)
    return slab, end


def test_ases_band_by_forces_alone():
    start, end = adatom()
    heights = []
    for method in (ase.optimize.BFGS, LBFGS):
        images = [start, *(start.copy() for _ in range(3)), end]
        for image in images[1:-1]:
            image.calc = EMT()
        band = NEB(images, climb=True, method="improvedtangent")
        band.interpolate()
        assert method(band, logfile=None).run(fmax=0.02, steps=200)
        heights.append(images[2].get_potential_energy() - start.get_potential_energy())
    assert heights[1] == pytest.approx(heights[0], abs=1e-3)
    assert heights[1] == pytest.approx(0.3745, abs=2e-3)  # see test_ase_barriers.py


@pytest.mark.parametrize("kind", [*OURS, EigenvectorFollowing])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_exactly_so_many_steps(kind, steps):
    optimizer = kind(gold())
    seen = list(optimizer.irun(fmax=0, steps=steps))
    assert seen == [False] * (steps + 1)
    assert optimizer.nsteps == steps


def test_no_force_is_small_enough_for_zero():
    atoms = bulk("Cu", cubic=True)
    atoms.calc = EMT()
    optimizer = LBFGS(atoms)
    assert not optimizer.run(fmax=0, steps=5)
    assert optimizer.nsteps == 5


@pytest.mark.parametrize("maxstep", [0.01, 0.05])
def test_maxstep_is_that_of_an_atom(maxstep):
    atoms, seen = gold(0.25), []
    optimizer = LBFGS(atoms, restart=None, logfile=None, trajectory=None, maxstep=maxstep)
    optimizer.attach(lambda: seen.append(atoms.positions.copy()))
    assert optimizer.run(fmax=0.05)
    steps = [np.linalg.norm(b - a, axis=1).max() for a, b in pairwise(seen)]
    assert maxstep * (1 - 1e-9) < max(steps) < maxstep * (1 + 1e-9)
    assert optimizer.todict()["maxstep"] == maxstep


def test_alpha_and_damping():
    first = []
    for options in ({"alpha": 70.0}, {"alpha": 140.0}, {"alpha": 70.0, "damping": 0.5}):
        atoms = gold(0.01)
        before, forces = atoms.positions.copy(), atoms.get_forces()
        LBFGS(atoms, **options).run(fmax=0, steps=1)
        first.append(atoms.positions - before)
        assert LBFGS(atoms, **options).run(fmax=0.01)
    assert np.allclose(first[0], forces / 70, atol=1e-12)
    assert np.allclose(first[1], first[0] / 2)
    assert np.allclose(first[2], first[0] / 2)
    for wrong in ({"alpha": 0.0}, {"damping": -1.0}, {"maxstep": 0.0}):
        with pytest.raises(ValueError, match="must be positive"):
            LBFGS(gold(), **wrong)


@pytest.mark.parametrize("kind", [LBFGS, SecondOrder])
@pytest.mark.parametrize("with_cell", [False, True])
def test_a_restart_file_continues_as_without_a_break(tmp_path, kind, with_cell):
    def made(atoms, restart=None):
        return kind(FrechetCellFilter(atoms) if with_cell else atoms, restart=restart, trajectory=tmp_path / "a.traj")

    whole, broken = gold(), gold()
    single = made(whole)
    assert single.run(fmax=1e-3)
    first = made(broken, tmp_path / "memory.json")
    first.run(fmax=1e-3, steps=4)
    again = read(tmp_path / "a.traj")
    again.calc = EMT()
    second = made(again, tmp_path / "memory.json")
    assert second.run(fmax=1e-3)
    assert first.nsteps + second.nsteps == single.nsteps
    assert np.allclose(again.positions, whole.positions, atol=1e-9)
    assert np.allclose(again.cell, whole.cell, atol=1e-9)


def test_restart_files_that_cannot_be_used(tmp_path):
    path = tmp_path / "memory.json"
    path.write_text("hello world\n")
    for kind in (LBFGS, EigenvectorFollowing):
        with pytest.raises(RestartError, match="Could not decode"):
            kind(Atoms(), restart=path)
    path.write_text(json.dumps([1, 2]))
    with pytest.raises(RestartError, match="holds no memory of LBFGS of 12 coordinates"):
        LBFGS(gold(), restart=path)
    path.unlink()
    LBFGS(gold(), restart=path).run(fmax=0.01)
    with pytest.raises(RestartError, match="of 24 coordinates"):
        LBFGS(bulk("Au") * 2, restart=path)


def test_the_memory_of_a_trajectory(tmp_path):
    atoms = gold()
    with LBFGS(atoms, trajectory=tmp_path / "a.traj") as optimizer:
        optimizer.run(fmax=0.05)
    steps, last = optimizer.nsteps, read(tmp_path / "a.traj")
    last.calc = EMT()
    again = LBFGS(last)
    again.replay_trajectory(str(tmp_path / "a.traj"))
    assert optimizer.run(fmax=1e-5)
    assert again.run(fmax=1e-5)
    assert again.nsteps == optimizer.nsteps - steps > 0
    assert np.allclose(last.positions, atoms.positions, atol=1e-9)
    with pytest.raises(ValueError, match="the trajectory has 12 coordinates"):
        LBFGS(bulk("Au") * 2).replay_trajectory(str(tmp_path / "a.traj"))


@pytest.mark.parametrize("kind", [*OURS, EigenvectorFollowing])
def test_a_calculator_that_comes_later(kind):
    atoms = gold(0.05)
    atoms.calc = None
    optimizer = kind(atoms)
    atoms.calc = EMT()
    optimizer.run(fmax=0.05, steps=3)
    assert optimizer.nsteps > 0


@pytest.mark.parametrize("line", [[0, 0, 1], [0, 1, 1]])
@pytest.mark.parametrize("kind", OURS)
def test_an_atom_on_a_line_and_one_in_a_plane(kind, line):
    atoms = gold()
    atoms.set_constraint([FixedLine(0, line), FixedPlane(1, [1, 2, 0])])
    before = atoms.positions.copy()
    assert kind(atoms).run(fmax=0.02, steps=200)
    moved = atoms.positions - before
    u = np.array(line) / np.linalg.norm(line)
    assert np.linalg.norm(moved[0] - (moved[0] @ u) * u) < 1e-9
    assert abs(moved[1] @ [1, 2, 0]) < 1e-9
    assert np.linalg.norm(moved[0]) > 1e-3


def test_constraints_that_only_ase_knows():
    atoms = Atoms("CCC", [[1, 0, 5], [0, 1, 5], [-1, 0.5, 5]], cell=[10, 10, 10], pbc=True, calculator=LennardJones())
    atoms.set_constraint(FixBondLength(0, 2))
    length = atoms.get_distance(0, 2, mic=True)
    assert LBFGS(atoms).run(fmax=1e-3)
    assert atoms.get_distance(0, 2, mic=True) == pytest.approx(length, abs=1e-6)
    assert atoms.get_potential_energy() == pytest.approx(-2.034988, abs=2e-6)  # of ASE's own test


def test_ases_basin_hopping_minimises_by_ours(tmp_path, monkeypatch):
    atoms = Atoms("Cu4", np.random.default_rng(0).uniform(-1.8, 1.8, (4, 3)), calculator=EMT())
    first = atoms.copy()
    first.calc = EMT()
    assert LBFGS(first).run(fmax=1e-2)
    monkeypatch.chdir(tmp_path)
    np.random.seed(1)  # noqa: NPY002  (ASE's basin-hopping draws from it)
    with BasinHopping(
        atoms, temperature=0.1, optimizer=LBFGS, fmax=1e-2, dr=0.4, logfile=None, optimizer_logfile=None
    ) as hopping:
        hopping.run(3)
        assert hopping.get_minimum()[0] <= first.get_potential_energy() + 1e-2


def test_one_atom_and_none():
    atom = Atoms("Cu", calculator=EMT())
    assert all(kind(atom).run() for kind in OURS)
    assert minimise(atom).converged[0]
    with pytest.raises(ValueError, match="at least 2 atoms"):
        minimise(Atoms("Ar", calculator=LJAT(Z=0.0)))
    nothing = Atoms(calculator=EMT())
    assert LBFGS(nothing).run()
    for what in (as_system, minimise, find_transition_states):
        with pytest.raises(ValueError, match="there are no atoms"):
            what(nothing)


def test_atoms_in_place_of_positions():
    a = Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 1, 0]], calculator=LJAT(Z=0.0))
    b = a.copy()
    b.positions[0, 1] += 2
    assert np.array_equal(dneb(a, a, b, steps=5).x, dneb(a, a.positions, b.positions, steps=5).x)
    assert minimise(a, b).energy[0] == minimise(a, b.positions).energy[0]
    with pytest.raises(ValueError, match="b must have the system's atoms in their order, Ar3; it has OH2"):
        dneb(a, a, molecule("H2O"))
    with pytest.raises(ValueError, match="a must be Atoms, a Point, or their positions as numbers"):
        dneb(a, ["left", "right"], b)
    with pytest.raises(TypeError, match="with __ase_optimizable__ such as FrechetCellFilter or NEB, not ndarray"):
        LBFGS(a.positions)
