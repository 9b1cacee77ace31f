"""What results of searches say of themselves in a notebook."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import Himmelblau, Point


def test_minimisations_say_how_many_converged_and_why_others_did_not():
    starts = np.array([[3.1, 2.1], [-2.8, 3.0], [3.5, -1.8]])
    result = minimise(Point([3.0, 2.0], Himmelblau()), starts)
    assert repr(result).startswith("<MinimiseResult: 3 of 3 converged, energies from ")
    short = minimise(Point([3.0, 2.0], Himmelblau()), starts, steps=1)
    assert repr(short) == "<MinimiseResult: 0 of 3 converged; too many steps: 3>"


def test_searches_say_the_same():
    result = find_transition_states(Point([3.0, 2.0], Himmelblau()), np.array([[3.3, 0.1]]))
    energy = f"{result.energy[0]:.8g}"
    assert repr(result) == f"<TransitionStateResult: 1 of 1 converged, energies from {energy} to {energy}>"
