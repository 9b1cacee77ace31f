"""The melting peak of LJ13 from a landscape of one's own, by harmonic superposition.

    thalweg explore LJ13 --output lj13.zarr
    THALWEG_LJ13=lj13.zarr pytest -m benchmark -s tests/benchmarks/bench_heat_capacity.py

The literature has the peak of the canonical heat capacity near T = 0.29: D. D. Frantz, J. Chem. Phys. 102 (1995) 3747,
by Monte Carlo; D. J. Wales, Energy Landscapes (2003), by superposition.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork


@pytest.mark.benchmark
def test_melting_of_lj13():
    path = os.environ.get("THALWEG_LJ13")
    if not path:
        pytest.skip("THALWEG_LJ13 names no store of LJ13's landscape")
    network = KineticTransitionNetwork.read(path)
    found = network.thermodynamics(np.linspace(0.05, 0.6, 500))
    peaks = found.peaks()
    heights = network.thermodynamics(peaks).heat_capacity
    print(f"\n{network}")
    for peak, height in zip(peaks, heights, strict=True):
        change = found.contributions(peak)
        print(
            f"peak at T = {peak:.4f}, Cv = {height:.2f}; empties: {change.argmin()}, fills: {np.argsort(-change)[:5]}"
        )
    assert abs(peaks[heights.argmax()] - 0.29) < 0.04
