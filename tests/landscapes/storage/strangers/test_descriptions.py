"""Descriptions and states that somebody else has written, and numbers that no exporter can use: errors of the store."""

from __future__ import annotations

import copy
import shutil

import click
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape, StoreError, merge
from thalweg.potentials import MuellerBrown, NetworkLoss, Point, Weights

from ....helpers import finished, random_cluster, thalweg
from .changes import at, edit, rewrite, without


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store of each kind: a cluster, a network, atoms with a calculator of ASE, a point."""
    folder = tmp_path_factory.mktemp("stores")
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(10, 2)), rng.integers(0, 3, 10), hidden=(2,), l2=1e-3, n_classes=3)
    copper = Atoms("Cu3", [[0, 0, 0], [2.3, 0, 0], [1.2, 2.0, 0]], info={"made": {"by": "hand"}}, calculator=EMT())
    subjects = {
        "cluster": random_cluster(5),
        "network": Weights.random(loss, seed=0),
        "emt": copper,
        "point": Point([0.0, 0.5], MuellerBrown()),
    }
    for name, subject in subjects.items():
        with Landscape(subject, folder / f"{name}.zarr") as landscape:
            landscape.find_minima(steps=6, workers=1)
            landscape.connect(searches=4, workers=1)
            assert len(landscape.minima)
            assert len(landscape.transition_states) or name != "cluster"
    return folder


@pytest.fixture
def store(stores, tmp_path):
    """Return a copy of the store of a kind."""

    def copied(kind):
        shutil.copytree(stores / f"{kind}.zarr", tmp_path / "a.zarr")
        return tmp_path / "a.zarr"

    return copied


def ends_in_a_clear_error(*words):
    """A command fails with one line that names the store; it was made of a StoreError."""
    with pytest.raises(click.ClickException, match=r"a\.zarr") as caught:
        program.main([str(word) for word in words], "thalweg", standalone_mode=False)
    assert isinstance(caught.value.__cause__, StoreError)


# ---- names


NAMES = ["system/_private", "minima//energy", "..", "_x", "zarr.json", "x.partial", "", "a\nb"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("group", ["system", "system/calculator", "system/info/made"])
def test_a_name_that_a_store_cannot_hold_is_refused_where_it_is_read(stores, store, name, group):
    path = store("emt")
    edit(path, at(group, "attributes", name, to=1))
    for first, second in ((path, stores / "emt.zarr"), (stores / "emt.zarr", path)):
        with pytest.raises(StoreError, match=r"a\.zarr.*is no name of an attribute of system"):
            merge(first, second, path.with_name("merged.zarr"))
    ends_in_a_clear_error("info", path)


def test_a_name_inside_an_object_counts_too(store):
    path = store("emt")
    edit(path, at("system/calculator", "attributes", "arguments", to={"right": {"../wrong": 1}}))
    with pytest.raises(StoreError, match=r"'\.\./wrong' is no name of .* system/calculator/arguments/right"):
        Landscape.open(path)


# ---- what a description needs


@pytest.mark.parametrize("kind", ["cluster", "emt", "point", "network"])
@pytest.mark.parametrize("name", ["system/calculator", "system/x", "system/frozen"])
def test_an_entry_that_a_description_needs_is_named(store, kind, name):
    path = store(kind)

    def change(attributes, members, root):
        for member in [member for member in members if f"{member}/".startswith(f"{name}/")]:
            del members[member]

    edit(path, change)
    with pytest.raises(StoreError, match=f"{name} is missing"):
        assert Landscape.open(path).system
    ends_in_a_clear_error("info", path)
    ends_in_a_clear_error("export", path, "--format", "pathsample", "--output", path.with_name("out"))


ATOMS = {
    "permutations": ["some", 3, None, ["all"]],
    "inversion": ["yes", 1, [], None],
    "substrate": ["no", 0.0],
    "left_out": ["info: x", {"a": 1}, [1], 3],
    "constraints": ["FixCom", [1], {"name": "FixCom"}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ATOMS.items() for value in values])
def test_what_counts_as_the_same_is_checked(store, name, value):
    path = store("emt")
    edit(path, at("system", "attributes", name, to=value))
    copper = Atoms("Cu3", [[0, 0, 0], [2.3, 0, 0], [1.2, 2.0, 0]], info={"made": {"by": "hand"}}, calculator=EMT())
    with pytest.raises(StoreError, match=f"system/{name}"):
        Landscape(copper, path)
    ends_in_a_clear_error("info", path)


def test_coordinates_of_atoms_are_three_each(stores, tmp_path):
    """The store of a point is called one of a third of an atom less."""
    path = tmp_path / "a.zarr"
    with Landscape(Point([0.0, 0.5, 1.0, 2.0], lambda x: float(x @ x)), path) as landscape:
        landscape.find_minima(steps=1, workers=1)
    edit(path, at("system", "attributes", "kind", to="atoms"))
    for name, value in (("numbers", [1]), ("cell", [[0.0] * 3] * 3), ("pbc", [False] * 3)):
        kind = {"numbers": np.int64, "cell": np.float64, "pbc": np.bool_}[name]
        _add_static(path, f"system/{name}", np.array(value, dtype=kind))
    ends_in_a_clear_error("show", path, "minimum", 0)


@pytest.mark.parametrize(("name", "value"), [("numbers", [79, 79, 79]), ("positions", np.zeros((3, 3)))])
def test_atoms_are_what_the_description_says_they_are(store, name, value):
    """Further arrays of atoms are one's own: none makes gold of what is called copper."""
    path = store("emt")
    edit(
        path, lambda attributes, members, root: members.update({"system/arrays": copy.deepcopy(members["properties"])})
    )
    (path / "system" / "arrays").mkdir()
    _add_static(path, f"system/arrays/{name}", np.array(value))
    with pytest.raises(StoreError, match=rf"a\.zarr.*arrays/{name} is no array of one's own"):
        assert Landscape.open(path).geometry
    ends_in_a_clear_error("verify", path, "--workers", 1)


def _add_static(path, name, values):
    from thalweg.landscapes.storage.description import static_spec

    spec = static_spec(name, values)
    (path / name).mkdir()
    (path / spec.chunk_key(0)).write_bytes(spec.encode(values))
    edit(path, lambda attributes, members, root: members.update({name: spec.metadata(len(values))}))


NETWORKS = {
    "n_classes": [None, 1, "3", 2**25, [3]],
    "loss": ["hinge", None, ["cross_entropy"], "squared_error", "logistic"],
    "activation": [3, [1], {"a": 1}],
    "l2_biases": [1, "no"],
    "targets": [5, [1.0], "many"],
    "neighbours": [-1, 0.5],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NETWORKS.items() for value in values])
def test_entries_of_a_network_are_checked(store, name, value):
    path = store("network")
    edit(path, at("system/calculator", "attributes", name, to=value))
    if name == "targets":
        edit(path, at("system/calculator", "attributes", "loss", to="squared_error"))
    ends_in_a_clear_error("info", path)
    ends_in_a_clear_error("predict", path, "--on", "train")


@pytest.mark.parametrize("value", ["x", None, [1.0], {}])
def test_a_cluster_whose_parameter_is_no_number_is_described(store, value):
    path = store("cluster")
    edit(path, at("system/calculator", "attributes", "Z", to=value))
    assert "LJAT" in finished("info", path)


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "squared_error"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_networks_of_all_losses_are_described(tmp_path, loss, outputs):
    rng = np.random.default_rng(0)
    shape = 10 if outputs == 1 or loss == "cross_entropy" else (10, 2)
    targets = rng.integers(0, 2, shape) if loss != "squared_error" else rng.normal(size=shape)
    network = NetworkLoss(rng.normal(size=(10, 3)), targets, (2,), loss=loss)
    Landscape(Weights.random(network), tmp_path / "a.zarr").close()
    outputs = 2 if loss == "cross_entropy" else outputs
    assert f"network [3,2,{outputs}], 10 training points" in finished("info", tmp_path / "a.zarr")


def test_a_system_of_one_s_own_need_not_name_a_calculator(made_up, tmp_path):
    system = made_up.MadeUp()
    system.describe = lambda: {"kind": "spins", "n": system.n}
    with Landscape(system, tmp_path / "a.zarr") as landscape:
        landscape.add_task("all", made_up.task(0))
    assert "a.zarr: spins" in finished("info", tmp_path / "a.zarr").replace("\n", "")


# ---- what commands remember


STATES = {
    "options a text": ("explore", {"options": "x"}),
    "options null": ("explore", {"options": None}),
    "a seed that is none": ("explore", {"options": {"seed": -1}}),
    "units of a network": ("explore", {"options": {"hidden": 10}}),
    "units by text": ("explore", {"options": {"hidden": ["10"]}}),
    "inputs a number": ("explore", {"options": {"inputs": 3}}),
    "parameters a list": ("explore", {"options": {"parameters": [1]}}),
    "a system of lists": ("explore", {"system": ["LJ13"]}),
    "below a list": ("explore", {"below": [0.01]}),
    "noise null": ("explore", {"options": {"noise": None}}),
    "no system": ("explore", {"system": 3}),
    "steps a text": ("explore", {"steps": "many"}),
    "steps without end": ("explore", {"steps": 2**64}),
    "data a text": ("explore", {"data": "x"}),
    "training data a list": ("explore", {"data": {"training": []}}),
    "scaling without widths": ("explore", {"data": {"training": {"scaling": {"kind": "standard", "shift": [0.0]}}}}),
    "classes an object": ("explore", {"data": {"training": {"classes": {"0": "cat"}}}}),
    "stages of one number": ("paper", {"stages": [[1]]}),
    "stages of texts": ("paper", {"stages": [["1", 2.0, 3, 4]]}),
    "problems a text": ("paper", {"problems": "none"}),
    "told a text": ("paper", {"told": "all is well"}),
}


@pytest.mark.parametrize("name", STATES)
def test_what_a_command_has_stored_is_checked(store, name):
    path = store("network")
    command, state = STATES[name]
    state = {"system": "digits", "options": {}} | state
    edit(path, lambda attributes, members, root: attributes["state"].update({command: state}))
    with pytest.raises(StoreError, match=f"attribute/state/{command}/"):
        Landscape.open(path)
    ends_in_a_clear_error("info", path)
    said = thalweg("explore", "digits", "--resume", "--output", path)
    assert said.exit_code in (1, 2)
    assert f"attribute/state/{command}/" in said.output.replace("\n", "")


@pytest.mark.parametrize("system", [None, "LJ13", "MuellerBrown", "../../../etc/passwd", "/dev/zero.npz"])
def test_a_plan_that_names_no_data_is_no_way_to_any(store, system):
    path = store("network")
    plan = {"system": system, "options": {"target": "label"}}
    edit(path, lambda attributes, members, root: attributes["state"].update(explore=plan))
    table = path.with_name("data.csv")
    table.write_text("a,b,label\n1,2,x\n3,4,y\n")
    for words in (("predict", path), ("predict", path, "--data", table), ("map", path, "--data", table)):
        said = thalweg(*words)
        assert said.exit_code == 1
        assert isinstance(said.exception, SystemExit)


def test_a_limit_of_energy_that_is_none_is_named(store):
    path = store("point")
    plan = {"system": "MuellerBrown", "options": {}, "below": "+much"}
    edit(path, lambda attributes, members, root: attributes["state"].update(explore=plan))
    said = thalweg("explore", "MuellerBrown", "--resume", "--output", path)
    assert said.exit_code == 2
    assert "it is '+much'" in said.output


def test_a_state_of_a_command_that_no_reader_would_accept_is_not_written(store):
    path = store("point")
    with Landscape.open(path, "r+") as landscape:
        landscape.state["explore"] = {"system": "D1", "options": {"hidden": 10}}
        with pytest.raises(ValueError, match="attribute/state/explore/options/hidden"):
            landscape.commit()
        del landscape.state["explore"]


# ---- numbers


@pytest.mark.parametrize(
    ("array", "place", "value"),
    [
        *(("minima/coordinates", (0, 1), 1e60), ("transition_states/coordinates", (0, 0), -1.1e50)),
        *(("minima/energy", 0, 1.7e308), ("transition_states/energy", 0, -1e301), ("minima/gradient_rms", 0, 1e301)),
        *(("minima/log_eigenvalue_product", 0, 1e305), ("transition_states/path_length", (0, 0), 1e301)),
    ],
)
def test_a_number_whose_sums_or_squares_overflow_is_refused(store, array, place, value):
    path = store("cluster")
    rewrite(path, array, place, value)
    ends_in_a_clear_error("export", path, "--format", "pathsample", "--output", path.with_name("out"))
    assert thalweg("verify", path, "--workers", 1).exit_code == 1


@pytest.mark.parametrize(("name", "value"), [("energy", 1e301), ("coordinates", np.full(6, 1e51))])
def test_such_a_number_does_not_enter(made_up, tmp_path, name, value):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        with pytest.raises(ValueError, match=f"{name} is not finite, or beyond"):
            landscape.add_minimum(made_up.minimum(0, **{name: value}))
        assert not len(landscape.minima)


@pytest.mark.parametrize("group", ["minima", "transition_states"])
def test_a_product_that_pathsample_cannot_have_is_named(store, group):
    """NaN is allowed in a store, where nobody has computed it."""
    path = store("cluster")
    rewrite(path, f"{group}/log_eigenvalue_product", 0, np.nan)
    ends_in_a_clear_error("export", path, "--format", "pathsample", "--output", path.with_name("out"))
    assert not path.with_name("out").exists()
    finished("export", path, "--format", "csv", "--output", path.with_name("tables"))


@pytest.mark.parametrize("masses", [[0.0] * 3, [63.5, 0.0, 63.5]])
def test_masses_of_zero_have_no_vibrations(store, masses):
    path = store("emt")
    rewrite(path, "system/masses", slice(None), masses)
    for form in ("pathsample", "csv"):
        ends_in_a_clear_error("export", path, "--format", form, "--output", path.with_name("out"))


def test_a_description_of_a_network_without_l2_is_named(store):
    path = store("network")
    edit(path, without("system/calculator", "attributes", "neighbours"))
    ends_in_a_clear_error("info", path)
