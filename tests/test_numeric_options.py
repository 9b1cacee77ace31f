"""Numeric options that are no numbers, NaN, infinite, negative or immense are refused, and the error names them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from thalweg import analysis, datasets, landscapes, optimizers, potentials
from thalweg.potentials.conversion.numeric_options import finite_number, positive_number, whole_number

WORDS = ["many", 1 + 1j, None, [1.0, 2.0]]
NAN, INF = float("nan"), float("inf")

POSITIVE = [NAN, INF, -INF, -1.0, 0.0]
NOT_NEGATIVE = [NAN, INF, -INF, -1.0]
WHOLE = [NAN, INF, -1, 0, 1.5, -(10**30)]
COUNT = [NAN, INF, -1, 1.5]
NO_NAN = [NAN, -INF, -1.0]


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """What the calls below need; each is made once, and small."""

    class Things:
        folder = tmp_path_factory.mktemp("store")
        point = potentials.Point([0.0, 0.5], potentials.MuellerBrown())
        atoms = Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0]], calculator=potentials.LJAT(Z=0.0))
        rng = np.random.default_rng(0)
        inputs, labels = rng.normal(size=(20, 2)), np.arange(20) % 2
        loss = potentials.NetworkLoss(inputs, labels, hidden=(2,), n_classes=2)
        weights = potentials.Weights.random(loss, seed=0)
        data = datasets.Dataset(inputs, labels, n_classes=2)
        network = analysis.KineticTransitionNetwork(
            [0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]],
            log_eigenvalue_product=[1.0, 2, 3], ts_log_eigenvalue_product=[1.0, 2.0],
        )  # fmt: skip

    with landscapes.Landscape(Things.point, Things.folder / "a.zarr", seed=0) as landscape:
        landscape.find_minima(10, workers=1)
        Things.landscape = landscape
        np.zeros(6).tofile(Things.folder / "points")
        yield Things


def band(t, **options):
    return optimizers.dneb(t.point, [-0.55, 1.44], [0.62, 0.03], **options)


def landscape(t, **options):
    landscapes.Landscape(t.point, t.folder / "never.zarr", **options).close()


def hopping(t, **options):
    return optimizers.BasinHopping(t.point, **{"temperature": 1.0, "step": 0.5, **options})


def tempered(t, **options):
    return optimizers.TemperedBasinHopping(t.point, **{"temperatures": [1.0, 2.0], "step": 0.5, **options})


def chain(t, **options):
    given = {"steps": 3, "step": 0.5, "temperature": 1.0, **options}
    return optimizers.basin_hopping_steps(t.point, t.point.x, None, t.rng, **given)


LIKE_RULES = {"memory": WHOLE, "max_step": POSITIVE}
LIKE_CHAINS = {"step": POSITIVE, "rms": POSITIVE, "container": [NAN, -INF, -1.0, 0.0], "keep": WHOLE}

CALLS = {
    "find_transition_states": (
        lambda t, **o: optimizers.find_transition_states(t.point, **o),
        {
            "rms": POSITIVE, "steps": WHOLE, "max_step": POSITIVE, "minimise_steps": WHOLE,
            "known_within": NOT_NEGATIVE, "threads": WHOLE,
        },
    ),
    "minimise": (
        lambda t, **o: optimizers.minimise(t.point, **o),
        {"rms": POSITIVE, "steps": WHOLE, "threads": WHOLE},
    ),
    "hybrid_eigenvector_following": (
        lambda t, **o: optimizers.hybrid_eigenvector_following(t.point, **o),
        {
            "rms": POSITIVE, "steps": WHOLE, "max_step": POSITIVE, "across_steps": WHOLE, "products": WHOLE,
            "tolerance": POSITIVE, "difference": POSITIVE,
        },
    ),
    "lowest_eigenvalues": (
        lambda t, **o: optimizers.lowest_eigenvalues(t.point, **o),
        {"k": [*WHOLE, 10**12], "tolerance": POSITIVE},
    ),
    "dneb": (
        band,
        {
            "images": [*WHOLE, 10**12], "k": POSITIVE, "steps": COUNT, "rms": POSITIVE, "max_step": POSITIVE,
            "evenness": POSITIVE, "top_springs": POSITIVE, "refine": COUNT, "density": POSITIVE,
        },
    ),
    "pathway": (
        lambda t, **o: optimizers.pathway(t.point, [-0.822, 0.624], **o),
        {"points": [*WHOLE, 10**12], "rms": POSITIVE, "push": POSITIVE, "max_step": POSITIVE, "steps": WHOLE},
    ),
    "LBFGS": (lambda t, **o: optimizers.LBFGS(t.point, **o), LIKE_RULES),
    "LBFGS.run": (
        lambda t, **o: optimizers.LBFGS(t.point, logfile=None).run(**{"steps": 1, **o}),
        {"fmax": NOT_NEGATIVE, "rms": NOT_NEGATIVE, "steps": COUNT},
    ),
    "SecondOrder": (lambda t, **o: optimizers.SecondOrder(t.point, **o), {"switch": POSITIVE, **LIKE_RULES}),
    "EigenvectorFollowing": (lambda t, **o: optimizers.EigenvectorFollowing(t.point, **o), {"max_step": POSITIVE}),
    "BasinHopping": (
        hopping,
        {
            "temperature": NO_NAN, "adaptive": POSITIVE, "target": [NAN], "energy_tolerance": NOT_NEGATIVE,
            "distance_tolerance": NOT_NEGATIVE, **LIKE_CHAINS,
        },
    ),
    "BasinHopping.run": (lambda t, **o: hopping(t).run(**o), {"steps": COUNT}),
    "TemperedBasinHopping": (
        tempered,
        {"exchange_every": WHOLE, "threads": WHOLE, "adaptive": POSITIVE, **LIKE_CHAINS},
    ),
    "TemperedBasinHopping.run": (lambda t, **o: tempered(t).run(**o), {"steps": COUNT}),
    "basin_hopping_steps": (chain, {"temperature": NO_NAN, "adaptive": POSITIVE, "steps": COUNT, **LIKE_CHAINS}),
    "Rules": (
        lambda t, **o: optimizers.Rules(**o),
        {
            **LIKE_RULES, "initial_diagonal": POSITIVE, "max_rise": NOT_NEGATIVE, "shrink": [*POSITIVE, 1.0],
            "trials": COUNT, "resets": COUNT,
        },
    ),
    "AllCoordinates": (lambda t, **o: optimizers.AllCoordinates(**o), {"weight": POSITIVE, "step": POSITIVE}),
    "HiddenUnits": (
        lambda t, **o: optimizers.HiddenUnits(**o),
        {"count": WHOLE, "step": POSITIVE, "weight": POSITIVE},
    ),
    "SurfaceAtom": (lambda t, **o: optimizers.SurfaceAtom(**o), {"among": WHOLE, "weight": POSITIVE}),
    "energies_gradients": (
        lambda t, **o: t.loss.energies_gradients(np.zeros((2, len(t.weights.x))), **o),
        {"threads": WHOLE},
    ),
    "NetworkLoss": (
        lambda t, **o: potentials.NetworkLoss(t.inputs, t.labels, **o),
        {"l2": NOT_NEGATIVE, "n_classes": WHOLE, "neighbours": WHOLE},
    ),
    "check_potential": (
        lambda t, **o: potentials.check_potential(potentials.Himmelblau(), [0.5, 1.0], **o),
        {"tolerance": POSITIVE, "step": POSITIVE, "displacement": NOT_NEGATIVE},
    ),
    "ljat3_outcomes": (
        lambda t, **o: datasets.ljat3_outcomes("D1", **{"size": 10, **o}),
        {"size": WHOLE, "seed": COUNT, "threads": WHOLE},
    ),
    "mislabel": (lambda t, **o: datasets.mislabel(t.data, **o), {"fraction": NOT_NEGATIVE}),
    "overlap_noise": (
        lambda t, **o: datasets.overlap_noise(t.data, **{"fraction": 0.1, "neighbours": 5, **o}),
        {"fraction": NOT_NEGATIVE, "neighbours": WHOLE},
    ),
    "Tolerances": (
        lambda t, **o: landscapes.Tolerances(**o),
        dict.fromkeys(("energy", "distance", "gradient_rms", "eigenvalue"), NOT_NEGATIVE),
    ),
    "Landscape": (landscape, {"seed": COUNT, "tasks_ahead": [*WHOLE, 1e12, 10**12, 65537]}),
    "find_minima": (
        lambda t, **o: t.landscape.find_minima(**{"steps": 1, "workers": 1, **o}),
        {"step": POSITIVE, "temperature": POSITIVE, "minima": WHOLE, "workers": WHOLE, "seconds": NO_NAN},
    ),
    "connect": (
        lambda t, **o: t.landscape.connect(**{"searches": 1, "workers": 1, **o}),
        {"displacement": POSITIVE, "minima": WHOLE, "workers": WHOLE, "seconds": NO_NAN},
    ),
    "Processes": (lambda t, **o: landscapes.Processes(**o), {"workers": [*WHOLE, 10**12]}),
    "dask_executor": (
        lambda t, **o: landscapes.dask_executor("tcp://127.0.0.1:1", **o).__enter__(),
        {"timeout": POSITIVE},
    ),
    "fill_property": (
        lambda t, **o: landscapes.fill_property(t.landscape, "never", lambda X: X[:, 0], **o),
        {"block": WHOLE, "workers": WHOLE},
    ),
    "mark_verified": (lambda t, **o: landscapes.mark_verified(t.landscape, **o), {"workers": WHOLE}),
    "verify": (lambda t, **o: landscapes.verify(t.landscape, **o), {"workers": WHOLE}),
    "Comparison": (
        lambda t, **o: analysis.Comparison({"a": t.network}, **o),
        {"sample": WHOLE, "seed": COUNT},
    ),
    "DisconnectivityGraph": (
        lambda t, **o: analysis.DisconnectivityGraph(t.network, **o),
        {"levels": [*WHOLE, 1e9, 10**9, 10**18], "emin": [NAN, INF, -INF], "emax": [NAN, INF, -INF], "lowest": WHOLE},
    ),
    "DisconnectivityGraph.save": (
        lambda t, dpi: analysis.DisconnectivityGraph(t.network).save(t.folder / "never.png", dpi=dpi),
        {"dpi": POSITIVE},
    ),
    "kinetics": (lambda t, **o: t.network.kinetics(**o), {"temperature": POSITIVE}),
    "thermodynamics": (
        lambda t, temperature: t.network.thermodynamics([1.0]).contributions(temperature),
        {"temperature": POSITIVE},
    ),
    "fastest_paths": (
        lambda t, **o: t.network.kinetics(temperature=1.0).fastest_paths(0, 2, **o),
        {"count": WHOLE},
    ),
    "regroup": (
        lambda t, **o: t.network.kinetics(temperature=1.0).regroup(**o),
        {"barrier": [NAN, INF, -INF]},
    ),
    "simulate": (
        lambda t, **o: t.network.kinetics(temperature=1.0).simulate(0, 2, **o),
        {"walks": [*WHOLE, 10**12], "max_jumps": WHOLE},
    ),
    "time_scales": (lambda t, **o: t.network.kinetics(temperature=1.0).time_scales(**o), {"count": WHOLE}),
    "landscape_path": (
        lambda t, **o: analysis.landscape_path(t.landscape, 0, 1, **o),
        {"points": [*WHOLE, 10**12]},
    ),
    "decision_grid": (lambda t, **o: analysis.decision_grid(t.weights, **o), {"resolution": WHOLE}),
    "plot_decision_map": (lambda t, **o: analysis.plot_decision_map(t.weights, **o), {"points": COUNT}),
    "read_points": (lambda t, **o: analysis.read_points(t.folder / "points", **o), {"count": [NAN, INF, 1.5]}),
}  # fmt: skip

OPTIONAL = {"threads", "workers", "k", "images", "seconds", "minima", "keep", "adaptive", "target", "container", "seed"}
OPTIONAL |= {"neighbours", "n_classes", "max_step", "memory", "displacement", "step", "temperature", "emin", "emax"}
OPTIONAL |= {"tasks_ahead", "lowest", "fmax", "rms", "fraction"}


@pytest.mark.parametrize(
    ("call", "option"), [(call, option) for call, (_, options) in CALLS.items() for option in options]
)
def test_options_out_of_range(things, call, option, monkeypatch):
    monkeypatch.chdir(things.folder)
    function, options = CALLS[call]
    words = [word for word in WORDS if not (word is None and option in OPTIONAL)]
    words = [word for word in words if not (isinstance(word, list) and option == "levels")]
    for value in [*options[option], *words]:
        with pytest.raises((ValueError, TypeError)) as caught:
            function(things, **{option: value})
        if value not in WORDS:
            assert option.removesuffix("s") in str(caught.value), f"{call}({option}={value}): {caught.value}"
    assert not (things.folder / "never.zarr").exists()


def test_immense_numbers_of_the_command_line(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from thalweg.analysis.cli.main import program

    monkeypatch.chdir(tmp_path)
    for words in (
        ["explore", "MuellerBrown", "--ahead", "1000000000000", "--output", "a.zarr"],
        ["explore", "MuellerBrown", "--processes", "1000000000", "--output", "a.zarr"],
        ["plot", "a.zarr", "--levels", "1000000000"],
    ):
        done = CliRunner().invoke(program, words)
        assert done.exit_code == 2, done.output
        assert "is not in the range" in done.output
    assert not list(tmp_path.iterdir())


def test_what_is_right_keeps_its_value():
    assert positive_number("x", np.float32(0.5)) == 0.5
    assert positive_number("x", np.array(3)) == 3.0
    assert positive_number("x", 0, zero=True) == 0.0
    assert positive_number("x", INF, infinite=True) == INF
    assert finite_number("x", -2) == -2.0
    assert whole_number("x", 3.0) == 3
    assert whole_number("x", 2**63 - 1) == 2**63 - 1
    assert whole_number("x", np.uint8(7), 7, 7) == 7
    with pytest.raises(ValueError, match="x must be a whole number, at most 3; it is 4"):
        whole_number("x", 4, 1, 3)
    with pytest.raises(ValueError, match="x must be finite and not negative; it is nan"):
        positive_number("x", NAN, zero=True)
