"""Search tasks: pure functions, so that any worker can run or repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.landscapes.exploration.attempts import Attempts
from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.records import (
    BASIN_HOPPING,
    CONVERGED,
    DOUBLE_ENDED,
    FROM_STATE,
    FROM_SYMMETRIC,
    SINGLE_ENDED,
    Arrival,
    Minimum,
    Search,
    TaskResult,
    TransitionState,
)
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.vibrations.found_points import frequencies_at
from thalweg.optimizers.basin_hopping.chain_without_hessian import large_chain
from thalweg.optimizers.basin_hopping.dynamics import BasinHoppingResult, basin_hopping_steps
from thalweg.optimizers.basin_hopping.moves import Move, Pool
from thalweg.optimizers.basin_hopping.network_moves import is_deep_network
from thalweg.optimizers.descent_paths.lengths import descent_lengths, lengths_at_once
from thalweg.optimizers.elastic_band import connect_pair
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import displaced
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.searches import needs_differences
from thalweg.optimizers.results import TransitionStateResult
from thalweg.optimizers.rules import Rules, SearchOptions
from thalweg.optimizers.transition_states import LARGEST_FOLLOWED, find_transition_states
from thalweg.potentials.symmetry.null_modes import lift_null_modes
from thalweg.potentials.system import System

_LARGEST_DIAGONALISED = 500
_GROWING = "connect"  # the sequence whose tasks with a part of the usual displacement let a large landscape grow
_SYMMETRIC = 0.8  # of the searches from anywhere: the rarest saddles are symmetric
_FOLLOWED = 1 / 6  # of the searches along a mode: each takes twice the time of others, and many fail
_TURNED, _TURNED_NOISE = 0.5, 0.1  # of the searches of a molecule; part of the usual displacement that is added
_SHUFFLED = 0.75  # of the searches of several molecules: of the others all atoms are displaced
_DENSITIES = 0.7, 1.4  # of images of a band, least and most
_SAME_ENERGY = 1e-6, 1e-4  # eV: within which a minimum is known, least and most
_STEPS, _STEPS_FOLLOWING = 200, 60  # what follows a mode arrives within 50 steps (LJ7 to LJ13), or wanders for ever

__all__ = ["Task", "found_transition_state", "run_task"]


def run_task(system: System, task: Task) -> TaskResult:
    """Do a task; depends on nothing but its arguments."""
    rng = np.random.default_rng(np.random.SeedSequence(task.entropy))
    before = system.calls
    result = _RUNS[task.kind](system, task, rng)
    return result._replace(calls=system.calls - before)


def _known_points(system: System, task: Task) -> KnownPoints | None:
    """Return what the searches of a task know of a calculator without a Hessian."""
    if not needs_differences(system):
        return None
    energy = min(max(task.settings["same_energy"], _SAME_ENERGY[0]), _SAME_ENERGY[1])
    distance = task.settings.get("same_distance", Tolerances.distance)
    return KnownPoints(system, energy, distance, whole=True, minima=task.minima)


def _basin_hopping(system: System, task: Task, rng: np.random.Generator) -> TaskResult:
    attempts, current = Attempts(system, task), -1

    def chain() -> tuple[Search, ...]:
        nonlocal current
        searches, current = _chain(system, task, rng)
        return searches

    searches = attempts.run(chain, task.starts[0], task.settings["steps"])
    return TaskResult(searches, current, failed_calls=tuple(attempts.calls))


def _chain(system: System, task: Task, rng: np.random.Generator) -> tuple[tuple[Search, ...], int]:
    """Take a chain further; return its quenches, and which of them it ended at."""
    settings = task.settings
    known = len(task.coordinates) > 0
    moves = [Move.from_dict(move) for move in settings["moves"]] if "moves" in settings else None
    x = task.coordinates[0] if known else _start(system, moves, rng)
    how: dict[str, Any] = {
        # the quench of a random start counts as one
        "steps": settings["steps"] - (not known),
        **{name: settings[name] for name in ("step", "temperature", "rms")},
        "rules": Rules.from_dict(settings["rules"]),
    }
    energy, points = (system.energy(x) if known else None), None
    if system.n_free > LARGEST_MATRIX and moves is None:
        result = large_chain(system, x, energy, rng, **how)
    else:
        points = _known_points(system, task)
        pool = Pool()
        for height, minimum in task.lowest:
            pool.add(height, minimum)
        result = basin_hopping_steps(
            system, x, energy, rng, moves=moves, prove="all", known_points=points, pool=pool, **how
        )
    searches = tuple(_quench(system, task, result, row, points) for row in range(len(result)))
    accepted = np.flatnonzero(result.accepted)
    return searches, int(accepted[-1]) if accepted.size else -1


def _start(system: System, moves: Sequence[Move] | None, rng: np.random.Generator) -> np.ndarray:
    """Return where a chain begins: where one of its moves says so, else at a random start of the system."""
    for move in moves or ():
        x = move.start(system, rng)
        if x is not None:
            return system.constrain(x)
    return _random(system, rng)


def _quench(system: System, task: Task, result: BasinHoppingResult, row: int, points: KnownPoints | None) -> Search:
    found: tuple[Minimum, ...] = ()
    if result.proved[row] and system.inside(result.x[row]):
        found = (
            Minimum(
                float(result.energy[row]),
                result.x[row],
                float(result.rms[row]),
                float(result.lowest_eigenvalue[row]),
                float(result.log_eigenvalue_product[row]),
                int(result.modes[row]),
                frequencies=frequencies_at(system, result.x[row], points),
            ),
        )
    # where the descent ended: what the process knew already leaves no mark there
    ended = result.energy if result.ended is None else result.ended
    energy = float(ended[row]) if found else float("nan")
    steps = int(result.steps[row])
    status = _reason(system, result.x[row], result.reason[row])
    return Search(task.number, task.kind, status, task.starts[0], energy, steps, found)


def _reason(system: System, x: np.ndarray, reason: str) -> str:
    """Return how a search ended: whatever stopped it, outside the bounds it has failed."""
    return reason if system.inside(x) else "outside the bounds"


def _single_ended(system: System, task: Task, rng: np.random.Generator) -> TaskResult:
    settings = task.settings
    displacement = settings["displacement_from_states" if task.kind == FROM_STATE else "displacement"]
    known = iter(task.coordinates)
    X, directions = np.zeros((2, len(task.starts), system.n))
    for search, (row, _) in enumerate(task.starts):
        if row >= 0:
            X[search], directions[search] = _displaced(system, next(known), displacement, settings, rng)
        else:
            X[search] = _anywhere(system, settings.get("part", 1.0), rng)
        if task.kind == FROM_SYMMETRIC:
            X[search] = system.made_symmetric(X[search], rng)
            directions[search] = 0.0
    how = {"rms": settings["rms"], "rules": Rules.from_dict(settings["rules"]), **_longest_step(system)}
    how |= {"known": task.known, "known_within": settings["same_energy"], "known_points": _known_points(system, task)}
    how["nearby"] = _stays_nearby(system, task)
    following = directions.any(axis=1)
    if not system.threadsafe:
        return _one_by_one(system, task, X, directions, how)
    searches: dict[int, Search] = {}
    for chosen, steps in ((~following, _STEPS), (following, _STEPS_FOLLOWING)):
        rows = np.flatnonzero(chosen).tolist()
        if rows:
            result = find_transition_states(system, X[rows], directions=directions[rows], threads=1, steps=steps, **how)
            found = (range(place, place + 1) for place in range(len(rows)))
            searches |= {
                row: _search(system, task, result, at, task.starts[row], None)
                for row, at in zip(rows, found, strict=True)
            }
    return TaskResult(tuple(searches[row] for row in range(len(X))))


def _one_by_one(system: System, task: Task, X: np.ndarray, directions: np.ndarray, how: dict[str, Any]) -> TaskResult:
    """Do single-ended searches one after the other: an exception of the potential ends one of them."""
    attempts = Attempts(system, task)
    searches: list[Search] = []
    for row, start in enumerate(task.starts):

        def search(row: int = row, start: tuple[int, int] = start) -> tuple[Search, ...]:
            steps = _STEPS_FOLLOWING if directions[row].any() else _STEPS
            one = slice(row, row + 1)
            result = find_transition_states(system, X[one], directions=directions[one], threads=1, steps=steps, **how)
            return (_search(system, task, result, range(1), start, how["known_points"]),)

        searches += attempts.run(search, start)
    return TaskResult(tuple(searches), failed_calls=tuple(attempts.calls))


def _anywhere(system: System, part: float, rng: np.random.Generator) -> np.ndarray:
    """Return a random start, most of them with a point group where the system can have one.

    A point without bounds, such as the weights of a network, has a part of its usual size.
    """
    if system.may_start_symmetric and rng.random() < _SYMMETRIC:
        return system.random_symmetric(rng)
    x = _random(system, rng)
    if system.atoms is None and system.bounds is None:
        x[system.free] *= part
    return x


def _random(system: System, rng: np.random.Generator) -> np.ndarray:
    if system.atoms is None or system.permutations != "bonds":
        return system.random(rng)
    # bond graphs take time to load, for which clusters and networks need not wait
    from thalweg.optimizers.basin_hopping.molecular_moves import random_start

    return random_start(system, rng)


def _longest_step(system: System) -> SearchOptions:
    """Longest step uphill where the bounds tell the scale of the coordinates; the default elsewhere."""
    return {} if system.width is None else {"max_step": 0.1 * system.width}


def _stays_nearby(system: System, task: Task) -> bool:
    """Return whether the searches of a task leave low minima of a deep network, as growth of large landscapes does.

    Far from there they wander through bowls, and end at transition states of other minima.
    """
    growth = task.sequence == _GROWING and task.kind == SINGLE_ENDED and "part" in task.settings
    return growth and all(row >= 0 for row, _ in task.starts) and is_deep_network(system)


def _displaced(
    system: System, x: np.ndarray, displacement: float, settings: dict[str, Any], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Leave a point in one of three ways; return the start and the direction of the mode to follow, or zeros.

    At random by up to ``displacement`` a coordinate; as far along one of its Hessian modes, where the rarest transition
    states of clusters are found; or a little way along one, which is then followed: some are found in one of these ways
    only. Of molecules every other start has a part turned about a bond instead, which leads to barriers between
    conformers, where a displacement of all atoms mostly breaks bonds; of three of four starts of several molecules, one
    is turned as a whole, and of the fourth all are displaced, without tearing them.
    """
    size, way = displacement * rng.uniform(0.3, 1.0), rng.random()
    # of LJ13's 39 free coordinates, following takes six times longer, and a third arrive nowhere
    follow = rng.random() < _FOLLOWED and system.n_free <= LARGEST_FOLLOWED
    noise, mode = np.zeros(system.n), np.zeros(system.n)
    noise[system.free] = rng.standard_normal(system.n_free)
    if way >= settings["along_modes"] or system.n_free > _LARGEST_DIAGONALISED or not system.threadsafe:
        conformer = _moved_in_parts(system, x, size, noise, rng)
        return (displaced(system, x, size * noise) if conformer is None else conformer), mode
    hessian = system.hessian(x)
    null = system.null_modes(x)
    # null modes last: among the first n_free - len(null) any mode is as good as another
    lift_null_modes(hessian, null)
    _, vectors = np.linalg.eigh(hessian[np.ix_(system.free, system.free)])
    mode[system.free] = rng.choice((-1.0, 1.0)) * vectors[:, rng.integers(system.n_free - len(null))]
    size *= np.sqrt(system.n_free)
    return (x + 0.1 * size * mode, mode) if follow else (x + size * mode, np.zeros(system.n))


def _moved_in_parts(
    system: System, x: np.ndarray, size: float, noise: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """Return x with molecules, or a part of one, turned; None for other systems, and for some starts of one."""
    if system.atoms is None or system.permutations != "bonds":
        return None
    # bond graphs take time to load, for which clusters and networks need not wait
    from thalweg.optimizers.basin_hopping.molecular_moves import scattered, shuffled, torsions, turned, turns_as_wholes

    several = turns_as_wholes(system, x)
    if rng.random() >= (_SHUFFLED if several else _TURNED):
        return scattered(system, x, size * noise) if several else None
    if several and (not torsions(system, x)[1] or rng.random() < _TURNED):
        return shuffled(system, x, size, rng)
    conformer = turned(system, x, rng)
    return None if conformer is None else conformer + _TURNED_NOISE * size * noise


def _double_ended(system: System, task: Task, rng: np.random.Generator) -> TaskResult:
    settings = task.settings
    search: SearchOptions = {"rules": Rules.from_dict(settings["rules"]), **_longest_step(system)}
    points = search["known_points"] = _known_points(system, task)
    attempts = Attempts(system, task)
    searches: list[Search] = []
    for pair, start in enumerate(task.starts):
        # a pair that was tried before gets another band
        density = float(rng.uniform(*_DENSITIES))

        def connected(pair: int = pair, start: tuple[int, int] = start, density: float = density) -> tuple[Search, ...]:
            a, b = task.coordinates[2 * pair : 2 * pair + 2]
            result = connect_pair(system, a, b, rms=settings["rms"], threads=1, search=search, density=density)
            return (_search(system, task, result, range(len(result.x)), start, points),)

        searches += attempts.run(connected, start)
    return TaskResult(tuple(searches), failed_calls=tuple(attempts.calls))


def _search(
    system: System, task: Task, result: TransitionStateResult, rows: range, start: tuple[int, int],
    points: KnownPoints | None,
) -> Search:  # fmt: skip
    if len(rows) == 1 and result.reason[rows[0]] == Status.KNOWN.reason and system.inside(result.x[rows[0]]):
        arrival = Arrival(float(result.energy[rows[0]]), result.x[rows[0]])
        steps = int(result.steps[rows[0]])
        return Search(task.number, task.kind, CONVERGED, start, arrival.energy, steps, (), (arrival,))
    good = [row for row in rows if result.converged[row] and all(map(system.inside, _points(result, row)))]
    status = CONVERGED if good else "no maximum on the band"
    if len(rows) and not good:
        first = rows[0]
        status = (
            "outside the bounds" if result.converged[first] else _reason(system, result.x[first], result.reason[first])
        )
    energy = float(result.energy[good[0]]) if good else float("nan")
    steps = int(sum(result.steps[row] for row in rows))
    found = tuple(found_transition_state(system, result, row, points) for row in good)
    return Search(task.number, task.kind, status, start, energy, steps, (), found)


def _points(result: TransitionStateResult, row: int) -> tuple[np.ndarray, ...]:
    return result.x[row], result.minima[row, 0], result.minima[row, 1]


def _lengths(system: System, result: TransitionStateResult, row: int) -> tuple[float, float]:
    """Return the lengths of steepest descent, NaN where they cost more than the search: whoever asks computes them."""
    return descent_lengths(system, result.x[row], result.minima[row]) if lengths_at_once(system) else (np.nan, np.nan)


def found_transition_state(
    system: System, result: TransitionStateResult, row: int, points: KnownPoints | None
) -> TransitionState:
    """Return the record of a transition state that a search has found, in the row of its result."""
    sides = tuple(
        Minimum(
            float(result.minima_energy[row, side]),
            result.minima[row, side],
            float(result.minima_rms[row, side]),
            float(result.minima_lowest_eigenvalue[row, side]),
            float(result.minima_log_eigenvalue_product[row, side]),
            int(result.minima_modes[row, side]),
            frequencies=frequencies_at(system, result.minima[row, side], points),
        )
        for side in range(2)
    )
    return TransitionState(
        float(result.energy[row]),
        result.x[row],
        float(result.rms[row]),
        float(result.lowest_eigenvalue[row]),
        float(result.log_eigenvalue_product[row]),
        int(result.modes[row]),
        0,
        (sides[0], sides[1]),
        _lengths(system, result, row),
        frequencies=frequencies_at(system, result.x[row], points),
    )


_RUNS = {
    BASIN_HOPPING: _basin_hopping,
    SINGLE_ENDED: _single_ended,
    FROM_STATE: _single_ended,
    FROM_SYMMETRIC: _single_ended,
    DOUBLE_ENDED: _double_ended,
}
