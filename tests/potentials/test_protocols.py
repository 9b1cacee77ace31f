"""Protocols: which of the package's own classes, and of others, keep them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.potentials import LJAT, Function, Himmelblau, NetworkLoss, Point, Weights, as_system
from thalweg.potentials.cuda.availability import FEWEST
from thalweg.potentials.cuda.functions import DevicePotential
from thalweg.potentials.protocols import (
    ClassifyingPotential,
    ExchangeSymmetry,
    ExploredSystem,
    GradientPotential,
    LabelledData,
    SearchedSystem,
)


def loss():
    return NetworkLoss([[0.0, 1.0], [1.0, 0.0]], [0, 1], hidden=(3,))


SUBJECTS = {
    "atoms": lambda: Atoms("Ar3", positions=[[0, 0, 0], [1.1, 0, 0], [0, 1.1, 0]], calculator=LJAT(Z=0.0)),
    "ASE": lambda: Atoms("Cu2", positions=[[0, 0, 0], [2.3, 0, 0]], calculator=EMT()),
    "surface": lambda: Point([0.0, 0.0], calc=Himmelblau()),
    "weights": lambda: Weights.random(loss()),
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_every_system_is_searched(subject):
    system = as_system(subject())
    assert isinstance(system, ExploredSystem)
    assert isinstance(system, SearchedSystem)
    # what isinstance reads is cheap: no alignment of atoms is compiled for it
    assert system.atoms is None or "symmetry" not in vars(system)


def test_a_stand_in_is_explored_but_not_searched():
    class StandIn:
        n = 2
        describe = distance = order = lambda self: None

    assert isinstance(StandIn(), ExploredSystem)
    assert not isinstance(StandIn(), SearchedSystem)


def test_potentials():
    assert isinstance(loss(), ClassifyingPotential)
    assert isinstance(loss(), LabelledData)
    assert not isinstance(LJAT(), ClassifyingPotential)
    assert all(isinstance(potential, GradientPotential) for potential in (LJAT(), loss(), Function(np.sum)))
    assert not isinstance(EMT(), GradientPotential)
    assert isinstance(as_system(SUBJECTS["weights"]()).symmetry, ExchangeSymmetry)
    assert not isinstance(as_system(SUBJECTS["atoms"]()).symmetry, ExchangeSymmetry)


def test_another_calculator_with_a_device_stays_on_the_cpu():
    """Calculators on PyTorch have a device of their own."""
    atoms = SUBJECTS["ASE"]()
    atoms.calc.device = "cuda"
    system = as_system(atoms)
    assert not isinstance(atoms.calc, DevicePotential)
    assert system.device == "cpu"
    assert not system.on_gpu(np.zeros((FEWEST, 6)))
