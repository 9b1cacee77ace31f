"""Networks of many inputs, whose first layer's gradient is summed in eight parts, and processors of other registers."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features

from tests.potentials.neural_network.test_loss import plain_loss, plain_product, problem

WIDE = [
    ((16, 1, 3), 256, {}),
    ((17, 3, 2), 300, {}),
    ((33, 7, 4), 265, {"neighbours": 3}),
    ((20, 11, 5), 257, {}),
    ((24, 3), 1000, {}),
    ((64, 10, 10), 520, {}),
    ((19, 5, 18, 3), 384, {"l2": 0.0}),
]
DIGEST = """
import hashlib
import numpy as np
from thalweg.potentials import NetworkLoss
from thalweg.potentials.compiled.simd import WIDEST

digest, rng = hashlib.sha256(), np.random.default_rng(0)
for width, n in ((2, 100), (20, 300)):
    inputs, labels = rng.normal(size=(n, width)), rng.integers(0, 3, n)
    for activation in ("tanh", "logistic", "softplus", "gelu", "silu"):
        loss = NetworkLoss(inputs, labels, (7,), n_classes=3, activation=activation)
        x, v = rng.normal(size=(2, loss.n_weights))
        energy, gradient = loss.energy_gradient(x)
        for array in (np.array(energy), gradient, loss.hessian(x), loss.hessian_vector(x, v), loss.outputs(x, inputs)):
            digest.update(array.tobytes())
print(WIDEST, digest.hexdigest())
"""


@pytest.mark.parametrize(("layers", "n", "settings"), WIDE)
def test_many_inputs_match_plain_numpy(layers, n, settings):
    loss, rng = problem(layers, n, **settings), np.random.default_rng(n)
    x = loss.random_coordinates(loss.n_weights, rng)
    v = np.where(loss.mask, rng.normal(size=x.size), 0.0)
    energy, gradient = loss.energy_gradient(x)
    plain_energy, plain_gradient = plain_loss(x, loss)
    assert energy == pytest.approx(plain_energy, rel=1e-13)
    np.testing.assert_allclose(gradient, plain_gradient, rtol=1e-12, atol=1e-15)
    product = loss.hessian_vector(x, v)
    np.testing.assert_allclose(product, plain_product(x, v, loss), rtol=1e-6, atol=2e-8)
    np.testing.assert_allclose(loss.hessian(x) @ v, product, rtol=1e-11, atol=1e-13)


def test_the_same_data_twice_change_nothing():
    # on either side of the number of data from which sums are kept in parts
    once = problem((18, 4, 3), 200)
    twice = type(once)(np.tile(once.inputs, (2, 1)), np.tile(once.labels, 2), (4,), n_classes=3)
    x = once.random_coordinates(once.n_weights, np.random.default_rng(0))
    for one, two in zip(once.energy_gradient(x), twice.energy_gradient(x), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
@pytest.mark.skipif("+avx512f" not in get_host_cpu_features().split(","), reason="this processor has no AVX-512")
def test_long_and_short_registers_give_the_same_bits(tmp_path):
    """Compile for a processor without AVX-512 too: compiled code is as exact and the same there."""
    short = ",".join(
        feature
        for feature in get_host_cpu_features().split(",")
        if feature.startswith("+") and not any(name in feature for name in ("avx512", "avx10", "amx", "evex"))
    )
    found = []
    for settings in ({}, {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": short}):
        environment = os.environ | settings | {"NUMBA_CACHE_DIR": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True, timeout=600
        )
        found.append(run.stdout.split())
    (long_lanes, long_digest), (short_lanes, short_digest) = found
    assert (long_lanes, short_lanes) == ("8", "4")
    assert long_digest == short_digest
