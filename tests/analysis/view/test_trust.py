"""A store that names somebody's calculator: the page shows what is stored and runs nothing."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from thalweg.analysis import LandscapePage
from thalweg.analysis.view.viewed_landscape import ViewedLandscape
from thalweg.landscapes import Landscape

STRAY = """
from pathlib import Path
Path("IMPORTED").touch()
"""


@pytest.mark.parametrize("patient", [False, True])
@pytest.mark.parametrize("name", ["stray:Writer", "os:system", "<img src=x onerror=window.hacked=1>:Writer"])
def test_a_stranger_s_calculator_is_not_run(stores, tmp_path, monkeypatch, name, patient):
    """Numbers, stored frequencies, geometries and stationary points of paths are there, with a note that names it."""
    store = tmp_path / "a.zarr"
    shutil.copytree(stores / "slab.zarr", store)
    root = json.loads((store / "zarr.json").read_text())
    metadata = root["consolidated_metadata"]["metadata"]
    metadata["system/calculator"]["attributes"] = {"name": name, "ase": True, "class": name}
    (store / "zarr.json").write_text(json.dumps(root))
    (tmp_path / "stray.py").write_text(STRAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    view = ViewedLandscape(store)
    point = view.point("minima", 0)
    assert point["shape"]["positions"]["data"]
    assert point["spectrum"]["label"] == "frequency / cm⁻¹"  # stored ones
    first, second = Landscape.open(store).transition_states.minima[:][0].tolist()
    path = view.path(first, second, patient=patient)
    assert len(path["frames"]) == len(path["row"])
    assert name.partition(":")[0] in path["note"]
    assert LandscapePage(store).html.count("</script>") == 3
    assert "stray" not in sys.modules
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zarr", "stray.py"]
