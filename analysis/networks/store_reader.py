"""Reading a network from a landscape's store (docs/format.md), without coordinates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.networks.molecular_motion import MolecularMotion, rotor_moments
from thalweg.analysis.networks.rotational_factors import moments_of_inertia
from thalweg.analysis.networks.symmetry_orders import log_orders_of_points
from thalweg.landscapes.property_names import RESERVED, exported_names

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.storage.store import Store

__all__ = ["read_store"]

_OPTIONAL = ("log_eigenvalue_product", "modes", "symmetry_order")
_NAMED = {"energy", "coordinates", "frequencies", "minima", *_OPTIONAL}


def _columns(store: Store, group: str) -> dict[str, np.ndarray]:
    """Return the arrays of a group, coordinates excepted."""
    columns = {path.removeprefix(f"{group}/"): c for path, c in store.columns.items() if path.startswith(f"{group}/")}
    return {name: column.read(0, len(column)) for name, column in columns.items() if name != "coordinates"}


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    """Return a property with NaN for minima that came after it was computed."""
    return np.concatenate([values, np.full(length - len(values), np.nan)])


def _moments(store: Store, minima: dict[str, np.ndarray], states: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return moments of inertia of minima and transition states, where free molecules differ in their vibrations.

    Without those nobody needs them, and coordinates are not read.
    """
    system = store.description()
    free = "numbers" in system and not len(system["frozen"]) and not np.any(system["pbc"])
    if not free or len({*minima["modes"].tolist(), *(states["modes"] + 1).tolist()}) < 2:
        return [{}, {}]
    columns = (store.columns[f"{group}/coordinates"] for group in ("minima", "transition_states"))
    return [{"moments_of_inertia": moments_of_inertia(column.read(0, len(column)))} for column in columns]


def _motion(store: Store) -> MolecularMotion | None:
    """Return the vibrations and rotations of the points of atoms in eV; None where no frequencies are stored."""
    from thalweg.landscapes.errors import StoreError

    groups = ("minima", "transition_states")
    if any(f"{group}/frequencies" not in store.columns for group in groups):
        return None
    columns = {group: store.columns[f"{group}/frequencies"] for group in groups}
    known = {group: column.read(0, len(column)) for group, column in columns.items()}
    if not np.isfinite(known["minima"]).any():
        return None  # too many atoms for a Hessian
    description = store.description()
    frequencies = [rows[:, : max(int(np.isfinite(rows).sum(axis=1).max(initial=0)), 1)] for rows in known.values()]
    moments: list[np.ndarray] = []
    for group, rows in known.items():
        coordinates = store.columns[f"{group}/coordinates"]
        try:
            moments.append(rotor_moments(description, coordinates.read(0, len(coordinates)), rows))
        except StoreError:
            raise
        except ValueError as error:
            raise StoreError(f"{store.path}: moments of inertia of {group}: {error}") from error
    reflections = bool(description.get("inversion", True))
    return MolecularMotion(frequencies[0], frequencies[1], moments[0], moments[1], reflections)


def read_store(source: str | os.PathLike[str] | Landscape) -> dict[str, Any]:
    """Read the last commit of a store into the arguments of :class:`~thalweg.analysis.KineticTransitionNetwork`.

    Parameters
    ----------
    source : path or Landscape
        The store's folder, or its landscape, which may be open for writing or in memory.

    Returns
    -------
    dict
        Keyword arguments. The other arrays beside the minima (``gradient_rms`` and so on) and those of ``properties/``
        together are ``properties``, with moments of inertia where free molecules differ in their vibrations, and with
        the logarithms of symmetry orders (``log_symmetry_order``) where one is beyond 64 bits; a stored
        property whose name is reserved today is called ``property_<name>``.

    Raises
    ------
    FileNotFoundError
        If nothing is at that path.
    StoreError
        If what is there is no landscape, or is damaged; it is a ValueError.
    """
    from thalweg.landscapes.storage.store import Store  # only here: it brings the optimizers with it
    from thalweg.landscapes.stored_landscape import StoredLandscape

    store = source.last_commit() if isinstance(source, StoredLandscape) else Store.open(source, mode="r")
    try:
        minima, states = _columns(store, "minima"), _columns(store, "transition_states")
        arguments: dict[str, Any] = {
            "energies": minima["energy"],
            "ts_energies": states["energy"],
            "ts_minima": states["minima"],
        }
        arguments |= {name: minima[name] for name in _OPTIONAL}
        arguments |= {f"ts_{name}": states[name] for name in _OPTIONAL}
        others, ts_others = ({k: v for k, v in group.items() if k not in _NAMED} for group in (minima, states))
        computed = _columns(store, "properties")
        names = exported_names(computed, RESERVED)
        properties = others | {names[k]: _padded(v, len(minima["energy"])) for k, v in computed.items()}
        arguments["motion"] = _motion(store)
        moments, ts_moments = _moments(store, minima, states)
        moments |= log_orders_of_points(source, "minima", minima["symmetry_order"])
        ts_moments |= log_orders_of_points(source, "transition_states", states["symmetry_order"])
        properties, ts_others = moments | properties, ts_moments | ts_others
        quantity = "loss" if is_network_loss(store) else "energy"
        units = {"units": store.attributes["units"], "quantity": quantity}
        return arguments | {"properties": properties, "ts_properties": ts_others} | units
    finally:
        store.close()


def is_network_loss(store: Store) -> bool:
    """Say whether an open store is of a neural network's loss."""
    return bool(store.description().get("calculator", {}).get("name") == "NetworkLoss")
