"""Computing again what a landscape says of its points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import null_space

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["Problem", "verify"]


class Problem(NamedTuple):
    """Something that a landscape says of a point and that is not so.

    Attributes
    ----------
    group : str
        ``"minima"`` or ``"transition_states"``.
    row : int
        Which.
    message : str
        What is wrong, with both numbers.
    """

    group: str
    row: int
    message: str


def verify(
    landscape: Landscape, minima: Sequence[int] | None = None, transition_states: Sequence[int] | None = None
) -> list[Problem]:
    """Compute energies, gradients and Hessian eigenvalues again, by full diagonalisation, and return what is wrong.

    Parameters
    ----------
    landscape : Landscape
        Whose system can be built.
    minima, transition_states : sequence of int, optional
        Rows to look at; all by default.

    Returns
    -------
    list of Problem
        Empty where all is well.
    """
    problems: list[Problem] = []
    for group, rows, negative in (("minima", minima, 0), ("transition_states", transition_states, 1)):
        points = getattr(landscape, group)
        for row in range(len(points)) if rows is None else rows:
            stored = {name: getattr(points, name)[row] for name in _COMPARED}
            messages = _wrong(landscape, stored, negative)
            problems += [Problem(group, int(row), message) for message in messages]
    return problems


_COMPARED = ("energy", "coordinates", "lowest_eigenvalue", "log_eigenvalue_product", "modes")


def _wrong(landscape: Landscape, stored: dict[str, Any], negative: int) -> Iterator[str]:
    system, tolerances, x = landscape.system, landscape.tolerances, stored["coordinates"]
    energy, gradient = system.energy_gradient(x)
    rms = float(np.sqrt(gradient @ gradient / system.free.size))
    eigenvalues = _eigenvalues(system, x)
    below = eigenvalues < -tolerances.eigenvalue
    if not abs(energy - stored["energy"]) <= tolerances.energy:
        yield f"energy is {energy}, stored {stored['energy']}"
    if not rms <= tolerances.gradient_rms:
        yield f"gradient_rms is {rms}, at most {tolerances.gradient_rms} is allowed"
    if below.sum() != negative:
        yield f"{below.sum()} eigenvalues are negative, not {negative}: the lowest is {eigenvalues[0]}"
        return
    scale = np.abs(eigenvalues).max()
    if not abs(eigenvalues[0] - stored["lowest_eigenvalue"]) <= 1e-6 * scale:
        yield f"lowest_eigenvalue is {eigenvalues[0]}, stored {stored['lowest_eigenvalue']}"
    product = float(np.log(eigenvalues[eigenvalues > 0]).sum())
    if (eigenvalues > 0).sum() != stored["modes"]:
        yield f"modes is {(eigenvalues > 0).sum()}, stored {stored['modes']}"
    elif not abs(product - stored["log_eigenvalue_product"]) <= 1e-4 * max(1.0, abs(product)):
        yield f"log_eigenvalue_product is {product}, stored {stored['log_eigenvalue_product']}"


def _eigenvalues(system: Any, x: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the Hessian over the free degrees of freedom, without the null modes, ascending."""
    hessian = system.hessian(x)[np.ix_(system.free, system.free)]
    null = system.null_modes(x)[:, system.free]
    if len(null):
        basis = null_space(null)
        hessian = basis.T @ hessian @ basis
    return np.linalg.eigvalsh(hessian)
