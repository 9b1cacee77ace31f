"""Points of a landscape under another calculator: which stay, which become one, which vanish."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.landscapes.errors import RejectedError
from thalweg.landscapes.landscape import Landscape
from thalweg.landscapes.records import Minimum
from thalweg.landscapes.storage.whole_stores import new_store
from thalweg.landscapes.tolerances import Tolerances
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.landscapes.system_loading import CalculatorLike
    from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
    from thalweg.potentials.system import System

__all__ = ["Reconvergence", "reconverge"]

_TO_BE_SAFE = 0.1  # of the largest rms gradient of a stored point: how far searches converge
_SHOWN = 20


@public("thalweg.landscapes")
@dataclass(frozen=True, eq=False)
class Reconvergence:
    """What has become of the points of a landscape under another calculator.

    Attributes
    ----------
    minima : (m,) int64 ndarray
        For each old minimum the row of the new one into which it relaxed; -1 where it vanished.
    transition_states : (t,) int64 ndarray
        The same of transition states.
    lost_minima, lost_transition_states : dict of int to str
        Why an old minimum, or transition state, vanished.
    rejoined : (k,) int64 ndarray
        Old transition states that are there, but join other minima than those into which their own have relaxed.
    added : (k,) int64 ndarray
        New minima into which no old one has relaxed: transition states lead to them.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.landscapes import Reconvergence
    >>> result = Reconvergence(
    ...     np.array([0, 1, 0, -1]), np.array([0]), {3: "not converged"}, {}, np.array([], int), np.array([], int)
    ... )
    >>> result.merged
    {0: [0, 2]}
    >>> print(result.to_text().splitlines()[0])
    4 minima: 2 stay, 1 becomes one with another, 1 vanishes
    """

    minima: NDArray[np.int64]
    transition_states: NDArray[np.int64]
    lost_minima: dict[int, str]
    lost_transition_states: dict[int, str]
    rejoined: NDArray[np.int64]
    added: NDArray[np.int64]

    @property
    def merged(self) -> dict[int, list[int]]:
        """New minima into which several old ones have relaxed, with the rows of these."""
        return _several(self.minima)

    @property
    def merged_transition_states(self) -> dict[int, list[int]]:
        """New transition states that several old ones have become, with the rows of these."""
        return _several(self.transition_states)

    def __repr__(self) -> str:
        return f"<Reconvergence: {'; '.join(self.to_text().splitlines()[:2])}>"

    def to_text(self) -> str:
        """Return a summary, and what has merged or vanished, one line each."""
        lines = [_counts("minima", self.minima), _counts("transition states", self.transition_states)]
        if len(self.rejoined):
            lines.append(f"{len(self.rejoined)} transition states join other minima: {_rows(self.rejoined)}")
        if len(self.added):
            lines.append(f"{len(self.added)} minima are new, at the ends of paths: {_rows(self.added)}")
        for what, merged in (("minima", self.merged), ("transition states", self.merged_transition_states)):
            lines += _short([f"{what} {_rows(old)} are now {what} {new}" for new, old in merged.items()])
        for what, lost in (("minimum", self.lost_minima), ("transition state", self.lost_transition_states)):
            lines += _short([f"{what} {row}: {printable(why)}" for row, why in lost.items()])
        return "\n".join(lines)


def _several(new: NDArray[np.int64]) -> dict[int, list[int]]:
    rows, counts = np.unique(new[new >= 0], return_counts=True)
    return {int(row): np.flatnonzero(new == row).tolist() for row in rows[counts > 1]}


def _counts(what: str, new: NDArray[np.int64]) -> str:
    stay, kept = len(np.unique(new[new >= 0])), int((new >= 0).sum())
    ones, lost = kept - stay, len(new) - kept
    parts = [f"{stay} stay{'s' if stay == 1 else ''}"]
    parts.append(f"{ones} become{'s' if ones == 1 else ''} one with another")
    parts.append(f"{lost} vanish{'es' if lost == 1 else ''}")
    name = what if len(new) != 1 else "minimum" if what == "minima" else what.removesuffix("s")
    return f"{len(new)} {name}: {', '.join(parts)}"


def _rows(rows: Sequence[int] | NDArray[np.int64]) -> str:
    shown = ", ".join(str(int(row)) for row in rows[:_SHOWN])
    return shown if len(rows) <= _SHOWN else f"{shown} and {len(rows) - _SHOWN} more"


def _short(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"... and {len(lines) - _SHOWN} more"]


def reconverge(
    landscape: Landscape,
    calculator: CalculatorLike,
    output: str | os.PathLike[str],
    *,
    tolerances: Tolerances | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Reconvergence:
    """Converge the points of a landscape under another calculator, such as those of a tight-binding method by DFT.

    Each minimum is minimised, each transition state is searched from where it was, and both of its sides are followed.
    What is found goes into a new store, in which no point is twice.

    Parameters
    ----------
    landscape : Landscape
        The points; its own calculator is not needed.
    calculator : ASE calculator, FlatCalculator or callable
        The other one.
    output : path
        Path of the new store, which appears there whole or not at all. It keeps what counts as the same, the seed, the
        structure and the bounds.
    tolerances : Tolerances, optional
        Of the new store; by the noise of the calculator where missing.
    progress : callable, optional
        Called with the number of points that are done, and the number of all.

    Returns
    -------
    Reconvergence
        Which points stay, which have become one, and which vanish, with the reasons: also of those for which the
        calculator raised an exception.

    Raises
    ------
    StoreError, OSError
        If something is at ``output``, or it cannot be written.
    ValueError
        If no minimum at all converges: no store is made.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from ase.calculators.lj import LennardJones
    >>> from ase.calculators.morse import MorsePotential
    >>> from thalweg.landscapes import Landscape, reconverge
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 1, 0]], calculator=LennardJones(rc=20))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(atoms, f"{folder}/lj3.zarr", seed=0) as landscape:
    ...         _ = landscape.find_minima(steps=2, workers=1)
    ...         result = reconverge(landscape, MorsePotential(epsilon=1, r0=1, rho0=6), f"{folder}/morse3.zarr")
    >>> result.minima.tolist(), result.merged, result.lost_minima
    ([0], {}, {})
    """
    system = _with_calculator(landscape, calculator)
    with new_store(Path(output)) as place, Landscape(system, place, landscape.seed, tolerances=tolerances) as new:
        work = _Work(landscape, new, progress)
        minima, lost = work.minima()
        if not len(new.minima):
            first = next(iter(lost.values()), "there is none")
            raise ValueError(f"none of the {len(minima)} minima of {landscape.path} converges; the first: {first}")
        relaxed = len(new.minima)
        states, lost_states, rejoined = work.transition_states(minima)
        new.commit()
        return Reconvergence(
            minima, states, lost, lost_states, rejoined, np.arange(relaxed, len(new.minima), dtype=np.int64)
        )


def _with_calculator(landscape: Landscape, calculator: CalculatorLike) -> System:
    """Return the system of a landscape with another calculator, and what counts as the same there."""
    from thalweg.landscapes.system_loading import stored_system
    from thalweg.potentials.system import System as MakeSystem

    description = {**landscape._store.description()}
    system = stored_system(landscape.path, description, calculator=calculator)
    options: dict[str, Any] = system.symmetry_options()
    options.pop("rigid", None)  # which motions leave the energy unchanged is the calculator's matter
    return MakeSystem(system.subject(), bounds=system.bounds, **options)


class _Work:
    """Searches of a reconvergence, and the store into which they put what they find."""

    def __init__(self, old: Landscape, new: Landscape, progress: Callable[[int, int], object] | None) -> None:
        from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
        from thalweg.optimizers.quasi_newton.searches import needs_differences

        self.old, self.new, self.progress, self.done = old, new, progress, 0
        self.rms = max(_TO_BE_SAFE * new.tolerances.gradient_rms, 1e-12)
        self.known: KnownPoints | None = None
        if needs_differences(new.system):
            self.known = KnownPoints(new.system, distance=new.tolerances.distance, whole=True)

    def _count(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, len(self.old.minima) + len(self.old.transition_states))

    def minima(self) -> tuple[NDArray[np.int64], dict[int, str]]:
        """Minimise from every old minimum; return new rows, and why some have none."""
        rows, lost = np.full(len(self.old.minima), -1, dtype=np.int64), {}
        for row in range(len(rows)):
            try:
                rows[row] = self.new.add_minimum(self._minimum(self.old.minima.coordinates[row]))
            except Exception as error:  # a calculator may raise anything; the other points go on
                lost[row] = _reason(error)
            self._count()
        return rows, lost

    def _minimum(self, x: np.ndarray) -> Minimum:
        from thalweg.landscapes.vibrations.found_points import frequencies_at
        from thalweg.optimizers import minimise

        system = self.new.system
        found = minimise(system, x, rms=self.rms, second_order=True, threads=1, known_points=self.known)
        if not found.converged[0]:
            raise _NotFound(found.reason[0])
        lowest, product, modes = found.lowest_eigenvalue, found.log_eigenvalue_product, found.modes
        assert lowest is not None
        assert product is not None
        assert modes is not None
        return Minimum(
            float(found.energy[0]), found.x[0], float(found.rms[0]), float(lowest[0]), float(product[0]),
            int(modes[0]), frequencies=frequencies_at(system, found.x[0], self.known),
        )  # fmt: skip

    def transition_states(
        self, minima: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], dict[int, str], NDArray[np.int64]]:
        """Search from every old transition state; return new rows, why some have none, and which join others."""
        states = self.old.transition_states
        rows, lost, rejoined = np.full(len(states), -1, dtype=np.int64), {}, []
        for row in range(len(rows)):
            try:
                rows[row] = self._transition_state(states.coordinates[row])
                ends = self.new.transition_states.minima[int(rows[row])].tolist()
                if sorted(ends) != sorted(minima[states.minima[row]].tolist()):
                    rejoined.append(row)
            except Exception as error:
                lost[row] = _reason(error)
            self._count()
        return rows, lost, np.array(rejoined, dtype=np.int64)

    def _transition_state(self, x: np.ndarray) -> int:
        from thalweg.landscapes.exploration.tasks import found_transition_state
        from thalweg.optimizers import find_transition_states

        system = self.new.system
        found = find_transition_states(system, x, rms=self.rms, threads=1, known_points=self.known)
        if not found.converged[0]:
            raise _NotFound(found.reason[0])
        return self.new.add_transition_state(found_transition_state(system, found, 0, self.known))


class _NotFound(Exception):
    """A search that has not converged; its message is the reason."""


def _reason(error: Exception) -> str:
    """Return why a point is not in the new store."""
    if isinstance(error, _NotFound):
        return str(error)
    if isinstance(error, RejectedError):
        return cast(RejectedError, error).reason
    return f"the calculator raised {type(error).__name__}: {error}"
