"""Barriers by ASE's EMT, against ASE's own climbing nudged elastic band."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS

from thalweg.optimizers import LBFGS, connect_pair, dneb, minimise


def adatom(size):
    """Gold in a hollow of Al(100), all layers but the first fixed: ASE's tutorial."""
    slab = fcc100("Al", size, vacuum=10.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    slab.calc = EMT()
    assert LBFGS(slab).run(rms=1e-7)
    return slab


def hop(slab, size):
    end = slab.copy()
    end.positions[-1, 0] += slab.cell[0, 0] / size[0]
    return end


def exchange(slab, size):
    """Gold takes the place of an atom of the surface, which goes to the hollow beyond."""
    end, gold = slab.copy(), len(slab) - 1
    surface = [atom.index for atom in slab if atom.tag == 1]
    nearest = surface[int(np.argmin(slab.get_distances(gold, surface)))]
    across = (slab.positions[nearest] - slab.positions[gold]) * [1, 1, 0]
    end.positions[gold] = slab.positions[nearest]
    end.positions[nearest] = slab.positions[gold] + 2 * across
    end.positions = minimise(slab, end.positions.ravel(), rms=1e-7).x[0].reshape(-1, 3)
    return end


def vacancy():
    """A cell of 31 copper atoms in three periodic directions, and the same with a neighbour in the hole."""
    start = bulk("Cu", cubic=True) * (2, 2, 2)
    hole = start.positions[0].copy()
    neighbour = int(np.argmin(start.get_distances(0, range(1, len(start)), mic=True))) + 1
    end = start.copy()
    end.positions[neighbour] = hole
    del start[0], end[0]
    start.calc = EMT()
    assert LBFGS(start).run(rms=1e-7)
    end.positions = minimise(start, end.positions.ravel(), rms=1e-7).x[0].reshape(-1, 3)
    return start, end


def by_ase(start, end, images, fmax=5e-3):
    """Barrier by ASE's climbing NEB between images of its own; to fmax 1e-3 it changes by less than 1e-6 eV."""
    band = [start.copy() for _ in range(images + 1)] + [end.copy()]
    for image in band:
        image.calc = EMT()
    neb = NEB(band, climb=True, method="improvedtangent")
    neb.interpolate("idpp", mic=bool(start.pbc.any()))
    assert BFGS(neb, logfile=None).run(fmax=fmax, steps=500)
    energies = [image.get_potential_energy() for image in band]
    return max(energies) - energies[0]


def check(start, end, images, **band):
    expected = by_ase(start, end, images)
    lowest = start.get_potential_energy()
    found = connect_pair(start, start.positions, end.positions, rms=1e-6, **band)
    assert found.converged.any(), found.reason
    assert found.energy[found.converged].max() - lowest == pytest.approx(expected, abs=1e-3)
    found = dneb(start, start.positions, end.positions, images=images, climb=True, rms=2e-4, steps=500, **band)
    assert found.converged
    assert found.units == "eV"
    assert found.barrier == pytest.approx(expected, abs=1e-3)
    return expected


@pytest.mark.parametrize(("process", "images", "barrier"), [(hop, 1, 0.37446), (exchange, 3, 0.65383)])
def test_gold_on_aluminium(process, images, barrier):
    slab = adatom((2, 2, 3))
    # as once measured: hop and exchange are told apart
    assert check(slab, process(slab, (2, 2, 3)), images) == pytest.approx(barrier, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("process", [hop, exchange])
def test_gold_on_a_wider_surface(process):
    slab = adatom((3, 3, 3))
    check(slab, process(slab, (3, 3, 3)), 5)


@pytest.mark.slow
def test_a_vacancy_hops_in_a_periodic_cell():
    # the two are copies of each other, and the hopping atom leaves the cell on one side and comes in on the other
    start, end = vacancy()
    assert np.abs(end.positions - start.positions).max() > 4
    check(start, end, 1, align=False)
