"""Command ``thalweg show``: one minimum or transition state."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.rows import LOWEST, Row, RowNumber
from thalweg.analysis.cli.shared_options import FILE, store_argument, trust_option
from thalweg.analysis.cli.terminal import say, text_width
from thalweg.analysis.cli.vibration_lines import rates_over, vibration_lines
from thalweg.analysis.systems.text_table import TextColumn, text_table
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["show"]

_NEIGHBOURS = 20
_PLURAL = {"minimum": "minima", "state": "transition states"}
_LARGEST = 500  # free degrees of freedom up to which the spectrum is computed


@click.command()
@store_argument
@click.argument("kind", type=click.Choice(["minimum", "state"]))
@click.argument("row", type=RowNumber())
@click.option("--output", type=FILE, help="File for the point: .xyz (atoms) or .npz.")
@overwrite_option
@click.option(
    "--kelvin",
    type=float,
    help="Temperature of free energies, and of rates over the transition states, of atoms in eV.",
)
@click.option("--bar", type=float, default=1.0, show_default=True, help="Pressure of the ideal gas.")
@click.option("--quantum", is_flag=True, help="Rates with quantised vibrations: zero-point energies count.")
@click.option("--tunnelling", type=click.Choice(["wigner"]), help="Correction of rates for tunnelling.")
@trust_option
def show(
    path: Path, kind: str, row: Row, output: Path | None, overwrite: bool, trust: bool, bar: float,
    **rates: Any,
) -> None:  # fmt: skip
    """Show one minimum or transition state.

    PATH is a store, and ROW the number of the point, counted from 0, or lowest: of a minimum, or of a transition state
    after the word state. The energy, the neighbours, the eigenvalues of the Hessian and the coordinates are shown, of
    atoms in eV the vibrational frequencies (imaginary ones as 1426i) and the zero-point energy too. With --kelvin the
    free energy of a molecule is that of an ideal gas at --bar, as a rigid rotor; of other atoms that of harmonic
    vibrations; and the rates over transition states are printed in 1/s, by harmonic transition-state theory.
    """
    from thalweg.landscapes import Landscape

    with errors_in_one_line(OSError, ValueError):
        if output is not None:
            if output.suffix not in (".xyz", ".npz"):
                raise ValueError(f"--output {output} must end in .xyz or .npz")
            check_output(output, overwrite)
        landscape = Landscape.open(path, trust=trust)
        points = landscape.minima if kind == "minimum" else landscape.transition_states
        number = _row(row, points.energy[:], f"{path} has {len(points)} {_PLURAL[kind]}, numbered from 0")
        values = {name: getattr(points, name)[number] for name in points.names}
        lines = [f"{kind.replace('state', 'transition state')} {number} of {path}", *_numbers(values, landscape.units)]
        lines.append(f"found {_times_found(landscape, kind, number)} times")
        found, missing = rates_over(landscape, **rates)
        over = None if found is None or kind == "minimum" else found[number]
        lines += _neighbours(landscape, number, found) if kind == "minimum" else _sides(landscape, values, over)
        lines += [*missing, *vibration_lines(landscape, kind, number, rates["kelvin"], bar)]
        lines += ["", *_spectrum(landscape, values["coordinates"]), "", *_shape(landscape, values["coordinates"])]
        if output is not None:
            with output_file(output, overwrite) as file:
                _write(landscape, values, file)
            lines += ["", str(output)]
    say("\n".join(lines))


def _row(row: Row, energies: np.ndarray, known: str) -> int:
    """Return the number of a point, or raise an error that says how many there are."""
    if len(energies) and row == LOWEST:
        return int(np.argmin(energies))
    if isinstance(row, str) or row >= len(energies):
        raise ValueError(f"ROW is {row}; {known}")
    return row


def _numbers(values: dict[str, Any], units: str) -> list[str]:
    return [
        f"energy                  {values['energy']:.12g} {'' if units == 'reduced' else printable(units)}".rstrip(),
        f"rms gradient            {values['gradient_rms']:.3g}",
        f"lowest eigenvalue       {values['lowest_eigenvalue']:.8g}",
        f"log eigenvalue product  {values['log_eigenvalue_product']:.8g} over {values['modes']} modes",
        f"symmetry order          {values['symmetry_order'] or 'beyond 64 bits'}",
        f"verified                {'yes' if values['verified'] else 'no: imported as it came'}",
    ]


def _times_found(landscape: Landscape, kind: str, row: int) -> int:
    found = landscape.searches.minima if kind == "minimum" else landscape.searches.transition_states
    return sum(int((rows == row).sum()) for _, rows in found.chunks())


def _neighbours(landscape: Landscape, row: int, rates: np.ndarray | None) -> list[str]:
    """Return the transition states around a minimum, the lowest first, with the rates over them where known."""
    states = landscape.transition_states
    around = [
        (float(states.energy[int(state)]), int(state), int(ends[0] + ends[1] - row), int(ends[0] != row))
        for rows, pairs in states.minima.chunks()
        for state, ends in zip(range(rows.start, rows.stop), pairs, strict=True)
        if row in ends
    ]
    here = float(landscape.minima.energy[row])
    lines = ["", f"{len(around)} transition state{'' if len(around) == 1 else 's'}"]
    shown = sorted(around)[:_NEIGHBOURS]
    there = [float(landscape.minima.energy[other]) for _, _, other, _ in shown]
    columns = [
        TextColumn("state", [str(state) for _, state, _, _ in shown]),
        TextColumn("energy", [f"{energy:.10g}" for energy, _, _, _ in shown]),
        TextColumn("barrier", [f"{energy - here:.6g}" for energy, _, _, _ in shown]),
        TextColumn("to minimum", [str(other) for _, _, other, _ in shown]),
        TextColumn("energy", [f"{energy:.10g}" for energy in there], spare=1),
    ]
    if rates is not None:
        columns.append(TextColumn("rate in 1/s", [f"{rates[state, side]:.6g}" for _, state, _, side in shown]))
    lines += [f"  {line}" for line in text_table(columns, text_width() - 2)] if shown else []
    if len(around) > _NEIGHBOURS:
        lines.append(f"     ... and {len(around) - _NEIGHBOURS} more")
    degenerate = [str(state) for _, state, other, _ in shown if other == row]
    if degenerate:
        lines.append(f"  degenerate rearrangements, to copies of this minimum: {', '.join(degenerate)}")
    return lines if around else ["", "no transition states"]


def _sides(landscape: Landscape, values: dict[str, Any], rates: np.ndarray | None) -> list[str]:
    """Return the minima on both sides of a transition state, with the rates from them where known."""
    ends = values["minima"].tolist()
    energies = [float(landscape.minima.energy[end]) for end in ends]
    lengths = [(length, bool(np.isfinite(length))) for length in values["path_length"].tolist()]
    columns = [
        TextColumn("minimum", [str(end) for end in ends]),
        TextColumn("energy", [f"{energy:.10g}" for energy in energies]),
        TextColumn("barrier", [f"{values['energy'] - energy:.6g}" for energy in energies]),
        TextColumn("path length", [f"{length:.6g}" if known else "not known" for length, known in lengths]),
    ]
    if rates is not None:
        columns.append(TextColumn("rate in 1/s", [f"{rate:.6g}" for rate in rates.tolist()]))
    lines = ["", *(f"  {line}" for line in text_table(columns, text_width() - 2))]
    if ends[0] == ends[1]:
        lines.append("  degenerate rearrangement: both sides lead to copies of one minimum")
    if not all(known for _, known in lengths):
        command = f"thalweg verify {shlex.quote(printable(landscape.path))} --lengths"
        lines.append(f"  nobody has followed this path down: {command} follows all")
    return lines


def _spectrum(landscape: Landscape, x: np.ndarray) -> list[str]:
    """Return the eigenvalues of the Hessian, null modes excluded."""
    from thalweg.landscapes.maintenance.verify import eigenvalues

    try:
        system = landscape.system
    except ValueError as error:
        return [f"no spectrum: {printable(error)}"]
    if system.n_free > _LARGEST:
        return [f"no spectrum: more than {_LARGEST} degrees of freedom"]
    values = eigenvalues(system, x)
    text = [f"{value:.6g}" for value in values]
    each = max(1, min(8, (text_width() - 2) // 14))
    rows = [text[k : k + each] for k in range(0, len(text), each)]
    return ["spectrum", *("  " + "  ".join(f"{item:>12}" for item in row) for row in rows)]


def _shape(landscape: Landscape, x: np.ndarray) -> list[str]:
    """Return positions of atoms, or weights by layer."""
    description = landscape._store.description()
    if "numbers" in description:
        from ase.data import chemical_symbols

        symbols = [chemical_symbols[number] for number in description["numbers"]]
        rows = zip(symbols, x.reshape(-1, 3).tolist(), strict=True)
        return [f"{symbol:3}" + "".join(f"{value:16.9f}" for value in position) for symbol, position in rows]
    size = f"sum of squares {x @ x:.6g}, largest {np.abs(x).max(initial=0):.6g}"
    shown = "  ".join(f"{value:.6g}" for value in x[:8])
    return [f"{len(x)} coordinates: {size}", f"  {shown}{'  ...' if len(x) > 8 else ''}"]


def _write(landscape: Landscape, values: dict[str, Any], output: Path) -> None:
    if output.suffix == ".npz":
        np.savez(output, **values)
        return
    from ase.io import write

    from thalweg.analysis.programs.structures import printable_info
    from thalweg.potentials import Point

    atoms = landscape.geometry.subject(values["coordinates"])
    if isinstance(atoms, Point):
        raise ValueError("--output: only atoms make an .xyz file; write .npz")
    atoms.calc = None
    atoms.info = printable_info(atoms.info)
    atoms.info["energy"] = float(values["energy"])
    write(output, atoms, format="extxyz")
