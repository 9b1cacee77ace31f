"""What the paper's landscapes were explored on, in a line."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

__all__ = ["machine"]


def machine() -> str:
    """Return what this runs on, in a line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    versions = ", ".join(f"{name} {version(name)}" for name in ("thalweg", "numpy", "numba"))
    return f"{model}, {os.cpu_count()} processors; Python {platform.python_version()}, {versions}"
