"""The datasets D1, D2 and D3: random geometries of three atoms, labelled by the LJAT3 minimum they relax to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from thalweg.datasets.cache import cache_folder, load_cached, store_cached
from thalweg.datasets.labelled_data import Dataset
from thalweg.optimizers import ORIGINAL_RULES, Rules, minimise
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.lazy import public
from thalweg.potentials.threads import thread_count

__all__ = ["BOXES", "ELSEWHERE", "Labelling", "ljat3_labels", "ljat3_outcomes"]

BOXES = {"D1": 2 * 3**0.5, "D2": 1.385, "D3": 2 * 2**0.5}
"""Side of the cube in which the atoms start, in sigma."""

DISTANCES = ("r12", "r13", "r23")
ELSEWHERE = "ended elsewhere"
"""Reason of failure for starts that converged, but to none of the four minima."""

Z = 2.0
RMS = 1e-10
STEPS = 10_000
# Energy and shortest distance of the two minima; each is the minimum of a function of one distance.
TRIANGLE = (-2.185098840268772, 1.16875231736338)
LINE = (-2.219098169600678, 1.10876289419415)
# At rms 1e-10 energies are exact and distances good to 1e-9; another stationary point is 0.01 away at least.
TOLERANCE = 1e-5
VERSION = 1
_BLOCK = 50_000


@public("thalweg.datasets")
@dataclass(frozen=True)
class Labelling:
    """Labels of starting geometries, with the details of their minimisation.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        0 for the triangle, 1, 2 or 3 for the line with that atom in the centre, -1 for a search that failed or
        converged to none of these.
    steps : ndarray of int64, shape (n,)
        Number of accepted LBFGS steps.
    energies : ndarray, shape (n,)
        Final energies, in epsilon.
    failures : dict of str to int
        Number of labels -1, by reason.

    Examples
    --------
    >>> from thalweg.datasets import ljat3_labels
    >>> starts = [[[0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [0.5, 0.9, 0.0]]]
    >>> labelling = ljat3_labels(starts, return_details=True)
    >>> labelling.labels, labelling.energies.round(6), labelling.failures
    (array([0]), array([-2.185099]), {})
    """

    labels: NDArray[np.int64]
    steps: NDArray[np.int64]
    energies: NDArray[np.float64]
    failures: dict[str, int]


@overload
def ljat3_labels(
    starts: ArrayLike, threads: int | None = ..., return_details: Literal[False] = ..., rules: Rules = ...
) -> NDArray[np.int64]: ...


@overload
def ljat3_labels(
    starts: ArrayLike, threads: int | None = ..., *, return_details: Literal[True], rules: Rules = ...
) -> Labelling: ...


def ljat3_labels(
    starts: ArrayLike, threads: int | None = None, return_details: bool = False, rules: Rules = ORIGINAL_RULES
) -> NDArray[np.int64] | Labelling:
    """Label geometries of three atoms by the minimum of LJAT3 (Z = 2) that LBFGS relaxes them to.

    The labels depend on the step rules; the default ones are those of the original programs.

    Parameters
    ----------
    starts : array_like, shape (n, 3, 3)
        Positions of the three atoms, in sigma.
    threads : int, optional
        Number of threads; all processors by default. The labels do not depend on it.
    return_details : bool
        Whether to return steps, energies and reasons of failure as well.
    rules : Rules
        Step rules of LBFGS.

    Returns
    -------
    ndarray of int64, shape (n,), or Labelling
        0 for the triangle, 1, 2 or 3 for the line with that atom (counted from 1) in the centre, -1 for a failed
        search.

    Raises
    ------
    ValueError
        If starts have another shape, or numbers that are not finite.

    References
    ----------
    S. R. Chitturi et al., Mach. Learn.: Sci. Technol. 1 (2020) 023002, section 4.

    Examples
    --------
    >>> from thalweg.datasets import ljat3_labels
    >>> triangle = [[0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [0.5, 0.9, 0.0]]
    >>> line = [[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [2.2, 0.0, 0.0]]
    >>> ljat3_labels([triangle, line])
    array([0, 2])
    """
    starts = np.asarray(starts, dtype=np.float64)
    if starts.ndim != 3 or starts.shape[1:] != (3, 3):
        raise ValueError(f"starts must have shape (n, 3, 3): three atoms, three coordinates; it is {starts.shape}")
    if not np.isfinite(starts).all():
        raise ValueError("starts must be finite; they have NaN or infinite coordinates")
    found = _minimised(starts, threads, rules)
    return found if return_details else found.labels


def _minimised(starts: np.ndarray, threads: int | None, rules: Rules = ORIGINAL_RULES) -> Labelling:
    """Minimise geometries (n, 3, 3) and label each by the minimum reached, or by the reason of failure."""
    system = as_system(Atoms("Ar3", positions=[[0, 0, 0], [1, 0, 0], [0, 1, 0]], calculator=LJAT(Z=Z)))
    result = minimise(system, starts.reshape(-1, 9), rms=RMS, rules=rules, steps=STEPS, threads=threads)
    converged = np.asarray(result.converged, dtype=bool)
    labels = np.where(converged, _outcomes(result.x.reshape(-1, 3, 3), result.energy), -1)
    reasons = np.where(converged, ELSEWHERE, np.asarray(result.reason, dtype=str))[labels < 0]
    names, counts = np.unique(reasons, return_counts=True)
    failures = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return Labelling(labels, np.asarray(result.steps, dtype=np.int64), result.energy.copy(), failures)


def ljat3_outcomes(
    box: str = "D1",
    size: int = 200_000,
    seed: int = 0,
    inputs: Iterable[str] = ("r12", "r13"),
    threads: int | None = None,
    cache: str | os.PathLike[str] | bool | None = None,
) -> Dataset:
    """Make one of the paper's datasets: random geometries of three atoms, labelled by the minimum they relax to.

    Starts are drawn one after the other until ``size`` of them have a label; those whose minimisation failed or
    converged to another point are left out and counted in ``failures``. A smaller set is therefore the beginning of
    a larger one. The result does not depend on the number of threads. It is made once and kept on disk.

    Parameters
    ----------
    box : {"D1", "D2", "D3"}
        Cube in which the three atoms start, of side 2 sqrt(3), 1.385 or 2 sqrt(2) sigma.
    size : int
        Number of labelled points.
    seed : int
        Seed of the starts.
    inputs : iterable of str
        Distances of the STARTING geometry that the network sees, of r12, r13, r23, in the order given.
    threads : int, optional
        Number of threads; all processors by default.
    cache : path or bool, optional
        Folder in which the data are kept; None for the usual one ($THALWEG_CACHE or the system's), False for none.

    Returns
    -------
    Dataset
        Inputs (size, len(inputs)) in sigma; four classes: 0 for the triangle, 1, 2 or 3 for the line with that atom
        in the centre.

    Raises
    ------
    ValueError
        For an unknown box or distance, or a size or seed that is no whole number in range.

    Examples
    --------
    >>> from thalweg.datasets import ljat3_outcomes
    >>> ljat3_outcomes("D1", size=20, seed=0, cache=False)
    Dataset(D1: 20 points, 2 inputs, 4 classes, 0 mislabelled)
    """
    if box not in BOXES:
        raise ValueError(f"box must be one of {', '.join(BOXES)}; it is {box!r}")
    for name, value, least in (("size", size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be a whole number, at least {least}; it is {value!r}")
    thread_count("threads", threads)
    columns = _columns(inputs)
    identity = _identity(box, int(size), int(seed))
    folder = cache_folder(cache)
    arrays = load_cached(folder, identity)
    if arrays is None:
        arrays = _draw_labelled(box, int(size), int(seed), threads)
        store_cached(folder, identity, arrays)
    failures = dict(zip(arrays["reasons"].tolist(), arrays["counts"].tolist(), strict=True))
    chosen = np.ascontiguousarray(arrays["distances"][:, columns])
    identity["inputs"] = [DISTANCES[column] for column in columns]
    return Dataset(chosen, arrays["labels"].astype(np.int64), n_classes=4, identity=identity, failures=failures)


def _columns(inputs: Iterable[str]) -> list[int]:
    """Return the columns of the chosen inputs among the distances."""
    names = [inputs] if isinstance(inputs, str) else list(inputs)
    if not names or len(set(names)) != len(names) or not set(names) <= set(DISTANCES):
        raise ValueError(f"inputs must be different ones of {', '.join(DISTANCES)}; they are {names}")
    return [DISTANCES.index(name) for name in names]


def _identity(box: str, size: int, seed: int) -> dict[str, Any]:
    """Return everything that the labelled starts depend on."""
    search = {"Z": Z, "rms": RMS, "steps": STEPS, "rules": ORIGINAL_RULES.to_dict()}
    draw = {"side": BOXES[box], "size": size, "seed": seed, "generator": "PCG64"}
    return {"name": box, **draw, **search, "version": VERSION}


def _draw_labelled(box: str, size: int, seed: int, threads: int | None) -> dict[str, np.ndarray]:
    """Draw starts until ``size`` of them have a label; return distances, labels, and failures by reason."""
    rng = np.random.Generator(np.random.PCG64([seed, list(BOXES).index(box)]))
    distances, labels, failures = [], [], dict[str, int]()
    missing = size
    while missing:
        # At most what is missing, so that failures beyond the last labelled start are not counted.
        starts = BOXES[box] * rng.random((min(missing, _BLOCK), 3, 3))
        found = _minimised(starts, threads)
        good = found.labels >= 0
        distances.append(_distances(starts)[good])
        labels.append(found.labels[good].astype(np.int8))
        for reason, count in found.failures.items():
            failures[reason] = failures.get(reason, 0) + count
        missing -= int(good.sum())
    reasons, counts = list(failures), list(failures.values())
    return {
        "distances": np.concatenate(distances),
        "labels": np.concatenate(labels),
        "reasons": np.array(reasons, dtype=str),
        "counts": np.array(counts, dtype=np.int64),
    }


def _distances(positions: np.ndarray) -> np.ndarray:
    """Return r12, r13, r23 of geometries (n, 3, 3), shape (n, 3)."""
    differences = positions[:, [0, 0, 1]] - positions[:, [1, 2, 2]]
    return np.sqrt((differences**2).sum(axis=2))


def _outcomes(positions: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Return the minimum of each geometry (n, 3, 3), recognised by energy and all three distances; -1 for none."""
    r = _distances(positions)
    ends = np.sort(r, axis=1)
    labels = np.full(len(r), -1, dtype=np.int64)
    triangle = _near(energies, TRIANGLE[0]) & _near(ends, TRIANGLE[1]).all(axis=1)
    line = _near(energies, LINE[0]) & _near(ends, LINE[1] * np.array([1.0, 1.0, 2.0])).all(axis=1)
    labels[triangle] = 0
    # The longest of r12, r13, r23 faces atom 3, 2, 1: that one is in the centre.
    labels[line] = 3 - np.argmax(r[line], axis=1)
    return labels


def _near(values: np.ndarray, reference: float | np.ndarray) -> np.ndarray:
    return np.abs(values - reference) < TOLERANCE
