"""Verify stored points: compute energies, gradients and eigenvalues again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import null_space
from threadpoolctl import threadpool_limits

from thalweg.landscapes.tolerances import believed
from thalweg.potentials.lazy import public
from thalweg.potentials.threads import thread_count

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.landscapes.tolerances import Tolerances
    from thalweg.potentials.system import System

__all__ = ["Problem", "eigenvalues", "verify"]


@public("thalweg.landscapes")
class Problem(NamedTuple):
    """Stored property of a point that is wrong.

    Attributes
    ----------
    group : str
        ``"minima"``, ``"transition_states"`` or ``"searches"``.
    row : int
        Row of the point; -1 where the problem concerns a whole array.
    message : str
        Description of the problem, with the stored number and the computed one.

    Examples
    --------
    >>> from thalweg.landscapes import Problem
    >>> print(Problem("minima", 3, "energy is -1.0, stored -2.0").message)
    energy is -1.0, stored -2.0
    """

    group: str
    row: int
    message: str


def verify(
    landscape: Landscape,
    minima: Sequence[int] | np.ndarray | None = None,
    transition_states: Sequence[int] | np.ndarray | None = None,
    *,
    workers: int | None = None,
) -> list[Problem]:
    """Compute energies, gradients and Hessian eigenvalues of stored points again, and return the differences.

    Hessians are diagonalised; of more than 500 free coordinates only the two lowest eigenvalues are computed.
    The tolerances are the store's, or the program's own where those are too loose to say anything (docs/store.md).

    Parameters
    ----------
    landscape : Landscape
        Landscape whose system can be built.
    minima, transition_states : sequence of int, optional
        Rows to verify; all by default.
    workers : int, optional
        Threads; all processors where missing. A calculator written in Python runs on one.

    Returns
    -------
    list of Problem
        Problems by group and row; empty where there are none.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, verify
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         progress = landscape.find_minima(steps=10, workers=1)
    ...         verify(landscape, workers=1)
    []
    """
    problems: list[Problem] = []
    threads = thread_count("workers", workers) if landscape.system.threadsafe else 1
    tolerances, noise = believed(landscape.tolerances, landscape.units), _eigenvalue_noise(landscape.system)
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for group, rows, negative in (("minima", minima, 0), ("transition_states", transition_states, 1)):
            points = getattr(landscape, group)
            chosen = np.arange(len(points)) if rows is None else np.asarray(rows, dtype=np.int64)
            for low in range(0, len(chosen), _AT_ONCE):
                here = chosen[low : low + _AT_ONCE]
                # read here, since a store is read by one thread; computed there
                stored = {name: getattr(points, name)[here] for name in _COMPARED}
                each = [{name: values[k] for name, values in stored.items()} for k in range(len(here))]
                check = partial(_wrong, landscape.system, tolerances, negative=negative, noise=noise)
                found = pool.map(lambda one: list(check(one)), each)  # noqa: B023 (used up below)
                for row, messages in zip(here.tolist(), found, strict=True):
                    problems += [Problem(group, row, message) for message in messages]
    return problems


_AT_ONCE = 1024
_LARGE = 0.05  # by which lowest eigenvalues of large systems may differ: each is right to the residual of its proof
_COMPARED = ("energy", "coordinates", "lowest_eigenvalue", "log_eigenvalue_product", "modes")


def _wrong(
    system: System, tolerances: Tolerances, stored: dict[str, Any], negative: int, noise: float
) -> Iterator[str]:
    x = stored["coordinates"]
    try:
        energy, gradient = system.energy_gradient(x)
        spectrum, large = _spectrum(system, x, negative)
    except Exception as error:  # a calculator may raise anything, of points and parameters that somebody has written
        yield f"it cannot be computed: {type(error).__name__}: {error}"
        return
    rms = float(np.sqrt(gradient @ gradient / max(system.free.size, 1)))
    if not spectrum.size:
        yield "it has no coordinate that is free"
        return
    below = spectrum < -tolerances.eigenvalue
    if not abs(energy - stored["energy"]) <= tolerances.energy:
        yield f"energy is {energy}, stored {stored['energy']}"
    if not rms <= tolerances.gradient_rms:
        yield f"gradient_rms is {rms}, at most {tolerances.gradient_rms} is allowed"
    if below.sum() != negative:
        yield f"{below.sum()} eigenvalues are negative, not {negative}: the lowest is {spectrum[0]}"
        return
    scale = np.abs(spectrum).max()
    if not abs(spectrum[0] - stored["lowest_eigenvalue"]) <= (_LARGE if large else 1e-6) * scale + noise:
        yield f"lowest_eigenvalue is {spectrum[0]}, stored {stored['lowest_eigenvalue']}"
    if large:
        return  # of so many eigenvalues nobody knows the product
    product = float(np.log(spectrum[spectrum > 0]).sum())
    if (spectrum > 0).sum() != stored["modes"]:
        yield f"modes is {(spectrum > 0).sum()}, stored {stored['modes']}"
    elif not abs(product - stored["log_eigenvalue_product"]) <= 1e-4 * max(1.0, abs(product)) + _product_noise(
        spectrum, noise
    ):
        yield f"log_eigenvalue_product is {product}, stored {stored['log_eigenvalue_product']}"


def _eigenvalue_noise(system: System) -> float:
    """Return by how much noise of a calculator may change an eigenvalue of a Hessian of differences.

    It is 0 without any, and where it cannot be measured.

    An entry deviates by the noise of a gradient over sqrt(2) steps, and by 1/sqrt(2) of that once it is made symmetric;
    the difference of two such matrices has a largest eigenvalue of 2 sqrt(n) times the first of these. Twice as much is
    allowed, since noise is measured at one geometry. It is measured here: that of a store is not believed where it is
    more.
    """
    if system.units != "eV":
        return 0.0
    from thalweg.potentials.noise import measured_noise

    try:
        noise = min(system.noise.gradient, measured_noise(system.energy_gradient, system.x, system.free).gradient)
    except Exception:  # a calculator may raise anything, of a geometry that somebody has written
        return 0.0
    deviation = noise / (np.sqrt(2) * system.noise.difference_step)
    return float(4.0 * np.sqrt(system.n_free) * deviation)


def _product_noise(spectrum: np.ndarray, noise: float) -> float:
    """Return by how much noise of eigenvalues may change the sum of the logarithms of the positive ones."""
    return float(noise * np.sqrt((1.0 / spectrum[spectrum > 0] ** 2).sum()))


def _spectrum(system: System, x: np.ndarray, negative: int) -> tuple[np.ndarray, bool]:
    """Return the eigenvalues, of a system too large for a Hessian the lowest one or two, and whether it is."""
    # imported where needed: who only looks into a store need not wait for numba
    from thalweg.optimizers.krylov.curvature import Curvature
    from thalweg.optimizers.krylov.merged_networks import lowest_by_copies
    from thalweg.optimizers.krylov.proof import prove
    from thalweg.optimizers.krylov.rotated_networks import rotated, rotated_proof
    from thalweg.optimizers.large_systems import LARGEST_MATRIX

    if system.n_free > LARGEST_MATRIX:
        lowest = lowest_by_copies(system, x, 2)
        if lowest is not None:
            return lowest, True
        if (network := rotated(system)) is not None:
            return rotated_proof(network, x, negative + 1).values, True
        return prove(system, Curvature(system, x), x, 2).values, True
    return eigenvalues(system, x), False


def eigenvalues(system: System, x: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the Hessian over the free degrees of freedom, without the null modes, ascending."""
    from thalweg.optimizers.quasi_newton.searches import needs_differences
    from thalweg.optimizers.quasi_newton.spectrum import spectrum_at
    from thalweg.optimizers.quasi_newton.surface import Surface

    if needs_differences(system):
        surface = Surface(system)
        values = spectrum_at(surface, x, surface(x)[1]).values
        system.reraise()
        return values
    hessian = system.hessian(x)[np.ix_(system.free, system.free)]
    null = system.null_modes(x)[:, system.free]
    if len(null):
        basis = null_space(null)
        hessian = basis.T @ hessian @ basis
    return np.linalg.eigvalsh(hessian)
