"""Settings of searches that suit a system: step, temperature, displacement, and the size of a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thalweg.landscapes.run_options import checked_number
from thalweg.landscapes.system_loading import noise_of
from thalweg.optimizers import Move, Rules, default_rules
from thalweg.optimizers.basin_hopping.default_moves import default_moves
from thalweg.optimizers.basin_hopping.moves import checked_moves
from thalweg.optimizers.basin_hopping.network_moves import is_deep_network
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["default_settings", "hopping_settings", "search_settings", "searches_a_task", "steps_a_task"]

_ABOVE_NOISE = 3.0  # rms gradient that a search can reach, in standard deviations of a calculator's noise
# of deep networks, whose units are drawn again: half the width of their new weights, and the temperature, as a loss
_STEP, _COLD = 2.0, 1e-3
_FEW = 20  # coordinates of a surface on which every mode is worth a try
# with a potential written in Python one search may take minutes, as with many coordinates or much data: where the time
# is up only that one is lost
_STEPS_A_TASK = {"atoms": 20, "point": 5, "slow": 1}
_SEARCHES_A_TASK = {"atoms": 16, "point": 4, "slow": 1}
_MANY = 500  # coordinates
_MUCH = 1e8  # coordinates times numbers of the potential's data: a gradient takes some hundredths of a second
_SEARCHES_ON_A_GPU = 256  # a task: fewer leave most of it idle


def default_settings(system: System) -> dict[str, float]:
    """Return step, temperature and displacement that suit a system, in its units.

    Weights take the values that users of the original programs take for losses (step 1, temperature 2: nearly every
    step is accepted, and the landscape is sampled widely); a Point in bounds takes half of their mean width, and a
    tenth for the displacement; atoms take 0.4 and 0.8 in reduced units, 0.4 angstrom and 0.1 eV.
    The share of searches that leave a minimum along one of its modes is 0 for a loss: it has many soft modes that lead
    nowhere, and 98 of 100 searches in random directions succeed, but only 75 along modes. A loss's minima are left by
    0.1 at most: 0.3 takes as long and finds a third fewer new transition states.

    Parameters
    ----------
    system : System
        The system that is explored.

    Returns
    -------
    dict of str to float
        ``step``, ``temperature``, ``along_modes``, ``displacement`` and ``displacement_from_states``.
    """
    if system.atoms is None:
        along = 0.6 if system.n_free <= _FEW else 0.0
        if system.width is not None:
            step, displacement = 0.5 * system.width, 0.1 * system.width
            return {"step": step, "temperature": 2.0, "along_modes": along, **_both(displacement)}
        near = 0.1 if along == 0.0 else 0.3
        return {"step": 1.0, "temperature": 2.0, "along_modes": along, **_both(0.3), "displacement": near}
    temperature = 0.8 if system.units == "reduced" else 0.1
    return {"step": 0.4, "temperature": temperature, "along_modes": 0.7, **_both(0.3)}


def hopping_settings(
    landscape: Landscape, moves: Sequence[Move] | None, *, step: float | None = None, temperature: float | None = None
) -> dict[str, Any]:
    """Return the settings of basin-hopping: those of searches, with the moves.

    Where neither moves nor sizes are given, networks with two and more hidden layers have those that go down fastest
    (docs/basin_hopping.md): other networks, and moves of one's own, sample widely.

    Parameters
    ----------
    landscape : Landscape
        The landscape that is explored.
    moves : sequence of Move or None
        Kinds of move; those that suit the system where None.
    step, temperature : float, optional
        As for `Landscape.find_minima`.

    Raises
    ------
    TypeError, ValueError
        If a value makes no sense, or a move does not suit the system.
    """
    system = landscape.system
    if moves is None:
        moves = default_moves(system)
        if moves is not None and is_deep_network(system):
            step, temperature = (_STEP if step is None else step), (_COLD if temperature is None else temperature)
    settings = search_settings(landscape, step=step, temperature=temperature)
    if moves is not None:
        settings["moves"] = [move.to_dict() for move in checked_moves(moves, system)]
    return settings


def _both(displacement: float) -> dict[str, float]:
    """Return how far searches leave minima, and transition states."""
    return {"displacement": displacement, "displacement_from_states": displacement}


def search_settings(landscape: Landscape, **given: float | None) -> dict[str, Any]:
    """Return the settings that tasks take along: defaults, given values, and the landscape's rules and tolerances.

    Parameters
    ----------
    landscape : Landscape
        The landscape that is explored.
    **given
        Settings by name; None keeps the default.

    Raises
    ------
    TypeError, ValueError
        If a given value is no number, or not positive and finite.
    """
    settings: dict[str, Any] = dict(default_settings(landscape.system))
    for name, value in given.items():
        if value is None:
            continue
        if not 0 < checked_number(name, value) < math.inf:
            raise ValueError(f"{name} must be positive and finite; it is {value}")
        settings[name] = float(value)
    rules = landscape.rules or default_rules(landscape.system).to_dict()
    same = landscape.tolerances.energy
    return {
        **settings,
        "rms": _goal(landscape),
        "same_energy": same,
        "same_distance": landscape.tolerances.distance,
        "rules": Rules(**rules).to_dict(),
    }


def _goal(landscape: Landscape) -> float:
    """Return the rms gradient at which a search ends.

    Every step of a calculator written in Python costs: it goes no further than asked, and not below its noise.
    """
    system, largest = landscape.system, landscape.tolerances.gradient_rms
    goal = 0.1 * largest
    if system.threadsafe or system.atoms is None:
        return min(1e-9, goal)
    noise = noise_of(system)
    return goal if noise is None else max(goal, min(0.5 * largest, _ABOVE_NOISE * noise.gradient))


def steps_a_task(landscape: Landscape) -> int:
    """Return the number of basin-hopping steps of one task."""
    return _STEPS_A_TASK[_kind(landscape)]


def searches_a_task(landscape: Landscape) -> int:
    """Return the number of searches for transition states of one task."""
    return _SEARCHES_ON_A_GPU if landscape.system.device == "cuda" else _SEARCHES_A_TASK[_kind(landscape)]


def _kind(landscape: Landscape) -> str:
    """Return which size of task suits: one of some seconds at most, so that little is lost when the time is up."""
    system = landscape.system
    if not system.threadsafe:
        return "slow"
    if system.atoms is not None:
        return "atoms"
    return "slow" if system.n_free > _MANY or system.n_free * system.compiled.floats.size > _MUCH else "point"
