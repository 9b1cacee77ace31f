"""Bands between molecules: the order of atoms as given comes first, and collisions end a straight band at once."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100, minimize_rotation_and_translation, molecule
from ase.calculators.calculator import CalculationFailed
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from scipy.spatial.distance import pdist

from thalweg.optimizers import dneb
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs


def butanes(angle=65.0):
    """Anti butane and the same with another dihedral angle of its carbon chain, atoms in the same order."""
    a = molecule("trans-butane", calculator=EMT())
    pairs = bonded_pairs(a.numbers, a.positions).tolist()
    near = {k: [j if i == k else i for i, j in pairs if k in (i, j)] for k in range(len(a))}
    ends = [k for k in range(4) if sum(a.numbers[near[k]] == 1) == 3]
    inner = [next(j for j in near[k] if a.numbers[j] == 6) for k in ends]
    side, seen = [inner[1]], {inner[0], inner[1]}
    for atom in side:
        new = [other for other in near[atom] if other not in seen]
        seen.update(new)
        side += new
    b = a.copy()
    b.set_dihedral(ends[0], *inner, ends[1], angle, indices=side)
    minimize_rotation_and_translation(a, b)
    return a, b


@pytest.mark.parametrize("angle", [65.0, -65.0, 120.0])
def test_the_order_given_is_kept_where_it_keeps_the_bonds(angle):
    a, b = butanes(angle)
    band = dneb(a, a.positions, b.positions, steps=0, images=5)
    np.testing.assert_allclose(pdist(band.x[-1].reshape(-1, 3)), pdist(b.positions), atol=1e-9)
    assert np.linalg.norm(band.x[-1] - b.positions.ravel()) < 1e-3


def test_a_shuffled_molecule_is_put_in_order():
    a, b = butanes()
    order = np.arange(14)
    order[4:] = np.random.default_rng(0).permutation(order[4:])
    straight = dneb(a, a.positions, b.positions, steps=0, images=5)
    band = dneb(a, a.positions, b.positions[order], steps=0, images=5)
    assert np.array_equal(bonded_pairs(a.numbers, band.x[-1].reshape(-1, 3)), bonded_pairs(a.numbers, a.positions))
    assert band.path_length < 1.3 * straight.path_length


def test_a_degenerate_rearrangement_has_a_band():
    a, _ = butanes()
    pairs = bonded_pairs(a.numbers, a.positions).tolist()
    methyl = next([j for i, j in pairs if i == k and a.numbers[j] == 1] for k in range(4)
                  if sum(k in pair and 1 in a.numbers[list(pair)] for pair in pairs) == 3)  # fmt: skip
    turned = a.positions.copy()
    turned[methyl] = turned[np.roll(methyl, 1)]
    band = dneb(a, a.positions, turned, steps=0, images=5)
    np.testing.assert_allclose(pdist(band.x[-1].reshape(-1, 3)), pdist(turned), atol=1e-9)
    # the methyl group's atoms have changed places, though what they make is a copy
    assert band.path_length > 1.0


def test_fixed_atoms_of_a_slab_stay_where_they_are():
    """The adatom's hop moves the centre of all atoms, to which nothing is moved back."""
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=slab.get_tags() > 0))
    slab.calc = EMT()
    end = slab.copy()
    end.positions[-1, 0] += slab.cell[0, 0] / 2
    band = dneb(slab, slab, end, steps=0)
    np.testing.assert_array_equal(band.x[:, :24], np.tile(slab.positions[:8].ravel(), (len(band.x), 1)))
    np.testing.assert_allclose(np.abs(band.x[-1] - band.x[0])[24:], [slab.cell[0, 0] / 2, 0.0, 0.0], atol=1e-9)


class Collides(LennardJones):
    """Lennard-Jones that fails where two atoms are nearer than 0.8, and counts its calls."""

    calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)):
        Collides.calls += 1
        if pdist(atoms.positions).min() < 0.8:
            raise CalculationFailed("atoms collide")
        super().calculate(atoms, properties, system_changes)


def test_a_collision_ends_a_straight_band_and_another_goes_round():
    """The middle one of three atoms trades places with an end, straight through it."""
    a = np.array([[0, 0, 0], [1.12, 0, 0], [2.3, 0.05, 0.0], [1.1, -1.1, 0.2]])
    b = a[[0, 2, 1, 3]]
    atoms = Atoms("Ar4", a, calculator=Collides(rc=20))
    atoms.set_tags([0, 1, 2, 3])
    Collides.calls = 0
    band = dneb(atoms, a, b, steps=20, images=7, align=False)
    assert np.isfinite(band.energy).all()
    assert band.steps > 0
    straight = np.linspace(a, b, 9)
    assert min(pdist(x).min() for x in straight) < 0.2
    assert Collides.calls < 9 + 9 + 7 * 21 + 10
