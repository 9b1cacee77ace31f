"""What every test may ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before numpy is loaded, here and in the workers: BLAS's threads wait for each other by spinning, on matrices of 20
# by 20 for forty times as long as they compute where every core has a worker of its own
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


_COMPILE_ALL = """
import pkgutil
from importlib import import_module
from thalweg import optimizers, potentials
for package in (potentials, optimizers):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "cuda" not in module.name:
            import_module(module.name)
potentials.NetworkLoss([[0.0], [1.0]], [0, 1]).compiled
"""


def pytest_configure(config: pytest.Config) -> None:
    """Fill the cache of compiled code before there are workers, which would each compile what they miss.

    Numba's machine code depends on the seed of Python's hashes: two processes that compile the same function may
    round differently, and tests compare what processes find bit by bit.
    """
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        subprocess.run([sys.executable, "-c", _COMPILE_ALL], check=True)


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


@pytest.fixture(scope="session", autouse=True)
def no_width_from_outside():
    """Texts are not cut to a width that whoever starts the tests has set, as pytest-xdist does for its workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield
