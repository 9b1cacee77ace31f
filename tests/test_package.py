"""What is published: one version, true names, the same requirements everywhere."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def setup():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_one_version(setup):
    version = setup["metadata"]["version"]
    assert importlib.metadata.version("thalweg") == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'{{% set version = "{version}" %}}' in (ROOT / "conda" / "meta.yaml").read_text()
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_conda_needs_what_pip_needs(setup):
    wanted = {line.replace(" ", "") for line in setup["options"]["install_requires"].split("\n") if line}
    run = (ROOT / "conda" / "meta.yaml").read_text().partition("  run:\n")[2].partition("\ntest:")[0]
    found = {
        line.strip(" -").replace(" ", "").replace("matplotlib-base", "matplotlib") for line in run.splitlines() if line
    }
    assert found == wanted | {"python" + setup["options"]["python_requires"]}


def test_no_cuda_compiler_without_the_extra(setup):
    assert "cuda" not in setup["options"]["install_requires"]
    assert "numba-cuda" in setup["options.extras_require"]["cuda"]


def test_lower_bounds_are_said_for_all(setup):
    for group, text in [("", setup["options"]["install_requires"]), *setup["options.extras_require"].items()]:
        if group != "bench":
            assert all(">=" in line for line in text.split("\n") if line), group


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / ".github" / "workflows").glob("*.yml")))
def test_workflows_name_files_that_are_there(name):
    text = (ROOT / ".github" / "workflows" / name).read_text()
    for path in re.findall(r"(?<![\w.])(?:tests|docs)/[\w/]+\.py|\.ci/run", text):
        assert (ROOT / path).is_file(), path
