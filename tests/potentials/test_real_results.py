"""Results of a potential are real numbers of the right shape, or an error says what they are."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thalweg.landscapes import Landscape
from thalweg.optimizers import LBFGS, minimise
from thalweg.potentials import FlatCalculator, Function, Point, as_system, check_potential
from thalweg.potentials.conversion.real_results import real_array, real_number

CORNERS = np.array([[0, 0, 0], [1.5, 0, 0], [0, 1.5, 0]])


class Springs(Calculator):
    """Atoms on springs, whose results a test changes."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, energy=float, forces=np.asarray):
        super().__init__()
        self.change_energy, self.change_forces = energy, forces

    def calculate(self, atoms=None, properties=(), changes=all_changes):
        super().calculate(atoms, properties, changes)
        d = atoms.positions - CORNERS
        self.results = {"energy": self.change_energy((d**2).sum() / 2), "forces": self.change_forces(-d)}


def springs(**changes):
    return Atoms("H3", positions=CORNERS + 0.1, calculator=Springs(**changes))


WRONG = {
    "complex forces": ({"forces": lambda f: f + 5j}, TypeError, "forces of Springs must be real; it is complex"),
    "complex type, imaginary part zero": ({"forces": lambda f: f.astype(complex)}, TypeError, "must be real"),
    "complex numbers in objects": ({"forces": lambda f: (f + 0j).astype(object)}, TypeError, "must be real"),
    "no force on one atom": (
        {"forces": lambda f: np.array([[None] * 3, *f[1:]], dtype=object)},
        TypeError,
        "forces of Springs must be real numbers; it holds NoneType",
    ),
    "text": ({"forces": lambda f: f.astype(str)}, TypeError, "it holds text"),
    "truth values": ({"forces": lambda f: f > 0}, TypeError, "it holds truth values"),
    "times": ({"forces": lambda f: f.astype("timedelta64[s]")}, TypeError, "it holds times"),
    "forces turned": ({"forces": lambda f: np.vstack([f, f]).T}, ValueError, r"shape \(3, 3\); it has \(3, 6\)"),
    "an atom too few": ({"forces": lambda f: f[1:]}, ValueError, r"must have the shape \(3, 3\); it has \(2, 3\)"),
    "complex energy": ({"energy": lambda e: e + 2j}, TypeError, "energy of Springs must be real; it is complex"),
    "numpy's complex energy": ({"energy": np.complex128}, TypeError, "energy of Springs must be real"),
    "energies of atoms": ({"energy": lambda e: np.full(3, e)}, ValueError, r"must be one number; it has the shape"),
    "NaN of each atom": ({"energy": lambda e: np.full(3, np.nan)}, ValueError, r"one number; it has the shape \(3,\)"),
    "no energy": ({"energy": lambda e: None}, TypeError, "it holds NoneType"),
    "energy as text": ({"energy": str}, TypeError, "it holds text"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_results_of_a_calculator_that_are_no_real_numbers(wrong):
    changes, error, message = WRONG[wrong]
    system = as_system(springs(**changes))
    with pytest.raises(error, match=message):
        system.energy_gradient(system.x)
    with pytest.raises(error, match=message):
        minimise(system, system.x)
    # of some ASE's own optimizer says it, before ours is asked; of complex energies it warns
    with (
        warnings.catch_warnings(action="ignore", category=np.exceptions.ComplexWarning),
        pytest.raises((TypeError, ValueError)),
    ):
        LBFGS(springs(**changes), logfile=None).run(fmax=0.1)


def test_a_landscape_says_so(tmp_path):
    with (
        pytest.raises(TypeError, match="the forces of Springs must be real"),
        Landscape(springs(forces=lambda f: f + 5j), tmp_path / "a.zarr") as landscape,
    ):
        landscape.find_minima(steps=2)


RIGHT = {
    "float32": {"forces": np.float32},
    "long double": {"forces": np.longdouble, "energy": np.longdouble},
    "flat forces": {"forces": np.ravel},
    "lists": {"forces": lambda f: f.tolist()},
    "objects that are numbers": {"forces": lambda f: f.astype(object), "energy": Fraction},
    "an array of one energy": {"energy": lambda e: np.array([e])},
    "decimal": {"energy": lambda e: Decimal(float(e))},
    "big-endian, in Fortran's order": {"forces": lambda f: np.asfortranarray(f, dtype=">f8")},
}


@pytest.mark.parametrize("right", RIGHT)
def test_numbers_of_other_types_are_taken(right):
    system, plain = as_system(springs(**RIGHT[right])), as_system(springs())
    energy, gradient = system.energy_gradient(system.x)
    assert type(energy) is float
    assert gradient.dtype == np.float64
    np.testing.assert_allclose([energy, *gradient], [plain.energy(plain.x), *(plain.x - CORNERS.ravel())], 1e-6)


@pytest.mark.parametrize("part", ["energy", "gradient", "hessian"])
def test_functions(part):
    given = {
        "energy": lambda x: float(x @ x),
        "gradient": lambda x: 2 * x,
        "hessian": lambda x: 2 * np.eye(2),
    }
    whole = given[part]
    given[part] = lambda x: np.asarray(whole(x)) * (1 + 0j)
    function = Function(**given)
    with pytest.raises(TypeError, match="must be real; it is complex"):
        getattr(function, {"gradient": "energy_gradient"}.get(part, part))(np.ones(2))


class Wrong(FlatCalculator):
    """Potential of a user, which nothing of ours stands before."""

    def energy_gradient(self, x):
        return complex(x @ x), 2 * x

    def hessian(self, x):
        return 2j * np.eye(x.size)


def test_potentials_of_one_s_own():
    point = Point([1.0, 2.0], calc=Wrong())
    for evaluate in (
        point.get_forces,
        lambda: minimise(point, point.x),
        lambda: check_potential(Wrong(), point.x),
        lambda: as_system(point).hessian(point.x),
    ):
        with pytest.raises(TypeError, match="of Wrong must be real; it is complex"):
            evaluate()


@given(arrays(st.sampled_from(["f2", "f4", "f8", "i1", "i8", "u8"]), array_shapes(max_dims=2, max_side=4)))
def test_real_numbers_of_any_kind_keep_their_values(values):
    np.testing.assert_array_equal(real_array(values, values.shape, "x"), values.astype(np.float64))
    if values.size == 1:
        np.testing.assert_array_equal(real_number(values, "x"), float(values.ravel()[0]))
