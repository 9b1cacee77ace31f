"""The example of two networks trained by PyTorch: it joins them, in few lines."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from thalweg.landscapes import Landscape, verify

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "networks" / "plot_trained_by_adam.py"


def test_joining_takes_at_most_fifteen_lines():
    _, joining, _ = EXAMPLE.read_text(encoding="utf-8").split("# %%\n")
    assert 0 < sum(bool(line.strip()) and not line.startswith("#") for line in joining.splitlines()) <= 15


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_two_trained_networks_are_joined_by_a_verified_path(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(EXAMPLE))
    plt.close("all")
    after, minima = ([float(word) for word in line.split()[-2:]] for line in capsys.readouterr().out.splitlines()[-2:])
    assert all(low < high for low, high in zip(minima, after, strict=True))
    with Landscape.open(tmp_path / "adam.zarr") as landscape:
        assert len(landscape.minima) >= 2
        assert len(landscape.transition_states) >= 1
        assert (landscape.transition_states.lowest_eigenvalue[:] < 0).all()
        assert verify(landscape) == []
    assert names["path"].followed.all()
