"""``thalweg`` as users type it, in this process."""

from __future__ import annotations

import importlib.metadata
import re

import numpy as np
import pytest

from thalweg.landscapes import Landscape

from ...helpers import finished, thalweg

# shared/science.md: computed with an independent program and a direct triple sum
LINEAR, TRIANGLE, SADDLE = -2.2190981697, -2.1850988403, -1.98506966


def refused(status, *words):
    """Run ``thalweg`` and return the error; it must have ended with this status and without a traceback."""
    result = thalweg(*words)
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.count("Error: ") == 1
    return result.stderr


@pytest.fixture(scope="module")
def ljat3(tmp_path_factory):
    """A store of LJAT3, and what its exploration printed."""
    store = tmp_path_factory.mktemp("ljat3") / "ljat3.zarr"
    return store, finished("explore", "LJAT3", "--output", store)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A store of a small network on the digits, two in five of them mislabelled, and what its exploration printed."""
    store = tmp_path_factory.mktemp("digits") / "digits.zarr"
    options = "--data 200 --errors 40 --hidden 2 --l2 0.01 --steps 12 --searches 12 --seed 3"
    return store, finished("explore", "digits", "--output", store, *options.split())


def contents(store):
    """Return every file of a store with its bytes."""
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_version_is_the_installed_one():
    assert finished("--version").split()[-1] == importlib.metadata.version("thalweg")


@pytest.mark.parametrize("words", [(), ("explore",), ("info",), ("plot",)])
def test_help(words):
    assert "Usage: " in finished(*words, "--help")


def test_ljat3_is_found_whole(ljat3):
    store, said = ljat3
    with Landscape.open(store) as landscape:
        np.testing.assert_allclose(np.sort(landscape.minima.energy[:]), [LINEAR, TRIANGLE], atol=1e-8, rtol=0)
        states, ends = landscape.transition_states, landscape.transition_states.minima[:]
        joining = np.flatnonzero(ends[:, 0] != ends[:, 1])
        assert np.abs(states.energy[:][joining] - SADDLE).min() < 1e-8
    assert said.startswith("exploring LJAT3")
    assert re.search(r"connected components +1\s", said)
    assert "-2.2190981" in said
    assert store.with_suffix(".png").stat().st_size > 1000


def test_lj7_is_found_whole(tmp_path):
    """Four minima and twelve transition states, Doye and Wales, J. Chem. Phys. 116 (2002) 3777."""
    check_lj7(tmp_path, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_lj7_is_found_whole_by_any_seed(tmp_path, seed):
    check_lj7(tmp_path, seed)


def check_lj7(folder, seed):
    finished("explore", "LJ7", "--output", folder / "lj7.zarr", "--seed", seed)
    with Landscape.open(folder / "lj7.zarr") as landscape:
        assert (len(landscape.minima), len(landscape.transition_states)) == (4, 12)
        assert landscape.minima.energy[:].min() == pytest.approx(-16.505384, abs=1e-6)


def test_networks_get_auc_and_testing_loss(network):
    store, said = network
    with Landscape.open(store) as landscape:
        n = len(landscape.minima)
        assert n > 0
        for name in ("train_auc", "test_auc", "incorrect_auc", "correct_auc", "test_loss"):
            assert np.isfinite(landscape.properties[name]).all(), name
        loss = landscape.system.potential
        assert loss.layers == (64, 2, 10)
        assert loss.mislabelled.sum() == 80
        assert landscape.properties.attributes("test_auc")["testing_points"] == 1797 - 200
    for words in ("network [64,2,10], 200 training points, 80 mislabelled, l2 0.01", "test AUC", "Gmin loss"):
        assert words in said


def test_testing_loss_is_that_of_the_testing_data(network):
    """Against the loss written out here, on the digits that were not drawn for training."""
    from sklearn.datasets import load_digits

    with Landscape.open(network[0]) as landscape:
        loss, x = landscape.system.potential, landscape.minima.coordinates[0]
        stored = landscape.properties["test_loss"][0]
    pixels, labels = load_digits(return_X_y=True)
    drawn = {row.tobytes() for row in loss.inputs}
    rest = np.array([row.tobytes() not in drawn for row in pixels / 16.0])
    w2, w1, b, c = x[:128].reshape(2, 64), x[128:148].reshape(10, 2), x[148:150], x[150:]
    y = np.tanh(pixels[rest] / 16.0 @ w2.T + b) @ w1.T + c
    y -= y.max(axis=1, keepdims=True)
    entropy = np.log(np.exp(y).sum(axis=1)) - y[np.arange(len(y)), labels[rest]]
    assert rest.sum() == 1597
    assert stored == pytest.approx(entropy.mean() + 0.01 * x @ x, rel=1e-10)


def test_a_store_that_is_there_needs_resume(ljat3):
    store, _ = ljat3
    before = contents(store)
    assert "--resume" in refused(1, "explore", "LJAT3", "--output", store)
    assert contents(store) == before


def test_resume_does_what_remains_and_no_more(ljat3):
    store, _ = ljat3
    with Landscape.open(store) as landscape:
        searches, energies = len(landscape.searches), landscape.minima.energy[:]
    said = finished("explore", "LJAT3", "--output", store, "--resume")
    assert said.startswith("going on with LJAT3")
    with Landscape.open(store) as landscape:
        assert len(landscape.searches) == searches
    finished("explore", "LJAT3", "--output", store, "--resume", "--searches", searches)
    with Landscape.open(store) as landscape:
        assert len(landscape.searches) > searches
        np.testing.assert_array_equal(landscape.minima.energy[:], energies)
    picture = store.with_suffix(".png")
    assert picture.exists()


def test_in_two_goes_as_in_one(tmp_path):
    """The same seed and totals give the same rows, on one worker or two."""
    whole, parts = tmp_path / "whole.zarr", tmp_path / "parts.zarr"
    finished("explore", "LJ6", "--output", whole, "--steps", 30, "--searches", 30, "--workers", 1)
    finished("explore", "LJ6", "--output", parts, "--steps", 30, "--searches", 30, "--workers", 2, "--time", "0.2s")
    for _ in range(2):
        finished("explore", "LJ6", "--output", parts, "--resume")
    with Landscape.open(whole) as a, Landscape.open(parts) as b:
        for name in ("minima", "transition_states"):
            np.testing.assert_array_equal(getattr(a, name).coordinates[:], getattr(b, name).coordinates[:])
        np.testing.assert_array_equal(a.searches.start[:], b.searches.start[:])


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--seed", 4], "seed 3, not 4"),
        (["--l2", 0.5], "l2 0.01, not 0.5"),
        (["--hidden", "5,5"], "hidden 2, not 5,5"),
        (["--data", 100, "--errors", 0], "--data 200, not 100; --errors 40.0, not 0.0"),
    ],
)
def test_resume_with_other_options_is_an_error(network, words, named):
    before = contents(network[0])
    assert named in refused(1, "explore", "digits", "--output", network[0], "--resume", *words)
    assert contents(network[0]) == before


def test_resume_of_another_system_is_an_error(network):
    assert "system digits, not LJ7" in refused(1, "explore", "LJ7", "--output", network[0], "--resume")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["D4"], "no system 'D4'"),
        (["LJ1"], "between 2 and"),
        (["LJ7", "--hidden", "5"], "--hidden does not apply to LJ7"),
        (["LJ7", "--path", "."], "--path does not apply to LJ7"),
        (["D1", "--hidden", "5,x"], "5,x"),
        (["D1", "--hidden", "0"], "'0'"),
        (["D1", "--errors", "101"], "--errors"),
        (["D1", "--l2", "-1"], "--l2"),
        (["D1", "--l2", "nan"], "l2"),
        (["D1", "--time", "soon"], "soon"),
        (["D1", "--workers", "0"], "--workers"),
        (["digits", "--data", "5000"], "1797"),
        (["digits", "--neighbours", "0"], "--neighbours"),
        (["MNIST", "--path", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_named_and_nothing_is_made(tmp_path, words, named):
    assert named in refused(2, "explore", *words, "--output", tmp_path / "x.zarr")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["info", "plot"])
@pytest.mark.parametrize("what", ["nothing", "a file", "an empty folder", "another folder"])
def test_no_store_is_one_clear_line(tmp_path, command, what):
    path = tmp_path / "x.zarr"
    if what == "a file":
        path.write_text("no landscape")
    elif what != "nothing":
        path.mkdir()
    if what == "another folder":
        (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    error = refused(1, command, path)
    assert "x.zarr" in error
    assert error.strip().count("\n") == 0


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    refused(1, "explore", "LJAT3", "--output", tmp_path)
    refused(1, "explore", "LJAT3", "--output", tmp_path, "--resume")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_info_of_a_cluster(ljat3):
    said = finished("info", ljat3[0])
    for words in (
        "3 Lennard-Jones atoms, Axilrod-Teller Z = 2",
        "seed 0",
        f"{LINEAR:.8f}",
        f"{TRIANGLE:.8f}",
        "basin-hopping",
        "tolerances",
    ):
        assert words in said


def test_info_of_a_network(network):
    said = finished("info", network[0])
    for words in ("network [64,2,10]", "80 mislabelled", "seed 3", "test AUC", "correct AUC", "training labels  0: "):
        assert words in said


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_plot_writes_what_the_ending_says(network, tmp_path, ending):
    picture = tmp_path / f"graph.{ending}"
    assert str(picture) in finished("plot", network[0], "--output", picture, "--colour", "train_auc", "--levels", 20)
    beginning = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert picture.read_bytes().startswith(beginning)


def test_plot_with_decision_maps(network, tmp_path):
    finished("plot", network[0], "--output", tmp_path / "maps.png", "--draw", "0,1")
    assert (tmp_path / "maps.png").stat().st_size > 5000


def test_plot_beside_the_store(ljat3):
    picture = ljat3[0].with_suffix(".png")
    picture.unlink()
    finished("plot", ljat3[0], "--lowest", 1, "--all-components")
    assert picture.exists()


def test_bad_plots_are_named(network, tmp_path):
    assert "train_auc" in refused(1, "plot", network[0], "--colour", "colourful")
    assert ".pdf" in refused(2, "plot", network[0], "--output", tmp_path / "x.doc")
    assert list(tmp_path.iterdir()) == []


def test_mnist_from_files_at_hand(shared, tmp_path):
    store, files = tmp_path / "mnist.zarr", shared / "data" / "mnist"
    words = "--data 100 --hidden 2 --steps 2 --searches 0"
    said = finished("explore", "MNIST", "--path", files, "--output", store, *words.split())
    assert "network [784,2,10], 100 training points, 0 mislabelled, l2 0.1" in said
    with Landscape.open(store) as landscape:
        assert landscape.properties.attributes("test_auc")["testing_points"] == 9900
        assert "pixels" not in landscape.state["explore"]["options"]


def test_raw_pixels_of_mnist_are_remembered(shared, tmp_path):
    store, files = tmp_path / "raw.zarr", shared / "data" / "mnist"
    words = "--data 30 --hidden 2 --steps 1 --searches 0"
    said = finished("explore", "MNIST", "--path", files, "--pixels", "0 to 255", "--output", store, *words.split())
    assert "l2 0.1, pixels 0 to 255" in said
    with Landscape.open(store) as landscape:
        assert landscape.system.potential.inputs.max() == 255.0
        assert landscape.state["explore"]["options"]["pixels"] == "0 to 255"
        assert landscape.state["explore"]["data"]["training"]["pixels"] == "0 to 255"
        scored = landscape.properties["test_auc"][:]
    before = finished("predict", store)
    assert f"{scored[0]:.4f}"[:5] in before
    finished("explore", "MNIST", "--output", store, "--resume", "--steps", "1")
    assert "pixels" in refused(1, "explore", "MNIST", "--pixels", "0 to 1", "--output", store, "--resume")
    assert "--pixels does not apply to D1" in refused(
        2, "explore", "D1", "--pixels", "0 to 255", "--output", tmp_path / "d1.zarr"
    )
