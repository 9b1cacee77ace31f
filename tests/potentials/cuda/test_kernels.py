"""CUDA without a GPU: kernels against the CPU in numba's simulator, and what the compiler says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

from thalweg.potentials.cuda import availability

TESTS = Path(__file__).resolve().parents[2]
# What is as exact as iterations end; a mode's curvature beside others 1e5 times as large
LOOSE = {"x": 1e-6, "mode": 1e-6, "lowest": 1e-6, "product": 1e-6, "quotient": 1e-4}
needs_numba_cuda = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")


def toolkit() -> bool:
    """Say whether the compiler and the linker of CUDA are there."""
    names = {name for name in ("numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink", "nvidia-cuda-nvrtc") if _has(name)}
    return len(names) == 4


def _has(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


needs_toolkit = pytest.mark.skipif(not toolkit(), reason="no CUDA toolkit: pip install thalweg[cuda]")


def output(script: str, *arguments: str) -> str:
    command = [sys.executable, TESTS / script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@needs_numba_cuda
def test_every_kernel_equals_the_cpu_in_the_simulator():
    found, automatic = json.loads(output("potentials/cuda/simulated_kernels.py"))
    assert len(found) == 22
    for name, deviations in found.items():
        for what, value in deviations.items():
            assert value <= LOOSE.get(what, 1e-10), (name, what, value)
    # the first walker to see whether it agrees, then all, twice
    assert automatic["asked"] == [1, 2, 2]
    assert automatic["warnings"] == []
    assert automatic["gradient"] <= 1e-10


@needs_numba_cuda
def test_the_comparison_catches_a_wrong_sign_and_missing_rotations():
    found, automatic = json.loads(output("potentials/cuda/simulated_kernels.py", "wrong"))
    assert found["2,10,4"]["energy"] <= 1e-10
    assert found["2,10,4"]["gradient"] > 1e-3
    assert found["2,3"]["gradient"] <= 1e-10  # has no hidden unit whose sign could be wrong
    # a rotation
    assert all(found[f"lowest mode, {name}"]["quotient"] > 1.0 for name in ("free", "two atoms fixed"))
    # with "auto" the first walker tells: the CPU works
    assert automatic["asked"] == [1]
    (warning,) = automatic["warnings"]
    assert warning.startswith("RuntimeWarning: the GPU is not used: its loss or gradient differs by")
    assert automatic["gradient"] == 0.0


@needs_toolkit
def test_kernels_spill_little_and_the_table_in_the_docs_is_as_compiled():
    text = output("benchmarks/cuda_report.py")
    first, table = text.split("\n", 1)
    for name, rows in json.loads(first).items():
        for capability, row in rows.items():
            assert row["spills"] <= (2000 if " of " in name else 800), (name, capability, row)
    assert table.strip() in (TESTS.parent / "docs" / "gpu.md").read_text()


@needs_toolkit
def test_the_check_sees_spills():
    assert json.loads(output("benchmarks/cuda_report.py", "--spill"))["spills"] > 0


def test_device_cuda_without_a_gpu_says_what_to_install():
    code = "from thalweg.potentials import NetworkLoss\nNetworkLoss([[0.0], [1.0]], [0, 1], device='cuda')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        pytest.skip("there is a GPU")
    assert "RuntimeError" in done.stderr
    assert 'pip install "thalweg[cuda]"' in done.stderr
    assert "found: " in done.stderr


def test_versions_that_do_not_fit_are_an_error_that_names_them(monkeypatch):
    def import_module(name):
        raise AttributeError("module 'numpy' has no attribute 'row_stack'")

    monkeypatch.setattr(availability, "_ready", lambda: True)
    monkeypatch.setattr(availability, "import_module", import_module)
    with pytest.raises(RuntimeError, match=r"numba-cuda does not work .*row_stack.*; found: .*, numpy [0-9]"):
        availability.require_gpu()


@needs_numba_cuda
def test_the_versions_here_fit(monkeypatch):
    monkeypatch.setattr(availability, "_ready", lambda: True)
    availability.require_gpu()


def test_nothing_of_cuda_is_imported_unasked():
    # the redirector of numba-cuda comes with every start of Python
    code = (
        "import sys, numpy as np\nfrom thalweg.potentials import *\nfrom thalweg.optimizers import *\n"
        "minimise(Weights.random(NetworkLoss(np.eye(3), [0, 1, 1], hidden=(2,))), rms=1e-3)\n"
        "print([m for m in sys.modules if 'cuda' in m and not m.startswith(('numba.core', '_numba_cuda'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # these two know without CUDA what a GPU would be asked for, and whether there is one
    light = [f"thalweg.potentials.cuda{module}" for module in ("", ".functions", ".availability")]
    assert done.stdout.strip() == str(light)


def test_the_device_is_not_part_of_the_landscape():
    from thalweg.potentials import LJAT, NetworkLoss

    one, other = (NetworkLoss([[0.0], [1.0]], [0, 1], device=device) for device in ("auto", "cpu"))
    assert one.describe().keys() == other.describe().keys()
    assert "device" not in one.describe()
    assert LJAT(device="cpu").describe() == LJAT().describe()
    with pytest.raises(ValueError, match="device must be"):
        LJAT(device="gpu")


def test_the_gpu_benchmark_says_that_there_is_no_gpu_and_is_rehearsed_in_the_simulator():
    command = [sys.executable, "-m", "tests.benchmarks.gpu"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True, cwd=TESTS.parent)
    assert plain.stdout.startswith("No GPU: the table stays empty.") or "threads on the CPU" in plain.stdout
    if find_spec("numba_cuda") is None:
        pytest.skip("numba-cuda is not installed")
    simulated = "import os, sys; os.environ['NUMBA_ENABLE_CUDASIM'] = '1'; sys.setswitchinterval(1e-5)\n"
    simulated += "from tests.potentials.cuda.shared_memory_simulator import share_memory; share_memory()\n"
    simulated += "from tests.benchmarks.gpu import main; sys.exit(main())"
    command = [sys.executable, "-c", simulated]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TESTS.parent, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("\n| [2, ") == 5
    assert done.stdout.count("\n| [2, 10, 4], 1,000 | ") == 3
    assert done.stdout.count("\n| LJAT3 | ") == 1
