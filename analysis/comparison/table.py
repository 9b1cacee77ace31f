"""Landscapes side by side: one table and one figure of measures that mean the same for molecules and networks."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from thalweg.analysis.comparison.energies import (
    band,
    connected_part,
    energy_measures,
    frustration,
    funnel_measures,
    half_temperature,
)
from thalweg.analysis.comparison.graph import graph_measures
from thalweg.analysis.comparison.shapes import (
    curvature_measures,
    distance_measures,
    followed_lengths,
    length_measures,
)
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.networks.network_reader import is_pathsample, read_network
from thalweg.optimizers.pictures.files import save_figure
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.conversion.printable import cell, printable
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison"]

Source: TypeAlias = KineticTransitionNetwork | str | os.PathLike[str]
"""A network, the path of a store, or a folder with PATHSAMPLE's files."""

_FOLLOWED = 20  # paths that are followed where a store does not have their lengths


class Sample(NamedTuple):
    """Size and seed of the samples of which a comparison takes means and medians."""

    pairs: int
    seed: int

    @property
    def minima(self) -> int:
        """Number of minima in a sample."""
        return 10 * self.pairs


@public("thalweg.analysis")
class Comparison:
    """A table and a figure of measures of several landscapes.

    All measures but the numbers of minima, transition states and components describe the connected part: the component
    of the global minimum, without transition states that join a minimum with itself. Every measure is defined in
    docs/compare.md.

    Parameters
    ----------
    landscapes : mapping of str to (KineticTransitionNetwork or path)
        Networks by name; or paths of stores, or of folders with PATHSAMPLE's files. Distances need a store.
    sample : int
        Largest number of pairs of minima for a median of distances. Clustering and steps between minima are means over
        at most ten times as many minima.
    seed : int
        Seed of the random samples.

    Attributes
    ----------
    names : list of str
    networks : dict of str to KineticTransitionNetwork
        The connected parts.
    table : dict of str to dict of str to float
        Measure, then name of the landscape; NaN where it is not known or has no meaning.
    notes : list of str
        Measures that are missing or have no meaning, and why; sizes of samples.

    Raises
    ------
    ValueError, OSError
        If there is nothing to compare, a network has no minima or no transition state that joins two, or a store
        cannot be read; the network is named.

    Examples
    --------
    >>> from thalweg.analysis import Comparison, KineticTransitionNetwork
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> Comparison({"made up": network}).table["band"]["made up"]
    1.0
    """

    def __init__(self, landscapes: Mapping[str, Source], *, sample: int = 100, seed: int = 0):
        if not isinstance(landscapes, Mapping) or not landscapes:
            raise ValueError("landscapes must map names to networks or paths, at least one")
        if isinstance(sample, bool) or not isinstance(sample, (int, np.integer)) or sample < 1:
            raise ValueError(f"sample is {sample!r}; a number of pairs, at least 1, is needed")
        seed = whole_number("seed", seed)
        self.names = [str(name) for name in landscapes]
        self.notes: list[str] = []
        self.networks: dict[str, KineticTransitionNetwork] = {}
        self.table: dict[str, dict[str, float]] = {}
        for name, source in zip(self.names, landscapes.values(), strict=True):
            for measure, value in self._measures(name, source, Sample(int(sample), seed)).items():
                self.table.setdefault(measure, {})[name] = value

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.names)}: {len(self.table)} measures>"

    def _measures(self, name: str, source: Source, sample: Sample) -> dict[str, float]:
        """Return all measures of one landscape, in the order of the table."""
        whole = source if isinstance(source, KineticTransitionNetwork) else read_network(Path(source))
        if not whole.n_minima:
            raise ValueError(f"{name} has no minima: there is nothing to compare")
        network = connected_part(whole)
        if not network.n_transition_states:
            raise ValueError(f"{name} has no transition state that joins its lowest minimum with another: find some")
        self.networks[name] = network
        if network.n_minima > sample.minima:
            self.notes.append(f"{name}: clustering and steps are means over {sample.minima} minima")
        measures = {
            **_counts(whole, network),
            **energy_measures(network),
            **funnel_measures(network),
            **self._thermal(name, network),
            **curvature_measures(network),
            **self._lengths(name, source, whole, sample),
            **graph_measures(network, sample.minima, sample.seed),
        }
        self.notes += [f"{name}: {why}" for why in _without_meaning(network, measures)]
        return measures

    def _thermal(self, name: str, network: KineticTransitionNetwork) -> dict[str, float]:
        """Return the temperature of half occupation and frustration; a note where log products are missing."""
        result = {"temperature of half occupation / band": np.nan, "frustration at half occupation": np.nan}
        try:
            half = half_temperature(network)
        except ValueError as error:
            self.notes.append(f"{name}: no thermodynamics: {error}")
        else:
            if np.isfinite(half):
                result = dict(zip(result, (half / band(network), frustration(network, half)), strict=True))
            else:
                self.notes.append(f"{name}: no temperature of half occupation lies between 1e-4 and 10 bands")
        return result | {"frustration, equal weights": frustration(network)}

    def _lengths(self, name: str, source: Source, whole: KineticTransitionNetwork, sample: Sample) -> dict[str, float]:
        """Return path lengths and distances, and their ratio."""
        result = length_measures(self.networks[name])
        if isinstance(source, KineticTransitionNetwork) or is_pathsample(Path(source)):
            found = dict.fromkeys(("distance of joined minima", "distance of random minima"), float("nan"))
        else:
            found = distance_measures(source, whole, sample.pairs, sample.seed)
            self.notes.append(f"{name}: distances are medians over at most {sample.pairs} pairs")
            if np.isnan(result["path length"]):
                result["path length"] = followed_lengths(source, whole, min(_FOLLOWED, sample.pairs), sample.seed)
                self.notes.append(f"{name}: the path length is a median over at most {_FOLLOWED} paths, followed now")
        result |= found
        far = found["distance of random minima"]
        ratio = result["path length"] / far if far else float("nan")
        return result | {"path length / distance of random minima": ratio}

    def rows(self) -> list[list[str]]:
        """Return the table as text, the names first; "-" where a measure is not known or has no meaning."""
        body = [[measure, *(_text(values[name]) for name in self.names)] for measure, values in self.table.items()]
        return [["", *map(printable, self.names)], *body]

    def to_text(self, width: int | None = None) -> str:
        """Return the table in columns, and the notes.

        Parameters
        ----------
        width : int, optional
            Characters in a line: landscapes that have no room beside the others stand below them. By default all
            stand side by side.
        """
        rows = self.rows()
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        if width is not None and sum(widths) + 2 * (len(widths) - 1) > width and len(widths) > 2:
            return self._below_each_other(rows, widths, width)
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        return "\n".join([line.rstrip() for line in lines] + (["", *map(printable, self.notes)] if self.notes else []))

    def _below_each_other(self, rows: list[list[str]], widths: list[int], width: int) -> str:
        """Return several tables, each of as many landscapes as there is room for."""
        blocks: list[list[int]] = [[]]
        for k in range(1, len(widths)):
            if blocks[-1] and widths[0] + sum(widths[j] + 2 for j in [*blocks[-1], k]) > width:
                blocks.append([])
            blocks[-1].append(k)
        parts = []
        for block in blocks:
            lines = ["  ".join([row[0].ljust(widths[0]), *(row[k].rjust(widths[k]) for k in block)]) for row in rows]
            parts.append("\n".join(line.rstrip() for line in lines))
        return "\n\n".join([*parts, *(["\n".join(map(printable, self.notes))] if self.notes else [])])

    def to_markdown(self) -> str:
        """Return the table in Markdown, and the notes."""
        cells = [[cell.replace("|", r"\|") for cell in row] for row in self.rows()]
        head, *body = [f"| {' | '.join(row)} |" for row in cells]
        line = "|" + "|".join([" --- ", *[" ---: "] * len(self.names)]) + "|"
        return "\n".join(
            [head, line, *body] + ([""] + [f"- {printable(note)}" for note in self.notes] if self.notes else [])
        )

    def to_csv(self) -> str:
        """Return the table as comma-separated values with all digits; empty where a measure is NaN."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["measure", *map(cell, self.names)])
        for measure, values in self.table.items():
            writer.writerow([measure, *("" if np.isnan(values[n]) else repr(float(values[n])) for n in self.names)])
        return out.getvalue()

    def plot(self) -> Figure:
        """Return a matplotlib figure: graphs side by side; barriers, curvatures, heat capacities and degrees below."""
        from thalweg.analysis.comparison.figure import comparison_figure

        return comparison_figure(self.networks, {name: int(count) for name, count in self.table["minima"].items()})

    def save(self, path: str | os.PathLike[str], dpi: float = 150, metadata: dict[str, str] | None = None) -> None:
        """Draw the figure into a file, PNG, PDF or SVG by its ending; ``metadata`` as for ``savefig``."""
        save_figure(self.plot(), path, dpi=positive_number("dpi", dpi), metadata=metadata)


def _counts(whole: KineticTransitionNetwork, network: KineticTransitionNetwork) -> dict[str, float]:
    modes = network.modes
    return {
        "minima": float(whole.n_minima),
        "transition states": float(whole.n_transition_states),
        "transition states / minima": whole.n_transition_states / whole.n_minima,
        "components": float(whole.n_components),
        "connected minima": float(network.n_minima),
        "vibrational modes": float("nan") if modes is None else float(modes[network.global_minimum]),
    }


def _without_meaning(network: KineticTransitionNetwork, measures: Mapping[str, float]) -> list[str]:
    """Say which measures have no meaning for a connected network, and why."""
    reasons = []
    if measures["funnels"] == 1:
        reasons.append("there is only one funnel, so depths of funnels have no meaning")
    if network.n_minima == 2:
        reasons.append("there are only two minima, so steps have no random graph to be compared with")
    if np.ptp(network.degree) == 0:
        reasons.append("all minima have the same degree, so assortativity has no meaning")
    return reasons


def _text(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"
