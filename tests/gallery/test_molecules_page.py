"""Entries of docs/molecules.md, against ASE's own optimizers, bands, constraints and calculators."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import add_adsorbate, bulk, fcc100, molecule
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces
from ase.calculators.tip4p import TIP4P
from ase.constraints import FixAtoms, FixedPlane, FixInternals
from ase.io import write
from ase.mep import NEB
from ase.optimize import BFGS, FIRE
from scipy.optimize import minimize as fmin
from scipy.spatial.transform import Rotation

from thalweg.analysis import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.optimizers import minimise
from thalweg.optimizers.basin_hopping.default_moves import moves_by_name

from ..helpers import finished

FOLDER = Path(__file__).parents[2] / "docs" / "molecules"
KELVIN = 300.0


@pytest.fixture
def from_page(monkeypatch):
    """Return a function that imports a calculator which the page shows."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda name: importlib.import_module(name)


def ring_of_water(n):
    """Return molecules of water around a ring, as the page makes them."""
    cluster = Atoms()
    for k in range(n):
        one = molecule("H2O")
        one.rotate(90 * k + 20, (1, 1, 1))
        one.translate(1.4 / np.sin(np.pi / n) * np.array([np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n), 0]))
        cluster += one
    return cluster


def glass():
    """Return the cell of 13 atoms A and 3 atoms B, as the page makes it."""
    cell = bulk("Ni", a=3.3, cubic=True) * (2, 2, 1)
    cell.set_cell(np.full(3, (16 / 1.2) ** (1 / 3) * 2.2), scale_atoms=True)
    cell.set_initial_magnetic_moments(None)
    cell.symbols[[1, 6, 11]] = "P"
    return cell


def test_stiff_water_is_that_of_ase(from_page):
    """With the molecules' shapes those of the model, energies are ASE's TIP4P; forces are those of the energy."""
    water = from_page("tip4p_water")
    atoms = ring_of_water(3)
    atoms.calc = water.StiffTIP4P()
    difference = atoms.get_forces() - calculate_numerical_forces(atoms, 1e-4)
    assert np.abs(difference).max() < 1e-3  # of springs of 1e4 eV/angstrom^2
    found = minimise(atoms, rms=1e-4)
    atoms.positions = found.x[0].reshape(-1, 3)
    assert found.converged[0]
    rigid = atoms.copy()
    rigid.calc = TIP4P(rc=100.0, width=1.0)
    assert found.energy[0] == pytest.approx(rigid.get_potential_energy(), abs=1e-3)


def rigid_energies(parts):
    """TIP4P energies in eV of rigid molecules, by positions of oxygen and rotation vectors (rows, molecules, 6)."""
    half, e2 = np.deg2rad(104.52 / 2), units.Hartree * units.Bohr
    hydrogen = 0.9572 * np.array([[np.sin(half), np.cos(half), 0.0], [-np.sin(half), np.cos(half), 0.0]])
    frame = np.vstack([[0.0, 0.15, 0.0], hydrogen])
    turns = Rotation.from_rotvec(parts[..., 3:].reshape(-1, 3)).as_matrix().reshape(*parts.shape[:2], 3, 3)
    oxygen = parts[..., :3]
    sites = frame @ turns.transpose(0, 1, 3, 2) + oxygen[:, :, None]
    i, j = np.triu_indices(parts.shape[1], 1)
    apart = np.linalg.norm(sites[:, i][:, :, :, None] - sites[:, j][:, :, None], axis=-1)
    charges = 0.52 * np.array([-2.0, 1.0, 1.0])
    sixth = (3.15365**2 / ((oxygen[:, i] - oxygen[:, j]) ** 2).sum(axis=-1)) ** 3
    lennard_jones = 4 * 0.648 * units.kJ / units.mol * (sixth**2 - sixth).sum(axis=1)
    return e2 * (np.outer(charges, charges) / apart).sum(axis=(1, 2, 3)) + lennard_jones


def rigid_minima(count, starts):
    """Return the energies of minima of rigid molecules, by scipy's BFGS from random starts."""
    rng, found = np.random.default_rng(0), []
    steps = 1e-5 * np.vstack([np.eye(6 * count), -np.eye(6 * count)])

    def slopes(p):
        energies = rigid_energies(np.vstack([p, p + steps]).reshape(-1, count, 6))
        return energies[0], (energies[1 : 6 * count + 1] - energies[6 * count + 1 :]) / 2e-5

    while len(found) < starts:
        oxygen = rng.uniform(-1.5, 1.5, (count, 3)) * count ** (1 / 3)
        if (np.linalg.norm(oxygen[:, None] - oxygen, axis=-1) + 9 * np.eye(count)).min() < 2.5:
            continue
        p = np.hstack([oxygen, Rotation.random(count, rng=rng).as_rotvec()]).ravel()
        for _ in range(3):
            end = fmin(slopes, p, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 600})
            p = end.x
        if np.abs(slopes(p)[1]).max() < 1e-5:
            found.append(float(end.fun))
    return np.array(found)


@pytest.mark.slow
def test_the_trimer_has_the_minima_of_rigid_molecules(from_page, tmp_path):
    """All that scipy finds are found, and at all points found no force and no torque of ASE's TIP4P is left."""
    atoms = ring_of_water(3)
    atoms.calc = from_page("tip4p_water").StiffTIP4P()
    with Landscape(atoms, tmp_path / "water3.zarr", seed=0) as landscape:
        landscape.find_minima(steps=20)
        landscape.connect(searches=30)
        energies = landscape.minima.energy[:]
        points = np.vstack([landscape.minima.coordinates[:], landscape.transition_states.coordinates[:]])
    for energy in rigid_minima(3, 40):
        assert np.abs(energies - energy).min() < 4e-4
    assert len(points) > 10
    for x in points.reshape(-1, 3, 3, 3):
        water = Atoms("OHHOHHOHH", x.reshape(-1, 3), calculator=TIP4P(rc=100.0, width=1.0))
        forces = water.get_forces().reshape(3, 3, 3)
        torques = np.cross(x - x.mean(axis=1, keepdims=True), forces).sum(axis=1)
        assert max(np.abs(forces.sum(axis=1)).max(), np.abs(torques).max()) < 5e-3


def test_binary_liquid_is_that_of_a_larger_cell(from_page):
    mixture = from_page("binary_lj")
    atoms = glass()
    atoms.rattle(0.1, seed=0)
    atoms.calc = mixture.BinaryLJ()
    large = atoms * (2, 1, 1)
    large.calc = mixture.BinaryLJ()
    assert large.get_potential_energy() == pytest.approx(2 * atoms.get_potential_energy(), rel=1e-12)
    np.testing.assert_allclose(large.get_forces()[:16], atoms.get_forces(), atol=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), calculate_numerical_forces(atoms, 1e-4), atol=1e-3)
    far = atoms.copy()
    far.positions += atoms.cell.array.T @ np.random.default_rng(0).integers(-2, 3, 3)
    far.calc = mixture.BinaryLJ()
    assert far.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), rel=1e-12)


@pytest.mark.slow
def test_random_starts_find_the_two_lowest_minima_of_the_liquid(from_page, tmp_path):
    """ASE's BFGS finds the second from the given cell with its atoms B elsewhere, strongly displaced."""
    mixture, energies = from_page("binary_lj"), []
    for places, displaced in (([1, 6, 11], 0.05), ([5, 7, 10], 0.35)):
        atoms = glass()
        atoms.symbols[:] = "Ni"
        atoms.symbols[places] = "P"
        atoms.rattle(displaced, seed=10)
        atoms.calc = mixture.BinaryLJ()
        BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=1e-3, steps=400)
        energies.append(atoms.get_potential_energy())
    atoms = glass()
    atoms.calc = mixture.BinaryLJ()
    with Landscape(atoms, tmp_path / "glass.zarr", substrate=True) as landscape:
        landscape.find_minima(steps=40, moves=moves_by_name(["all", "exchange", "random"]), progress=False)
        lowest = np.sort(landscape.minima.energy[:])[:2]
    assert lowest[0] <= min(energies) + 1e-5
    assert lowest[1] == pytest.approx(energies[1], abs=1e-5)


def vineyard(atoms, free, zero_modes):
    """Return ln of the product of the real frequencies in 1/s, by differences of ASE's forces."""
    place = (3 * free[:, None] + np.arange(3)).ravel()
    at, rows = atoms.positions.copy(), []
    for coordinate in place:
        ends = []
        for step in (1e-3, -1e-3):
            moved = at.copy()
            moved.ravel()[coordinate] += step
            atoms.positions = moved
            ends.append(-atoms.get_forces(apply_constraint=False).ravel()[place])
        rows.append((ends[0] - ends[1]) / 2e-3)
    atoms.positions = at
    mass = np.sqrt(np.repeat(atoms.get_masses()[free], 3))
    values = np.linalg.eigvalsh((np.array(rows) + np.array(rows).T) / 2 / np.outer(mass, mass))
    values = values[np.argsort(np.abs(values))][zero_modes:]
    per_second = values[values > 0] * units._e * 1e20 / units._amu
    return 0.5 * np.log(per_second).sum() - len(per_second) * np.log(2 * np.pi)


def lowest_rate(path):
    """Return the rate over the lowest transition state from the lowest minimum, and its barrier."""
    network = KineticTransitionNetwork.read(path)
    lowest = int(np.argmin(network.ts_energies))
    barrier = network.ts_energies[lowest] - network.energies.min()
    return network.transition_state_rates(kelvin=KELVIN)[lowest, 0], barrier


@pytest.mark.slow
def test_adatom_hops_at_vineyards_rate(tmp_path):
    slab = fcc100("Cu", (3, 3, 3), a=3.59, vacuum=8.0)
    add_adsorbate(slab, "Cu", 1.6, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 2 for atom in slab]))
    slab.set_tags(0)
    write(tmp_path / "adatom.traj", slab)
    store = tmp_path / "adatom.zarr"
    arguments = ("--calculator", "emt", "--substrate", "--steps", 5, "--searches", 24, "--output", store)
    assert "substrate True" in finished("explore", tmp_path / "adatom.traj", *arguments) + finished("info", store)
    free = np.flatnonzero(slab.positions[:, 2] > slab.positions[:, 2].min() + 1.0)
    slab.calc = EMT()
    BFGS(slab, logfile=None).run(fmax=1e-5)
    bridge = slab.copy()
    bridge.calc = EMT()
    bridge.positions[-1, 0] += slab.cell[0, 0] / 6
    bridge.set_constraint([*slab.constraints, FixedPlane(len(slab) - 1, (1, 0, 0))])
    BFGS(bridge, logfile=None).run(fmax=1e-5)
    barrier = bridge.get_potential_energy() - slab.get_potential_energy()
    logs = [vineyard(atoms, free, 0) for atoms in (slab, bridge)]
    rate, found = lowest_rate(store)
    assert found == pytest.approx(barrier, abs=1e-5)
    # four bridges around a hollow
    assert rate == pytest.approx(4 * np.exp(logs[0] - logs[1] - barrier / (units.kB * KELVIN)), rel=2e-3)


@pytest.mark.slow
def test_vacancy_migrates_at_vineyards_rate(tmp_path):
    crystal = bulk("Cu", a=3.59, cubic=True) * (2, 2, 2)
    empty = crystal.positions[0].copy()
    del crystal[0]
    write(tmp_path / "vacancy.traj", crystal)
    store = tmp_path / "vacancy.zarr"
    arguments = ("--calculator", "emt", "--substrate", "--steps", 2, "--searches", 6, "--output", store)
    finished("explore", tmp_path / "vacancy.traj", *arguments)
    crystal.calc = EMT()
    BFGS(crystal, logfile=None).run(fmax=1e-5)
    hopper = int(np.argmin(np.linalg.norm(crystal.positions - empty, axis=1)))
    end = crystal.copy()
    end.positions[hopper] = empty
    end.calc = EMT()
    BFGS(end, logfile=None).run(fmax=1e-4)
    images = [*(crystal.copy() for _ in range(6)), end]
    for image in images:
        image.calc = EMT()
    band = NEB(images, climb=True, k=0.2, method="improvedtangent")
    band.interpolate()
    FIRE(band, logfile=None).run(fmax=0.01, steps=500)
    barrier = max(image.get_potential_energy() for image in images) - crystal.get_potential_energy()
    rate, found = lowest_rate(store)
    assert found == pytest.approx(barrier, abs=5e-4)
    top = Landscape.open(store).geometry.subject(saddle_of(store))
    top.calc = EMT()
    everything = np.arange(len(crystal))
    logs = [vineyard(atoms, everything, 3) for atoms in (crystal, top)]
    # twelve neighbours may hop
    assert rate == pytest.approx(12 * np.exp(logs[0] - logs[1] - found / (units.kB * KELVIN)), rel=2e-3)


def saddle_of(store):
    """Return the coordinates of the lowest transition state."""
    states = Landscape.open(store).transition_states
    return states.coordinates[int(np.argmin(states.energy[:]))]


@pytest.mark.slow
def test_butane_turns_as_in_a_scan_by_hand(tmp_path):
    """GFN2-xTB: trans, gauche and the barrier between them, by ASE's constraint on the dihedral angle."""
    tblite = pytest.importorskip("tblite.ase")
    butane = molecule("trans-butane")
    write(tmp_path / "butane.xyz", butane)
    store = tmp_path / "butane.zarr"
    finished(
        "explore", tmp_path / "butane.xyz", "--calculator", "tblite", "--steps", 10, "--searches", 20, "--output", store
    )
    network = KineticTransitionNetwork.read(store)
    carbon = np.flatnonzero(butane.numbers == 6)
    near = butane.get_all_distances()
    inner = [i for i in carbon if (near[i, carbon] < 1.7).sum() == 3]
    outer = [next(j for j in carbon if j not in inner and near[i, j] < 1.7) for i in inner]
    chain = [int(i) for i in (outer[0], *inner, outer[1])]
    side = np.array([near[i, chain[2]] < near[i, chain[1]] for i in range(len(butane))], dtype=int)

    def held(angle):
        atoms = butane.copy()
        atoms.set_dihedral(*chain, angle, mask=side)
        atoms.set_constraint(FixInternals(dihedrals_deg=[[angle, chain]], epsilon=1e-9))
        atoms.calc = tblite.TBLite(method="GFN2-xTB", verbosity=0)
        BFGS(atoms, logfile=None).run(fmax=2e-3, steps=200)
        return atoms.get_potential_energy()

    trans = held(180)
    top = np.polyfit((-5.0, 0.0, 5.0), [held(angle) - trans for angle in (115, 120, 125)], 2)
    well = np.polyfit((-5.0, 0.0, 5.0), [held(angle) - trans for angle in (62, 67, 72)], 2)
    barrier, gauche = (float(c - b**2 / (4 * a)) for a, b, c in (top, well))
    assert network.energies.min() == pytest.approx(trans, abs=5e-4)
    assert np.sort(network.energies)[1] - network.energies.min() == pytest.approx(gauche, abs=5e-4)
    joining = network.ts_energies[network.joining].min() - network.energies.min()
    assert joining == pytest.approx(barrier, abs=5e-4)
