"""What a page shows of one landscape, as plain JSON: its graph at once, columns, points and paths when asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.networks.network_reader import is_pathsample
from thalweg.analysis.view.encoding import Json, packed, plain_value
from thalweg.analysis.view.paths import animated_path, stationary_path
from thalweg.analysis.view.points import point_details
from thalweg.analysis.view.shapes import kind_of, subject_summary
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["KINDS", "ViewedLandscape"]


KINDS = ("minima", "states")
"""Minima, and transition states."""

TIMES_FOUND = "times found"
"""Column of how often searches have ended at a point."""


class _Column(NamedTuple):
    """Numbers of all points, and the Python expression that colours a graph by them."""

    values: NDArray[Any]
    python: str = ""


class ViewedLandscape:
    """A landscape, or a network without structures, as a page asks for it.

    Parameters
    ----------
    source : path, Landscape or KineticTransitionNetwork
        A store, or a folder with PATHSAMPLE's files; what is committed counts.
    name : str, optional
        Name over the graph; that of the store by default.
    trust : bool
        Whether a store's own calculator may be run for spectra and paths, see `Landscape.open`.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or has no minima.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> from thalweg.analysis.view.viewed_landscape import ViewedLandscape
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> seen = ViewedLandscape(network, name="three wells").summary()
    >>> seen["name"], seen["minima"], seen["forest"]["state"]["type"]
    ('three wells', 3, 'i4')
    """

    def __init__(self, source: Any, *, name: str | None = None, trust: bool = False) -> None:
        self.landscape: Landscape | None = None
        self._source, self._trust = source, trust
        if isinstance(source, KineticTransitionNetwork):
            own = "network"
        elif isinstance(source, str | os.PathLike) and is_pathsample(Path(source)):
            own = Path(source).name
        else:
            self.landscape = _opened(source, trust)
            own = self.landscape.path.name.removesuffix(".zarr")
        self.name = printable(own if name is None else name)
        self._read()

    def again(self) -> ViewedLandscape:
        """Return the same, read again, for a second thread: threads share neither stores nor calculators."""
        source = self._source if self.landscape is None else self.landscape.path
        return ViewedLandscape(source, name=self.name, trust=self._trust)

    def _read(self) -> None:
        if self.landscape is not None:
            self.version = self._committed()
            self.network = KineticTransitionNetwork.read(self.landscape)
        elif isinstance(self._source, KineticTransitionNetwork):
            self.network, self.version = self._source, [0]
        else:
            self.network, self.version = KineticTransitionNetwork.from_pathsample(self._source), [0]
        if not self.network.n_minima:
            raise ValueError(f"{self.name} has no minima yet: there is nothing to show")

    @property
    def kind(self) -> str:
        """What the points are: "atoms", "network", "points", or "none" where there are no coordinates."""
        return "none" if self.landscape is None else kind_of(self.landscape)

    def _committed(self) -> list[int]:
        """Return numbers that change with every commit that a page shows."""
        landscape = cast("Landscape", self.landscape)
        sizes = (landscape.minima, landscape.transition_states, landscape.searches, landscape.properties)
        return [len(part) for part in sizes]

    def refresh(self) -> bool:
        """Read the last commit of a store that may grow; return whether anything came."""
        if self.landscape is None:
            return False
        self.landscape.refresh()
        if self._committed() == self.version:
            return False
        self._read()
        return True

    def summary(self) -> dict[str, Json]:
        """Return what the graph needs: energies, the spanning forest, names of columns, and what the points are."""
        network = self.network
        forest = network.spanning_forest
        first, second = network.ts_minima[forest].T
        subject: dict[str, Json] = {"kind": "none"} if self.landscape is None else subject_summary(self.landscape)
        units = printable(network.units)
        energy = "loss" if subject["kind"] == "network" else "energy" if units == "reduced" else f"energy / {units}"
        return {
            "name": self.name,
            "source": self._python_source(),
            "python": self._python_colours(),
            "energyLabel": energy,
            "version": list(self.version),
            "minima": network.n_minima,
            "states": network.n_transition_states,
            "energy": packed(network.energies, "f8"),
            "forest": {
                "first": packed(first, "i4"),
                "second": packed(second, "i4"),
                "energy": packed(network.joining_energies[forest], "f8"),
                "state": packed(forest, "i4"),
            },
            "columns": {kind: cast("Json", self.columns(kind)) for kind in KINDS},
            **subject,
        }

    def _python_source(self) -> str:
        """Return the expression that reads the network in Python."""
        if isinstance(self._source, KineticTransitionNetwork):
            return "network"
        if self.landscape is not None:
            return f"KineticTransitionNetwork.read({str(self.landscape.path)!r})"
        return f"KineticTransitionNetwork.from_pathsample({os.fspath(self._source)!r})"

    def _python_colours(self) -> dict[str, Json]:
        """Return the expression of each column of minima, which colours a graph in Python."""
        given: dict[str, Json] = {name: column.python for name, column in self._columns("minima").items()}
        if self.landscape is not None:
            given[TIMES_FOUND] = f"Landscape.open({str(self.landscape.path)!r}).minima.times_found()"
        return given

    def columns(self, kind: str) -> list[str]:
        """Return the names of the numbers that every minimum, or every transition state, has."""
        return list(self._columns(kind)) + [TIMES_FOUND] * (self.landscape is not None)

    def column(self, kind: str, name: str) -> dict[str, Json]:
        """Return one of :meth:`columns`.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        if name == TIMES_FOUND and self.landscape is not None:
            return packed(self._times_found(kind), "f8")
        columns = self._columns(kind)
        if name not in columns:
            raise ValueError(f"there is no column {printable(name)!r} of {kind}")
        return packed(columns[name].values, "f8")

    def _times_found(self, kind: str) -> NDArray[np.int64]:
        landscape = cast("Landscape", self.landscape)
        points = landscape.minima if kind == "minima" else landscape.transition_states
        return points.times_found()[: self._length(kind)]

    def _length(self, kind: str) -> int:
        return self.network.n_minima if kind == "minima" else self.network.n_transition_states

    def _columns(self, kind: str) -> dict[str, _Column]:
        """Return the columns that are read already, by name as the page shows it."""
        network = self.network
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; it is one of {', '.join(KINDS)}")
        if kind == "minima":
            found = {"energy": _Column(network.energies, repr("energy"))}
            prefix, properties = "", network.properties
        else:
            ends = {f"minimum {k + 1}": _Column(network.ts_minima[:, k]) for k in (0, 1)}
            found = {"energy": _Column(network.ts_energies), **ends}
            prefix, properties = "ts_", network.ts_properties
        for name in ("log_eigenvalue_product", "modes", "symmetry_order"):
            values = getattr(network, prefix + name)
            if values is not None:
                found[name] = _Column(values, f"network.{prefix}{name}")
        for name, values in properties.items():
            shown = printable(name)
            if values.ndim == 1:
                found.setdefault(shown, _Column(values, repr(name)))
            elif values.ndim == 2 and values.shape[1] <= 3:
                for k in range(values.shape[1]):
                    part = _Column(values[:, k], f"network.{prefix}properties[{name!r}][:, {k}]")
                    found.setdefault(f"{shown} {k + 1}", part)
        return {name: column for name, column in found.items() if column.values.dtype.kind in "fiub"}

    def point(self, kind: str, row: int, *, spectra: bool = True) -> dict[str, Json]:
        """Return everything about one minimum or transition state, its spectrum if wanted.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        if not 0 <= row < self._length(kind):
            raise IndexError(f"row is {row}; there are {self._length(kind)} {kind}, numbered from 0")
        numbers: dict[str, Json] = {
            name: plain_value(column.values[row]) for name, column in self._columns(kind).items()
        }
        if self.landscape is not None:
            numbers[TIMES_FOUND] = int(self._times_found(kind)[row])
        with threadpool_limits(1):  # matrices are small: threads of BLAS would wait for each other
            details = point_details(self.network, self.landscape, kind, row, spectra=spectra)
        return {"kind": kind, "row": row, "numbers": numbers, **details}

    def path(self, first: int, second: int, *, patient: bool = False) -> dict[str, Json]:
        """Return the lowest-barrier path between two minima, for the page to draw and to animate.

        Parameters
        ----------
        first, second : int
            Rows of minima.
        patient : bool
            Whether to compute what takes minutes, see `animated_path`.

        Raises
        ------
        ValueError, IndexError
            If there is no such minimum, or no path joins the two.
        """
        if self.landscape is not None:
            with threadpool_limits(1):
                return animated_path(self.landscape, self.network, first, second, patient=patient)
        return stationary_path(self.network, first, second)


def _opened(source: Any, trust: bool) -> Landscape:
    from thalweg.landscapes import Landscape

    if isinstance(source, Landscape):
        return source
    if not isinstance(source, str | os.PathLike):
        wanted = "the path of a store, a Landscape or a KineticTransitionNetwork is needed"
        raise TypeError(f"source is a {type(source).__name__}; {wanted}")
    return Landscape.open(Path(source), trust=trust)
