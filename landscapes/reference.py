"""Reference of a store: energy and gradient at one geometry, by which another potential is noticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.potentials.conversion.printable import printable
from thalweg.potentials.protocols import ExploredSystem, SearchedSystem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from thalweg.potentials.system import System

__all__ = ["check_reference", "reference_of"]

# What a potential may differ from itself. Self-consistent calculators depend on what they computed before: GFN2-xTB by
# 5e-8 eV and 2e-4 eV/angstrom at its default accuracy, density functionals by their thresholds, 1e-4 eV of some 1e2;
# functions in single precision by 1e-7 of the numbers that they add.
_ENERGY = 1e-6
_GRADIENT = 1e-3
_ENERGY_IN_EV = 1e-5
_GRADIENT_IN_EV = 1e-3  # per angstrom

_MOVED = 0.05  # of the distance of neighbours, or of the bounds' width
_MOVED_FREELY = 0.1


def reference_of(system: ExploredSystem) -> dict[str, Any]:
    """Return the geometry ``x`` (n,), near the system's own, its ``energy`` and its ``gradient`` (n,).

    The own geometry is moved a little by numbers that are always the same: at a symmetric point, or at zero, many
    potentials agree. Empty where the potential computes neither geometry, or is none that anything can search in.
    """
    if not isinstance(system, SearchedSystem):
        return {}
    for x in (_moved(cast("System", system)), cast("System", system).x):
        try:
            energy, gradient = system.energy_gradient(np.array(x))
        except Exception:  # of whatever type: searches meet it again, and say so
            continue
        if np.isfinite(energy) and np.isfinite(gradient).all():
            return {"x": np.array(x), "energy": float(energy), "gradient": np.array(gradient)}
    return {}


def _moved(system: System) -> NDArray[np.float64]:
    """Return coordinates (n,) a little beside the system's own, inside its bounds."""
    amplitude = _MOVED_FREELY
    if system.atoms is not None:
        from thalweg.potentials.ase_calculators import nearest_distance  # slow to load, and a reader needs none of it

        amplitude = _MOVED * nearest_distance(system.atoms)
    elif system.width is not None:
        amplitude = _MOVED * system.width
    x = system.x.copy()
    x[system.free] += amplitude * np.random.default_rng(0).uniform(-1.0, 1.0, system.n_free)
    return x if system.bounds is None else np.clip(x, *system.bounds.T)


def check_reference(
    where: object, description: Mapping[str, Any], system: ExploredSystem, perhaps: Sequence[str] = ()
) -> None:
    """Compare a potential with the reference of a store; a store without one is not compared.

    Parameters
    ----------
    where : object
        The store, for the message.
    description : mapping
        Description of the store's system.
    system : System
        System with the potential.
    perhaps : sequence of str
        What else is different, and may be why.

    Raises
    ------
    StoreError
        If energy or gradient differ by more than noise, naming both numbers, or cannot be computed.
    """
    reference = description.get("reference")
    if not reference or not isinstance(system, SearchedSystem):
        return
    try:
        x, stored = np.asarray(reference["x"], dtype=np.float64), float(reference["energy"])
        slopes = np.asarray(reference["gradient"], dtype=np.float64)
        if x.shape != slopes.shape or x.shape != cast("System", system).x.shape:
            raise ValueError(f"shapes {x.shape} and {slopes.shape}")
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where}: system/reference is not what the format has: {error!r}") from error
    energy, gradient = _computed(where, system, x)
    in_ev = system.units == "eV"
    largest = float(np.abs(slopes).max(initial=0.0))
    off = float(np.abs(gradient - slopes).max(initial=0.0))
    energies = _ENERGY * (abs(stored) + largest) + _ENERGY_IN_EV * in_ev
    gradients = _GRADIENT * largest + _ENERGY * abs(stored) + _GRADIENT_IN_EV * in_ev
    if abs(energy - stored) <= energies and off <= gradients:
        return
    reasons = list(perhaps)
    if description.get("left_out"):
        reasons.append(f"the store could not hold {', '.join(map(ascii, description['left_out']))}")
    raise StoreError(
        f"{where} is of another potential: at the store's reference geometry the energy is {energy:.12g}, stored "
        f"{stored:.12g}; components of the gradient differ by up to {off:.3g} from the stored ones of up to "
        f"{largest:.3g}" + "".join(f"\n  {reason}" for reason in reasons)
    )


def _computed(where: object, system: SearchedSystem, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return energy and gradient (n,) at the reference geometry, at the second try where a calculator failed once."""
    for last in (False, True):
        try:
            return system.energy_gradient(np.array(x))
        except Exception as error:
            if last:
                raise StoreError(
                    f"{where}: the potential cannot compute the store's reference geometry, as it did when the store "
                    f"was made ({type(error).__name__}: {printable(error)})"
                ) from error
    raise AssertionError
