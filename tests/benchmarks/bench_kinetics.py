"""Rate constants of the two largest reference networks: graph transformation here and in PyGT 0.3.0.

    python -m venv pygt && pygt/bin/pip install PyGT==0.3.0
    THALWEG_PYGT=pygt/bin/python pytest -m benchmark -s tests/benchmarks/bench_kinetics.py

PyGT runs in an interpreter of its own, as a separate process; both time a passage time both ways, from rates in memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import time

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork

PEER = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from PyGT import io, mfpt
folder, beta, first, second, block, repeats = sys.argv[1], *map(float, sys.argv[2:])
B, K, tau, N, u, s, lowest, kept = io.load_ktn(folder, beta=beta)
number = np.cumsum(kept) - 1
i, j = int(number[int(first)]), int(number[int(second)])
best = np.inf
for _ in range(int(repeats)):
    start = time.perf_counter()
    found = mfpt.compute_MFPT(i, j, B, tau, block=int(block))
    best = min(best, time.perf_counter() - start)
print(json.dumps([best, float(found[0]), float(found[1])]))
"""

CASES = [("ninecomm_994", 1.0), ("ninecomm_994", 0.3), ("collagen_2203", 0.592), ("collagen_2203", 0.1184)]


def _ours(network: KineticTransitionNetwork, temperature: float, a: int, b: int) -> list[float]:
    best = np.inf
    for _ in range(10):
        kinetics = network.kinetics(temperature=temperature)
        start = time.perf_counter()
        found = [kinetics.mean_first_passage_time(b, a), kinetics.mean_first_passage_time(a, b)]
        best = min(best, time.perf_counter() - start)
    return [best, *found]


@pytest.mark.benchmark
@pytest.mark.parametrize(("name", "temperature"), CASES)
def test_beside_pygt(shared, name, temperature):
    folder = shared / "data" / "networks" / name
    network = KineticTransitionNetwork.from_pathsample(folder)
    members = network.components[0][np.argsort(network.energies[network.components[0]])]
    a, b = (int(network.groups.get(s, [d])[0]) for s, d in (("A", members[0]), ("B", members[-1])))
    ours = _ours(network, temperature, a, b)
    print(f"\n{name}, T = {temperature}: ours {ours[0] * 1e3:.1f} ms, both ways; {ours[1]:.12g} {ours[2]:.12g}")
    peer = os.environ.get("THALWEG_PYGT")
    if not peer:
        pytest.skip("THALWEG_PYGT names no interpreter with PyGT 0.3.0")
    for block in (1, 20):
        arguments = [peer, "-c", PEER, folder, 1 / temperature, a, b, block, 3]
        done = subprocess.run([str(v) for v in arguments], capture_output=True, text=True)
        if done.returncode:
            print(f"  PyGT, block {block}: {done.stderr.strip().splitlines()[-1]}")
            continue
        theirs = json.loads(done.stdout.splitlines()[-1])
        worst = max(abs(theirs[k] / ours[k] - 1) for k in (1, 2))
        ratio = theirs[0] / ours[0]
        print(f"  PyGT, block {block}: {theirs[0] * 1e3:.0f} ms ({ratio:.0f} times ours), deviates by {worst:.1e}")
