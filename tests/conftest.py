"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before numpy is loaded, here and in the workers: BLAS's threads wait for each other by spinning, on matrices of 20
# by 20 for forty times as long as they compute where every core has a worker of its own
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Benchmarks run alone and print to the terminal: no workers for them."""
    alone = "benchmark" in config.getoption("markexpr").replace("not benchmark", "")
    return 0 if alone else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the repository; tests that need them skip where they are missing."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"reference data not at hand: {folder}/data is missing")
    return folder
