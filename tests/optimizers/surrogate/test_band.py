"""Bands on a surrogate arrive at the barriers of other bands in fewer calls, and give up where they cannot."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100, molecule
from ase.calculators.calculator import CalculationFailed
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixedPlane
from ase.optimize import BFGS

from thalweg.optimizers import connect_pair, dneb
from thalweg.potentials import Function, MuellerBrown, Point, as_system

from ...helpers import near_hydroxycarbene

# J. Chem. Phys. 71 (1979) 3150 has them to three figures; the fourth and fifth are those of its formula
MUELLER_BROWN = -146.6995, -40.6648


class Counted(EMT):
    """EMT that counts its calls, and fails at some of them."""

    calls = 0
    fails: tuple[int, ...] = ()

    def calculate(self, *args, **kwargs):
        Counted.calls += 1
        if Counted.calls in Counted.fails:
            raise CalculationFailed("no convergence")
        super().calculate(*args, **kwargs)


@pytest.fixture(autouse=True)
def from_zero():
    Counted.calls, Counted.fails = 0, ()


def adatom(constraint=None):
    """Gold in a hollow of Al(100), and in the next one; ASE's tutorial."""
    slab = fcc100("Al", (2, 2, 3), vacuum=8.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint([FixAtoms(mask=slab.get_tags() > 1), *([] if constraint is None else [constraint])])
    slab.calc = Counted()
    end = slab.copy()
    end.positions[-1, 0] += slab.cell[0, 0] / 2
    end.calc = Counted()
    for atoms in (slab, end):
        BFGS(atoms, logfile=None).run(fmax=1e-3)
    Counted.calls = 0
    return slab, end


def test_the_barrier_of_mueller_and_brown():
    surface, calls = MuellerBrown(), 0

    def energy(x):
        nonlocal calls
        calls += 1
        return surface.energy_gradient(x)[0]

    minima = surface.minima
    point = Point(minima[0], Function(energy, lambda x: surface.energy_gradient(x)[1]))
    band = dneb(point, minima[0], minima[2], surrogate=True, images=15)
    assert band.converged
    assert band.energy[0] == pytest.approx(MUELLER_BROWN[0], abs=1e-3)
    assert band.energy[band.highest] == pytest.approx(MUELLER_BROWN[1], abs=1e-3)
    assert band.steps <= calls < 60
    true = np.array([surface.energy_gradient(x)[0] for x in band.x])
    assert np.abs(true - band.energy).max() < 0.1 * np.ptp(true)
    assert band.deviation is not None
    assert band.deviation[[0, band.highest, -1]].tolist() == [0.0, 0.0, 0.0]


def test_an_adatom_hops_as_on_a_band_without_surrogate():
    slab, end = adatom()
    system = as_system(slab)
    assert len(system.rigid) < 6  # measured now: the calls below are those of the band
    assert system.noise.gradient < 1e-6
    Counted.calls = 0
    band = dneb(system, slab, end)
    calls, Counted.calls = Counted.calls, 0
    plain = dneb(system, slab, end, climb=True, surrogate=False)
    assert band.converged
    assert plain.converged
    assert band.barrier == pytest.approx(plain.barrier, abs=2e-3)
    assert calls <= band.steps <= 35 < Counted.calls
    assert plain.deviation is None
    fixed = np.repeat(slab.get_tags() > 1, 3)
    np.testing.assert_array_equal(band.x[:, fixed], np.tile(slab.positions.ravel()[fixed], (len(band.x), 1)))
    found = connect_pair(system, slab, end, rms=1e-5)
    assert found.converged.tolist() == [True]
    assert found.energy[0] - band.energy[0] == pytest.approx(band.barrier, abs=2e-3)


def test_inversion_of_ammonia_passes_the_plane():
    """The ends are mirror images, which the inverse distances do not tell apart."""
    low = molecule("NH3", calculator=Counted())
    BFGS(low, logfile=None).run(fmax=1e-3)
    high, other = low.copy(), low.copy()
    high.calc = Counted()
    high.positions[0, 2] = high.positions[1:, 2].mean()
    BFGS(high, logfile=None).run(fmax=1e-3)
    other.positions[:, 2] *= -1.0
    Counted.calls = 0
    band = dneb(low, low, other, align=False)
    assert band.converged
    assert band.barrier == pytest.approx(high.get_potential_energy() - low.get_potential_energy(), abs=1e-3)
    assert Counted.calls < 60


def test_oblique_constraints_are_kept():
    slab, end = adatom(FixedPlane(12, [1.0, 3.0, 0.0]))
    end.positions[-1] = slab.positions[-1] + [1.2, -0.4, 0.0]
    band = dneb(slab, slab, end, surrogate=True, steps=20, align=False)
    moves = (band.x - band.x[0]).reshape(len(band.x), -1, 3)
    np.testing.assert_allclose(moves[:, -1] @ [1.0, 3.0, 0.0], 0.0, atol=1e-9)


@pytest.mark.parametrize("fails", [(14,), (12, 16)])
def test_a_call_that_fails_is_made_elsewhere(fails):
    slab, end = adatom()
    Counted.fails = fails
    band = dneb(slab, slab, end)
    assert band.converged
    assert band.reason == "converged"
    assert band.barrier == pytest.approx(0.3745, abs=3e-3)


def test_a_calculator_that_fails_on_the_way_ends_in_a_band_without_surrogate():
    slab, end = adatom()
    Counted.fails = tuple(range(12, 40))
    band = dneb(slab, slab, end)
    assert "without its surrogate, which failed: energy or gradient not finite" in band.reason
    assert band.deviation is None


def test_ends_that_cannot_be_computed_are_named():
    atoms = Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 1.0, 0]], calculator=LennardJones(rc=30.0))
    other = atoms.positions.copy()
    other[2] = other[1]
    with np.errstate(all="ignore"):
        band = dneb(atoms, atoms.positions, other, align=False)
    assert not band.converged
    assert "not finite at an end" in band.reason


def test_a_band_without_a_barrier_does_not_go_round_over_fragments():
    pair = Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=EMT())
    band = dneb(pair, pair.positions, 1.2 * pair.positions, align=False)
    assert band.path_length < 3.0
    # which of the two comes first depends on the processor
    why = "converged; without its surrogate, which failed: (the band has become|no convergence in 80 calls)"
    assert re.search(why, band.reason)


@pytest.mark.parametrize("images", [1, 2, 3])
def test_few_images_are_enough(images):
    slab, end = adatom()
    band = dneb(slab, slab, end, images=images)
    assert band.converged
    assert len(band.x) == images + 2
    assert band.barrier == pytest.approx(0.3745, abs=3e-3)


def test_few_steps_are_few_calls():
    slab, end = adatom()
    system = as_system(slab)
    assert system.noise
    assert len(system.rigid) < 6
    Counted.calls = 0
    band = dneb(system, slab, end, steps=6)
    assert not band.converged
    assert band.reason == "too many steps"
    # a call at the place of the last one is none
    assert Counted.calls <= band.steps == 6


def test_too_many_coordinates_are_left_alone():
    x = np.zeros(1500)
    x[0] = -1.0
    bowl = Function(
        lambda x: (x[0] ** 2 - 1) ** 2 + x[1:] @ x[1:], lambda x: np.append(4 * x[0] * (x[0] ** 2 - 1), 2 * x[1:])
    )
    band = dneb(Point(x, bowl), x, -x, surrogate=True, images=3, steps=4)
    assert "without its surrogate, which failed: 1500 coordinates" in band.reason


def test_compiled_potentials_have_bands_as_ever():
    surface = MuellerBrown()
    band = dneb(Point(surface.minima[0], surface), surface.minima[0], surface.minima[2])
    assert band.deviation is None


def test_gfn2_turns_formaldehyde_into_hydroxycarbene():
    tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")
    low = molecule("H2CO")
    other = near_hydroxycarbene(low)
    for atoms in (low, other):
        atoms.calc = tblite.TBLite(method="GFN2-xTB", verbosity=0)
        BFGS(atoms, logfile=None).run(fmax=1e-3)
    system = as_system(low)
    band = dneb(system, low, other)
    plain = dneb(system, low, other, climb=True, surrogate=False)
    assert band.converged
    assert band.barrier == pytest.approx(plain.barrier, abs=2e-3)
    assert band.steps <= 40 < 5 * plain.steps
