"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest


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
