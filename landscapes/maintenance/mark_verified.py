"""Verify imported points, and mark those that pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.maintenance.fill_path_lengths import path_lengths
from thalweg.landscapes.maintenance.verify import Problem, verify
from thalweg.landscapes.tolerances import believed

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["mark_verified"]


def mark_verified(landscape: Landscape, *, workers: int | None = None) -> list[Problem]:
    """Verify imported points, and mark those that pass as verified in the store.

    A minimum passes as in `verify`. A transition state passes if, besides, both of its minima are verified and
    the paths down from it end in them; the lengths of steepest descent to them are stored then.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for writing; points added to it are committed.
    workers : int, optional
        Threads; all processors where missing. A calculator written in Python runs on one.

    Returns
    -------
    list of Problem
        Reasons why points that are not marked now did not pass.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, mark_verified
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         progress = landscape.find_minima(steps=10, workers=1)
    ...         minimum = landscape.minima[0]
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/imported.zarr") as landscape:
    ...         row = landscape.add_minimum(minimum, verified=False)
    ...         problems = mark_verified(landscape)
    ...         problems, bool(landscape.minima.verified[row])
    ([], True)
    """
    landscape.commit()
    minima, states = landscape.minima, landscape.transition_states
    waiting = np.flatnonzero(~minima.verified[:])
    problems = verify(landscape, waiting, [], workers=workers)
    verified = minima.verified[:]
    verified[np.setdiff1d(waiting, [one.row for one in problems])] = True
    landscape._store.rewrite("minima/verified", verified)
    waiting = np.flatnonzero(~states.verified[:])
    wrong = verify(landscape, [], waiting, workers=workers)
    followed = np.setdiff1d(waiting, [one.row for one in wrong])
    for low in range(0, len(followed), _AT_ONCE):
        wrong += _follow(landscape, followed[low : low + _AT_ONCE], workers)
    return problems + sorted(wrong, key=lambda one: one.row)


_AT_ONCE = 1024


def _follow(landscape: Landscape, rows: np.ndarray, workers: int | None) -> list[Problem]:
    """Follow the paths down from transition states; mark those that lead where they should."""
    from thalweg.optimizers import find_transition_states  # loads the compiler, for which no reader should wait

    states = landscape.transition_states
    tolerances = believed(landscape.tolerances, landscape.units)
    rms = max(tolerances.gradient_rms, np.finfo(np.float64).tiny)
    found = find_transition_states(landscape.system, states.coordinates[rows], rms=rms, threads=workers)
    verified, lengths, problems = states.verified[:], states.path_length[:], []
    for k, row in enumerate(rows.tolist()):
        message = _wrong(landscape, row, found, k)
        if message:
            problems.append(Problem("transition_states", row, message))
            continue
        lengths[row] = path_lengths(landscape, row)
        verified[row] = True
    landscape._store.rewrite("transition_states/path_length", lengths)
    landscape._store.rewrite("transition_states/verified", verified)
    return problems


def _wrong(landscape: Landscape, row: int, found, k: int) -> str:
    first, second = landscape.transition_states.minima[row].tolist()
    if not landscape.minima.verified[[first, second]].all():
        return f"one of its minima, {first} and {second}, is not verified"
    if not found.converged[k]:
        return f"the paths down from it could not be followed: {found.reason[k]}"
    tolerance = believed(landscape.tolerances, landscape.units).energy
    if abs(found.energy[k] - landscape.transition_states.energy[row]) > tolerance:
        return f"following it leads to another transition state, of energy {found.energy[k]}"
    sides = found.minima[k]
    if not any(_is(landscape, first, one) and _is(landscape, second, other) for one, other in (sides, sides[::-1])):
        energies = " and ".join(f"{energy:.10g}" for energy in found.minima_energy[k])
        return f"the paths down from it end in minima of energies {energies}, which are not minima {first} and {second}"
    return ""


def _is(landscape: Landscape, row: int, x: np.ndarray) -> bool:
    """Say whether x is the minimum of this row."""
    tolerances = believed(landscape.tolerances, landscape.units)
    stored = landscape.minima.coordinates[row]
    if abs(landscape.system.energy(x) - landscape.minima.energy[row]) > tolerances.energy:
        return False
    return landscape.system.distance(stored, x) <= tolerances.distance
