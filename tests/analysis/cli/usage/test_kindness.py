"""What makes the command line easy to use: rows by name, widths of terminals, errors in the words of the options."""

from __future__ import annotations

import re

import click
import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape

from ....helpers import finished, thalweg


@pytest.fixture(scope="module")
def camel(tmp_path_factory):
    """The store of a surface, and what its exploration printed."""
    store = tmp_path_factory.mktemp("camel") / "camel.zarr"
    words = ("--steps", 60, "--searches", 40, "--workers", 1)
    return store, finished("explore", "SixHumpCamel", "--output", store, *words)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """The store of a landscape in two pieces."""
    store = tmp_path_factory.mktemp("pieces") / "pieces.zarr"
    finished("explore", "SixHumpCamel", "--output", store, "--steps", 60, "--searches", 1, "--workers", 1)
    network = KineticTransitionNetwork.read(store)
    assert network.n_components > 1
    return store, network


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show {} minimum lowest", "minimum {} of"),
        ("show {} state lowest", "transition state"),
        ("path {} lowest {other} --stationary", "minimum"),
        ("slice {} lowest --points 5 --output {folder}/a.csv", "minimum {}:"),
        ("plot {} --connected-to lowest --labels lowest --draw lowest", "--draw"),
        ("connect {} lowest {other}", "the two minima are joined already"),
    ],
)
def test_lowest_is_a_row(camel, tmp_path, words, said):
    store, _ = camel
    lowest = Landscape.open(store).minima.lowest()
    result = thalweg(*words.format(store, other=(lowest + 1) % 2, folder=tmp_path).split())
    assert result.exit_code == (1 if "--draw" in words else 0), result.output  # a surface has no structures
    assert said.format(lowest) in result.output


def test_lowest_is_a_row_of_networks(trained, tmp_path):
    store, _ = trained
    lowest = Landscape.open(store).minima.lowest()
    assert f"confusion of minimum {lowest}:" in finished("predict", store, "--minimum", "lowest")
    finished("map", store, "lowest", "--resolution", 4, "--output", tmp_path / "m.png")
    assert "MINIMA names a minimum twice" in thalweg("map", store, "lowest", lowest).output


def test_a_word_that_is_no_row_is_refused(camel):
    said = thalweg("show", camel[0], "minimum", "lowst").output
    assert "'lowst' is not a row: write its number, counted from 0, or lowest" in said


def test_summaries_name_the_rows_of_the_lowest(camel):
    store, explored = camel
    energies = Landscape.open(store).minima.energy[:]
    said = finished("info", store)
    for row in np.argsort(energies, kind="stable")[:5]:
        assert f"minimum {row}: {energies[row]:.8f}" in said
    assert f"{energies.min():.10f}, minimum {energies.argmin()}" in explored


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    "words",
    ["info {}", "show {} minimum 0", "show {} state 0", "path {} 0 1", "compare {} {}", "verify {}", "plot {}"],
)
def test_texts_keep_to_the_width(camel, monkeypatch, words, columns):
    words = [part.format(camel[0]) for part in words.split()]
    texts = []
    for width in (columns, 1000):
        monkeypatch.setenv("COLUMNS", str(width))
        texts.append(finished(*words))
    narrow, wide = (
        text.replace(str(camel[0]), "STORE").replace(str(camel[0].with_suffix(".png")), "") for text in texts
    )
    assert max(map(len, narrow.splitlines())) <= columns
    assert set(narrow.split()) <= set(wide.split())


@pytest.mark.parametrize("command", program.list_commands(click.Context(program)))
@pytest.mark.parametrize("columns", [60, 80])
def test_help_keeps_to_the_width(command, columns):
    said = CliRunner().invoke(program, [command, "--help"], terminal_width=columns).stdout
    assert said.startswith("Usage")
    assert max(map(len, said.splitlines())) <= columns


def test_resuming_what_is_not_there_is_refused(camel):
    store, _ = camel
    result = thalweg("explore", "SixHumpCamel", "--resume", "--output", store.with_name("caml.zarr"))
    assert result.exit_code == 1
    assert "caml.zarr" in result.stderr
    assert "did you mean camel.zarr?" in result.stderr
    assert not list(store.parent.glob("caml*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("plot {} --emin 100", "--emin is 100; it must be below "),
        ("plot {} --emax -100", "--emax is -100; it must be above the lowest minimum"),
        ("plot {} --emin 1 --emax 0", "--emax is 0; it must be above --emin, which is 1"),
        ("plot {} --colour nope", "--colour: the network has no property 'nope'"),
        ("plot {} --colour energy --cmap virids", "--cmap: there is no colour map 'virids'"),
        ("plot {} --colour energy --vmin 2 --vmax 1", "--vmin is 2.0 and --vmax 1.0; --vmin must be below --vmax"),
        ("plot {} --vmin 2", "--vmin needs --colour"),
        ("plot {} --colour energy --vmin nan", "--vmin is nan; a finite number is needed"),
        ("plot {} --emin nan", "--emin is nan; a finite energy is needed"),
        ("path {} 0 1 --mass-weighted", "--mass-weighted needs atoms"),
        ("slice {} 0 --span nan", "--span must be two finite numbers"),
        ("plot {} --descendants mean", "--descendants needs --colour or --groups"),
        ("plot {} --colour energy --descendants most", "--descendants is 'most'"),
        ("path {} 0 99", "END is 99"),
        ("connect {} 0 0", "FIRST and SECOND are both minimum 0"),
        ("slice {} 99", "MINIMA is 99"),
        ("explore SixHumpCamel --output {} --resume --seed 4", "--seed 0, not 4"),
    ],
)
def test_errors_are_in_the_words_of_the_options(camel, words, message):
    store, _ = camel
    picture = store.with_suffix(".png")
    before = picture.read_bytes()
    result = thalweg(*(word.format(store) for word in words.split()))
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("predict {} --temperature -1", "--temperature is -1.0; it must be positive"),
        ("predict {} --minimum 99", "--minimum is 99"),
        ("predict {} --reference 9", "--reference is 9"),
        ("predict {} --keep a/b", "--keep is 'a/b'; a letter"),
        ("map {} 99", "MINIMA is 99"),
        ("map {} 0 --plane 0 5", "--plane must name two different inputs"),
        ("map {} 0 --probability-of 9", "--probability-of is 9"),
        ("explore D1 --activation relu --output {}x", "--activation='relu' has kinks"),
        ("explore MNIST --path nofolder --output {}x", "--path must be a folder with MNIST's IDX files"),
    ],
)
def test_errors_about_networks_are_in_the_words_of_the_options(trained, words, message):
    result = thalweg(*(word.format(trained[0]) for word in words.split()))
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_a_title_is_no_formula(camel, tmp_path):
    finished("plot", camel[0], "--title", r"costs $\frac$", "--output", tmp_path / "a.png")


def test_style_of_a_graph(camel, tmp_path):
    picture = tmp_path / "a.svg"
    words = ("--colour", "energy", "--cmap", "red_to_blue", "--vmin", -2, "--vmax", 3, "--title", "Six humps")
    finished("plot", camel[0], *words, "--output", picture)
    assert re.search(r"<text[^>]*>Six humps</text>", picture.read_text())


def test_what_a_graph_leaves_out_is_said(pieces, tmp_path):
    store, network = pieces
    labels = network.component_labels
    shown = int((labels == labels[network.global_minimum]).sum())
    words = f"{shown} of {network.n_minima} minima"
    assert f"{words} are shown; left out by: minima not connected" in finished("plot", store)
    assert f"{words} are connected to the lowest" in finished("info", store)
    picture = tmp_path / "a.svg"
    finished("plot", store, "--output", picture)
    assert words in picture.read_text()
    assert "are shown" not in finished("plot", store, "--all-components", "--output", picture)
    assert words not in picture.read_text()


def test_a_store_beside_itself_has_two_labels(camel):
    store, _ = camel
    head, *rows = finished("compare", store, store, "--format", "csv").splitlines()
    assert head == f"measure,{store} (1),{store} (2)"
    assert len(rows[0].split(",")) == 3


@pytest.mark.parametrize(
    ("system", "there", "not_there"),
    [
        ("LJ13", ["--steps     3000", "--searches  6000"], ["--hidden", "--calculator", "--moves"]),
        ("d1", ["--hidden      10", "--data        1000"], ["--calculator", "--target"]),
        ("slab.xyz", ["--calculator"], ["--hidden", "--errors"]),
    ],
)
def test_help_of_one_system(system, there, not_there):
    said = finished("explore", system, "--help")
    assert all(words in said for words in there)
    assert not any(words in said for words in not_there)


def test_help_of_no_system_is_that_of_all():
    for words in ((), ("nothing",)):
        said = finished("explore", *words, "--help")
        assert "--hidden" in said
        assert "MuellerBrown" in said


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["explore"], "Mu", ["MuellerBrown"]),
        (["explore"], "D", ["D1", "D2", "D3", "digits"]),
        (["show", "a.zarr", "minimum"], "lo", ["lowest"]),
        (["plot", "{store}", "--colour"], "en", ["energy"]),
        (["plot", "{store}", "--groups"], "", ["basins", "groups"]),
        (["plot", "nothing.zarr", "--groups"], "b", ["basins"]),
        (["plot", "a.zarr", "--cmap"], "red_", ["red_to_blue"]),
    ],
)
def test_shells_complete_words(camel, words, incomplete, expected):
    words = [word.format(store=camel[0]) for word in words]
    found = ShellComplete(program, {}, "thalweg", "_THALWEG_COMPLETE").get_completions(words, incomplete)
    assert [item.value for item in found] == expected


def test_shells_complete_properties_of_the_store(trained):
    found = ShellComplete(program, {}, "thalweg", "_THALWEG_COMPLETE").get_completions(
        ["plot", str(trained[0]), "--colour"], ""
    )
    stored = list(Landscape.open(trained[0]).properties)
    assert {item.value for item in found} >= {"none", "energy", *stored}
