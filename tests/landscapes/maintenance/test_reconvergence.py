"""Points of a landscape under another calculator, compared with ASE's own minimisation of the same starts."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import CalculationFailed
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential
from ase.optimize import BFGS
from click.testing import CliRunner

from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape, StoreError, reconverge, verify
from thalweg.potentials import LJAT, MuellerBrown, Point

SIX = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 1, 0], [0.5, 0.4, 1], [1.4, 0.9, 0.8], [0.5, 0.3, -0.9]])


@pytest.fixture(scope="module")
def lj6(tmp_path_factory):
    """LJ6 by Thalweg's own potential: two minima, octahedron and capped bipyramid."""
    path = tmp_path_factory.mktemp("lj6") / "lj6.zarr"
    with Landscape(Atoms("Ar6", SIX, calculator=LJAT(Z=0.0)), path, seed=0) as landscape:
        landscape.find_minima(steps=40, workers=1)
        landscape.connect(searches=40, workers=1)
        assert len(landscape.minima) == 2
    return path


def test_the_same_potential_keeps_every_point(lj6, tmp_path):
    old = Landscape.open(lj6)
    said = []
    result = reconverge(old, LJAT(Z=0.0), tmp_path / "new.zarr", progress=lambda *done: said.append(done))
    assert result.minima.tolist() == list(range(len(old.minima)))
    assert result.transition_states.tolist() == list(range(len(old.transition_states)))
    assert (result.merged, result.lost_minima, result.lost_transition_states) == ({}, {}, {})
    assert len(result.rejoined) == len(result.added) == 0
    total = len(old.minima) + len(old.transition_states)
    assert said == [(k + 1, total) for k in range(total)]
    new = Landscape.open(tmp_path / "new.zarr")
    np.testing.assert_allclose(new.minima.energy[:], old.minima.energy[:], atol=1e-9)
    assert verify(new, workers=1) == []
    with pytest.raises(StoreError):
        reconverge(old, LJAT(Z=0.0), tmp_path / "new.zarr")


def test_another_calculator_in_other_units(lj6, tmp_path):
    """A long-ranged Morse potential has one minimum of six atoms, the octahedron (Doye and Wales 1997: rho0 = 3)."""
    old = Landscape.open(lj6)
    morse = MorsePotential(epsilon=1.0, r0=1.0, rho0=3.0, rcut1=20, rcut2=21)
    result = reconverge(old, morse, tmp_path / "new.zarr")
    new = Landscape.open(tmp_path / "new.zarr")
    for row, x in enumerate(old.minima.coordinates[:]):
        atoms = Atoms("Ar6", x.reshape(-1, 3), calculator=MorsePotential(epsilon=1, r0=1, rho0=3, rcut1=20, rcut2=21))
        BFGS(atoms, logfile=None).run(fmax=1e-5, steps=500)
        assert new.minima.energy[int(result.minima[row])] == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert len(new.minima) == len(set(result.minima.tolist()) | set(result.added.tolist()))
    assert (result.transition_states >= 0).sum() + len(result.lost_transition_states) == len(old.transition_states)
    for new_row, rows in result.merged.items():
        assert (result.minima[rows] == new_row).all()
    assert verify(new, workers=1) == []
    text = result.to_text()
    assert text.startswith(f"{len(old.minima)} minima: ")
    assert all(f"transition state {row}: " in text for row in result.lost_transition_states)


class Failing(LennardJones):
    """Lennard-Jones that knows nothing of the octahedron's surroundings."""

    def calculate(self, *arguments, **keywords):
        super().calculate(*arguments, **keywords)
        if self.results["energy"] < -12.4:
            raise CalculationFailed("no convergence")


def test_failures_are_reasons_and_the_rest_goes_on(lj6, tmp_path):
    old = Landscape.open(lj6)
    result = reconverge(old, Failing(rc=30), tmp_path / "new.zarr")
    lowest = int(np.argmin(old.minima.energy[:]))
    assert result.minima[lowest] == -1
    assert lowest in result.lost_minima
    other = 1 - lowest
    assert result.minima[other] == 0
    assert f"minimum {lowest}: {result.lost_minima[lowest]}" in result.to_text()


class Broken(LennardJones):
    def calculate(self, *arguments, **keywords):
        raise KeyError("basis")


def test_a_calculator_that_computes_nothing_makes_no_store(lj6, tmp_path):
    with pytest.raises(Exception, match="basis"):
        reconverge(Landscape.open(lj6), Broken(), tmp_path / "new.zarr")
    assert list(tmp_path.iterdir()) == []


def test_points_of_a_surface(tmp_path):
    with Landscape(Point([0.0, 0.5], MuellerBrown()), tmp_path / "old.zarr", seed=0) as landscape:
        landscape.find_minima(steps=30, workers=1)
        landscape.connect(searches=30, workers=1)

    def tilted(x):
        return MuellerBrown().energy_gradient(np.asarray(x))[0] + 20.0 * x[1]

    result = reconverge(landscape, tilted, tmp_path / "new.zarr", tolerances=landscape.tolerances)
    assert len(result.minima) == 3
    assert (result.minima >= 0).all()
    assert len(result.lost_transition_states) == (result.transition_states < 0).sum()


def test_the_command(tmp_path):
    atoms = Atoms("Cu5", 2.4 * SIX[:5], calculator=EMT())
    with Landscape(atoms, tmp_path / "emt.zarr", seed=0) as landscape:
        landscape.find_minima(steps=4, workers=1)
        landscape.connect(searches=3, workers=1)
    words = ["reconverge", str(tmp_path / "emt.zarr"), "--calculator", "lj", "--output", str(tmp_path / "lj.zarr")]
    words += ["--parameters", '{"sigma": 2.2, "epsilon": 0.4, "rc": 60}']
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 0, done.output
    count = len(landscape.minima)
    assert done.output.startswith(f"{count} minim")
    assert Landscape.open(tmp_path / "lj.zarr").minima.energy[:].min() == pytest.approx(0.4 * -9.103852, abs=1e-5)
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 1
    assert "Error" in done.output
