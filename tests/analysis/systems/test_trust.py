"""Commands on stores that name code: nothing is imported, run or written without ``--trust``, and they say what is."""

from __future__ import annotations

import json
import os
import shutil
import sys

import ase.io
import numpy as np
import pytest
from ase import Atoms

from thalweg.landscapes import Landscape, UntrustedError, verify

from ...helpers import files_of, thalweg

STRAY = """
from pathlib import Path
Path("IMPORTED").touch()
from ase.calculators.emt import EMT
class Thing:
    def __init__(self, **arguments):
        Path("MADE").touch()
class Writer(EMT):
    def __init__(self, path="MADE", **more):
        super().__init__(**more)
        self.path = path
        Path(path).touch()
"""

NAMED = {
    "stray:Writer": {},
    "stray:Thing": {},
    "os:system": {"command": "touch MADE"},
    "subprocess:Popen": {"args": ["touch", "MADE"]},
    "dftb": {"command": "touch MADE", "label": "MADE"},
    "mopac": {"command": "touch MADE"},
    "emt": {"label": "MADE", "directory": "."},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    positions = [[0, 0, 0], [2.5, 0, 0], [1.2, 2.2, 0], [1.2, 0.7, 2.1], [1.2, 0.7, -2.1]]
    ase.io.write(folder / "five.xyz", Atoms("Cu4Au", positions))  # gold in one of two places
    words = ("explore", folder / "five.xyz", "--calculator", "emt", "--output", folder / "a.zarr")
    result = thalweg(*words, "--steps", 6, "--searches", 8, "--workers", 1)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    (tmp_path / "stray.py").write_text(STRAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("stray", None)


def name_calculator(store, name, parameters, state=False):
    """Make a store name another calculator, as a stranger may; with ``state`` where resuming alone reads it."""
    root = json.loads((store / "zarr.json").read_text())
    if state:
        root["attributes"]["state"]["explore"]["options"] |= {"calculator": name, "parameters": parameters}
    else:
        metadata = root["consolidated_metadata"]["metadata"]
        described = {"name": name, "ase": True, **({"class": name} if ":" in name else {})}
        metadata["system/calculator"]["attributes"] = described
        metadata["system/calculator/parameters"]["attributes"] = parameters
    (store / "zarr.json").write_text(json.dumps(root))
    return store


def nothing_ran(folder):
    assert "stray" not in sys.modules
    return not any((folder / name).exists() for name in ("MADE", "IMPORTED"))


READING = [
    ("info", "a.zarr"),
    ("show", "a.zarr", "minimum", 0, "--output", "m.xyz"),
    ("plot", "a.zarr", "--draw", "0", "--output", "g.png"),
    ("path", "a.zarr", 0, 1, "--stationary", "--output", "p.xyz"),
    ("compare", "a.zarr", "a.zarr"),
    ("export", "a.zarr", "--format", "csv", "--output", "tables"),
    ("export", "a.zarr", "--format", "pathsample", "--output", "files"),
]
COMPUTING = [
    ("verify", "a.zarr"),
    ("verify", "a.zarr", "--mark"),
    ("path", "a.zarr", 0, 1),
    ("connect", "a.zarr", "--searches", 1),
    ("merge", "a.zarr", "b.zarr", "--output", "c.zarr"),
    ("import", "files", "--system", "a.zarr", "--output", "d.zarr"),
]


@pytest.mark.parametrize("name", NAMED)
def test_reading_runs_nothing_and_needs_no_trust(here, name):
    name_calculator(here / "a.zarr", name, NAMED[name])
    for words in READING:
        result = thalweg(*words)
        assert result.exit_code == 0, (words, result.output)
        if words[0] == "show":
            (line,) = [line for line in result.output.splitlines() if line.startswith("no spectrum")]
            assert name in line
            assert "--trust" in line
            assert result.output.count("\nCu ") == 4
    assert nothing_ran(here)


@pytest.mark.parametrize("name", NAMED)
def test_computing_is_refused_and_says_what_would_run(here, name):
    thalweg("export", "a.zarr", "--format", "pathsample", "--output", "files")
    name_calculator(here / "a.zarr", name, NAMED[name])
    shutil.copytree("a.zarr", "b.zarr")
    before = files_of(here)
    for words in COMPUTING:
        result = thalweg(*words)
        assert result.exit_code == 1, (words, result.output)
        assert "--trust" in result.stderr
        assert name in result.stderr
        for key, value in NAMED[name].items():
            assert f"{key}={value!r}" in result.stderr
    assert {key: held for key, held in files_of(here).items() if not key.endswith(".lock")} == before


@pytest.mark.parametrize("command", [("predict",), ("map",)])
def test_a_store_s_plan_builds_no_structure(here, command):
    """The testing data of a store are those of a network by its name; the name of a structure has a calculator."""
    name_calculator(here / "a.zarr", "stray:Writer", {}, state=True)
    result = thalweg(*command, "a.zarr")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert nothing_ran(here)


def test_with_trust_it_runs(here):
    name_calculator(here / "a.zarr", "stray:Writer", {})
    result = thalweg("verify", "a.zarr", "--trust")
    assert result.exit_code == 0, result.output
    assert "nothing wrong" in result.output
    assert (here / "MADE").exists()
    assert "spectrum\n" in thalweg("show", "a.zarr", "minimum", 0, "--trust").output


@pytest.mark.parametrize("name", ["stray:Thing", "os:system", "subprocess:Popen"])
def test_with_trust_it_must_be_a_calculator_and_is_not_called(here, name):
    name_calculator(here / "a.zarr", name, NAMED[name])
    result = thalweg("verify", "a.zarr", "--trust")
    assert result.exit_code == 1
    assert "no ASE calculator" in result.stderr
    assert not (here / "MADE").exists()


def test_in_python_it_is_trust_or_a_calculator(here):
    from ase.calculators.emt import EMT

    shutil.copytree("a.zarr", "plain.zarr")
    name_calculator(here / "a.zarr", "stray:Writer", {"asap_cutoff": False})
    with pytest.raises(UntrustedError, match=r"stray:Writer with asap_cutoff=False.*trust=True"):
        Landscape.open("a.zarr").system  # noqa: B018
    with pytest.raises(ValueError, match="class"):
        Landscape.open("a.zarr", calculator=EMT())
    assert nothing_ran(here)
    assert verify(Landscape.open("a.zarr", trust=True)) == []
    assert verify(Landscape.open("plain.zarr", calculator=EMT())) == []


RESUME = ("--output", "a.zarr", "--resume", "--steps", 7, "--searches", 8, "--workers", 1)


def test_another_structure_is_refused_before_any_class_is_called(here):
    ase.io.write("own.xyz", Atoms("Cu4Au", np.eye(5, 3) * 3, tags=[0, 0, 1, 1, 1]))
    ase.io.write("own.extxyz", Atoms("Ag5", np.eye(5, 3) * 3))
    for state in (False, True):
        name_calculator(here / "a.zarr", "stray:Writer", {}, state)
    for file, named in (("own.xyz", "system/tags"), ("own.extxyz", "system/numbers")):
        for trust in ((), ("--trust",)):
            result = thalweg("explore", file, *RESUME, *trust)
            assert result.exit_code == 1, result.output
            assert "another landscape" in result.stderr
            assert named in result.stderr
    assert nothing_ran(here)


@pytest.mark.parametrize("name", [name for name in NAMED if name != "emt"])
def test_resuming_does_not_take_a_calculator_from_the_store(here, name):
    for state in (False, True):
        name_calculator(here / "a.zarr", name, NAMED[name], state)
    words = [(), ("--calculator", name)] if NAMED[name] else [()]
    for more in words:  # to name the class is not to name the command
        result = thalweg("explore", "five.xyz", *RESUME, *more)
        assert result.exit_code == 1, result.output
        assert name in result.stderr
        assert "--trust" in result.stderr
    assert nothing_ran(here)


@pytest.mark.parametrize("more", [("--calculator", "stray:Writer", "--parameters", "{}"), ("--trust",)])
def test_resuming_with_the_user_s_word_goes_on(here, more):
    words = ("explore", "five.xyz", "--calculator", "stray:Writer", "--output", "w.zarr", "--workers", 1)
    assert thalweg(*words, "--steps", 2, "--searches", 2).exit_code == 0
    result = thalweg("explore", "five.xyz", "--output", "w.zarr", "--resume", "--steps", 3, "--searches", 2, *more)
    assert result.exit_code == 0, result.output
    assert "3" in next(line for line in result.output.splitlines() if line.startswith("basin-hopping"))


def test_how_to_go_on_names_a_calculator_that_the_store_does_not_bring(here):
    words = (
        "explore",
        "five.xyz",
        "--calculator",
        "stray:Writer",
        "--parameters",
        '{"path": "MADE"}',
        "--output",
        "w.zarr",
    )
    result = thalweg(*words, "--steps", 500, "--searches", 0, "--time", "1s", "--workers", 1)
    assert result.exit_code == 0, result.output
    from thalweg.analysis.cli.exploration_plan import ExplorationPlan
    from thalweg.analysis.cli.exploration_run import ExplorationRun
    from thalweg.analysis.cli.worker_options import WorkerOptions

    plan = {key: held for key, held in Landscape.open("w.zarr").state["explore"].items() if key != "data"}
    run = ExplorationRun(ExplorationPlan(**plan), here / "w.zarr", WorkerOptions(), None, None)
    assert '--calculator stray:Writer --parameters \'{"path": "MADE"}\'' in run.command()
    plain = ExplorationPlan(**{**plan, "options": {**plan["options"], "calculator": "emt", "parameters": {}}})
    assert "--calculator" not in ExplorationRun(plain, here / "w.zarr", WorkerOptions(), None, None).command()


def test_a_store_of_tblite_is_continued_and_verified_in_a_new_process(here):
    """A class that ASE knows once its module has been imported is stored by its module."""
    pytest.importorskip("tblite.ase")
    import subprocess

    ase.io.write("h2.xyz", Atoms("H2", [[0, 0, 0], [0, 0, 0.8]]))
    code = "import sys; from thalweg.analysis.cli.main import program; program(sys.argv[1:])"
    words = (
        "explore",
        "h2.xyz",
        "--calculator",
        "tblite.ase:TBLite",
        "--parameters",
        '{"verbosity": 0}',
        "--rms",
        "1e-3",
    )
    words += ("--output", "h.zarr", "--steps", "2", "--searches", "0", "--workers", "1")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for command in (words, ("show", "h.zarr", "minimum", "0"), (*words, "--resume")):
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        assert "no spectrum" not in done.stdout
    described = Landscape.open("h.zarr")._store.description()["calculator"]
    assert described["class"] == "tblite.ase:TBLite"
