"""``thalweg explore --device``: where it is computed is no part of what is explored."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from thalweg.analysis.cli.main import program
from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape
from thalweg.landscapes.exploration.settings import searches_a_task
from thalweg.landscapes.storage.store import Store
from thalweg.potentials.cuda.availability import gpu_visible
from thalweg.potentials.system import as_system


def explore(store, *options):
    return CliRunner().invoke(program, ["explore", "LJAT3", "--output", str(store), "--workers", "1", *options])


def test_a_store_goes_on_with_another_device(tmp_path):
    store = tmp_path / "lj.zarr"
    first = explore(store, "--steps", "5", "--searches", "4", "--device", "cpu")
    assert first.exit_code == 0, first.output
    again = explore(store, "--resume", "--searches", "6", "--device", "auto")
    assert again.exit_code == 0, again.output
    opened = Store.open(store)
    made_with = dict(opened.attributes["state"]["explore"])
    opened.close()
    assert "device" not in made_with
    assert "device" not in made_with["options"]


def test_systems_describe_themselves_alike_on_every_device():
    made = [build("LJAT3", default_options("LJAT3"), device).subject for device in ("auto", "cpu")]
    assert [atoms.calc.device for atoms in made] == ["auto", "cpu"]
    one, other = (as_system(atoms).describe() for atoms in made)
    assert one["calculator"] == other["calculator"]


def test_cuda_without_a_gpu_or_for_a_surface_is_an_error(tmp_path):
    refused = CliRunner().invoke(
        program, ["explore", "MuellerBrown", "--output", str(tmp_path / "s"), "--device", "cuda"]
    )
    assert refused.exit_code == 2
    assert "only networks and clusters" in refused.output
    if gpu_visible():
        pytest.skip("there is a GPU")
    refused = explore(tmp_path / "c", "--device", "cuda")
    assert refused.exit_code == 1
    assert 'pip install "thalweg[cuda]"' in refused.output
    assert not (tmp_path / "c").exists()


def test_tasks_for_a_gpu_are_large(tmp_path, monkeypatch):
    atoms = build("LJAT3", default_options("LJAT3"), "cpu").subject
    with Landscape(atoms, tmp_path / "lj.zarr", seed=0) as landscape:
        landscape.find_minima(4, workers=1)
        atoms.calc.device = "cuda"  # while the size is chosen only: there may be no GPU
        size = searches_a_task(landscape)
        atoms.calc.device = "cpu"
        assert searches_a_task(landscape) < 40 < size
        monkeypatch.setattr("thalweg.landscapes.exploration.start.searches_a_task", lambda landscape: size)
        landscape.connect(40, workers=1)
        assert landscape.searches.count("single-ended")
        assert landscape.tasks_done["connect"] == 1
