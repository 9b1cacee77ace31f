"""[784,10,10] on 1,000 MNIST digits: a minimum to rms 1e-6 and a transition state beside it, without a Hessian.

    pytest -m benchmark -s tests/benchmarks/bench_large.py

7,960 weights (with biases), l2 = 0.1 as in science.md, Table 3. The matrix of second derivatives alone would take
507 MB, so none is made: hybrid eigenvector-following walks on gradients, and Lanczos' iterations on Hessian-vector
products verify both points by their two lowest eigenvalues. Runs in a process of its own, whose peak memory is printed.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys, time
import numpy as np
from thalweg.analysis.systems.named import build, default_options
from thalweg.optimizers import hybrid_eigenvector_following, lowest_eigenvalues, minimise
from thalweg.potentials import as_system

subject = build("MNIST", default_options("MNIST") | {"path": sys.argv[1], "l2": float(sys.argv[2])}).subject
system = as_system(subject)
began = time.process_time()
ends = minimise(system, np.array([subject.x]), rms=1e-6, threads=1)
minimum = ends.x[0]
values, _ = lowest_eigenvalues(system, minimum, 2)
out = {"weights": system.n, "minimum": {"energy": ends.energy[0], "rms": ends.rms[0], "eigenvalues": list(values),
       "converged": bool(ends.converged[0]), "seconds": time.process_time() - began}, "searches": []}
for seed in range(6):
    began = time.process_time()
    rng = np.random.default_rng(seed)
    start = minimum + 0.1 * rng.normal(size=system.n)
    found = hybrid_eigenvector_following(system, start, rms=1e-6, steps=1000, across_steps=20, seed=seed)
    search = {"reason": found.reason, "energy": found.energy, "rms": found.rms, "steps": found.steps,
              "eigenvalues": list(found.eigenvalues), "gradients": found.evaluations,
              "distance": float(system.distance(minimum, found.x)), "seconds": time.process_time() - began}
    out["searches"].append(search)
    print(search, file=sys.stderr, flush=True)
    if found.converged:
        break
out["peak_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(out))
"""


@pytest.mark.benchmark
@pytest.mark.parametrize("l2", [0.1])
def test_large_network(shared, l2):
    folder = shared / "data" / "mnist"
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(folder), str(l2)], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    out = json.loads(done.stdout.splitlines()[-1])
    print("\n" + json.dumps(out, indent=1))
    assert out["minimum"]["rms"] < 1e-6
    assert min(out["minimum"]["eigenvalues"]) > 0
    found = out["searches"][-1]
    assert found["rms"] < 1e-6
    assert found["eigenvalues"][0] < 0 < found["eigenvalues"][1]
    assert out["peak_MiB"] < 1024
