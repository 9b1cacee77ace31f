"""What a description builds by itself, what it builds with trust alone, and what that takes along."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.acn import ACN
from ase.calculators.calculator import Calculator, all_changes, special
from ase.calculators.calculator import names as ase_names
from ase.calculators.eam import EAM
from ase.calculators.emt import EMT
from ase.calculators.harmonic import HarmonicCalculator, HarmonicForceField
from ase.calculators.idealgas import IdealGas
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential
from ase.calculators.tersoff import Tersoff, TersoffParameters
from ase.calculators.tip3p import TIP3P
from ase.calculators.tip4p import TIP4P

from thalweg.potentials import LJAT, FlatCalculator, Himmelblau
from thalweg.potentials.ase_calculators import calculator_by_name
from thalweg.potentials.stored_systems import calculators
from thalweg.potentials.stored_systems.calculators import (
    build_calculator,
    describe_calculator,
    foreign_calculator,
    is_registered,
)

from ...helpers import small_network

FOUR = Atoms("Cu4", [[0, 0, 0], [2.4, 0, 0], [1.1, 2.1, 0], [1.0, 0.7, 2.0]])
WATERS = molecule("H2O") + molecule("H2O")
WATERS.positions[3:] += [0.0, 1.0, 3.0]

NITRILES = Atoms("CCN" * 2, np.c_[np.tile([0, 1.458, 2.615], 2), np.repeat([0, 4.0], 3), np.zeros(6)])
NITRILES.set_masses([15.035, 12.011, 14.007] * 2)


class Held(Calculator):
    """Harmonic bonds whose stiffness no parameter says."""

    implemented_properties: ClassVar = ["energy", "forces"]

    def __init__(self, stiffness, rest=2.0, *, where="here", **more):
        super().__init__(**more)
        self.stiffness, self._rest, self.where = stiffness, rest, where

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        d = self.atoms.positions[:, None] - self.atoms.positions[None]
        r = np.linalg.norm(d, axis=2) + np.eye(len(d))
        stretch = (r - self._rest) * (1 - np.eye(len(d)))
        self.results["energy"] = 0.25 * self.stiffness * float((stretch**2).sum())
        self.results["forces"] = -self.stiffness * (stretch / r)[:, :, None].repeat(3, 2).__mul__(d).sum(axis=1)


class Bowl(FlatCalculator):
    """A potential of flat vectors that is not Thalweg's."""

    default_parameters: ClassVar = {"stiffness": 1.0}

    def energy_gradient(self, x):
        return 0.5 * self.parameters["stiffness"] * float(x @ x), self.parameters["stiffness"] * x


PLAIN = {
    "EMT": (EMT, FOUR),
    "EMT as ASAP has it": (partial(EMT, asap_cutoff=True), FOUR),
    "LennardJones": (partial(LennardJones, sigma=2.1, rc=6.0, smooth=True), FOUR),
    "MorsePotential": (partial(MorsePotential, r0=2.3, rcut1=1.2, rcut2=1.5), FOUR),
    "TIP3P": (partial(TIP3P, rc=4.5), WATERS),
    "TIP4P": (partial(TIP4P, rc=9.0, width=1.5), WATERS),
    "IdealGas": (IdealGas, FOUR),
    "ACN": (partial(ACN, rc=6.0), NITRILES),
}


@pytest.mark.parametrize("name", PLAIN)
def test_calculators_that_compute_in_memory_are_built_as_they_were(name):
    make, atoms = PLAIN[name]
    description = describe_calculator(make())
    assert foreign_calculator(description) is None
    found = []
    for calculator in (make(), build_calculator(description)):
        copy = atoms.copy()
        copy.calc = calculator
        found.append((copy.get_potential_energy(), copy.get_forces()))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("make", [lambda: LJAT(Z=1.5), Himmelblau, lambda: small_network().calc])
def test_the_package_s_own_potentials_are_built(make):
    description = describe_calculator(make())
    assert foreign_calculator(description) is None
    assert "class" not in description
    assert type(build_calculator(description)) is type(make())


def test_every_plain_calculator_of_ase_names_its_arguments():
    """The list says of each class which arguments it takes: no other may be handed to it."""
    for path, arguments in calculators._PLAIN.items():
        if path.startswith("ase."):
            description = {"name": "x", "ase": True, "class": path, "parameters": dict.fromkeys(arguments, 1.0)}
            assert foreign_calculator(description) is None
            assert isinstance(build_calculator(description), Calculator)
            for more in ("label", "directory", "command", "restart", "atoms", "txt"):
                assert foreign_calculator({**description, "parameters": {more: "x"}}), (path, more)


HOSTILE = {
    "a shell command": {"name": "dftb", "ase": True, "parameters": {"command": "touch MARK"}},
    "a command of mopac": {"name": "mopac", "ase": True, "parameters": {"command": "touch MARK"}},
    "a function of os": {"name": "x", "ase": True, "class": "os:system", "parameters": {"command": "touch MARK"}},
    "a process": {"name": "x", "ase": True, "class": "subprocess:Popen", "parameters": {"args": ["touch", "MARK"]}},
    "a module": {"name": "x", "ase": True, "class": "stray:Thing", "parameters": {}},
    "a class that writes": {"name": "x", "ase": True, "class": "stray:Writer", "parameters": {}},
    "a plain name for another class": {"name": "emt", "ase": True, "class": "stray:Writer", "parameters": {}},
    "a file to overwrite": {"name": "lj", "ase": True, "parameters": {"label": "home/thesis", "directory": "/"}},
    "a file to read": {"name": "eam", "ase": True, "parameters": {"potential": "/etc/passwd"}},
    "a label in the arguments": {"name": "emt", "ase": True, "parameters": {}, "arguments": {"label": "MARK"}},
    "one of its own base": {"name": "Bowl", "class": "stray:Thing", "stiffness": 1.0},
    "a package that ASE knows": {"name": "gpaw", "ase": True, "parameters": {"txt": "MARK"}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_else_is_run_or_imported(name, tmp_path):
    (tmp_path / "stray.py").write_text(
        "open('IMPORTED', 'w')\nclass Thing: pass\nfrom ase.calculators.emt import EMT\n"
        "class Writer(EMT):\n    def __init__(self, **k):\n        super().__init__(**k)\n        open('MARK', 'w')\n"
    )
    code = (
        "from thalweg.potentials.stored_systems.calculators import build_calculator, foreign_calculator\n"
        f"import sys; sys.path.insert(0, '.'); d = {HOSTILE[name]!r}\n"
        "print(foreign_calculator(d))\n"
        "try: build_calculator(d)\nexcept ValueError as error: print(error)\nelse: print('built')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    said, error = done.stdout.splitlines()
    assert "run only with trust" in error
    assert said in error
    named = HOSTILE[name].get("class", HOSTILE[name]["name"])
    assert named in said
    assert [path.name for path in tmp_path.iterdir()] == ["stray.py"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *((path, "no ASE calculator") for path in ("os:system", "subprocess:Popen", "math:pi", "ase:Atoms")),
        *(
            (path, "there is no calculator")
            for path in ("no_such_module:X", f"{__name__}:Missing", "a:b:c", ":X", "x:")
        ),
    ],
)
def test_with_trust_it_must_still_be_a_calculator(path, said):
    description = {"name": "x", "ase": True, "class": path, "parameters": {}}
    with pytest.raises(ValueError, match=said):
        build_calculator(description, trust=True)


def test_with_trust_arguments_are_kept_that_no_parameter_holds():
    calculator = Held(3.0, rest=2.2)
    description = describe_calculator(calculator)
    assert description["arguments"] == {"stiffness": 3.0, "rest": 2.2}
    assert description["class"] == f"{__name__}:Held"
    said = foreign_calculator(description)
    assert "test_calculators:Held with stiffness=3.0, rest=2.2" in said
    again = build_calculator(description, trust=True)
    assert (again.stiffness, again._rest, again.where) == (3.0, 2.2, "here")


def test_the_same_name_from_another_module_is_another_calculator():
    class EMT(LennardJones):
        name = "emt"

    class LJAT(FlatCalculator):
        pass

    assert describe_calculator(EMT())["name"] == "emt"
    assert foreign_calculator(describe_calculator(EMT()))
    assert foreign_calculator(describe_calculator(LJAT()))
    assert describe_calculator(Bowl(stiffness=2.0)) == {"name": "Bowl", "class": f"{__name__}:Bowl", "stiffness": 2.0}


def tersoff():
    silicon = TersoffParameters(3.0, 1.0, 0.0, 1e5, 16.2, -0.6, 0.78, 1e-6, 1.7, 471.0, 2.85, 0.15, 2.48, 1830.8)
    return Tersoff({("Si", "Si", "Si"): silicon})


def harmonic():
    return HarmonicCalculator(HarmonicForceField(FOUR, np.eye(12)))


@pytest.mark.parametrize(("make", "lacking"), [(tersoff, "parameters"), (harmonic, "harmonicforcefield")])
def test_what_no_store_holds_is_named_and_the_calculator_asked_for(make, lacking):
    description = describe_calculator(make())
    assert lacking in description["not_stored"] or any("Si" in name for name in description["not_stored"])
    with pytest.raises(ValueError, match="pass the calculator"):
        build_calculator(description, trust=True)


def test_names_are_those_by_which_ase_knows_them():
    """Without an import: compared here with ASE's own table, which imports."""
    from ase.calculators.calculator import get_calculator_class

    compared = 0
    for name in ase_names:
        try:
            kind = get_calculator_class(name)
        except ImportError:
            continue
        if isinstance(kind, type):
            assert is_registered(name, f"{kind.__module__}:{kind.__qualname__}"), name
            compared += 1
    assert compared > 20
    assert not is_registered("emt", "asap3.Internal:EMT")
    assert not is_registered("lj", "elsewhere:LennardJones")
    assert special["lj"] == "LennardJones"
    assert not is_registered("eam", f"{EAM.__module__}:Other")


@pytest.mark.parametrize(
    "description", [None, [], "emt", {"name": 3}, {"name": "LJAT", "Z": "x" * 9}, {}, {"ase": True}]
)
def test_what_is_no_description_is_refused(description):
    with pytest.raises((ValueError, TypeError)):
        build_calculator(description, trust=True)


def test_tblite_is_known_by_its_name_and_prints_nothing(capfd):
    """Its own default prints a page for each call; whoever asks for that has it."""
    pytest.importorskip("tblite.ase")
    hydrogen = molecule("H2")
    hydrogen.calc = calculator_by_name("tblite")
    assert type(hydrogen.calc).__module__ == "tblite.ase"
    hydrogen.get_potential_energy()
    assert capfd.readouterr().out == ""
    assert foreign_calculator(describe_calculator(hydrogen.calc)) is None
    assert calculator_by_name("tblite", {"verbosity": 1}).parameters["verbosity"] == 1
