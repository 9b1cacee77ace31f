"""Landscapes whose stationary points are known by theory: all of them are found, and each counts once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.analysis import from_jax, from_torch
from thalweg.landscapes import Landscape
from thalweg.potentials import BlockSymmetry, Function, Point, as_system

SINGULAR = np.array([5.0, 3.0, 2.0])
L2 = 0.1
RNG = np.random.default_rng(0)
LEFT, RIGHT = (np.linalg.qr(RNG.normal(size=(n, n)))[0][:, :3] for n in (4, 3))
M = LEFT @ np.diag(SINGULAR) @ RIGHT.T
CHOSEN = [chosen for size in range(3) for chosen in itertools.combinations(range(3), size)]


def explored(point, steps=12, searches=24):
    """Return the energies of the minima and of the transition states that are found."""
    with Landscape(point, MemoryStore(), seed=0) as landscape:
        landscape.find_minima(steps, progress=False)
        landscape.connect(searches, progress=False)
        return landscape.minima.energy[:], landscape.transition_states.energy[:]


def factors(v):
    return v[:8].reshape(4, 2), v[8:].reshape(3, 2)


def factorisation() -> Function:
    """Return f(U, V) = |U V' - M|^2 / 2 + l2 (|U|^2 + |V|^2) for a 4 x 3 matrix M and factors of rank 2."""

    def energy(v):
        u, w = factors(v)
        return 0.5 * np.sum((u @ w.T - M) ** 2) + L2 * v @ v

    def gradient(v):
        u, w = factors(v)
        off = u @ w.T - M
        return np.concatenate([(off @ w).ravel(), (off.T @ u).ravel()]) + 2 * L2 * v

    def rotation(v):
        turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        return np.concatenate([(part @ turn).ravel() for part in factors(v)])

    columns = [[i + column for i in range(0, 14, 2)] for column in (0, 1)]  # which may change their signs, too
    signs = BlockSymmetry(columns, signs=True)
    return Function(energy, gradient, name="factorisation", null_modes=rotation, symmetry=signs)


def stationary(chosen):
    """Return the stationary point that the singular pairs `chosen` make, its energy and its index.

    U'U = V'V follows from the L2 term, so that U V' has the chosen pairs with their values less 2 l2. A column that
    follows pair i gains by turning to any k not chosen whose value is larger; an empty one by growing along any k.
    """
    u, w = np.zeros((4, 2)), np.zeros((3, 2))
    for column, i in enumerate(chosen):
        u[:, column] = np.sqrt(SINGULAR[i] - 2 * L2) * LEFT[:, i]
        w[:, column] = np.sqrt(SINGULAR[i] - 2 * L2) * RIGHT[:, i]
    others = [k for k in range(3) if k not in chosen]
    energy = sum(2 * L2 * (SINGULAR[i] - L2) for i in chosen) + 0.5 * sum(SINGULAR[k] ** 2 for k in others)
    index = sum(SINGULAR[k] > SINGULAR[i] for i in chosen for k in others) + (2 - len(chosen)) * len(others)
    return np.concatenate([u.ravel(), w.ravel()]), energy, index


@pytest.mark.parametrize("chosen", CHOSEN)
def test_each_choice_of_singular_pairs_is_one_orbit_of_stationary_points(chosen):
    x, energy, index = stationary(chosen)
    system = as_system(Point(x, factorisation()))
    value, gradient = system.energy_gradient(x)
    assert value == pytest.approx(energy, abs=1e-12)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-12)
    values = np.linalg.eigvalsh(system.hessian(x))
    assert (values < -1e-6).sum() == index
    # the rotation of the two columns, but of none
    assert (np.abs(values) < 1e-6).sum() == len(system.null_modes(x)) == (len(chosen) > 0)
    angle = RNG.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    copy = np.concatenate([(part @ turn).ravel() for part in factors(x)])
    assert system.distance(x, copy) < 1e-6
    for other in CHOSEN:
        assert other == chosen or system.distance(x, stationary(other)[0]) > 0.1


def test_a_factorisation_has_one_minimum_and_one_transition_state():
    minima, states = explored(Point(RNG.normal(size=14), factorisation()))
    by_index = {index: sorted(e for _, e, i in map(stationary, CHOSEN) if i == index) for index in (0, 1)}
    np.testing.assert_allclose(minima, by_index[0], atol=1e-9)
    np.testing.assert_allclose(states, by_index[1], atol=1e-9)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_a_linear_network_of_pytorch_follows_the_singular_values_of_its_data():
    torch = pytest.importorskip("torch")
    # inputs whose covariance is the identity: the loss is |W2 W1 - A|^2 / outputs, and what no network can fit
    inputs = np.sqrt(40) * np.linalg.qr(RNG.normal(size=(40, 3)))[0]
    targets = inputs @ M.T + 0.1 * RNG.normal(size=(40, 4))
    best = targets.T @ inputs / 40
    values, l2 = np.linalg.svd(best)[1], 0.05
    module = torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False), torch.nn.Linear(2, 4, bias=False))

    def rotation(v):
        first, last = v[:6].reshape(2, 3), v[6:].reshape(4, 2)
        turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        return np.concatenate([(turn @ first).ravel(), (-last @ turn).ravel()])

    units = BlockSymmetry([[0, 1, 2, 6, 8, 10, 12], [3, 4, 5, 7, 9, 11, 13]], signs=True)
    point = from_torch(module, torch.nn.MSELoss(), inputs, targets, l2=l2, symmetry=units, null_modes=rotation)
    minima, states = explored(point, 4, 4)
    rest = np.mean((targets - inputs @ best.T) ** 2)

    def known(*chosen):
        shrunk = 4 * l2  # |W2 W1 - A|^2 / 4 + l2 (|W1|^2 + |W2|^2) takes this from each singular value
        kept = sum(shrunk**2 / 4 + 2 * l2 * (values[i] - shrunk) for i in chosen)
        return rest + kept + sum(values[k] ** 2 / 4 for k in range(3) if k not in chosen)

    np.testing.assert_allclose(minima, [known(0, 1)], atol=1e-9)
    np.testing.assert_allclose(states, [known(0, 2)], atol=1e-9)


def test_phase_retrieval_has_the_signal_and_a_sphere_of_saddles():
    """Compare with J. Sun, Q. Qu and J. Wright, Found. Comput. Math. 18 (2018) 1131: real Gaussian measurements.

    The expected loss is E[((a.x)^2 - (a.z)^2)^2]: its stationary points are 0, the signal z and its mirror image, and
    all x of |x|^2 = |z|^2 / 3 at right angles to z, on which one eigenvalue is negative.
    """
    jax = pytest.importorskip("jax")
    jnp, before = jax.numpy, jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    z = np.array([1.0, -0.5, 0.3, 0.8])
    length = z @ z

    def loss(x):
        return 3 * (x @ x) ** 2 + 3 * length**2 - 2 * (x @ x) * length - 4 * jnp.dot(x, z) ** 2

    around = np.linalg.svd(z[None])[2][1:]  # the space at right angles to z, which may be rotated

    def rotations(x):
        pairs = itertools.combinations(range(3), 2)
        return np.array([(around[i] @ x) * around[j] - (around[j] @ x) * around[i] for i, j in pairs])

    class Mirror:
        """The sign of all coordinates."""

        def align(self, a, b):
            return b if np.linalg.norm(a - b) <= np.linalg.norm(a + b) else -b

        def distance(self, a, b):
            return float(np.linalg.norm(self.align(a, b) - a))

        def order(self, x):
            return 1 if np.any(x) else 2

        def random_copy(self, x, rng):
            return x * rng.choice([-1.0, 1.0])

    try:
        point = from_jax(loss, RNG.normal(size=4), symmetry=Mirror(), null_modes=rotations)
        minima, states = explored(point)
        np.testing.assert_allclose(minima, [0.0], atol=1e-9)
        np.testing.assert_allclose(states, [3 * length**2 - length**2 / 3], atol=1e-9)
    finally:
        jax.config.update("jax_enable_x64", before)
