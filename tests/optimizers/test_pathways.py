"""Steepest descent and intrinsic reaction coordinates, compared with scipy's integration of the gradient flow."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from mpmath import mp, mpf
from scipy.integrate import solve_ivp

from thalweg.optimizers import find_transition_states, pathway
from thalweg.optimizers.descent_paths.exponentials import phi
from thalweg.optimizers.descent_paths.lengths import descent_lengths
from thalweg.potentials import LJAT, Himmelblau, MuellerBrown, Point, as_system

SHAPE = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0], [0.3, 0.2, 0.9]]
MASSES = [40.0, 84.0, 20.0, 40.0, 40.0]


def flow_length(system, x, end, masses):
    """Return the length of steepest descent from x to the minimum ``end``, by LSODA along the unit tangent."""
    root = np.sqrt(masses)
    weighted = system.hessian(x) / np.outer(root, root)
    mode = np.linalg.eigh(weighted)[1][:, 0]
    mode *= np.sign(mode @ ((end - x) * root))

    def slope(_, y):
        gradient = system.energy_gradient(y / root)[1] / root
        return -gradient / np.linalg.norm(gradient)

    def near(_, y):
        return np.linalg.norm(y - end * root) - 5e-3 * root.mean()

    near.terminal = True
    way = solve_ivp(slope, (0, 60), x * root + 1e-4 * mode, events=near, rtol=1e-7, atol=1e-9, method="LSODA")
    return 1e-4 + way.t[-1] + np.linalg.norm(way.y[:, -1] - end * root)


def sides(path):
    top = path.length[path.transition_state]
    return top, path.length[-1] - top


@pytest.fixture(scope="module")
def cluster():
    atoms = Atoms("ArKrNeAr2", SHAPE, calculator=LJAT(Z=0.0), masses=MASSES)
    system = as_system(atoms)
    return system, find_transition_states(system, system.x + 0.05).x[0]


@pytest.mark.parametrize("mass_weighted", [False, True])
def test_lengths_of_a_cluster_are_those_of_the_gradient_flow(cluster, mass_weighted):
    system, x = cluster
    path = pathway(system, x, mass_weighted=mass_weighted)
    masses = np.repeat(MASSES, 3) if mass_weighted else np.ones(15)
    expected = [flow_length(system, x, path.points[k], masses) for k in (0, -1)]
    assert sides(path) == pytest.approx(expected, rel=2e-3)
    assert list(path.columns())[1] == ("length_sqrt_u" if mass_weighted else "length")


def test_masses_change_the_path_and_not_its_ends(cluster):
    system, x = cluster
    plain, weighted = pathway(system, x), pathway(system, x, mass_weighted=True)
    assert weighted.energy[[0, -1]] == pytest.approx(plain.energy[[0, -1]], abs=1e-9)
    mass = np.sqrt(np.repeat(MASSES, 3))

    # each path is the shorter one by nothing but its own metric: along it the other's gradient is not the tangent
    def misfit(path, weight):
        k = len(path.points) // 4
        tangent = (path.points[k + 1] - path.points[k - 1]) * weight
        gradient = system.energy_gradient(path.points[k])[1] / weight
        return 1 - abs(tangent @ gradient) / np.linalg.norm(tangent) / np.linalg.norm(gradient)

    assert misfit(weighted, mass) < 1e-2 < misfit(plain, mass)
    assert misfit(plain, np.ones(15)) < 1e-2 < misfit(weighted, np.ones(15))


@pytest.mark.parametrize("mass_weighted", [False, True])
def test_a_calculator_without_hessian_is_called_seldom(cluster, mass_weighted):
    exact, x = cluster
    system = as_system(Atoms("ArKrNeAr2", SHAPE, calculator=LennardJones(rc=30), masses=MASSES))
    expected = pathway(exact, x, mass_weighted=mass_weighted)
    path = pathway(system, x, rms=1e-6, mass_weighted=mass_weighted)
    assert sorted(sides(path)) == pytest.approx(sorted(sides(expected)), rel=5e-3)
    assert system.calls < 250
    assert path.energy.argmax() == path.transition_state


def test_all_masses_equal_scale_the_length_by_their_root():
    atoms = Atoms("Ar4", SHAPE[:4], calculator=LJAT(Z=0.0), masses=[9.0] * 4)
    x = find_transition_states(atoms).x[0]
    plain, weighted = pathway(atoms, x), pathway(atoms, x, mass_weighted=True)
    assert sides(weighted) == pytest.approx([3 * length for length in sides(plain)], rel=1e-3)


def test_masses_are_needed():
    saddle = find_transition_states(Point([-0.8, 0.6], MuellerBrown())).x[0]
    with pytest.raises(ValueError, match="needs atoms"):
        pathway(Point([0.0, 0.0], MuellerBrown()), saddle, mass_weighted=True)


@pytest.mark.parametrize(("potential", "start"), [(MuellerBrown(), [-0.82, 0.62]), (Himmelblau(), [0.1, 2.9])])
def test_lengths_of_a_surface(potential, start):
    system = as_system(Point(start, potential))
    found = find_transition_states(system)
    assert found.converged[0]
    x, ends = found.x[0], found.minima[0]
    expected = [flow_length(system, x, end, np.ones(2)) for end in ends]
    assert descent_lengths(system, x, ends) == pytest.approx(expected, rel=5e-3)
    assert descent_lengths(system, x, ends[::-1]) == pytest.approx(expected[::-1], rel=5e-3)
    # where steepest descent does not lead, there is no length
    assert np.isnan(descent_lengths(system, x, ends + 0.3)).all()


def test_the_profile_is_smooth_and_rises_to_the_transition_state():
    saddle = find_transition_states(Point([-0.8, 0.6], MuellerBrown())).x[0]
    path = pathway(Point([0.0, 0.0], MuellerBrown()), saddle, points=15)
    s, energy = path.line()
    assert len(s) > 300
    top = int(energy.argmax())
    assert energy[top] == path.energy[path.transition_state]
    assert (np.diff(energy[: top + 1]) >= 0).all()
    assert (np.diff(energy[top:]) <= 0).all()
    # no kinks: the slope of the drawn line changes little from one of its points to the next
    slope = np.diff(energy) / np.diff(s)
    assert np.abs(np.diff(slope)).max() < 0.2 * np.abs(slope).max()


@pytest.mark.parametrize("order", range(4))
def test_phi_functions(order):
    z = np.array([-150.0, -20.0, -3.0, -1.0001, -0.9999, -0.3, -1e-9, 0.0, 1e-9, 0.5, 1.0, 1.5, 12.0])
    with mp.workdps(160):
        exact = [mp.exp(a) if order == 0 else sum(mpf(a) ** j / mp.factorial(j + order) for j in range(700)) for a in z]
    np.testing.assert_allclose(phi(order, z), np.array(exact, dtype=float), rtol=1e-12)
