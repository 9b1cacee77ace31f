"""Force calls of GFN2-xTB (tblite) that searches take, beside Sella, TopSearch and ASE's dimer and climbing band.

    OMP_NUM_THREADS=1 python -m pytest -m benchmark -s tests/benchmarks/molecules/bench_force_calls.py

Saddles are converged to rms 1e-4 eV/angstrom by Thalweg and to fmax 1e-3 by the others, from the same starts. "Proof
and sides" includes the measurement of noise, the Hessian of the transition state, both minima and their Hessians.
TopSearch (0.0.3, by ``pip install --no-deps topsearch rdkit``) converges to a norm of 1e-3, and its lowest mode to
1e-2: its default of 1e-5 lies below the noise. What is not installed is left out.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.mep import NEB, DimerControl, MinModeAtoms, MinModeTranslate
from ase.optimize import BFGS, FIRE

from thalweg.landscapes import Landscape, Tolerances
from thalweg.optimizers import find_transition_states
from thalweg.optimizers.quasi_newton.ascent import ascend
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials import as_system

from ...helpers import axes_of_formaldehyde, near_hydroxycarbene

pytestmark = pytest.mark.benchmark
tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")


class Counted(tblite.TBLite):
    """GFN2-xTB that counts its calls."""

    calls = 0

    def __init__(self, **parameters):
        super().__init__(**{"verbosity": 0, **parameters})

    def calculate(self, *args, **kwargs):
        Counted.calls += 1
        super().calculate(*args, **kwargs)


def relaxed(atoms, fmax=1e-4):
    atoms.calc = Counted()
    BFGS(atoms, logfile=None).run(fmax=fmax, steps=300)
    return atoms


def ammonia():
    """Return a pyramid nine tenths flattened, and both of its minima."""
    low = relaxed(molecule("NH3"))
    guess, other = low.copy(), low.copy()
    plane = low.positions[1:, 2].mean()
    guess.positions[0, 2] -= 0.9 * (low.positions[0, 2] - plane)
    other.positions[0, 2] = 2 * plane - low.positions[0, 2]
    return guess, low, other


def formaldehyde():
    """Return formaldehyde with a hydrogen atom over the bond, and both of its minima."""
    low = relaxed(molecule("H2CO"))
    (oxygen, carbon, hydrogen), _, across = axes_of_formaldehyde(low)
    guess = low.copy()
    guess.positions[hydrogen] = 0.5 * (low.positions[oxygen] + low.positions[carbon]) + 1.05 * across
    return guess, low, relaxed(near_hydroxycarbene(low))


def with_calculator(atoms):
    atoms = atoms.copy()
    atoms.calc = Counted()
    return atoms


def thalweg_saddle(guess, low, other):
    system = as_system(with_calculator(guess))
    found = ascend(Surface(system), system.x, goal=1e-4, steps=200, longest=0.3)
    return found.energy


def thalweg_whole(guess, low, other):
    return float(find_transition_states(with_calculator(guess), rms=1e-4).energy[0])


def sella_saddle(guess, low, other):
    sella = pytest.importorskip("sella")
    atoms = with_calculator(guess)
    sella.Sella(atoms, internal=True, logfile=None).run(fmax=1e-3, steps=200)
    return atoms.get_potential_energy()


def ase_dimer(guess, low, other):
    control = DimerControl(
        logfile=None, initial_eigenmode_method="displacement", displacement_method="vector", mask=[True] * len(guess)
    )
    dimer = MinModeAtoms(with_calculator(guess), control)
    dimer.displace(displacement_vector=0.01 * np.random.default_rng(0).normal(size=guess.positions.shape))
    MinModeTranslate(dimer, logfile=None).run(fmax=1e-3, steps=500)
    return dimer.get_potential_energy()


def ase_band(guess, low, other):
    images = [with_calculator(low), *(with_calculator(low) for _ in range(5)), with_calculator(other)]
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate()
    images[3].positions = guess.positions
    FIRE(band, logfile=None).run(fmax=1e-2, steps=300)
    return max(image.get_potential_energy() for image in images)


def topsearch(guess, low, other):
    """Return the energy of TopSearch's saddle, and print the calls up to it."""
    # it takes its types from nptyping, which fails with numpy 2
    types = ModuleType("nptyping")
    types.NDArray = np.ndarray
    sys.modules.setdefault("nptyping", types)
    pytest.importorskip("topsearch", reason="pip install --no-deps topsearch rdkit")
    from topsearch.data.coordinates import AtomicCoordinates
    from topsearch.potentials.potential import Potential
    from topsearch.transition_states.hybrid_eigenvector_following import HybridEigenvectorFollowing

    class Forces(Potential):
        """GFN2-xTB as TopSearch asks for it."""

        def __init__(self):
            self.atomistic, self.atoms = True, with_calculator(guess)

        def function_gradient(self, position):
            self.atoms.positions = np.reshape(position, (-1, 3))
            return self.atoms.get_potential_energy(), -self.atoms.get_forces().ravel()

        def function(self, position):
            return self.function_gradient(position)[0]

        def gradient(self, position, displacement=0.0):
            return self.function_gradient(position)[1]

    class Search(HybridEigenvectorFollowing):
        """The search, which says how many calls it had made when it went down from the saddle."""

        def steepest_descent(self, *args):
            print(f"  {'TopSearch, saddle':40s} {Counted.calls:6d}")
            return super().steepest_descent(*args)

    np.random.seed(0)  # noqa: NPY002 (TopSearch draws its first vector from numpy's global generator)
    search = Search(Forces(), 1e-3, 100, 0.1, steepest_descent_conv_crit=1e-3, eigenvalue_conv_crit=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, for names that it will remove
        found = search.run(AtomicCoordinates(guess.get_chemical_symbols(), guess.positions.ravel().copy()))
    if found[1] is None:
        raise RuntimeError(f"no transition state: {search.failure}")
    return found[1]


WAYS = {
    "Thalweg, saddle": thalweg_saddle,
    "Thalweg, proof and sides": thalweg_whole,
    "Sella, saddle": sella_saddle,
    "TopSearch, with both minima": topsearch,
    "ASE's dimer, saddle": ase_dimer,
    "ASE's climbing band of 5 (fmax 1e-2)": ase_band,
}


@pytest.mark.parametrize("case", [ammonia, formaldehyde])
def test_saddles(case):
    guess, low, other = case()
    base = low.get_potential_energy()
    print(f"\n{case.__name__}: way, calls, barrier in eV")
    for name, way in WAYS.items():
        Counted.calls = 0
        try:
            energy = way(guess, low, other)
        except pytest.skip.Exception:
            print(f"  {name:40s} not installed")
            continue
        except Exception as error:
            print(f"  {name:40s} {Counted.calls:6d}  failed: {type(error).__name__}: {error}")
            continue
        print(f"  {name:40s} {Counted.calls:6d}  {energy - base:.4f}")


EXPLORED = {
    "HCN": (Atoms("HCN", [[0, 0.1, -1.07], [0, 0, 0], [0, 0, 1.15]]), 10, 20),
    "butane": (molecule("trans-butane"), 10, 8),
}


@pytest.mark.parametrize("name", EXPLORED)
def test_explorations(name, tmp_path):
    atoms, steps, searches = EXPLORED[name]
    atoms = with_calculator(atoms)
    Counted.calls = 0
    with Landscape(atoms, tmp_path / "a.zarr", seed=0, tolerances=Tolerances.converged_to(1e-3)) as landscape:
        landscape.find_minima(steps=steps, progress=False)
        hopping = Counted.calls
        landscape.connect(searches=searches, progress=False)
        found = len(landscape.minima), len(landscape.transition_states)
    print(
        f"\n{name}, {steps} steps and {searches} searches: {Counted.calls} calls, {hopping} of them in basin-hopping;"
    )
    print(f"  {found[0]} minima and {found[1]} transition states; {dict(landscape.searches.count())}")
