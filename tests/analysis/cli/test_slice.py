"""``thalweg slice``, as users type it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from matplotlib.image import imread

from thalweg.analysis import linear_barrier
from thalweg.landscapes import Landscape

from ...helpers import finished, thalweg


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("slices") / "digits.zarr"
    options = "--data 60 --hidden 2 --l2 0.01 --steps 8 --searches 6 --workers 1"
    finished("explore", "digits", "--output", path, *options.split())
    return path


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_through_a_minimum(store, tmp_path):
    said = finished("slice", store, 0, "--span", 0.5, "--points", 11, "--output", tmp_path / "line.csv")
    table = rows(tmp_path / "line.csv")
    energies = np.array([float(row["energy"]) for row in table])
    assert [float(row["position"]) for row in table] == pytest.approx(np.linspace(-0.5, 0.5, 11))
    with Landscape.open(store) as landscape:
        assert energies[5] == landscape.minima.energy[0] == energies.min()
    assert f"minimum 0: energies from {energies.min():.8g}" in said


def test_the_straight_path_between_two_minima(store, tmp_path):
    said = finished("slice", store, 0, 1, "--output", tmp_path / "barrier.csv")
    with Landscape.open(store) as landscape:
        barrier = linear_barrier(landscape, 0, 1)
    assert f"straight line           {barrier.before:.8g}\n  straight line, aligned  {barrier.after:.8g}" in said
    aligned = [float(row["energy_aligned"]) for row in rows(tmp_path / "barrier.csv")]
    assert aligned == pytest.approx(barrier.aligned.energy)


@pytest.mark.parametrize("words", [(0,), (0, 1), (0, "--surface", "--log"), (0, 1, 2)])
def test_pictures_lie_beside_the_store(store, words):
    picture = store.with_name("digits-slice.png")
    picture.unlink(missing_ok=True)
    said = finished("slice", store, *words, "--points", 9)
    assert str(picture) in said
    assert imread(picture).std() > 0.01  # something is drawn
    if "--surface" in words or len(words) == 3:
        assert "basins on the plane" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument 'MINIMA...'"),
        ((0, 1, 2, 3), "one, two or three numbers; 4 are given"),
        ((0, 1, "--surface"), "--surface draws a plane around one minimum"),
        ((99,), "MINIMA is 99"),
        ((0, "--output", "x.txt"), "--output"),
        ((0, "--span", 0), "--span"),
    ],
)
def test_what_is_wrong_is_said(store, words, said):
    result = thalweg("slice", store, *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr


def test_a_file_of_somebody_else_is_not_replaced(store, tmp_path):
    picture, table = tmp_path / "holiday.png", tmp_path / "mine.csv"
    for file in (picture, table):
        file.write_bytes(b"mine")
        result = thalweg("slice", store, 0, "--points", 5, "--output", file)
        assert result.exit_code == 1
        assert "add --overwrite" in result.stderr
        assert file.read_bytes() == b"mine"
        finished("slice", store, 0, "--points", 5, "--output", file, "--overwrite")
        assert file.read_bytes() != b"mine"
    finished("slice", store, 1, "--points", 5, "--output", picture)  # its own picture is drawn again
