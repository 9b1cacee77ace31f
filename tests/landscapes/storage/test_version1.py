"""A store written by the first release, kept as it was: this release and every later one must open it and go on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from thalweg.landscapes import Landscape, verify
from thalweg.landscapes.maintenance.integrity import verify_structure

ENERGIES = [-16.505384168, -15.935043061, -15.593210938, -15.533060055]  # of LJ7, as all tables have them


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "version1.zarr"
    with zipfile.ZipFile(Path(__file__).with_name("version1.zip")) as packed:
        packed.extractall(path)
    return path


def test_it_opens_and_says_what_it_said(store):
    landscape = Landscape.open(store)
    np.testing.assert_allclose(np.sort(landscape.minima.energy[:]), ENERGIES, atol=1e-8)
    assert len(landscape.transition_states) == 10
    assert sum(landscape.searches.count().values()) == len(landscape.searches) == 70
    assert landscape.tasks_done.keys() == {"find_minima", "connect"}
    assert landscape.tasks_ahead == 16
    assert landscape.properties.attributes("radius") == {"computed_from": "coordinates"}
    np.testing.assert_allclose(
        landscape.properties["radius"], np.linalg.norm(landscape.minima.coordinates[:], axis=1), rtol=1e-14
    )
    assert landscape.seed == 4


def test_what_it_holds_is_right(store):
    landscape = Landscape.open(store)
    assert verify_structure(landscape) == []
    assert verify(landscape) == []


def test_exploration_goes_on(store):
    with Landscape(Landscape.open(store).system, store) as landscape:
        landscape.find_minima(10, workers=1)
        landscape.connect(4, workers=1)
        assert len(landscape.searches) == 84
    assert zarr.open_group(store, mode="r").attrs["format_version"] == 1
