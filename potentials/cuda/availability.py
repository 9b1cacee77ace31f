"""Choice between CPU and GPU; CUDA is imported only if a GPU may be used."""

from __future__ import annotations

import ctypes.util
import os
import sys
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.cuda.functions import DevicePotential

__all__ = ["FEWEST", "checked_device", "gpu_visible", "require_gpu", "use_gpu"]

# Number of walkers below which "auto" stays on the CPU: fewer leave most of a GPU's 100 and more multiprocessors idle.
# For losses of networks 16 would gain already; searches of clusters need more than these (docs/gpu.md).
FEWEST = 256

_AGREEMENT = 1e-9
_trusted: WeakKeyDictionary[DevicePotential, bool] = WeakKeyDictionary()


def _simulated() -> bool:
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def gpu_visible() -> bool:
    """Return whether the system shows an NVIDIA driver, without loading it."""
    if sys.platform == "win32":
        return ctypes.util.find_library("nvcuda") is not None
    return any(os.path.exists(f"/dev/{name}") for name in ("nvidiactl", "nvidia0", "dxg"))


def _found() -> str:
    parts = []
    for name in ("numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink", "numpy"):
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            parts.append(f"no {name}")
    return ", ".join([*parts, "an NVIDIA driver" if gpu_visible() else "no NVIDIA driver"])


def _ready() -> bool:
    """Return whether numba.cuda can be loaded and sees a GPU, real or simulated."""
    if not (_simulated() or gpu_visible()) or find_spec("numba_cuda") is None:
        return False
    from numba import cuda

    return _simulated() or bool(cuda.is_available())


def _fault() -> str:
    """Return why numba.cuda cannot compile here, or nothing.

    It loads most of itself at the first launch only: with numba-cuda 0.30 and numpy 2.5 that fails.
    """
    if _simulated():
        return ""
    try:
        import_module("numba.cuda.np.arrayobj")
    except Exception as error:  # whatever a version that does not fit may raise
        return f"{type(error).__name__}: {error}"
    return ""


def require_gpu() -> None:
    """Raise RuntimeError, with the versions found, if no GPU can be used."""
    if not _ready():
        raise RuntimeError(
            f'device="cuda" needs an NVIDIA GPU and pip install "thalweg[cuda]"; found: {_found()}. '
            'device="auto" uses a GPU where there is one'
        )
    if fault := _fault():
        raise RuntimeError(
            f"numba-cuda does not work with the other packages ({fault}); found: {_found()}. "
            'pip install "thalweg[cuda]" chooses versions that fit'
        )


def checked_device(device: str) -> str:
    """Return device, or raise ValueError for an unknown one and RuntimeError for "cuda" without a GPU."""
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device must be "auto", "cpu" or "cuda"; it is {device!r}')
    if device == "cuda":
        require_gpu()
    return device


def use_gpu(potential: DevicePotential, X: NDArray[np.float64]) -> bool:
    """Return whether a batch is evaluated on the GPU.

    Parameters
    ----------
    potential : calculator
        Potential whose ``device`` decides. "auto" means the GPU if there is one, X has at least :data:`FEWEST` walkers,
        and the first walker ever evaluated on both devices gave the same result; if it did not, a warning is given and
        the CPU is used.
    X : ndarray, shape (walkers, n)
        Coordinates of the batch.

    Returns
    -------
    bool
    """
    if potential.device == "cpu" or len(X) == 0:
        return False
    if potential.device == "cuda":
        require_gpu()
        return True
    if len(X) < FEWEST or not gpu_visible() or not _ready():
        return False
    if potential not in _trusted:
        _trusted[potential] = _agrees(potential, X[:1])
    return _trusted[potential]


def _agrees(potential: DevicePotential, X: NDArray[np.float64]) -> bool:
    """Evaluate a walker X (1, n) on both devices; warn if they differ or the GPU fails."""
    try:
        from thalweg.potentials.cuda.device import evaluate_cuda

        energy, gradient = evaluate_cuda(potential, X)
    except Exception as error:  # a driver or a toolkit may raise anything, and the CPU can do the work
        warnings.warn(f"the GPU is not used: {type(error).__name__}: {error}", RuntimeWarning, stacklevel=4)
        return False
    wanted, slope = potential.energy_gradient(X[0])
    worst = max(np.abs(energy - wanted).max() / (1.0 + abs(wanted)),
                np.abs(gradient - slope).max() / (1.0 + np.abs(slope).max()))  # fmt: skip
    if not worst <= _AGREEMENT:
        warnings.warn(f"the GPU is not used: its loss or gradient differs by {worst:.1e}", RuntimeWarning, stacklevel=4)
    return bool(worst <= _AGREEMENT)
