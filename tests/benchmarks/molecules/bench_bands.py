"""Force calls of bands with and without a surrogate, beside ASE's climbing band and dimer, and Sella.

    OMP_NUM_THREADS=1 python -m pytest -m benchmark -s tests/benchmarks/molecules/bench_bands.py

GFN2-xTB (tblite), and EMT for the adatom. Bands go between the same two minima. Thalweg's end at an rms gradient of
1e-2 eV/angstrom, ASE's at a largest force of 5e-2. Searches for saddles start in the middle of a band by the
image-dependent pair potential, and end at a largest force of 1e-2 (Thalweg's at rms 1e-3).
"""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100, minimize_rotation_and_translation, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.mep import NEB, DimerControl, MinModeAtoms, MinModeTranslate
from ase.optimize import BFGS, FIRE

from thalweg.optimizers import dneb, find_transition_states, minimise
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.quasi_newton.ascent import ascend
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs

from ...helpers import near_hydroxycarbene

pytestmark = pytest.mark.benchmark
tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")

calls = 0


class GFN2(tblite.TBLite):
    """GFN2-xTB that counts its calls."""

    def __init__(self, **parameters):
        super().__init__(**{"method": "GFN2-xTB", "verbosity": 0, **parameters})

    def calculate(self, *args, **kwargs):
        global calls
        calls += 1
        super().calculate(*args, **kwargs)


class CountedEMT(EMT):
    """EMT that counts its calls."""

    def calculate(self, *args, **kwargs):
        global calls
        calls += 1
        super().calculate(*args, **kwargs)


def relaxed(atoms, calculator=GFN2):
    atoms.calc = calculator()
    BFGS(atoms, logfile=None).run(fmax=1e-3, steps=500)
    return atoms


def fresh(atoms):
    copy = atoms.copy()
    copy.calc = type(atoms.calc)()
    return copy


def ammonia():
    low = relaxed(molecule("NH3"))
    other = low.copy()
    other.positions[0, 2] = 2 * low.positions[1:, 2].mean() - low.positions[0, 2]
    return low, relaxed(other)


def formaldehyde():
    low = relaxed(molecule("H2CO"))
    other = near_hydroxycarbene(low)
    return low, relaxed(other)


def hydrogen_cyanide():
    return (relaxed(Atoms("HCN", [[0, 0.1, z], [0, 0, 0], [0, 0, r]])) for z, r in ((-1.07, 1.15), (2.15, 1.17)))


def butane():
    """Return anti and gauche butane."""
    low = relaxed(molecule("trans-butane"))
    pairs = bonded_pairs(low.numbers, low.positions).tolist()
    near = {k: [j if i == k else i for i, j in pairs if k in (i, j)] for k in range(len(low))}
    ends = [k for k in range(4) if sum(low.numbers[near[k]] == 1) == 3]
    inner = [next(j for j in near[k] if low.numbers[j] == 6) for k in ends]
    side, seen = [inner[1]], set(inner)
    for atom in side:
        new = [other for other in near[atom] if other not in seen]
        seen.update(new)
        side += new
    other = low.copy()
    other.set_dihedral(ends[0], *inner, ends[1], 65.0, indices=side)
    relaxed(other)
    minimize_rotation_and_translation(low, other)
    return low, other


def adatom():
    """Return gold on Al(100) in a hollow, and in the next."""
    slab = fcc100("Al", size=(2, 2, 3), vacuum=8.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=slab.get_tags() > 1))
    other = slab.copy()
    other.positions[-1, 0] += slab.cell[0, 0] / 2
    return relaxed(slab, CountedEMT), relaxed(other, CountedEMT)


def measured(low):
    """Return a system whose noise and null modes are known: both ways need them once."""
    system = as_system(fresh(low))
    assert system.noise.gradient >= 0
    assert system.rigid.shape[1] == 6
    return system


def surrogate(low, other, align):
    global calls
    system = measured(low)
    band, counted = dneb(system, low, other, align=align), calls
    assert band.deviation is not None, band.reason
    errors = np.abs(band.energy - [system.energy(x) for x in band.x])
    print(f"  largest error {errors.max() / np.ptp(band.energy):.3f} of the range, {errors.max():.4f} eV,", end=" ")
    print(f"largest deviation {band.deviation.max():.4f} eV")
    calls = counted
    return band.barrier, band.converged


def climbing(low, other, align):
    band = dneb(measured(low), low, other, align=align, climb=True, surrogate=False)
    return band.barrier, band.converged


def doubly_nudged(low, other, align):
    band = dneb(measured(low), low, other, align=align, surrogate=False)
    return band.barrier, band.converged


def ase_band(low, other, align):
    images = [fresh(low) for _ in range(6)] + [fresh(other)]
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate("idpp", mic=bool(low.pbc.any()))
    converged = FIRE(band, logfile=None).run(fmax=5e-2, steps=300)
    return max(image.get_potential_energy() for image in images) - images[0].get_potential_energy(), converged


def middle(low, other, align):
    """Return atoms in the middle of a band by the image-dependent pair potential."""
    atoms = fresh(low)
    system = as_system(atoms)
    last = system.align(low.positions.ravel(), other.positions.ravel()) if align else other.positions.ravel()
    start = interpolate(system, low.positions.ravel(), last, 5, "idpp")[3].reshape(-1, 3)
    atoms.set_positions(start, apply_constraint=False)
    return atoms


def own_saddle(low, other, align):
    system = measured(middle(low, other, align))
    found = ascend(Surface(system), system.x, goal=1e-3, steps=200, longest=0.3)
    return found.energy - low.get_potential_energy(), found.rms < 1e-3


def with_proof(low, other, align):
    found = find_transition_states(middle(low, other, align), rms=1e-4)
    return found.energy[0] - low.get_potential_energy(), found.converged[0]


def sella_saddle(low, other, align):
    sella = pytest.importorskip("sella")
    atoms = middle(low, other, align)
    converged = sella.Sella(atoms, internal=not low.pbc.any(), logfile=None).run(fmax=1e-2, steps=200)
    return atoms.get_potential_energy() - low.get_potential_energy(), converged


def ase_dimer(low, other, align):
    atoms = middle(low, other, align)
    free = np.ones(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        free[constraint.index] = False
    control = DimerControl(
        logfile=None, initial_eigenmode_method="displacement", displacement_method="vector", mask=free.tolist()
    )
    dimer = MinModeAtoms(atoms, control)
    noise = 0.01 * np.random.default_rng(0).normal(size=atoms.positions.shape)
    dimer.displace(displacement_vector=noise * free[:, None])
    converged = MinModeTranslate(dimer, logfile=None).run(fmax=1e-2, steps=500)
    return dimer.get_potential_energy() - low.get_potential_energy(), converged


WAYS = {
    "band with surrogate": surrogate,
    "band, climbing": climbing,
    "band, doubly nudged": doubly_nudged,
    "ASE's climbing band of 5": ase_band,
    "saddle from the middle": own_saddle,
    "  with proof and both minima": with_proof,
    "Sella from the middle": sella_saddle,
    "ASE's dimer from the middle": ase_dimer,
}


@pytest.mark.parametrize("case", [ammonia, formaldehyde, hydrogen_cyanide, butane, adatom])
def test_bands(case):
    global calls
    low, other = case()
    align = case not in (ammonia, adatom)
    print(f"\n{case.__name__}: way, calls, barrier in eV")
    for name, way in WAYS.items():
        calls = 0
        try:
            barrier, converged = way(low, other, align)
        except pytest.skip.Exception:
            print(f"  {name:30s} not installed")
            continue
        except Exception as error:
            print(f"  {name:30s} {calls:6d}  failed: {type(error).__name__}: {error}")
            continue
        print(f"  {name:30s} {calls:6d}  {barrier:.4f}{'' if converged else '  not converged'}")


CLUSTERS = {
    "LJ7": ("Ar7", 1.0, 0, lambda: LennardJones(rc=60.0)),
    "LJ10": ("Ar10", 1.0, 0, lambda: LennardJones(rc=60.0)),
    "Cu10": ("Cu10", 2.3, 1, EMT),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_pairs_of_clusters(name):
    """Refine the candidates of bands between up to six pairs of minima to transition states."""
    formula, scale, seed, calculator = CLUSTERS[name]
    rng, start = np.random.default_rng(seed), Atoms(formula)
    X = np.array([scale * LJAT(Z=0.0).random_coordinates(3 * len(start), rng) for _ in range(8)])
    start.positions, start.calc = X[0].reshape(-1, 3), calculator()
    system = as_system(start)
    found = minimise(system, X, rms=1e-6 if scale == 1.0 else 1e-4)
    rows = []
    for row in np.flatnonzero(found.converged):
        if all(abs(found.energy[row] - found.energy[other]) > 1e-4 for other in rows):
            rows.append(row)
    pairs = [(a, b) for place, a in enumerate(rows) for b in rows[:place]][:6]
    print(f"\n{name}, {len(pairs)} pairs: calls of bands, transition states found from them, calls of those")
    for surrogate in (True, False):
        totals = np.zeros(3, dtype=int)
        for a, b in pairs:
            before = system.calls
            band = dneb(system, found.x[a], found.x[b], surrogate=surrogate)
            middle = system.calls
            saddles = find_transition_states(system, band.candidates, rms=1e-5 if scale == 1.0 else 1e-3)
            totals += middle - before, saddles.converged.sum(), system.calls - middle
            print(f"  {a}-{b}: {middle - before}, {band.reason}")
        print(f"  {'with' if surrogate else 'without'} surrogate: {totals}")
