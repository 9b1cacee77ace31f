"""Vibrations, free energies and rates of a point as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["frequency_texts", "rates_over", "vibration_lines"]

_COLUMNS = 8


def frequency_texts(frequencies: np.ndarray) -> list[str]:
    """Return frequencies in cm^-1 as text, imaginary ones as ``1426i``."""
    return [f"{-value:.0f}i" if value < 0 else f"{value:.0f}" for value in frequencies.tolist()]


def rates_over(
    landscape: Landscape, *, kelvin: float | None, quantum: bool, tunnelling: str | None
) -> tuple[np.ndarray | None, list[str]]:
    """Return the rates over all transition states in 1/s, (t, 2), or None, and lines that say why there are none.

    Raises
    ------
    ValueError
        If quantised vibrations or tunnelling are asked for without a temperature, or the landscape is not one of atoms
        in eV.
    """
    if kelvin is None:
        if quantum or tunnelling:
            raise ValueError("--quantum and --tunnelling are for rates: give their temperature by --kelvin")
        return None, []
    from thalweg.analysis.kinetics.rates import checked_temperature
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.landscapes.vibrations.hessians import check_vibrating

    check_vibrating(landscape)
    checked_temperature(None, kelvin, "eV")
    network = KineticTransitionNetwork.read(landscape)
    if not network.n_transition_states:
        return None, []
    if network.motion is None:
        return None, ["", f"no rates: vibrational frequencies are not stored; {_computed_by(landscape)}"]
    try:
        return network.transition_state_rates(kelvin=kelvin, quantum=quantum, tunnelling=tunnelling), []
    except ValueError as error:
        return None, ["", f"no rates: {printable(error)}"]


def _computed_by(landscape: Landscape) -> str:
    return f"thalweg verify {printable(str(landscape.path))} --frequencies computes them"


def vibration_lines(landscape: Landscape, kind: str, row: int, kelvin: float | None, bar: float) -> list[str]:
    """Return frequencies, zero-point energy and, at a temperature, the free energy; nothing where there are none."""
    if landscape.units != "eV" or "numbers" not in landscape._store.description():
        return []
    from thalweg.analysis.vibrations.thermochemistry import Thermochemistry
    from thalweg.landscapes.vibrations.hessians import points_of_kind
    from thalweg.optimizers.large_systems import LARGEST_MATRIX

    free = landscape.geometry.n_free
    if free > LARGEST_MATRIX and points_of_kind(landscape, kind).stored_frequencies(row) is None:
        calls = f"about {2 * free} calls of the calculator a point"
        return ["", f"no frequencies: not stored with {free} free coordinates; {_computed_by(landscape)}, by {calls}"]
    try:
        point = Thermochemistry.of(landscape, kind, row)
    except (ValueError, ArithmeticError) as error:
        return ["", f"no frequencies: {printable(error)}"]
    text = frequency_texts(point.frequencies)
    blocks = ["".join(f"{item:>9}" for item in text[k : k + _COLUMNS]) for k in range(0, len(text), _COLUMNS)]
    lines = ["", "frequencies in cm^-1", *blocks, f"zero-point energy       {point.zero_point_energy:.6f} eV"]
    if kelvin is not None:
        name = "Helmholtz" if point.geometry is None else "Gibbs"
        where = f"{kelvin:g} K" if point.geometry is None else f"{kelvin:g} K and {bar:g} bar"
        lines.append(f"{name} energy at {where}: {point.free_energy(kelvin, 1e5 * bar):.6f} eV ({point.model})")
    return lines
