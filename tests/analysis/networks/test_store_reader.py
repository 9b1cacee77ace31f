"""A network read from a landscape's store."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork
from thalweg.landscapes import Tolerances
from thalweg.landscapes.storage.store import Store


@pytest.fixture
def store(tmp_path):
    attributes = {
        "units": "eV",
        "seed": 0,
        "tolerances": Tolerances().to_dict(),
        "rules": None,
        "tasks": {},
        "state": {},
    }
    store = Store.create(tmp_path / "found.zarr", {"name": "test"}, 2, attributes)
    yield store
    store.close()


def add(store, energies, ts_energies, ends):
    columns = {
        "minima/energy": energies,
        "minima/gradient_rms": np.full(len(energies), 1e-9),
        "minima/modes": np.arange(len(energies)),
        "transition_states/energy": ts_energies,
        "transition_states/minima": np.reshape(ends, (-1, 2)),
    }
    for path, column in store.columns.items():
        group = path.partition("/")[0]
        rows = {"minima": len(energies), "transition_states": len(ts_energies)}.get(group, 0)
        if rows:
            empty = np.zeros((rows, *column.spec.row), dtype=column.spec.dtype)
            column.extend(np.asarray(columns.get(path, empty), dtype=column.spec.dtype))
    store.commit()


def test_reads_the_last_commit(store):
    add(store, [0.5, -1.0], [2.0, 3.0], [[0, 1], [1, 1]])
    store.columns["minima/energy"].extend(np.array([7.0]))  # not committed
    network = KineticTransitionNetwork.read(store.path)
    assert network.energies.tolist() == [0.5, -1.0]
    assert network.ts_energies.tolist() == [2.0, 3.0]
    assert network.ts_minima.tolist() == [[0, 1], [1, 1]]
    assert network.modes.tolist() == [0, 1]
    assert network.units == "eV"
    assert network.properties["gradient_rms"].tolist() == [1e-9, 1e-9]
    assert "coordinates" not in network.properties


def test_empty_store(store):
    network = KineticTransitionNetwork.read(store.path)
    assert (network.n_minima, network.n_transition_states) == (0, 0)


def test_no_store(tmp_path):
    with pytest.raises(FileNotFoundError):
        KineticTransitionNetwork.read(tmp_path / "missing.zarr")
    with pytest.raises(ValueError, match=str(tmp_path)):
        KineticTransitionNetwork.read(tmp_path)
