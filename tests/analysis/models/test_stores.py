"""Stores of models that no store can hold: what errors and commands advise works."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis import from_jax, from_torch
from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape, StoreError
from thalweg.potentials import Function, Point

X, LABELS = np.random.default_rng(0).normal(size=(6, 2)), [0, 1, 0, 1, 0, 1]


def torch_point():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Mish(), torch.nn.Linear(2, 2))
    return from_torch(module, torch.nn.CrossEntropyLoss(), X, LABELS, l2=1e-2)


def jax_point():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        return from_jax(lambda p: (p["a"] ** 2 - 1) ** 2, {"a": 0.3})
    finally:
        jax.config.update("jax_enable_x64", before)


def function_point():
    return Point([0.3, 0.1], Function(lambda x: float(x @ x), name="bowl"))


@pytest.fixture(params=[(torch_point, "from_torch"), (jax_point, "from_jax"), (function_point, "Function")])
def stored(request, tmp_path):
    make, maker = request.param
    point = make()
    Landscape(point, tmp_path / "own.zarr").close()
    return point, maker, tmp_path / "own.zarr"


@pytest.mark.parametrize("trust", [False, True])
def test_no_error_advises_what_cannot_work(stored, trust):
    _, maker, path = stored
    with pytest.raises(StoreError, match=rf"with trust or without: .*{maker}.*calculator=point\.calc") as caught:
        _ = Landscape.open(path, trust=trust).system
    assert not {"--trust", "__init__"} & set(str(caught.value).replace("(", " ").split())


def test_what_the_error_advises_works(stored):
    point, _, path = stored
    landscape = Landscape.open(path, calculator=point.calc)
    assert landscape.system.energy_gradient(point.x)[0] == pytest.approx(point.get_potential_energy(), abs=1e-14)
    with Landscape(point, path) as again:
        assert len(again.minima) == 0


def test_predictions_need_a_network_loss(stored, tmp_path):
    point, _, path = stored
    name = type(point.calc).__name__
    for command in (["predict"], ["map", "--output", str(tmp_path / "map.png")]):
        ran = CliRunner().invoke(program, [command[0], str(path), *command[1:]])
        assert ran.exit_code == 1
        assert "trust" not in ran.output
        said = " ".join(ran.output.split())
        assert f"minima of {name} have no" in said
        assert "only stores of a NetworkLoss do" in said
        assert ("point.calc.unpack(x)" in said) == (name != "Function")
    ran = CliRunner().invoke(program, ["verify", str(path), "--trust"])
    assert ran.exit_code == 1
    assert "calculator=point.calc" in " ".join(ran.output.split())
