"""Rate constants, passage times and committors against analytic answers, mpmath, and each other."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import Kinetics, KineticTransitionNetwork

from .high_precision import Network

LJ38 = {  # the reference data's README: T, rate constants A<-B and B<-A, mean passage time A<-B
    0.1: (1.5515170652606e-15, 1.2065715753054e-16, 6.4453045499181e14),
    0.15: (1.4182139011966e-9, 2.0729438368063e-9, 1 / 1.4182139011966e-9),
}


def test_three_states():
    kinetics = Kinetics.from_rates(np.ones((3, 3)))
    assert kinetics.rate_constant(source=0, target=1) == pytest.approx(1.0, rel=1e-15)
    assert kinetics.steady_state_rate_constant(source=0, target=1) == pytest.approx(1.5, rel=1e-15)
    assert kinetics.committor(source=0, target=1).tolist() == [0.0, 1.0, 0.5]
    np.testing.assert_allclose(kinetics.populations, 1 / 3, rtol=1e-15)
    np.testing.assert_allclose(kinetics.steady_state_populations(0, 1), [2 / 3, 0, 1 / 3], rtol=1e-15)
    # Time to leave two exchanging states, each at rate 1: exponential with mean and deviation 1.
    assert kinetics.first_passage_time_std(source=[0, 2], target=1) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("method", ["graph transformation", "sparse LU"])
def test_ten_states(method):
    i = np.arange(10)
    rates = (i[:, None] + i) / (i[:, None] + 1)
    kinetics = Kinetics.from_rates(rates, np.ones(10))
    low, high = [0, 1, 2], [3, 4, 5]
    assert kinetics.rate_constant(source=low, target=high, method=method) == pytest.approx(
        5.1013138820442565, rel=1e-14
    )
    assert kinetics.rate_constant(source=high, target=low, method=method) == pytest.approx(3.0, rel=1e-14)
    np.testing.assert_allclose(Kinetics.from_rates(rates).populations, (i + 1) / 55, rtol=1e-14)


@pytest.fixture(scope="module")
def lj38(shared):
    return KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "lj38_12")


@pytest.mark.parametrize("temperature", LJ38)
def test_known_answers_of_lj38(lj38, temperature):
    kinetics, (a, b) = lj38.kinetics(temperature=temperature), (lj38.groups["A"], lj38.groups["B"])
    to_a, to_b, time = LJ38[temperature]
    assert kinetics.rate_constant(source=b, target=a) == pytest.approx(to_a, rel=1e-12)
    assert kinetics.rate_constant(source=a, target=b) == pytest.approx(to_b, rel=1e-12)
    assert kinetics.mean_first_passage_time(source=b, target=a) == pytest.approx(time, rel=1e-12)
    assert np.exp(kinetics.log_rate_constant(source=b, target=a)) == pytest.approx(to_a, rel=1e-12)
    if temperature == 0.1:
        assert kinetics.steady_state_rate_constant(source=b, target=a) == pytest.approx(2.5562888556744e-15, rel=1e-12)
    else:
        ratio = kinetics.populations[a[0]] / kinetics.populations[b[0]]
        assert ratio == pytest.approx(2.2252399124102, rel=1e-12)


@pytest.mark.parametrize("temperature", [0.02, 0.1, 0.5])
def test_detailed_balance(lj38, temperature):
    kinetics = lj38.kinetics(temperature=temperature)
    flux = (kinetics.rates.toarray().T * kinetics.populations).T
    assert (flux > 0).any()
    assert (np.abs(flux - flux.T) <= 1e-14 * flux).all()


SMALL = {"lj38_12": 0.1, "lj38_64": 0.1, "tetraala_48": 0.592, "tetraala_57": 0.592, "lj13_100": 0.1, "lj15_44": 0.1}
LARGE = {"ninecomm_994": 1.0, "collagen_2203": 0.592}


def _compare(shared, name, temperature, ways=4):
    """Hold everything against the independent solve; return the largest relative deviation."""
    folder = shared / "data" / "networks" / name
    network = KineticTransitionNetwork.from_pathsample(folder)
    kinetics, exact = network.kinetics(temperature=temperature), Network(folder, repr(temperature))
    members = network.components[0][np.argsort(network.energies[network.components[0]])]
    middle = len(members) // 2
    a, b = network.groups.get("A", members[:1]), network.groups.get("B", members[-1:])
    pairs = [(b, a), (members[:3], members[middle : middle + 3]), (a, b), (members[middle : middle + 3], members[:3])]
    worst = 0.0
    for source, target in pairs[:ways]:
        expected = exact.passage(source.tolist(), target.tolist())
        committor, steady = exact.committor(source.tolist(), target.tolist())
        times, found = kinetics.mean_first_passage_times(target), kinetics.committor(source, target)
        sets = {"source": source, "target": target}
        compared = [(times[i], value) for i, value in expected["times"].items()]
        compared += [(found[i], value) for i, value in committor.items()]
        compared += [
            (kinetics.mean_first_passage_time(**sets), expected["mean"]),
            (kinetics.first_passage_time_std(**sets), expected["std"]),
            (kinetics.rate_constant(**sets), expected["rate"]),
            (kinetics.steady_state_rate_constant(**sets), steady),
        ]
        for value, right in compared:
            if right > 1e-300:  # a committor may be smaller than any double
                worst = max(worst, float(abs(mpmath.mpf(float(value)) / right - 1)))
    return worst


@pytest.mark.parametrize("factor", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("name", SMALL)
def test_real_networks_to_ten_digits(shared, name, factor):
    assert _compare(shared, name, SMALL[name] * factor) < 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.2, 0.3, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("name", LARGE)
def test_large_networks_to_ten_digits(shared, name, factor):
    assert _compare(shared, name, LARGE[name] * factor, ways=2) < 1e-11


def test_nine_communities_where_sparse_lu_is_wrong_altogether(shared):
    """The rate constant is that of a 500-bit elimination (high_precision.py), which takes seconds."""
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "ninecomm_994")
    sets = {"source": network.groups["B"], "target": network.groups["A"]}
    kinetics = network.kinetics(temperature=0.3)
    assert kinetics.rate_constant(**sets) == pytest.approx(5.81962075494e-37, rel=1e-11)
    with pytest.raises(ArithmeticError, match="digits left"):
        kinetics.rate_constant(**sets, method="sparse LU")


def _exact_times(rates, target):
    """Mean passage times by dense LU with 3,000 bits."""
    with mpmath.workprec(3000):
        left = [i for i in range(len(rates)) if i != target]
        matrix = mpmath.matrix(len(left), len(left))
        for a, i in enumerate(left):
            for b, j in enumerate(left):
                matrix[a, b] = mpmath.fsum(rates[i]) if i == j else -mpmath.mpf(rates[i][j])
        return mpmath.lu_solve(matrix, mpmath.ones(len(left), 1)), left


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 9), st.sampled_from([1.0, 30.0, 230.0]))
def test_any_chain_equals_mpmath(seed, n, decades):
    """Rates without detailed balance, up to 1e-230 to 1e230: more than 200 orders of magnitude."""
    rng = np.random.default_rng(seed)
    rates = 10.0 ** rng.uniform(-decades, decades, (n, n)) * (rng.random((n, n)) < 0.6)
    rates[np.arange(n), (np.arange(n) + 1) % n] = 10.0 ** rng.uniform(-decades, decades, n)
    np.fill_diagonal(rates, 0.0)
    kinetics = Kinetics.from_rates(rates, np.ones(n))
    times, left = _exact_times(rates.tolist(), n - 1)
    found = kinetics.extended_times(np.array([n - 1]), "auto")
    for value, i in zip(times, left, strict=True):
        with mpmath.workprec(3000):
            mine = mpmath.mpf(found[i, 0]) * mpmath.mpf(2) ** int(256 * found[i, 1])
            assert abs(mine / value - 1) < 1e-13


def test_barriers_beyond_the_range_of_doubles():
    """A chain of wells 1,000 T deep: rates of 1e-435, whose logarithms are exact."""
    n = 6
    ends = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)
    network = KineticTransitionNetwork(
        np.zeros(n),
        np.full(n - 1, 1.0),
        ends,
        log_eigenvalue_product=np.zeros(n),
        ts_log_eigenvalue_product=np.zeros(n - 1),
    )
    kinetics = network.kinetics(temperature=1e-3)
    # From one end of a chain of n equal wells to the other: n (n - 1) / 2 hops' time.
    expected = -1000 - np.log(2 * np.pi) - np.log(n * (n - 1) / 2)
    assert kinetics.log_rate_constant(source=0, target=n - 1) == pytest.approx(expected, rel=1e-14)
    assert kinetics.rate_constant(source=0, target=n - 1) == 0.0
    np.testing.assert_allclose(kinetics.committor(0, n - 1), np.linspace(0, 1, n), rtol=1e-14)


def test_graph_transformation_lu_and_monte_carlo_agree(shared):
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "tetraala_48")
    kinetics = network.kinetics(temperature=10.0)
    sets = {"source": network.groups["A"], "target": network.groups["B"]}
    for name in ("mean_first_passage_time", "first_passage_time_std", "rate_constant", "steady_state_rate_constant"):
        exact = getattr(kinetics, name)(**sets, method="graph transformation")
        assert getattr(kinetics, name)(**sets, method="sparse LU") == pytest.approx(exact, rel=1e-11)
    sample = kinetics.simulate(**sets, walks=4000, seed=1)
    assert abs(sample.mean - kinetics.mean_first_passage_time(**sets)) < 4 * sample.error < 0.1 * sample.mean
    assert abs(sample.std - kinetics.first_passage_time_std(**sets)) < 4 * sample.std_error
    assert sample.rate == pytest.approx(kinetics.rate_constant(**sets), abs=4 * sample.rate_error)
    again = kinetics.simulate(**sets, walks=4000, seed=1)
    assert np.array_equal(again.times, sample.times)


def test_steady_state_carries_the_steady_state_rate(lj38):
    """Flux into the target, over the source's population, is the steady-state rate constant."""
    kinetics, (a, b) = lj38.kinetics(temperature=0.2), (lj38.groups["A"], lj38.groups["B"])
    populations = kinetics.steady_state_populations(source=b, target=a)
    into = populations @ kinetics.rates.toarray()[:, a].sum(axis=1)
    expected = kinetics.steady_state_rate_constant(source=b, target=a)
    assert into / populations[b].sum() == pytest.approx(expected, rel=1e-12)
    assert populations.sum() == pytest.approx(1.0)


def test_states_that_may_never_arrive():
    """0 -> 1 -> 2 with a trap 3 behind 1, and 4 beyond reach."""
    rates = np.zeros((5, 5))
    rates[0, 1] = rates[1, 2] = rates[1, 3] = rates[1, 0] = 1.0
    kinetics = Kinetics.from_rates(rates, np.ones(5))
    assert kinetics.mean_first_passage_times(2).tolist() == [np.inf, np.inf, 0.0, np.inf, np.inf]
    assert kinetics.rate_constant(source=0, target=2) == 0.0
    np.testing.assert_allclose(kinetics.committor(source=0, target=2), [0, 1 / 3, 1, np.nan, np.nan])


def test_sparse_matrices_and_unused_diagonals():
    from scipy.sparse import coo_array

    dense = np.array([[-3.0, 3.0], [2.0, -2.0]])
    kinetics = Kinetics.from_rates(coo_array(dense))
    assert kinetics.populations.tolist() == pytest.approx([0.4, 0.6])
    assert kinetics.rates.toarray().tolist() == [[0.0, 3.0], [2.0, 0.0]]
    assert repr(kinetics) == "<Kinetics: 2 states, 2 rates>"


def test_kelvin_in_electron_volts():
    from ase.units import kB

    columns = {"log_eigenvalue_product": [0.0, 0.0], "ts_log_eigenvalue_product": [0.0]}
    network = KineticTransitionNetwork([0.0, 0.1], [0.5], [[0, 1]], units="eV", **columns)
    expected = np.exp(-0.5 / (300 * kB)) / (2 * np.pi)
    assert network.kinetics(kelvin=300).rate_constant(source=0, target=1) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="kelvin needs energies in eV"):
        KineticTransitionNetwork([0.0, 0.1], [0.5], [[0, 1]], **columns).kinetics(kelvin=300)


def _network(**change):
    columns = {
        "log_eigenvalue_product": [0.0, 0.0, 0.0],
        "ts_log_eigenvalue_product": [0.0, 0.0],
        "ts_minima": [[0, 1], [2, 2]],
    }
    return KineticTransitionNetwork([0.0, 0.1, 0.2], [0.5, 0.6], **(columns | change))


WRONG_SETS = [
    ([0], [0, 1], ValueError, "source and target overlap: minimum 0"),
    ([0], [2], ValueError, "not connected: no path leads from minimum 0"),
    ([], [1], ValueError, "source is empty"),
    ([0], [], ValueError, "target is empty"),
    ([0], [3], IndexError, "target is 3"),
    ([0.0], [1], TypeError, "source must be"),
]


@pytest.mark.parametrize(("source", "target", "error", "message"), WRONG_SETS)
def test_bad_sets_are_named(source, target, error, message):
    kinetics = _network().kinetics(temperature=1.0)
    methods = ("rate_constant", "steady_state_rate_constant", "mean_first_passage_time", "first_passage_time_std")
    others = ("committor", "fastest_path", "sensitivity", "simulate", "steady_state_populations", "log_rate_constant")
    for name in methods + others:
        with pytest.raises(error, match=message):
            getattr(kinetics, name)(source=source, target=target)


WRONG_NETWORKS = [
    ({"log_eigenvalue_product": None}, "no log_eigenvalue_product"),
    ({"ts_log_eigenvalue_product": None}, "no ts_log_eigenvalue_product"),
    ({"log_eigenvalue_product": [0.0, np.nan, 0.0]}, r"log_eigenvalue_product\[1\] is nan"),
    ({"ts_log_eigenvalue_product": [np.inf, 0.0]}, r"ts_log_eigenvalue_product\[0\] is inf"),
    ({"ts_minima": [[0, 0], [2, 2]]}, "no transition states that join"),
    ({"symmetry_order": [1, 0, 1]}, r"symmetry_order\[1\] is 0"),
    ({"modes": [4, 3, 4], "ts_modes": [2, 2]}, "no 'moments_of_inertia'"),
    (
        {
            "modes": [4, 3, 4],
            "ts_modes": [2, 2],
            "properties": {"moments_of_inertia": [[0, 1, 1], [np.nan] * 3, [0, 1, 1]]},
        },
        r"properties\['moments_of_inertia'\]\[1\]",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG_NETWORKS)
def test_networks_without_rates_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        _network(**change).kinetics(temperature=1.0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_bad_temperatures_are_named(temperature):
    with pytest.raises(ValueError, match="temperature is"):
        _network().kinetics(temperature=temperature)
    with pytest.raises(TypeError, match="temperature"):
        _network().kinetics(temperature="hot")
    with pytest.raises(TypeError, match="one of temperature"):
        _network().kinetics()


WRONG_RATES = [
    (np.ones((2, 3)), None, "square"),
    ([[0.0, -1.0], [1.0, 0.0]], None, r"rates\[0, 1\] is -1"),
    ([[0.0, np.nan], [1.0, 0.0]], None, r"rates\[0, 1\] is nan"),
    (np.eye(2), None, "no positive entry"),
    ([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], None, "2 stationary distributions"),
    (np.ones((2, 2)), [1.0], "weights has shape"),
    (np.ones((2, 2)), [1.0, -1.0], "weights must not be negative"),
    (np.ones((2, 2)), [0.0, 0.0], "not all of them zero"),
]


@pytest.mark.parametrize(("rates", "weights", "message"), WRONG_RATES)
def test_bad_rates_are_named(rates, weights, message):
    with pytest.raises(ValueError, match=message):
        Kinetics.from_rates(rates, weights)


def test_other_bad_arguments():
    kinetics = Kinetics.from_rates(np.ones((3, 3)))
    with pytest.raises(ValueError, match="method is 'lu'"):
        kinetics.rate_constant(0, 1, method="lu")
    with pytest.raises(ValueError, match="walks is 1"):
        kinetics.simulate(0, 1, walks=1)
    with pytest.raises(ArithmeticError, match="had not arrived after 1 jumps"):
        kinetics.simulate(0, 1, walks=10, max_jumps=1)
    with pytest.raises(ValueError, match="count is 0"):
        kinetics.time_scales(0)
    with pytest.raises(ValueError, match="count is 0"):
        kinetics.fastest_paths(0, 1, 0)
    with pytest.raises(ValueError, match="sensitivity needs"):
        kinetics.sensitivity(0, 1)
    with pytest.raises(ValueError, match="regroup needs kinetics with a temperature"):
        kinetics.regroup(1.0)
