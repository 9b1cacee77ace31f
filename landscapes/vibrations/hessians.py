"""Hessians of stored points, as ASE's VibrationsData, and their frequencies, read where they are stored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase.vibrations import VibrationsData

    from thalweg.landscapes.stored_landscape import StoredLandscape
    from thalweg.landscapes.views import Minima, TransitionStates
    from thalweg.potentials.system import System

__all__ = ["check_vibrating", "frequencies", "hessian_at", "points_of_kind", "vibrations"]

_MATRICES = 8  # dense ones of the free coordinates that exist at once while frequencies are computed


def points_of_kind(landscape: StoredLandscape, kind: str) -> Minima | TransitionStates:
    """Return the minima or the transition states.

    Raises
    ------
    ValueError
        If ``kind`` is neither "minimum" nor "transition state" (or "state", as the command line has it).
    """
    if kind == "minimum":
        return landscape.minima
    if kind in ("transition state", "transition_state", "state"):
        return landscape.transition_states
    raise ValueError(f"kind is {kind!r}; it must be 'minimum' or 'transition state'")


def check_vibrating(landscape: StoredLandscape) -> None:
    """Raise ValueError where the points of a landscape have no vibrations."""
    from thalweg.potentials.vibrations.normal_modes import has_frequencies  # loads the compiler

    if "numbers" not in landscape._store.description():
        raise ValueError(f"vibrations are those of atoms: {landscape.path} is a landscape of a point without masses")
    if landscape.units != "eV":
        raise ValueError(
            f"vibrations need energies in eV and lengths in angstrom: {landscape.path} is in {landscape.units} units"
        )
    if not has_frequencies(landscape.geometry):
        raise ValueError(f"vibrations need the masses of all atoms that move: one in {landscape.path} has none")


def _check_memory(system: System) -> None:
    """Raise ValueError where a dense Hessian and what is made of it do not fit into the machine's memory."""
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return  # a machine that does not say
    needed = 8 * _MATRICES * system.n_free**2
    if needed > there:
        raise ValueError(
            f"vibrations of {system.n_free} free coordinates need dense matrices of {needed / 2**30:.0f} GiB; the "
            f"machine has {there / 2**30:.0f} GiB of memory: fix the atoms whose vibrations do not matter"
        )


def hessian_at(system: System, x: np.ndarray) -> np.ndarray:
    """Return the Hessian (n, n) at a stationary point; with a calculator without one, by differences of forces.

    These take the step that the measured noise has chosen, along all directions but the null modes: two calls of the
    calculator for each vibration, and some more for those so soft that noise would hide them.

    Raises
    ------
    ArithmeticError
        If the calculator fails beside the point.
    ValueError
        If the matrices do not fit into the machine's memory.
    """
    _check_memory(system)
    from thalweg.optimizers.quasi_newton.searches import needs_differences
    from thalweg.optimizers.quasi_newton.spectrum import spectrum_at
    from thalweg.optimizers.quasi_newton.surface import Surface

    if not needs_differences(system):
        return system.hessian(x)
    surface = Surface(system)
    spectrum = spectrum_at(surface, x, surface(x)[1])
    system.reraise()
    if not np.isfinite(spectrum.values).all():
        raise ArithmeticError("the calculator fails beside this point: it has no Hessian")
    hessian: np.ndarray = (spectrum.vectors * spectrum.values) @ spectrum.vectors.T
    return hessian


def frequencies(landscape: StoredLandscape, kind: str, row: int) -> np.ndarray:
    """Return the vibrational frequencies of a stored point; see `Landscape.frequencies`."""
    points = points_of_kind(landscape, kind)
    row = range(len(points))[row]
    from thalweg.potentials.vibrations.normal_modes import wavenumbers  # loads the compiler

    stored = points.stored_frequencies(row)
    if stored is not None:
        return stored
    check_vibrating(landscape)
    x = points.coordinates[row]
    return wavenumbers(landscape.system, x, hessian_at(landscape.system, x))


def vibrations(landscape: StoredLandscape, kind: str, row: int) -> VibrationsData:
    """Return Hessian and atoms of a stored point; see `Landscape.vibrations`."""
    from ase import Atoms
    from ase.vibrations import VibrationsData

    points = points_of_kind(landscape, kind)
    x = points.coordinates[row]
    check_vibrating(landscape)
    system = landscape.system
    atoms = system.subject(x)
    assert isinstance(atoms, Atoms)
    atoms.calc = None
    moving = np.unique(system.free // 3)
    places = (3 * moving[:, None] + np.arange(3)).ravel()
    return VibrationsData.from_2d(atoms, hessian_at(system, x)[np.ix_(places, places)], indices=moving.tolist())
