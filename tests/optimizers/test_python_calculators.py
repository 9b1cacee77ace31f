"""Calculators in Python that fail, break or are interrupted: every search ends as its reason says."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import CalculationFailed
from ase.calculators.emt import EMT

from thalweg.optimizers import (
    BasinHopping,
    TemperedBasinHopping,
    dneb,
    find_transition_states,
    hybrid_eigenvector_following,
    minimise,
    pathway,
)

TETRAHEDRON = 1.5 * np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]])


class Breaking(EMT):
    """EMT whose call of a certain number raises."""

    def __init__(self, after, error):
        super().__init__()
        self.left, self.error = after, error

    def calculate(self, *arguments):
        self.left -= 1
        if self.left == 0:
            raise self.error
        super().calculate(*arguments)


def copper(after, error):
    return Atoms("Cu4", positions=TETRAHEDRON, calculator=Breaking(after, error))


def stretched(atoms):
    return (1.1 * atoms.positions).ravel()


SEARCHES = {
    "minimise": lambda atoms: minimise(atoms, stretched(atoms)),
    "second order": lambda atoms: minimise(atoms, stretched(atoms), second_order=True),
    "transition states": lambda atoms: find_transition_states(atoms, stretched(atoms)),
    "hybrid": lambda atoms: hybrid_eigenvector_following(atoms, stretched(atoms)),
    "band": lambda atoms: dneb(atoms, atoms.positions, stretched(atoms), align=False),
    "pathway": lambda atoms: pathway(atoms, atoms.positions),
    "basin-hopping": lambda atoms: BasinHopping(atoms, temperature=0.1, step=0.4).run(5),
    "tempering": lambda atoms: TemperedBasinHopping(atoms, (0.1, 0.2), step=0.4).run(5),
}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("after", [1, 4])
def test_what_a_calculator_raises_arrives(name, after):
    atoms = copper(after, RuntimeError("out of licences"))
    with pytest.raises(RuntimeError, match="out of licences"):
        SEARCHES[name](atoms)
    # it was not called again, and works once it does
    assert atoms.calc.left == 0
    assert minimise(atoms, stretched(atoms), rms=1e-6).converged.all()


@pytest.mark.parametrize("error", [CalculationFailed("no convergence"), ZeroDivisionError(), FloatingPointError()])
def test_a_geometry_that_fails_ends_one_search_alone(error):
    atoms = copper(1, error)
    X = np.array([stretched(atoms)] * 3)
    found = minimise(atoms, X, rms=1e-6)
    assert found.converged.tolist() == [False, True, True]
    assert found.reason[0] == "energy or gradient not finite"
    # on the way a minimisation steps back from it
    atoms.calc.left = 5
    assert minimise(atoms, X[:1], rms=1e-6).converged.all()


SLOW = """
import signal, sys, time
import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones
from thalweg.optimizers import {imported}

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background

class Slow(LennardJones):
    def calculate(self, *arguments):
        print("called", flush=True)
        time.sleep(0.3)
        super().calculate(*arguments)

positions = np.random.default_rng(0).uniform(0, 3, (6, 3))
atoms = Atoms("Ar6", positions=positions, calculator=Slow())
{call}
"""


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        ("minimise", "minimise(atoms, [atoms.positions.ravel()] * 4)"),
        ("BasinHopping", "BasinHopping(atoms, temperature=0.1, step=0.3).run(100)"),
    ],
)
def test_an_interrupt_waits_for_one_call(imported, call):
    script = SLOW.format(imported=imported, call=call)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for _ in range(3):
            assert process.stdout.readline() == "called\n", process.stderr.read()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    # a whole minimisation would take a hundred calls
    assert out.count("called") <= 2
    assert time.monotonic() - began < 10
    assert "KeyboardInterrupt" in err
