"""The kinetic transition network: minima joined by transition states."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import columns, minimum_indices, optional
from thalweg.analysis.networks.connectivity import Connectivity
from thalweg.analysis.networks.pathsample import read_pathsample
from thalweg.analysis.networks.store_reader import read_store
from thalweg.analysis.networks.symmetry_orders import whole_orders
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    import networkx as nx
    import pandas

    from thalweg.analysis.kinetics import Kinetics, Thermodynamics
    from thalweg.analysis.networks.molecular_motion import MolecularMotion
    from thalweg.landscapes import Landscape

__all__ = ["KineticTransitionNetwork"]


def _rebuilt(arguments: dict[str, Any]) -> KineticTransitionNetwork:
    return KineticTransitionNetwork(**arguments)


@public("thalweg.analysis")
class KineticTransitionNetwork(Connectivity):
    """Minima joined by transition states; immutable.

    Several transition states may join one pair of minima, and one may join a minimum with itself: all are kept
    and counted, the latter ignored wherever connections matter. Where the energy of a transition state is below
    that of a minimum it joins (rounding, in databases from elsewhere), connections count from the minimum's.

    Parameters
    ----------
    energies : (n,) array_like
        Energies of the minima, in the landscape's unit.
    ts_energies : (m,) array_like
        Energies of the transition states.
    ts_minima : (m, 2) array_like of int
        The two minima each transition state joins, counted from 0.
    log_eigenvalue_product, ts_log_eigenvalue_product : (n,), (m,) array_like, optional
        Sums of the logarithms of the positive Hessian eigenvalues, unit masses.
    modes, ts_modes : (n,), (m,) array_like of int, optional
        How many eigenvalues those sums count.
    symmetry_order, ts_symmetry_order : (n,), (m,) array_like of int, optional
        Orders of the symmetry groups; 0 for one beyond 64 bits, whose natural logarithm is then in the property
        ``log_symmetry_order``.
    properties, ts_properties : mapping of str to array_like, optional
        Other quantities of each minimum (first axis n) or transition state (first axis m).
    groups : mapping of str to array_like of int, optional
        Named sets of minima, such as PATHSAMPLE's "A" and "B".
    units : str
        The unit of energy, "reduced" by default.
    quantity : str
        What is called energy here, for pictures: "energy", or "loss" of a neural network.
    motion : MolecularMotion, optional
        Vibrational frequencies and moments of inertia of atoms with their masses, energies in eV: with them rates are
        in 1/s. :meth:`read` takes them from a store that has them.

    Raises
    ------
    ValueError, TypeError
        If lengths differ, an energy is not finite or an index is out of range; the argument is named.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> network.lowest_barrier_path(0, 2).energy
    3.0
    """

    def __init__(
        self,
        energies: ArrayLike,
        ts_energies: ArrayLike,
        ts_minima: ArrayLike,
        *,
        log_eigenvalue_product: ArrayLike | None = None,
        ts_log_eigenvalue_product: ArrayLike | None = None,
        modes: ArrayLike | None = None,
        ts_modes: ArrayLike | None = None,
        symmetry_order: ArrayLike | None = None,
        ts_symmetry_order: ArrayLike | None = None,
        properties: Mapping[str, ArrayLike] | None = None,
        ts_properties: Mapping[str, ArrayLike] | None = None,
        groups: Mapping[str, ArrayLike] | None = None,
        units: str = "reduced",
        quantity: str = "energy",
        motion: MolecularMotion | None = None,
    ):
        super().__init__(energies, ts_energies, ts_minima)
        n, m = self.n_minima, self.n_transition_states
        self.log_eigenvalue_product = optional("log_eigenvalue_product", log_eigenvalue_product, n)
        self.ts_log_eigenvalue_product = optional("ts_log_eigenvalue_product", ts_log_eigenvalue_product, m)
        self.modes = optional("modes", modes, n, np.int64)
        self.ts_modes = optional("ts_modes", ts_modes, m, np.int64)
        orders = {"symmetry_order": symmetry_order, "ts_symmetry_order": ts_symmetry_order}
        given = {name: None if v is None else whole_orders(name, v) for name, v in orders.items()}
        self.symmetry_order = optional("symmetry_order", given["symmetry_order"], n, np.int64)
        self.ts_symmetry_order = optional("ts_symmetry_order", given["ts_symmetry_order"], m, np.int64)
        self.properties = columns("properties", properties, n)
        self.ts_properties = columns("ts_properties", ts_properties, m)
        sets = {name: minimum_indices(f"groups[{name!r}]", members, n) for name, members in (groups or {}).items()}
        self.groups = MappingProxyType(sets)
        self.units, self.quantity = str(units), str(quantity)
        if motion is not None and (len(motion.frequencies), len(motion.ts_frequencies)) != (n, m):
            raise ValueError(
                f"motion is of {len(motion.frequencies)} minima and {len(motion.ts_frequencies)} transition states, "
                f"the network has {n} and {m}"
            )
        self.motion = motion

    @classmethod
    def read(cls, source: str | os.PathLike[str] | Landscape) -> KineticTransitionNetwork:
        """Read the network of a landscape, as of its last commit.

        Coordinates are read only where moments of inertia are needed: of atoms in eV, and of free clusters whose points
        differ in their number of vibrations.

        Parameters
        ----------
        source : path or Landscape
            Folder of the store, which may be growing; or a landscape.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no store of a landscape at that path.
        """
        return cls(**read_store(source))

    @classmethod
    def from_pathsample(cls, folder: str | os.PathLike[str]) -> KineticTransitionNetwork:
        """Read PATHSAMPLE's min.data and ts.data, and min.A and min.B where present (as ``groups``).

        Parameters
        ----------
        folder : path
            See :func:`~thalweg.analysis.read_pathsample`.
        """
        return cls(**read_pathsample(folder))

    @classmethod
    def from_networkx(cls, graph: nx.Graph, units: str = "reduced") -> KineticTransitionNetwork:
        """Make a network of a networkx graph of minima and transition states.

        Parameters
        ----------
        graph : networkx.Graph or MultiGraph
            See :func:`~thalweg.analysis.networks.exchange.networkx_columns`; that
            of :meth:`to_networkx` gives the same network.
        units : str
            Unit of energy.
        """
        from thalweg.analysis.networks.exchange import networkx_columns

        return cls(**networkx_columns(graph), units=units)

    def __repr__(self) -> str:
        parts = f"{self.n_minima} minima, {self.n_transition_states} transition states"
        if not self.n_minima:
            return f"<KineticTransitionNetwork: {parts}>"
        n = self.n_components
        lowest = f"lowest energy {self.energies[self.global_minimum]:.8g}"
        return f"<KineticTransitionNetwork: {parts}, {n} component{'s' * (n != 1)}, {lowest}>"

    def _repr_html_(self) -> str:
        from thalweg.landscapes.notebook import table_html  # only notebooks need it

        rows = {"minima": str(self.n_minima), "transition states": str(self.n_transition_states)}
        if self.n_minima:
            lowest = self.global_minimum
            rows["components"] = str(self.n_components)
            rows["lowest minimum"] = f"number {lowest}, energy {self.energies[lowest]:.10g}"
        rows["units"] = self.units
        rows["properties"] = ", ".join(sorted(self.properties)) or "none"
        return table_html("Kinetic transition network", rows)

    def __len__(self) -> int:
        return self.n_minima

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that make this network, for one that differs in some of them."""
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in vars(self).items() if k in _ARGUMENTS}

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], KineticTransitionNetwork], tuple[dict[str, Any]]]:
        return _rebuilt, (self.arguments(),)

    def kinetics(
        self,
        temperature: float | None = None,
        *,
        kelvin: float | None = None,
        rotational: bool | None = None,
        quantum: bool = False,
        tunnelling: str | None = None,
    ) -> Kinetics:
        """Return the kinetics of harmonic transition-state theory at one temperature.

        The rate from minimum i over transition state t is ``(o_i / o_t) exp((L_i - L_t) / 2) / (2 pi)
        exp(-(E_t - E_i) / T)``, with symmetry orders o and log eigenvalue products L, as in PATHSAMPLE; where numbers
        of vibrations differ, times ``T^(modes_t + 1 - modes_i) R_t / R_i`` with rotational factors R
        (:mod:`~thalweg.analysis.networks.rotational_factors`).
        Time has the unit sqrt(mass / curvature) of the Hessian's eigenvalues.

        For atoms in eV whose vibrational frequencies are known (:attr:`motion`), as those of landscapes of atoms are,
        rates are in 1/s, with the atoms' masses: ``(o_i / o_t) (k_B T / h) (Q_t / Q_i) exp(-(E_t - E_i) / k_B T)``,
        with partition functions Q of harmonic vibrations and of a rigid rotor.

        Parameters
        ----------
        temperature : float
            k_B T in the landscape's unit of energy.
        kelvin : float
            Kelvin instead, for landscapes in eV.
        rotational : bool, optional
            Whether rotational factors are included; by default where numbers of vibrations differ, and for atoms in eV
            that are free to turn.
        quantum : bool
            Whether vibrations of atoms in eV are quantised: zero-point energies count.
        tunnelling : {"wigner"}, optional
            Correction of the rates of atoms in eV for tunnelling: ``1 + (hbar |omega| / k_B T)^2 / 24``.

        Raises
        ------
        ValueError
            If the temperature is not positive, vibrational frequencies are needed and missing, no
            transition states join two minima, or log eigenvalue products (or moments of inertia, where needed) are
            missing or not finite.

        Examples
        --------
        >>> from thalweg.analysis import KineticTransitionNetwork
        >>> wells = KineticTransitionNetwork(
        ...     [0, 0], [1], [[0, 1]], log_eigenvalue_product=[0, 0], ts_log_eigenvalue_product=[0]
        ... )
        >>> round(wells.kinetics(temperature=1.0).rate_constant(source=0, target=1), 6)
        0.05855
        """
        from thalweg.analysis.kinetics import Kinetics

        return Kinetics.from_network(
            self, temperature, kelvin=kelvin, rotational=rotational, quantum=quantum, tunnelling=tunnelling
        )

    def transition_state_rates(
        self,
        temperature: float | None = None,
        *,
        kelvin: float | None = None,
        rotational: bool | None = None,
        quantum: bool = False,
        tunnelling: str | None = None,
    ) -> NDArray[np.float64]:
        """Return the rate over each transition state from either of its minima, ``ts_minima``, (m, 2).

        Degenerate rearrangements are among them (:attr:`degenerate`): such a transition state joins two copies of one
        minimum, as that of ammonia's inversion does, and the rate is that of leaving a copy. They do not change which
        minimum is occupied, and :meth:`kinetics` leaves them out.

        Parameters, units and errors are those of :meth:`kinetics`; there need not be two minima.

        Examples
        --------
        >>> from thalweg.analysis import KineticTransitionNetwork
        >>> wells = KineticTransitionNetwork(
        ...     [0, 0], [1, 1], [[0, 1], [0, 0]], log_eigenvalue_product=[0, 0], ts_log_eigenvalue_product=[0, 0]
        ... )
        >>> wells.transition_state_rates(temperature=1.0).round(6).tolist()
        [[0.05855, 0.05855], [0.1171, 0.1171]]
        """
        from thalweg.analysis.kinetics.rates import checked_temperature, transition_state_rates

        t = checked_temperature(temperature, kelvin, self.units)
        return transition_state_rates(self, t, rotational, quantum=quantum, tunnelling=tunnelling)

    def thermodynamics(
        self,
        temperatures: ArrayLike | None = None,
        rotational: bool | None = None,
        *,
        kelvin: ArrayLike | None = None,
        quantum: bool = False,
    ) -> Thermodynamics:
        """Return heat capacity, energy and so on by the harmonic superposition approximation.

        Parameters
        ----------
        temperatures : (k,) array_like
            k_B T in the landscape's unit of energy.
        rotational : bool, optional
            See :class:`~thalweg.analysis.Thermodynamics`.
        kelvin : (k,) array_like, optional
            Kelvin instead, for landscapes in eV.
        quantum : bool
            Whether vibrations of atoms in eV are quantised.
        """
        from thalweg.analysis.kinetics import Thermodynamics

        return Thermodynamics(self, temperatures, rotational, kelvin=kelvin, quantum=quantum)

    def part(
        self,
        minima: ArrayLike | None = None,
        *,
        below: float | None = None,
        max_ts_energy: float | None = None,
        max_barrier: float | None = None,
        min_connections: int = 0,
        connected_to: ArrayLike | None = None,
    ) -> KineticTransitionNetwork:
        """Return a part of the network, numbered anew; its property ``row`` holds the numbers of here.

        Unlike minima that a disconnectivity graph does not show, those left out join nothing.

        Parameters
        ----------
        minima : array_like of int, optional
            Keep only these minima; all by default.
        below : float, optional
            Keep only minima and transition states at or below this energy.
        max_ts_energy : float, optional
            Keep only transition states at or below this energy.
        max_barrier : float, optional
            Leave out transition states whose barriers are above this from both sides, as disconnectionDPS does.
        min_connections : int
            Leave out minima joined with fewer other minima than this, again and again until none is left out.
        connected_to : array_like of int, optional
            At last keep only minima that are connected with one of these; without, unconnected ones stay.

        Raises
        ------
        ValueError, TypeError, IndexError
            If an argument makes no sense or nothing is left; it is named.

        Examples
        --------
        >>> from thalweg.analysis import KineticTransitionNetwork
        >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
        >>> low = network.part(max_ts_energy=2.5, connected_to=1)
        >>> low.n_minima, low.n_transition_states, low.properties["row"].tolist()
        (2, 1, [0, 1])
        """
        from thalweg.analysis.networks.parts.selection import Part, part_of

        limits = Part(minima, below, max_ts_energy, max_barrier, min_connections, connected_to)
        return part_of(self, limits)

    def to_networkx(self) -> nx.MultiGraph:
        """Return a networkx multigraph: nodes with ``energy`` and properties, edges keyed by transition state."""
        from thalweg.analysis.networks.exchange import networkx_graph

        return networkx_graph(self)

    def to_pathsample(
        self,
        folder: str | os.PathLike[str],
        coordinates: ArrayLike | None = None,
        ts_coordinates: ArrayLike | None = None,
    ) -> None:
        """Write PATHSAMPLE's files; see :func:`~thalweg.analysis.networks.exchange.write_pathsample`."""
        from thalweg.analysis.networks.exchange import write_pathsample

        write_pathsample(self, folder, coordinates, ts_coordinates)

    def minima_table(self) -> pandas.DataFrame:
        """Return a pandas table of minima; see :func:`~thalweg.analysis.networks.exchange.minima_table`."""
        from thalweg.analysis.networks.exchange import minima_table

        return minima_table(self)

    def transition_state_table(self) -> pandas.DataFrame:
        """Return a pandas table of transition states."""
        from thalweg.analysis.networks.exchange import transition_state_table

        return transition_state_table(self)


_ARGUMENTS = frozenset(inspect.signature(KineticTransitionNetwork).parameters)
