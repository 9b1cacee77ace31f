"""A browser, and stores to look at, made once for all tests of the page."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from thalweg.landscapes import Landscape

from ...helpers import finished, random_cluster

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the browser puts pictures."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def browser(downloads: Path) -> Iterator[Chrome]:
    """Chromium without a window. In CI on Linux it must be there; elsewhere tests that need it skip."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = next(filter(None, map(shutil.which, CHROMIUM)), None), shutil.which("chromedriver")
    required = os.environ.get("CI") == "true" and sys.platform == "linux"
    if (chromium is None or driver is None) and not required:
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium or "chromium"
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1400,900"):
        options.add_argument(f"--{word}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver or "chromedriver")
    started = webdriver.Chrome(options=options, service=service)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the main job's landscape, LJ13's, a slab's and LJAT3's, each of them small."""
    from ase.build import add_adsorbate, fcc100
    from ase.calculators.emt import EMT
    from ase.constraints import FixAtoms

    folder = tmp_path_factory.mktemp("stores")
    finished("explore", "D1", "--steps", 30, "--searches", 40, "--output", folder / "d1.zarr")
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(np.flatnonzero(slab.get_tags() == 2)))
    slab.calc = EMT()
    systems = {"lj13": (random_cluster(13), 15, 60), "slab": (slab, 2, 4), "ljat3": (random_cluster(3, Z=2.0), 5, 5)}
    for name, (atoms, steps, searches) in systems.items():
        with Landscape(atoms, folder / f"{name}.zarr", seed=0) as landscape:
            landscape.find_minima(steps, workers=1)
            landscape.connect(searches, workers=1)
    return folder
