"""Activation and loss of networks by name: stored only where they differ from tanh with cross-entropy."""

from __future__ import annotations

import pytest

from thalweg.analysis.paper.plan import _jobs, read_plan
from thalweg.analysis.systems.named import build, default_options
from thalweg.analysis.systems.network_systems import NetworkOptions
from thalweg.landscapes import Landscape

from ...helpers import finished, thalweg

OPTIONS = {"data": 100, "hidden": [3], "l2": 0.01}


def test_the_loss_is_made_of_the_options():
    options = default_options("breast_cancer") | OPTIONS
    plain = build("breast_cancer", options)
    other = build("breast_cancer", options | {"activation": "gelu", "loss": "logistic"})
    assert other.subject.calc.activation == ("gelu",)
    assert other.subject.calc.layers == (30, 3, 1)
    assert other.title == plain.title.replace("[30,3,2]", "[30,3,1]").replace("l2 0.01", "l2 0.01, gelu, logistic")
    layers = build("breast_cancer", options | {"hidden": [3, 2], "activation": ["silu", "tanh"]})
    assert layers.subject.calc.activation == ("silu", "tanh")
    with pytest.raises(ValueError, match=r"relu.* has kinks"):
        build("breast_cancer", options | {"activation": "relu"})
    with pytest.raises(ValueError, match="for numbers make a NetworkLoss"):
        build("breast_cancer", options | {"loss": "squared_error"})
    with pytest.raises(ValueError, match="must be 0 or 1"):
        build("iris", default_options("iris") | {"loss": "logistic"})


def test_options_are_stored_where_they_differ():
    assert "activation" not in default_options("D1")
    read = NetworkOptions.read({**default_options("D1"), "activation": ["gelu", "gelu"], "loss": "cross_entropy"})
    assert read.activation == ("gelu", "gelu")
    stored = read.stored("D1")
    assert stored["activation"] == "gelu"
    assert "loss" not in stored


def test_the_command_line_keeps_and_checks_them(tmp_path):
    path = tmp_path / "store.zarr"
    command = ["explore", "breast_cancer", "--output", path, "--searches", 0, "--workers", 1]
    chosen = ["--data", 60, "--hidden", 2, "--activation", "softplus"]
    finished(*command, *chosen, "--steps", 1)
    with Landscape.open(path) as landscape:
        assert landscape.system.potential.activation == ("softplus",)
        assert landscape.state["explore"]["options"]["activation"] == "softplus"
    assert "l2 0.01, softplus" in finished("info", path)
    again = thalweg(*command, "--resume", "--activation", "tanh", "--steps", 1)
    assert again.exit_code != 0
    assert "made with --activation softplus, not tanh" in again.output
    finished(*command, "--resume", "--steps", 2)
    refused = thalweg("explore", "LJ7", "--activation", "gelu", "--output", tmp_path / "other.zarr")
    assert "--activation does not apply to LJ7" in refused.output


def test_a_definition_of_landscapes_takes_them(tmp_path):
    limits = read_plan("tiny").limits
    entry = {"system": "iris", "hidden": [3, 3], "activation": ["gelu", "tanh"], "loss": "cross_entropy"}
    (job,) = _jobs("own", entry, limits, 0, None)
    assert job.options["activation"] == ["gelu", "tanh"]
    assert "loss" not in job.options
