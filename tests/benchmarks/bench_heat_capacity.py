"""The melting peak of LJ13 from a landscape of one's own, beside pele's formula and beside Monte Carlo.

    thalweg explore LJ13 --output lj13.zarr
    THALWEG_LJ13=lj13.zarr pytest -n0 -m benchmark -s tests/benchmarks/bench_heat_capacity.py

Harmonic superposition is an approximation: it is compared with pele's ``minima_to_cv`` on the same minima, which is
the same approximation by other people. The exact classical heat capacity comes from parallel tempering, written here:
its peak is the literature's near T = 0.29 (D. D. Frantz, J. Chem. Phys. 102 (1995) 3747, by jump-walking). That the
harmonic peak is higher is the anharmonicity that J. P. K. Doye and D. J. Wales, J. Chem. Phys. 102 (1995) 9659,
correct for.
"""

from __future__ import annotations

import json
import os
import subprocess

import numba
import numpy as np
import pytest
import zarr
from scipy.special import logsumexp

from thalweg.analysis import KineticTransitionNetwork

PELE = """
import json, sys
import numpy as np
from types import SimpleNamespace
from pele.thermodynamics import minima_to_cv
given = json.load(sys.stdin)
rows = zip(given["energy"], given["product"], given["order"])
minima = [SimpleNamespace(energy=e, fvib=f, pgorder=o, invalid=False) for e, f, o in rows]
print(json.dumps(minima_to_cv(minima, np.array(given["kT"]), given["modes"]).Cv.tolist()))
"""
RADIUS = 2.5  # of the sphere that keeps the cluster together
TEMPERATURES = np.linspace(0.2, 0.4, 16)


@pytest.fixture(scope="module")
def network():
    path = os.environ.get("THALWEG_LJ13")
    if not path:
        pytest.skip("THALWEG_LJ13 names no store of LJ13's landscape")
    return KineticTransitionNetwork.read(path)


@pytest.mark.benchmark
def test_harmonic_peak(network):
    found = network.thermodynamics(np.linspace(0.05, 0.6, 500))
    peaks = found.peaks()
    heights = network.thermodynamics(peaks).heat_capacity
    print(f"\n{network}")
    for peak, height in zip(peaks, heights, strict=True):
        change = found.contributions(peak)
        print(
            f"peak at T = {peak:.4f}, Cv = {height:.2f}; empties: {change.argmin()}, fills: {np.argsort(-change)[:5]}"
        )
    python = os.environ.get("THALWEG_PELE_PYTHON")
    if not python:
        pytest.skip("THALWEG_PELE_PYTHON names no Python with pele: nothing to compare with")
    given = {
        "energy": network.energies.tolist(),
        "product": network.log_eigenvalue_product.tolist(),
        "order": network.symmetry_order.tolist(),
        "kT": found.temperatures.tolist(),
        "modes": int(network.modes[0]),
    }
    done = subprocess.run([python, "-c", PELE], input=json.dumps(given), text=True, capture_output=True, check=True)
    theirs = np.array(json.loads(done.stdout))
    print(f"pele's minima_to_cv has its peak at T = {found.temperatures[theirs.argmax()]:.4f}, Cv = {theirs.max():.2f}")
    np.testing.assert_allclose(found.heat_capacity, theirs, rtol=1e-9)


@numba.njit(cache=True, error_model="numpy")
def _with_others(x, atom, place, cut):
    """Return the energy of one atom at a place with all others; infinite outside the sphere."""
    if place[0] ** 2 + place[1] ** 2 + place[2] ** 2 > cut**2:
        return np.inf
    total = 0.0
    for other in range(x.shape[0]):
        if other != atom:
            square = 0.0
            for k in range(3):
                square += (x[other, k] - place[k]) ** 2
            sixth = 1.0 / square**3
            total += 4.0 * sixth * (sixth - 1.0)
    return total


@numba.njit(cache=True, error_model="numpy")
def tempered(x, temperatures, sweeps, rng, cut):
    """Temper in parallel from x (n, 3); return potential energies (sweeps, temperatures), of the second half of all."""
    count, atoms = len(temperatures), x.shape[0]
    replicas, energy = np.empty((count, atoms, 3)), np.empty(count)
    total = 0.0
    for atom in range(atoms):
        total += 0.5 * _with_others(x, atom, x[atom], cut)
    for r in range(count):
        replicas[r], energy[r] = x, total
    taken, place = np.empty((sweeps, count)), np.empty(3)
    for sweep in range(-sweeps, sweeps):
        for r in range(count):
            size = 0.6 * np.sqrt(temperatures[r])
            for atom in range(atoms):
                for k in range(3):
                    place[k] = replicas[r, atom, k] + size * (rng.random() - 0.5)
                change = _with_others(replicas[r], atom, place, cut) - _with_others(
                    replicas[r], atom, replicas[r, atom], cut
                )
                if rng.random() < np.exp(-change / temperatures[r]):
                    energy[r] += change
                    replicas[r, atom] = place
        for r in range(sweep % 2, count - 1, 2):
            gain = (1.0 / temperatures[r] - 1.0 / temperatures[r + 1]) * (energy[r] - energy[r + 1])
            if rng.random() < np.exp(gain):
                kept = replicas[r].copy()
                replicas[r] = replicas[r + 1]
                replicas[r + 1] = kept
                energy[r], energy[r + 1] = energy[r + 1], energy[r]
        if sweep >= 0:
            taken[sweep] = energy
    return taken


def heat_capacity(energies, temperatures, at):
    """Return the configurational heat capacity at temperatures `at`, each from the nearest sample, reweighted."""
    curve = []
    for t in at:
        k = int(np.abs(temperatures - t).argmin())
        sample = energies[:, k]
        log_weights = -sample * (1.0 / t - 1.0 / temperatures[k])
        weights = np.exp(log_weights - logsumexp(log_weights))
        mean = weights @ sample
        curve.append(weights @ (sample - mean) ** 2 / t**2)
    return np.array(curve)


@pytest.mark.benchmark
def test_exact_peak(network):
    minima = zarr.open_group(os.environ["THALWEG_LJ13"], mode="r")["minima"]
    x = minima["coordinates"][int(minima["energy"][:].argmin())].reshape(-1, 3)
    at, peaks = np.linspace(0.22, 0.38, 161), []
    for seed in range(4):
        energies = tempered(x - x.mean(axis=0), TEMPERATURES, 200_000, np.random.default_rng(seed), RADIUS)
        curve = heat_capacity(energies, TEMPERATURES, at)
        peaks.append(at[curve.argmax()])
        print(f"\nparallel tempering, seed {seed}: peak at T = {peaks[-1]:.3f}, configurational Cv = {curve.max():.1f}")
    print(f"mean of four: {np.mean(peaks):.4f} +- {np.std(peaks, ddof=1) / 2:.4f}")
    assert abs(np.mean(peaks) - 0.29) < 0.01
