"""A small explored network, made once for all tests that only read it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from thalweg.landscapes import Landscape

from .trained_networks import explored


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimpleNamespace]:
    """The store of [2,4,3] on 60 points, a fifth of them mislabelled, and the data."""
    path = tmp_path_factory.mktemp("trained") / "a.zarr"
    return path, explored(path)


@pytest.fixture
def trained_landscape(trained: tuple[Path, SimpleNamespace]) -> Landscape:
    """It, open for reading."""
    return Landscape.open(trained[0])
