"""Import stationary points that another program found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.errors import RejectedError
from thalweg.landscapes.maintenance.verify import eigenvalues
from thalweg.landscapes.records import Minimum, TransitionState

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.potentials.system import System

__all__ = ["import_points"]


def import_points(landscape: Landscape, minima: np.ndarray, states: np.ndarray, ends: np.ndarray) -> list[str]:
    """Add stationary points from another program.

    Energies, gradients and Hessians are computed. A minimum is marked as verified if it passes what one found here
    would have to; a transition state is not, since its paths were not followed: their lengths are NaN, not known.

    Parameters
    ----------
    landscape : Landscape
        Open for writing.
    minima, states : (m, n), (t, n) arrays
        Coordinates.
    ends : (t, 2) array of int
        The minima that each transition state joins.

    Returns
    -------
    list of str
        Points that are not verified or could not be added, and why.
    """
    problems: list[str] = []
    records = [Minimum(**_computed(landscape.system, x)) for x in minima]
    usable = []
    for k, minimum in enumerate(records):
        usable.append(_enter(landscape.add_minimum, f"minimum {k}", minimum, problems))
    for k, (x, pair) in enumerate(zip(states, ends.tolist(), strict=True)):
        if not all(usable[end] for end in pair):
            problems.append(f"transition state {k}: left out, as one of its minima is")
            continue
        sides = (records[pair[0]], records[pair[1]])
        computed = _computed(landscape.system, x)
        negative = int(np.sum(eigenvalues(landscape.system, x) < 0))
        state = TransitionState(**computed, minima=sides, path_lengths=(np.nan, np.nan), n_negative=negative)
        _enter(landscape.add_transition_state, f"transition state {k}", state, problems)
    landscape.commit()
    return problems


def _computed(system: System, x: np.ndarray) -> dict[str, Any]:
    energy, gradient = system.energy_gradient(x)
    values = eigenvalues(system, x)
    positive = values[values > 0]
    return {
        "energy": energy,
        "coordinates": x,
        "gradient_rms": float(np.sqrt(gradient @ gradient / system.n_free)),
        "lowest_eigenvalue": float(values[0]),
        "log_eigenvalue_product": float(np.log(positive).sum()),
        "modes": len(positive),
        "symmetry_order": 0,
    }


def _enter(add: Callable[..., int], what: str, point: Minimum | TransitionState, problems: list[str]) -> bool:
    """Add a point, verified if it may be; say whether it is in the landscape."""
    try:
        if isinstance(point, Minimum):
            add(point)
            return True
        reason = ""
    except RejectedError as error:
        reason = f"{what}: not verified, {error}"
    try:
        add(point, verified=False)
    except RejectedError as error:
        problems.append(f"{what}: left out, {error}")
        return False
    problems += [reason] if reason else []
    return True
