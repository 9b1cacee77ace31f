"""Surfaces of two variables come out complete: those that are compiled, and from nothing but an energy in Python."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Landscape
from thalweg.potentials import (
    CoupledDoubleWells,
    Himmelblau,
    MuellerBrown,
    Point,
    SixHumpCamel,
    ThreeHumpCamel,
    WolfeQuapp,
)

from ..potentials.surfaces import plain_surfaces

SURFACES = {
    "mueller_brown": MuellerBrown,
    "camel": SixHumpCamel,
    "three_hump": ThreeHumpCamel,
    "himmelblau": Himmelblau,
    "wolfe_quapp": WolfeQuapp,
}


def complete(landscape, surface):
    """Whether a landscape has the points of a surface, each once, and nothing else."""
    for found, known in ((landscape.minima, surface.minima), (landscape.transition_states, surface.transition_states)):
        x = found.coordinates[:]
        if len(x) != len(known) or np.linalg.norm(known[:, None] - x, axis=2).min(axis=1).max() > 1e-6:
            return False
    return True


@pytest.mark.parametrize("kind", [*SURFACES.values(), CoupledDoubleWells])
def test_compiled_surfaces_come_out_complete(tmp_path, kind):
    surface = kind()
    with Landscape(Point(surface.bounds.mean(axis=1), surface), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=80)
        landscape.connect(searches=160)
        assert complete(landscape, surface)


@pytest.mark.parametrize("name", SURFACES)
def test_nothing_but_an_energy_in_python(tmp_path, name):
    surface, energy = SURFACES[name](), getattr(plain_surfaces, name)
    start = Point(surface.bounds.mean(axis=1), lambda x: float(energy(x[0], x[1])))
    with Landscape(start, tmp_path / "a.zarr", bounds=surface.bounds) as landscape:
        landscape.find_minima(steps=40)
        landscape.connect(searches=60)
        assert complete(landscape, surface)


def test_coupled_wells_in_four_dimensions(tmp_path):
    surface = CoupledDoubleWells(4)
    with Landscape(Point(np.zeros(4), surface), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=200)
        landscape.connect(searches=1000)
        assert complete(landscape, surface)


def test_what_ends_outside_is_a_failure_with_its_reason(tmp_path):
    def waves(x):
        return float(np.cos(x[0]) + x[1] ** 2)

    # of the minima at odd multiples of pi only that at pi lies inside
    with Landscape(Point([1.0, 0.0], waves), tmp_path / "a.zarr", bounds=[(-2, 5), (-1, 1)]) as landscape:
        progress = landscape.find_minima(steps=60)
        assert progress.failed == np.sum(landscape.searches.status[:] == "outside the bounds") > 0
        assert np.abs(landscape.minima.coordinates[:] - [np.pi, 0.0]).max() < 1e-6
        landscape.connect(searches=10)
        assert len(landscape.transition_states) == 0
    again = Landscape.open(tmp_path / "a.zarr")
    assert again._store.description()["bounds"].tolist() == [[-2, 5], [-1, 1]]


def test_bounds_are_part_of_what_is_explored(tmp_path):
    Landscape(Point([0.0, 0.0], MuellerBrown()), tmp_path / "a.zarr").close()
    with pytest.raises(ValueError, match="bounds"):
        Landscape(Point([0.0, 0.0], MuellerBrown()), tmp_path / "a.zarr", bounds=(-1, 1))
    with Landscape.open(tmp_path / "a.zarr", mode="r+") as landscape:
        np.testing.assert_array_equal(landscape.system.bounds, MuellerBrown().bounds)


def test_wrong_bounds_leave_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="bounds must be"):
        Landscape(Point([0.0, 0.0], MuellerBrown()), tmp_path / "a.zarr", bounds=(1, 0))
    assert not (tmp_path / "a.zarr").exists()
