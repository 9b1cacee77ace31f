"""Machine and versions that explored the paper's landscapes, in one line."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

__all__ = ["machine"]


def machine() -> str:
    """Return the processor and the versions of this process in one line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    versions = ", ".join(f"{name} {version(name)}" for name in ("thalweg", "numpy", "numba"))
    return f"{model}, {os.cpu_count()} processors; Python {platform.python_version()}, {versions}"
