"""The pictures of the pages are what their commands make: ``python docs/make_pictures.py`` makes them anew."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture
def pictures():
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_picture_is_stale(pictures):
    assert pictures.stale() == []


def test_a_changed_command_or_file_or_drawing_is_found(pictures, tmp_path, monkeypatch):
    known = json.loads(pictures.RECORD.read_text())
    known["pictures"]["d1.png"]["commands"] = ["thalweg explore D2 --output d1.zarr"]
    known["pictures"]["lj13.png"]["file"] = "0"
    known |= {"drawn": "0", "drawn by": pictures.drawn_by()}
    del known["pictures"]["path.png"]
    monkeypatch.setattr(pictures, "RECORD", tmp_path / "pictures.json")
    pictures.RECORD.write_text(json.dumps(known))
    monkeypatch.setitem(pictures.PICTURES, "lj38.png", ("thalweg plot nothing --output lj38.png",))
    found = pictures.stale()
    assert [line.split()[0] for line in found] == ["d1.png", "lj13.png", "path.png", "lj38.png", "the", "no"]
    assert found[-1] == "no page shows the command: thalweg plot nothing --output lj38.png"
