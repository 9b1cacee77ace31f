"""Command ``thalweg show``: one minimum or transition state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.shared_options import FILE, store_argument, trust_option
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["show"]

_NEIGHBOURS = 20
_LARGEST = 500  # free degrees of freedom up to which the spectrum is computed


@click.command()
@store_argument
@click.argument("kind", type=click.Choice(["minimum", "state"]))
@click.argument("row", type=click.IntRange(min=0))
@click.option("--output", type=FILE, help="File for the point: .xyz (atoms) or .npz.")
@overwrite_option
@trust_option
def show(path: Path, kind: str, row: int, output: Path | None, overwrite: bool, trust: bool) -> None:
    """Show one minimum or transition state.

    PATH is a store, and ROW the number of the point, counted from 0: of a minimum, or of a transition state after the
    word state. The energy, the neighbours, the eigenvalues of the Hessian and the coordinates are shown.
    """
    from thalweg.landscapes import Landscape

    with errors_in_one_line(OSError, ValueError):
        if output is not None:
            if output.suffix not in (".xyz", ".npz"):
                raise ValueError(f"--output {output} must end in .xyz or .npz")
            check_output(output, overwrite)
        landscape = Landscape.open(path, trust=trust)
        points = landscape.minima if kind == "minimum" else landscape.transition_states
        if not 0 <= row < len(points):
            what = "minima" if kind == "minimum" else "transition states"
            raise ValueError(f"ROW is {row}; {path} has {len(points)} {what}, numbered from 0")
        values = {name: getattr(points, name)[row] for name in points.names}
        lines = [f"{kind.replace('state', 'transition state')} {row} of {path}", *_numbers(values, landscape.units)]
        lines.append(f"found {_times_found(landscape, kind, row)} times")
        lines += _neighbours(landscape, row) if kind == "minimum" else _sides(landscape, values)
        lines += ["", *_spectrum(landscape, values["coordinates"]), "", *_shape(landscape, values["coordinates"])]
        if output is not None:
            with output_file(output, overwrite) as file:
                _write(landscape, values, file)
            lines += ["", str(output)]
    say("\n".join(lines))


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


def _neighbours(landscape: Landscape, row: int) -> list[str]:
    """Return the transition states around a minimum, the lowest first."""
    states = landscape.transition_states
    around = [
        (float(states.energy[int(state)]), int(state), int(ends[0] + ends[1] - row))
        for rows, pairs in states.minima.chunks()
        for state, ends in zip(range(rows.start, rows.stop), pairs, strict=True)
        if row in ends
    ]
    here = float(landscape.minima.energy[row])
    lines = ["", f"{len(around)} transition state{'' if len(around) == 1 else 's'}"]
    lines.append(f"{'state':>8}{'energy':>18}{'barrier':>14}{'to minimum':>12}{'energy':>18}")
    for energy, state, other in sorted(around)[:_NEIGHBOURS]:
        there = float(landscape.minima.energy[other])
        lines.append(f"{state:8d}{energy:18.10g}{energy - here:14.6g}{other:12d}{there:18.10g}")
    if len(around) > _NEIGHBOURS:
        lines.append(f"     ... and {len(around) - _NEIGHBOURS} more")
    return lines if around else ["", "no transition states"]


def _sides(landscape: Landscape, values: dict[str, Any]) -> list[str]:
    lines = ["", f"{'minimum':>8}{'energy':>18}{'barrier':>14}{'path length':>14}"]
    for end, length in zip(values["minima"].tolist(), values["path_length"].tolist(), strict=True):
        energy = float(landscape.minima.energy[end])
        lines.append(f"{end:8d}{energy:18.10g}{values['energy'] - energy:14.6g}{length:14.6g}")
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
    return ["spectrum"] + ["  " + "  ".join(f"{item:>12}" for item in text[k : k + 8]) for k in range(0, len(text), 8)]


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

    from thalweg.potentials import Point

    atoms = landscape.geometry.subject(values["coordinates"])
    if isinstance(atoms, Point):
        raise ValueError("--output: only atoms make an .xyz file; write .npz")
    atoms.calc = None
    atoms.info["energy"] = float(values["energy"])
    write(output, atoms, format="extxyz")
