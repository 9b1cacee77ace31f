"""Rates and thermodynamics of atoms with their masses, against Vineyard's rate and ASE's thermochemistry."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import add_adsorbate, fcc100, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.optimize import BFGS
from ase.thermochemistry import HarmonicThermo, IdealGasThermo
from ase.vibrations import Vibrations

from thalweg.analysis import KineticTransitionNetwork, MolecularMotion
from thalweg.landscapes import Landscape

PLANCK = 2 * np.pi * units._hbar / units._e  # eV s
SHAPE = [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0], [1.2, 0.7, 2]]


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    """Return the path of a landscape of four atoms of three kinds."""
    path = tmp_path_factory.mktemp("rates") / "cluster.zarr"
    with Landscape(Atoms("AuCu2Ni", SHAPE, calculator=EMT()), path, seed=0) as landscape:
        landscape.find_minima(steps=10, workers=1)
        landscape.connect(searches=12, workers=1)
    return path


def levels(atoms, folder, indices=None):
    """Return energies of vibrations in eV by ase.vibrations, sorted, imaginary ones first."""
    atoms.calc = EMT()
    run = Vibrations(atoms, indices, name=str(folder), delta=2e-3)
    run.run()
    energies = run.get_energies()
    return energies[np.argsort(np.where(energies.imag > 0, -energies.imag, energies.real))]


def at(x):
    """Return the cluster at x."""
    return Atoms("AuCu2Ni", np.reshape(x, (-1, 3)))


def test_rates_of_a_cluster_are_those_of_free_energies(clusters, tmp_path):
    """k = kT / h exp(-(G_t - G_i) / kT) with Gibbs energies by ASE, times the ratio of symmetry orders."""
    landscape, network = Landscape.open(clusters), KineticTransitionNetwork.read(clusters)
    assert network.n_transition_states
    kelvin = 400.0
    kt = kelvin * units.kB
    rates = network.transition_state_rates(kelvin=kelvin, quantum=True)
    wigner = network.transition_state_rates(kelvin=kelvin, quantum=True, tunnelling="wigner")
    state = 0
    minimum = int(network.ts_minima[state, 0])
    gibbs = []
    for name, points, row in (("m", landscape.minima, minimum), ("t", landscape.transition_states, state)):
        atoms = at(points.coordinates[row])
        found = levels(atoms, tmp_path / name)
        real = found[found.real > 3e-4]
        assert len(real) == (6 if name == "m" else 5)
        gas = IdealGasThermo(real, "nonlinear", float(points.energy[row]), atoms, 1, 0, vib_selection="all")
        gibbs.append(gas.get_gibbs_energy(kelvin, 1e5, verbose=False))
        if name == "t":
            u = found[0].imag / kt
    factor = network.symmetry_order[minimum] / network.ts_symmetry_order[state]
    factor = factor * 2 if network.degenerate[state] else factor
    expected = factor * kt / PLANCK * np.exp(-(gibbs[1] - gibbs[0]) / kt)
    assert rates[state, 0] == pytest.approx(expected, rel=1e-2)
    assert wigner[state, 0] / rates[state, 0] == pytest.approx(1 + u**2 / 24, rel=1e-3)


def test_detailed_balance_and_units(clusters):
    network = KineticTransitionNetwork.read(clusters)
    rates = network.transition_state_rates(kelvin=500)
    thermal = network.thermodynamics(kelvin=[500])
    p = thermal.occupation[0]
    a, b = network.ts_minima.T
    np.testing.assert_allclose(p[a] * rates[:, 0], p[b] * rates[:, 1], rtol=1e-9)
    assert thermal.kelvin.tolist() == [500]
    assert thermal.temperatures[0] == pytest.approx(500 * units.kB)
    assert "kelvin" in repr(thermal)
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.transition_state_rates(kelvin=500), rates)
    with pytest.raises(TypeError, match="one of temperatures"):
        network.thermodynamics([0.1], kelvin=[300])
    with pytest.raises(TypeError, match="one of temperatures"):
        network.thermodynamics()


def test_an_adatom_hops_at_vineyards_rate(tmp_path):
    """Frequencies at the minimum over those at the saddle: G. H. Vineyard, J. Phys. Chem. Solids 3 (1957) 121."""
    slab = fcc100("Al", (2, 2, 2), vacuum=8.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(indices=range(8)))
    slab.calc = EMT()
    BFGS(slab, logfile=None).run(fmax=1e-6)
    path = tmp_path / "slab.zarr"
    with Landscape(slab, path, substrate=True) as landscape:
        landscape.find_minima(steps=2, workers=1)
        landscape.connect(searches=4, workers=1)
    network = KineticTransitionNetwork.read(path)
    landscape = Landscape.open(path)
    assert not network.motion.moments.any()
    state = int(np.argmin(network.ts_energies))
    minimum = int(network.ts_minima[state, 0])
    products = []
    for name, points, row in (("m", landscape.minima, minimum), ("t", landscape.transition_states, state)):
        moved = slab.copy()
        moved.set_positions(points.coordinates[row].reshape(-1, 3), apply_constraint=False)
        found = levels(moved, tmp_path / name, [8])
        products.append(np.prod(found.real[found.real > 0] / PLANCK))
    barrier = network.ts_energies[state] - network.energies[minimum]
    hops = network.symmetry_order[minimum] / network.ts_symmetry_order[state] * (1 + network.degenerate[state])
    expected = hops * products[0] / products[1] * np.exp(-barrier / (300 * units.kB))
    assert network.degenerate[state]
    assert hops == 4  # one for each neighbouring hollow
    rates = network.transition_state_rates(kelvin=300)
    assert rates[state].tolist() == pytest.approx([expected, expected], rel=5e-3)


def two_wells(frequencies, ts_frequencies, moments=None, reflections=True, **more):
    """Return two minima and a transition state with these vibrations."""
    still = np.zeros((2, 3)), np.zeros((1, 3))
    motion = MolecularMotion(np.array(frequencies), np.array([ts_frequencies]), *(moments or still), reflections)
    return KineticTransitionNetwork([0.0, 0.2], [0.9], [[0, 1]], units="eV", motion=motion, **more)


def reduced_wells():
    """Return two minima and a transition state in reduced units."""
    products = {"log_eigenvalue_product": [0, 0], "ts_log_eigenvalue_product": [0]}
    return KineticTransitionNetwork([0, 0], [1], [[0, 1]], **products)


@pytest.mark.parametrize("kelvin", [30.0, 300.0, 3000.0])
def test_quantised_wells_are_those_of_ase(kelvin):
    network = two_wells([[300.0, 1200.0], [500.0, 700.0]], [-900.0, 800.0])
    thermal = network.thermodynamics(kelvin=kelvin, quantum=True)
    free = []
    for energy, frequencies in zip(network.energies, network.motion.frequencies, strict=True):
        free.append(HarmonicThermo(frequencies * units.invcm, energy).get_helmholtz_energy(kelvin, verbose=False))
    kt = kelvin * units.kB
    weights = np.exp(-(np.array(free) - free[0]) / kt)
    assert thermal.free_energy[0] == pytest.approx(free[0] - kt * np.log(weights.sum()), abs=1e-10)
    np.testing.assert_allclose(thermal.occupation[0], weights / weights.sum(), rtol=1e-9)


@pytest.mark.parametrize("quantum", [False, True])
def test_energy_and_heat_capacity_are_derivatives(quantum):
    moments = np.array([[0, 10.0, 10.0], [4.0, 5.0, 6.0]]), np.array([[3.0, 5.0, 6.0]])
    network = two_wells([[300.0, 1200.0, 800.0], [500.0, 700.0, np.nan]], [-900.0, 800.0, np.nan], moments)
    t, d = 700 * units.kB, 1e-5
    thermal = network.thermodynamics([t - d, t, t + d], quantum=quantum)
    logs = thermal.log_partition_function
    assert thermal.energy[1] == pytest.approx(t**2 * (logs[2] - logs[0]) / (2 * d), rel=1e-6)
    assert thermal.heat_capacity[1] == pytest.approx((thermal.energy[2] - thermal.energy[0]) / (2 * d), rel=1e-6)


def test_quantised_vibrations_become_classical_when_hot():
    network = two_wells([[300.0, 1200.0], [500.0, 700.0]], [-900.0, 800.0])
    classical, quantum = (network.transition_state_rates(kelvin=2e5, quantum=q) for q in (False, True))
    np.testing.assert_allclose(quantum, classical, rtol=1e-4)
    cold = network.transition_state_rates(kelvin=200, quantum=True) / network.transition_state_rates(kelvin=200)
    assert (cold > 1.1).all()  # zero-point energy lowers this barrier


def test_a_linear_molecule_counts_once_whether_reflections_count_or_not():
    """A bent transition state has an order of 2 where its mirror image counts, a linear minimum 1 all the same."""
    moments = np.array([[0, 10.0, 10.0], [0, 11.0, 11.0]]), np.array([[1.0, 9.0, 10.0]])
    vibrations = [[500.0, 500.0, 1000.0, 2000.0]] * 2, [-1200.0, 800.0, 1500.0, np.nan]
    one = two_wells(*vibrations, moments, True, symmetry_order=[1, 1], ts_symmetry_order=[2])
    two = two_wells(*vibrations, moments, False, symmetry_order=[1, 1], ts_symmetry_order=[1])
    rates = one.transition_state_rates(kelvin=800)
    np.testing.assert_allclose(rates, two.transition_state_rates(kelvin=800), rtol=1e-12)
    # the textbook's rotors, no symmetry numbers
    kt = 800 * units.kB
    rotor = kt * units._e * units._amu * 1e-20 / units._hbar**2
    turning = np.sqrt(np.pi * np.prod(2 * rotor * moments[1][0])) / (2 * rotor * 10.0)
    u = np.array(vibrations[0][0]) * units.invcm / kt
    v = np.array([800.0, 1500.0]) * units.invcm / kt
    assert rates[0, 0] == pytest.approx(kt / PLANCK * turning * np.prod(u) / np.prod(v) * np.exp(-0.9 / kt), rel=1e-9)
    still = one.transition_state_rates(kelvin=800, rotational=False)
    assert rates[0, 0] / still[0, 0] == pytest.approx(2 * turning, rel=1e-9)


def test_kinetics_says_its_unit():
    network = two_wells([[300.0, 1200.0], [500.0, 700.0]], [-900.0, 800.0])
    kinetics = network.kinetics(kelvin=900, quantum=True, tunnelling="wigner")
    assert kinetics.time_unit == "s"
    assert kinetics.kelvin == pytest.approx(900)
    assert repr(kinetics) == "<Kinetics: 2 states, 2 rates, 900 K, rates in 1/s>"
    rate = kinetics.rate_constant(source=1, target=0)
    assert rate == pytest.approx(
        network.transition_state_rates(kelvin=900, quantum=True, tunnelling="wigner")[0, 1], rel=1e-12
    )
    sample = kinetics.simulate(source=1, target=0, walks=4000, seed=1)
    assert sample.time_unit == "s"
    assert abs(sample.rate - rate) < 5 * sample.rate_error
    np.testing.assert_allclose(kinetics.sensitivity(source=1, target=0), [1.0])
    # a free-energy barrier just above and just below that of the slower rate
    slow = kinetics.rate_constant(source=0, target=1)
    barrier = -900 * units.kB * np.log(slow * PLANCK / (900 * units.kB))
    assert kinetics.regroup(barrier=barrier + 1e-3).kinetics.n_states == 1
    assert kinetics.regroup(barrier=barrier - 1e-3).kinetics.n_states == 2
    assert reduced_wells().kinetics(temperature=1.0).time_unit == "reduced"


def test_what_is_missing_is_named():
    unknown = two_wells([[300.0], [np.nan]], [-900.0])
    with pytest.raises(ValueError, match=r"minimum 1 has no vibrational frequencies: fill_frequencies"):
        unknown.kinetics(kelvin=300)
    with pytest.raises(ValueError, match="transition state 0 has 0 frequencies that are not real"):
        two_wells([[300.0], [200.0]], [900.0]).kinetics(kelvin=300)
    with pytest.raises(ValueError, match="tunnelling is 'eckart'; it must be 'wigner'"):
        two_wells([[300.0], [200.0]], [-900.0]).kinetics(kelvin=300, tunnelling="eckart")
    for name in ("quantum", "tunnelling"):
        with pytest.raises(ValueError, match=f"{name}=.* needs vibrational frequencies"):
            reduced_wells().kinetics(temperature=1.0, **{name: True if name == "quantum" else "wigner"})
    with pytest.raises(ValueError, match="motion is of 2 minima and 1 transition states, the network has 1 and 0"):
        KineticTransitionNetwork([0.0], [], [], motion=unknown.motion)


def test_ammonia_inverts_at_the_rate_of_its_partition_functions(tmp_path):
    """One way leads from a copy to the other: kT / h Q_t / Q_m exp(-E / kT), no symmetry numbers; GFN2-xTB."""
    tblite = pytest.importorskip("tblite.ase")
    atoms = molecule("NH3")
    atoms.calc = tblite.TBLite(method="GFN2-xTB", accuracy=0.01, verbosity=0)
    path = tmp_path / "nh3.zarr"
    with Landscape(atoms, path) as landscape:
        landscape.find_minima(steps=1, workers=1)
        landscape.connect(searches=4, workers=1)
    network, landscape = KineticTransitionNetwork.read(path), Landscape.open(path)
    state = int(np.argmin(network.ts_energies))
    assert network.degenerate[state]
    kt = 500 * units.kB
    logs = []
    for points, row in ((landscape.minima, 0), (landscape.transition_states, state)):
        atoms.positions = points.coordinates[row].reshape(-1, 3)
        run = Vibrations(atoms, name=str(tmp_path / f"ase{len(logs)}"), delta=5e-3)
        run.run()
        energies = run.get_energies()
        real = np.sort(energies[np.argsort(-np.abs(energies))][:6])
        real = real.real[np.abs(real.imag) < 1e-6]
        assert len(real) == 6 - len(logs)
        logs.append(0.5 * np.log(np.prod(atoms.get_moments_of_inertia())) - np.log(2 * np.sinh(real / kt / 2)).sum())
    barrier = network.ts_energies[state] - network.energies[0]
    expected = kt / PLANCK * np.exp(logs[1] - logs[0] - barrier / kt)
    rates = network.transition_state_rates(kelvin=500, quantum=True)
    assert rates[state].tolist() == pytest.approx([expected, expected], rel=1e-2)
