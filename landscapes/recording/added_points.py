"""Points of one's own, such as the weights of trained models, taken to the minima that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thalweg.landscapes.errors import RejectedError
from thalweg.landscapes.records import Minimum
from thalweg.landscapes.tolerances import Tolerances
from thalweg.optimizers import minimise
from thalweg.optimizers.rules import Rules
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import TrainedModel, packed_model
from thalweg.potentials.protocols import Subject
from thalweg.potentials.system import System

__all__ = ["Descent", "descend"]

_RMS = 1e-9  # gradient to which minima of cheap potentials are converged


class Descent(NamedTuple):
    """Minimum that a point has led to, how far both are apart, and energy and rms gradient of the point."""

    minimum: Minimum
    moved: float
    energy_before: float
    rms_before: float
    moved_share: float


def descend(
    system: System,
    point: Subject | ArrayLike | TrainedModel | Mapping[str, object],
    tolerances: Tolerances,
    rules: Mapping[str, Any] | None,
) -> Descent:
    """Minimise from a point to second order.

    Parameters
    ----------
    system : System
    point : array_like, Point, ase.Atoms, trained model or tree of parameters
    tolerances : Tolerances
        Of the landscape: the gradient ends well below what may enter.
    rules : mapping, optional
        Rules of the minimiser.

    Raises
    ------
    RejectedError
        If no minimum is found from there.
    TypeError, ValueError
        If the point does not fit the system.
    """
    x = _coordinates(system, point)
    energy, gradient = system.energy_gradient(x)
    goal = 0.1 * tolerances.gradient_rms
    found = minimise(
        system, x, rms=min(_RMS, goal) if system.threadsafe or system.atoms is None else goal,
        rules=None if rules is None else Rules.from_dict(rules), second_order=True, threads=1,
    )  # fmt: skip
    if not found.converged[0]:
        raise RejectedError(
            found.reason[0],
            f"no minimum was found from there: {found.reason[0]} (energy {found.energy[0]:.6g}, rms gradient "
            f"{found.rms[0]:.2g}; {energy:.6g} at the point itself)",
        )
    if not system.inside(found.x[0]):
        raise RejectedError("outside the bounds", f"the minimum is outside the bounds, at {found.x[0].tolist()}")
    lowest, product, modes = found.lowest_eigenvalue, found.log_eigenvalue_product, found.modes
    assert lowest is not None
    assert product is not None
    assert modes is not None
    minimum = Minimum(
        float(found.energy[0]), found.x[0], float(found.rms[0]), float(lowest[0]), float(product[0]), int(modes[0])
    )
    rms = float(np.sqrt(gradient @ gradient / system.n_free))
    moved = float(np.linalg.norm(found.x[0] - x))
    return Descent(minimum, moved, float(energy), rms, moved / max(_size(system, found.x[0]), np.finfo(float).tiny))


def _size(system: System, x: np.ndarray) -> float:
    """Return the length of coordinates x (n,), of atoms about their centroid."""
    if system.atoms is not None:
        x = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
    return float(np.linalg.norm(x))


def _packs(potential: object, point: object) -> bool:
    """Return whether a potential is to read a point as parameters by its own ``pack``.

    A mapping is never a row of coordinates; of other trees the potential says whether they have its structure.
    """
    if not callable(getattr(potential, "pack", None)):
        return False
    has_structure = getattr(potential, "has_structure", None)
    known = callable(has_structure) and bool(has_structure(point))
    return known or isinstance(point, Mapping) or hasattr(point, "named_parameters")


def _coordinates(system: System, point: Any) -> np.ndarray:
    """Return the coordinates (n,) of a point, an array, or parameters that the potential can read."""
    potential: Any = system.potential
    model = hasattr(point, "named_parameters")
    if _packs(potential, point):
        x = np.asarray(potential.pack(point), dtype=np.float64)
    elif isinstance(system.potential, NetworkLoss) and (model or hasattr(point, "coefs_")):
        x = packed_model(system.potential, point)
    elif model or hasattr(point, "get_params"):
        raise TypeError(
            f"{type(system.potential).__name__} cannot read a {type(point).__name__}: give its parameters as an array "
            "in the order of the coordinates"
        )
    else:
        x = system.coordinates(point)
    if x.shape != (system.n,):
        raise ValueError(f"the point must have {system.n} coordinates; it has {x.size}")
    if not np.isfinite(x).all():
        raise ValueError("the point must be finite; it has NaN or infinite coordinates")
    if (x[system.frozen] != system.x[system.frozen]).any():
        raise ValueError("the point must agree with the landscape where coordinates are frozen")
    return np.asarray(system.constrain(x))
