"""Files that are in the way of what a command writes: none but Thalweg's own pictures are replaced unasked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from thalweg.analysis.cli.output_files import is_own_picture, output_file

from ...helpers import files_of, finished, small_network, thalweg


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "a.zarr"
    finished("explore", "MuellerBrown", "--output", path, "--steps", 20, "--searches", 20, "--workers", 1)
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "a.zarr"
    finished("explore", "LJ4", "--output", path, "--steps", 5, "--searches", 5, "--workers", 1)
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    from thalweg.landscapes import Landscape

    path = tmp_path_factory.mktemp("stores") / "a.zarr"
    with Landscape(small_network(), path) as landscape:
        landscape.find_minima(steps=3, workers=1)
    return path


def figure(path, **metadata):
    drawn = Figure(figsize=(1, 1))
    drawn.add_subplot().plot([1, 2], label="thalweg 0.1.0")
    drawn.savefig(path, metadata=metadata or None)


FOREIGN = {
    "text": lambda path: path.write_text("precious"),
    "empty": lambda path: path.touch(),
    "a picture of matplotlib": figure,
    "a picture with Thalweg in its title": lambda path: figure(
        path, Title="thalweg 0.1.0" if path.suffix != ".svg" else "thalweg 0.1.0 - profile of a river"
    ),
    "text that names Thalweg": lambda path: path.write_text("Software thalweg 0.1.0 Creator"),
}


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_picture_of_somebody_else_is_replaced_only_when_told(store, tmp_path, what, ending):
    mine = tmp_path / f"holiday{ending}"
    FOREIGN[what](mine)
    before = files_of(tmp_path)
    done = thalweg("plot", store, "--output", mine)
    assert done.exit_code == 1
    assert f"{mine} exists, and is no picture that Thalweg drew: add --overwrite" in done.output
    assert files_of(tmp_path) == before
    assert not is_own_picture(mine)
    finished("plot", store, "--output", mine, "--overwrite")
    assert is_own_picture(mine)
    drawn = mine.stat().st_mtime_ns
    finished("plot", store, "--output", mine)  # from now on it is Thalweg's
    assert mine.stat().st_mtime_ns > drawn
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]


def test_explore_says_before_it_begins_that_a_picture_is_in_the_way(tmp_path):
    mine = tmp_path / "holiday.png"
    Image.new("RGB", (3, 3)).save(mine)
    before = files_of(tmp_path)
    words = ("explore", "MuellerBrown", "--steps", 5, "--searches", 2, "--workers", 1)
    done = thalweg(*words, "--output", tmp_path / "holiday.zarr")
    assert done.exit_code == 1
    assert "holiday.png exists" in done.output
    assert files_of(tmp_path) == before
    finished(*words, "--output", tmp_path / "holiday.zarr", "--overwrite")
    assert is_own_picture(mine)
    finished(*words, "--output", tmp_path / "holiday.zarr", "--resume")
    (tmp_path / "a.b.png").mkdir()
    assert "is a folder" in thalweg(*words, "--output", tmp_path / "a.b.zarr", "--overwrite").output
    assert not (tmp_path / "a.b.zarr").exists()


def writes(store, cluster, network, ending):
    """The commands that write a file of this ending, without their --output."""
    return {
        ".png": [
            ("plot", store),
            ("plot", store, store),
            ("compare", store, store, "--sample", 2),
            ("path", store, 0, 1, "--stationary"),
            ("map", network, "--resolution", 5),
        ],
        ".csv": [("path", store, 0, 1, "--stationary"), ("predict", network, "--on", "train")],
        ".npz": [("show", store, "minimum", 0), ("predict", network, "--on", "train")],
        ".xyz": [("show", cluster, "minimum", 0)],
        ".graphml": [("export", store, "--format", "graphml")],
    }[ending]


@pytest.mark.parametrize("ending", [".png", ".csv", ".npz", ".xyz", ".graphml"])
def test_every_command_that_writes_a_file(store, cluster, network, tmp_path, ending):
    mine = tmp_path / f"mine{ending}"
    for words in writes(store, cluster, network, ending):
        mine.write_text("precious")
        done = thalweg(*words, "--output", mine)
        assert (done.exit_code, mine.read_text()) == (1, "precious"), words
        assert "add --overwrite to replace it, or choose another name" in done.output
        assert thalweg(*words, "--output", mine, "--overwrite").exit_code == 0
        assert mine.read_bytes() != b"precious"
        assert thalweg(*words, "--output", mine).exit_code == (0 if ending == ".png" else 1), words
        done = thalweg(*words, "--output", tmp_path / "missing" / mine.name)
        assert f"there is no folder {tmp_path / 'missing'} to write {mine.name} to" in done.output
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]


@pytest.mark.parametrize("form", ["csv", "pathsample"])
def test_folders_of_tables(store, tmp_path, form):
    finished("export", store, "--format", form, "--output", tmp_path)
    before = files_of(tmp_path)
    victim = sorted(tmp_path.iterdir())[-1]
    victim.write_text("precious")
    done = thalweg("export", store, "--format", form, "--output", tmp_path)
    assert done.exit_code == 1
    assert "--overwrite" in done.output
    assert victim.read_text() == "precious"
    finished("export", store, "--format", form, "--output", tmp_path, "--overwrite")
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("victim", ["min.data", "ts.data", "points.min", "points.ts"])
def test_a_full_disk_leaves_all_files_of_another_program(store, tmp_path, monkeypatch, victim):
    """Half of a database would pass for a whole one."""
    finished("export", store, "--format", "pathsample", "--output", tmp_path)
    (tmp_path / victim).write_text("precious")
    before = files_of(tmp_path)
    opened = Path.open

    def full(path, mode="r", *more, **options):
        if victim in path.name and "x" in mode:
            raise OSError(28, "No space left on device")
        return opened(path, mode, *more, **options)

    monkeypatch.setattr(Path, "open", full)
    done = thalweg("export", store, "--format", "pathsample", "--output", tmp_path, "--overwrite")
    assert done.exit_code == 1
    assert "No space left" in done.output
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_there_is_what_was_there(tmp_path, error):
    mine = tmp_path / "a.csv"
    mine.write_text("precious")

    def begin(place):
        place.write_text("half")
        raise error

    with pytest.raises(error), output_file(mine, True) as place:
        begin(place)
    assert files_of(tmp_path) == {"a.csv": b"precious"}


def test_a_file_that_came_while_it_was_drawn_stays(tmp_path):
    mine = tmp_path / "a.png"

    def draw(place):
        place.write_text("drawn")
        mine.write_text("precious")

    with pytest.raises(FileExistsError), output_file(mine, False) as place:
        draw(place)
    assert files_of(tmp_path) == {"a.png": b"precious"}


def test_links(store, tmp_path):
    """A picture by another name is drawn where it is; a link to a file of the user's protects it no less."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "a.png").symlink_to(tmp_path / "pictures" / "there.png")
    for _ in range(2):
        finished("plot", store, "--output", tmp_path / "a.png")
        assert is_own_picture(tmp_path / "pictures" / "there.png")
        assert os.readlink(tmp_path / "a.png") == str(tmp_path / "pictures" / "there.png")
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "b.png").symlink_to(tmp_path / "thesis.tex")
    assert thalweg("plot", store, "--output", tmp_path / "b.png").exit_code == 1
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
