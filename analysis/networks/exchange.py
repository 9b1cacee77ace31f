"""Networks from and to other programs: PATHSAMPLE's files, networkx graphs, pandas tables."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.networks.rotational_factors import moments_of_inertia
from thalweg.analysis.networks.symmetry_orders import LOGARITHM
from thalweg.landscapes.property_names import exported_names
from thalweg.potentials.conversion.numeric_options import whole_number

if TYPE_CHECKING:
    import networkx as nx
    import pandas

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = [
    "minima_table",
    "networkx_columns",
    "networkx_graph",
    "read_points",
    "transition_state_table",
    "write_pathsample",
]

_OPTIONAL = ("log_eigenvalue_product", "modes", "symmetry_order")


def _points(name: str, values: ArrayLike | None, count: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.ascontiguousarray(values, dtype="<f8")
    if array.ndim != 2 or len(array) != count:
        raise ValueError(f"{name} has shape {array.shape}; one row for each of {count} points is needed")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    return array


def _lines(
    network: KineticTransitionNetwork, ts: str, ends: NDArray[np.int64] | None, atoms: NDArray[np.float64] | None,
    masses: ArrayLike | None,
) -> str:  # fmt: skip
    """Return min.data or, with ``ts="ts_"`` and the pairs of minima, ts.data; moments of atoms at the coordinates."""
    energies, products = getattr(network, f"{ts}energies"), getattr(network, f"{ts}log_eigenvalue_product")
    orders, properties = getattr(network, f"{ts}symmetry_order"), getattr(network, f"{ts}properties")
    name = f"{ts}log_eigenvalue_product"
    if products is None:
        raise ValueError(f"the network has no {name}: PATHSAMPLE's files need it")
    if not np.isfinite(products).all():
        k = int(np.flatnonzero(~np.isfinite(products))[0])
        raise ValueError(f"{name}[{k}] is {products[k]}; PATHSAMPLE's files need finite numbers")
    orders = np.ones(len(energies), dtype=np.int64) if orders is None else orders
    if (orders < 1).any():
        k = int(np.flatnonzero(orders < 1)[0])
        known = f", that is beyond 64 bits, {LOGARITHM} {properties[LOGARITHM][k]:g}" if LOGARITHM in properties else ""
        raise ValueError(f"{ts}symmetry_order[{k}] is {orders[k]}{known}; PATHSAMPLE's files need whole numbers from 1")
    if atoms is None:
        moments = properties.get("moments_of_inertia", np.ones((len(energies), 3)))
    else:
        moments = moments_of_inertia(atoms, masses)
    lines = []
    for k in range(len(energies)):
        pair = "" if ends is None else f"{ends[k, 0] + 1:9d} {ends[k, 1] + 1:9d} "
        numbers = " ".join(f"{value:24.17g}" for value in moments[k])
        lines.append(f"{energies[k]:25.17g} {products[k]:25.17g} {orders[k]:6d} {pair}{numbers}\n")
    return "".join(lines)


def write_pathsample(
    network: KineticTransitionNetwork,
    folder: str | os.PathLike[str],
    coordinates: ArrayLike | None = None,
    ts_coordinates: ArrayLike | None = None,
    *,
    overwrite: bool = False,
    atoms: bool = False,
    masses: ArrayLike | None = None,
) -> None:
    """Write min.data and ts.data, min.A and min.B from ``groups``, and with coordinates points.min and points.ts.

    Energies and logarithms keep all their digits. Moments of inertia are computed from the coordinates of atoms:
    PATHSAMPLE recognises known points by energy and moments. Those of other points are written as 1, as model networks
    have them, if they are not known, and so are symmetry orders that are not known. Numbers of vibrations have no place
    in these files. Log eigenvalue products are those of the network, of Hessians without masses.

    Parameters
    ----------
    network : KineticTransitionNetwork
        With log eigenvalue products.
    folder : path
        Folder to write to, made if need be.
    coordinates, ts_coordinates : (n, d), (m, d) array_like, optional
        Written as PATHSAMPLE's direct-access files: rows of little-endian doubles.
    overwrite : bool
        Whether to replace files that are there.
    atoms : bool
        Whether the coordinates are those of atoms.
    masses : (atoms,) array_like, optional
        Their masses, for moments of inertia; 1 where missing.

    Raises
    ------
    ValueError
        If log eigenvalue products are missing or not finite, or coordinates do not fit, before anything is written.
    FileExistsError
        If one of the files is there already, unless ``overwrite`` is set.
    """
    folder = Path(folder)
    points = _points("coordinates", coordinates, network.n_minima)
    ts_points = _points("ts_coordinates", ts_coordinates, network.n_transition_states)
    files: dict[str, str | bytes] = {
        "min.data": _lines(network, "", None, points if atoms else None, masses),
        "ts.data": _lines(network, "ts_", network.ts_minima, ts_points if atoms else None, masses),
    }
    for name, members in network.groups.items():
        if name in ("A", "B"):
            files[f"min.{name}"] = "".join(f"{number}\n" for number in [len(members), *(members + 1)])
    files |= {f"points.{n}": p.tobytes() for n, p in (("min", points), ("ts", ts_points)) if p is not None}
    for name in files:
        if (folder / name).exists() and not overwrite:
            raise FileExistsError(f"{folder / name} exists; it is not overwritten without --overwrite (overwrite=True)")
    folder.mkdir(parents=True, exist_ok=True)
    _write_all({folder / name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()})


def _write_all(files: Mapping[Path, bytes]) -> None:
    """Write all files beside their places before the first of them takes its own: a full disk changes nothing."""
    parts = {path.with_name(f".{path.name}-{os.urandom(4).hex()}"): path for path in files}
    try:
        for part, path in parts.items():
            with part.open("xb") as file:
                file.write(files[path])
        for part, path in parts.items():
            os.replace(part, path.resolve())  # of a link, the file that it names
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def read_points(path: str | os.PathLike[str], count: int) -> NDArray[np.float64]:
    """Read coordinates from PATHSAMPLE's points.min or points.ts.

    Parameters
    ----------
    path : path
        The file: rows of little-endian doubles.
    count : int
        Number of points, which is the number of lines of min.data or ts.data.

    Returns
    -------
    (count, d) ndarray

    Raises
    ------
    ValueError
        If the file's size is not that many rows of doubles.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.analysis import read_points
    >>> np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]).tofile("points.min")
    >>> read_points("points.min", count=2).tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    count = whole_number("count", count)
    values = np.fromfile(path, dtype="<f8")
    if Path(path).stat().st_size % 8 or count < 1 or len(values) % count:
        raise ValueError(f"{path} has {Path(path).stat().st_size} bytes; that is not {count} rows of doubles")
    return values.astype(np.float64).reshape(count, -1)


def _known(network: KineticTransitionNetwork, ts: str) -> dict[str, NDArray[Any]]:
    """Return everything known of each minimum, or with "ts_" of each transition state."""
    known = {"energy": getattr(network, f"{ts}energies")}
    known |= {name: v for name in _OPTIONAL if (v := getattr(network, f"{ts}{name}")) is not None}
    properties = getattr(network, f"{ts}properties")
    names = exported_names(properties, known)
    return known | {names[name]: values for name, values in properties.items()}


def networkx_graph(network: KineticTransitionNetwork) -> nx.MultiGraph:
    """Return a networkx multigraph: nodes with all that is known of minima, edges keyed by transition state."""
    import networkx as nx  # only here: it takes a while to load

    graph = nx.MultiGraph()
    columns, ts_columns = _known(network, ""), _known(network, "ts_")
    graph.add_nodes_from((i, {k: column[i] for k, column in columns.items()}) for i in range(network.n_minima))
    for t, (a, b) in enumerate(network.ts_minima.tolist()):
        graph.add_edge(a, b, key=t)
        graph.edges[a, b, t].update({k: column[t] for k, column in ts_columns.items()})
    return graph


def _columns(records: list[Mapping[str, Any]], what: str) -> dict[str, NDArray[Any]]:
    """Return attributes of nodes or edges as columns; all must have the same."""
    names = list(records[0]) if records else []
    for k, record in enumerate(records):
        if set(record) != set(names):
            raise ValueError(f"{what} {k} has attributes {sorted(record)}; the first has {sorted(names)}")
    if records and "energy" not in names:
        raise ValueError(f"{what}s have no attribute 'energy'")
    return {name: np.array([record[name] for record in records]) for name in names}


def _in_order(edges: list[tuple[Any, Any, Any, Mapping[str, Any]]]) -> list[tuple[Any, Any, Any, Mapping[str, Any]]]:
    """Return edges (end, end, key, attributes) in the order of transition states, where their keys tell it.

    GraphML keeps a key as the text ``id`` of its edge, which networkx returns as the key, or as an attribute where no
    two edges are parallel.
    """
    numbers = [str(i) for i in range(len(edges))]
    for keys in ([str(key) for _, _, key, _ in edges], [str(data.get("id")) for *_, data in edges]):
        if sorted(keys) == sorted(numbers):
            edges = [edge for _, edge in sorted(zip(map(int, keys), edges, strict=True), key=lambda pair: pair[0])]
    if sorted(str(data.get("id")) for *_, data in edges) == sorted(numbers):
        return [(a, b, key, {n: v for n, v in data.items() if n != "id"}) for a, b, key, data in edges]
    return edges


def networkx_columns(graph: nx.Graph) -> dict[str, Any]:
    """Return the arguments of a KineticTransitionNetwork from a networkx graph.

    Parameters
    ----------
    graph : networkx.Graph or MultiGraph
        Nodes are minima, counted in the graph's order, edges transition states; all have ``energy``, and may have
        ``log_eigenvalue_product``, ``modes`` and ``symmetry_order``. Other attributes become properties. Keys of edges
        that are 0 to m - 1, as ``to_networkx`` gives them, are the order of transition states, also as the text or
        the attribute ``id`` that GraphML makes of them.

    Raises
    ------
    ValueError
        If the graph is directed, or nodes (edges) differ in their attributes or have no energy.
    """
    if graph.is_directed():
        raise ValueError("graph is directed; transition states join minima both ways: an undirected graph is needed")
    number = {node: k for k, node in enumerate(graph)}
    edges = (
        list(graph.edges(keys=True, data=True))
        if graph.is_multigraph()
        else [(a, b, k, data) for k, (a, b, data) in enumerate(graph.edges(data=True))]
    )
    edges = _in_order(edges)
    arguments: dict[str, Any] = {"ts_minima": np.array([(number[a], number[b]) for a, b, _, _ in edges], dtype=int)}
    for ts, records in (("", [graph.nodes[n] for n in graph]), ("ts_", [data for *_, data in edges])):
        columns = _columns(records, "edge" if ts else "node")
        arguments[f"{ts}energies"] = columns.pop("energy", np.empty(0))
        arguments |= {f"{ts}{name}": columns.pop(name) for name in _OPTIONAL if name in columns}
        arguments[f"{ts}properties"] = columns
    return arguments


def _table(network: KineticTransitionNetwork, ts: str, first: dict[str, NDArray[Any]]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError:
        raise ImportError("tables need pandas: pip install 'thalweg[tables]'") from None
    columns = {"energy": getattr(network, f"{ts}energies"), **first}
    columns |= {n: v for n in _OPTIONAL if (v := getattr(network, f"{ts}{n}")) is not None}
    others: dict[str, NDArray[Any]] = {}
    for name, values in getattr(network, f"{ts}properties").items():
        flat = values.reshape(len(values), math.prod(values.shape[1:]))
        wide = [f"{name}_{k}" for k in range(flat.shape[1])] if values.ndim > 1 else [name]
        others |= dict(zip(wide, flat.T, strict=True))
    names = exported_names(others, columns)
    columns |= {names[name]: values for name, values in others.items()}
    index = pandas.RangeIndex(len(columns["energy"]), name="transition_state" if ts else "minimum")
    return pandas.DataFrame({name: np.array(values) for name, values in columns.items()}, index=index)


def minima_table(network: KineticTransitionNetwork) -> pandas.DataFrame:
    """Return a pandas table, one row a minimum.

    Columns: ``energy``, ``component``, ``degree``, ``log_eigenvalue_product``, ``modes`` and ``symmetry_order`` where
    known, ``in_A`` and so on for the groups, and the properties, those of several numbers as ``name_0``, ``name_1`` ...

    Raises
    ------
    ImportError
        If pandas is not installed (the extra ``tables``).
    """
    first: dict[str, NDArray[Any]] = {"component": network.component_labels, "degree": network.degree}
    for name, members in network.groups.items():
        first[f"in_{name}"] = np.isin(np.arange(network.n_minima), members)
    return _table(network, "", first)


def transition_state_table(network: KineticTransitionNetwork) -> pandas.DataFrame:
    """Return a pandas table, one row a transition state.

    Columns: ``energy``, ``minimum_a``, ``minimum_b``, their ``barrier_a``, ``barrier_b``, and the rest as for
    :func:`minima_table`.

    Raises
    ------
    ImportError
        If pandas is not installed (the extra ``tables``).
    """
    barriers = network.ts_energies[:, None] - network.energies[network.ts_minima]
    first = {f"minimum_{side}": network.ts_minima[:, k] for k, side in enumerate("ab")}
    first |= {f"barrier_{side}": barriers[:, k] for k, side in enumerate("ab")}
    return _table(network, "ts_", first)
