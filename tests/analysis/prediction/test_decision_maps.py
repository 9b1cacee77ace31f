"""Decision maps: the numbers behind them, and what the picture holds."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from thalweg.analysis import Ensemble, decision_grid, plot_decision_map, plot_decision_maps
from thalweg.analysis.prediction.decision_maps import class_colours
from thalweg.datasets import Scaling
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss, Point
from thalweg.potentials.neural_network.weights import Weights

from ..trained_networks import LAYERS, plain_probabilities


@pytest.fixture
def ax():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def wide(inputs):
    """A network of so many inputs, with random weights."""
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(20, inputs)), rng.integers(3, size=20), hidden=(4,))
    return Weights.random(loss, 1)


def test_every_place_has_the_networks_probabilities(trained_landscape):
    grid = decision_grid(trained_landscape, 1, extent=(-1, 2, -3, 4), resolution=9)
    x = trained_landscape.minima.coordinates[1]
    for row, column in ((0, 0), (8, 0), (3, 7)):
        place = [[-1 + 3 * column / 8, -3 + 7 * row / 8]]
        wanted = plain_probabilities(LAYERS, x, place)[0]
        np.testing.assert_allclose(grid.probabilities[row, column], wanted, atol=1e-12)
    np.testing.assert_array_equal(grid.classes, grid.probabilities.argmax(axis=2))
    np.testing.assert_allclose(grid.edges, (-1 - 3 / 16, 2 + 3 / 16, -3 - 7 / 16, 4 + 7 / 16))


def test_it_spans_the_training_data_and_shows_the_lowest_minimum(trained_landscape, trained):
    grid, inputs = decision_grid(trained_landscape, resolution=20), trained[1].inputs
    assert grid.x[0] < inputs[:, 0].min() < inputs[:, 0].max() < grid.x[-1]
    assert grid.y[0] < inputs[:, 1].min() < inputs[:, 1].max() < grid.y[-1]
    lowest = decision_grid(trained_landscape, trained_landscape.minima.lowest(), resolution=20)
    np.testing.assert_array_equal(grid.probabilities, lowest.probabilities)


@pytest.mark.parametrize("others", [None, [1.0, 2.0, 3.0, 4.0]])
def test_other_inputs_stay_at_their_means_or_where_they_are_put(others):
    weights = wide(4)
    grid = decision_grid(weights, plane=(3, 1), extent=(0, 1, 5, 6), resolution=2, others=others)
    place = weights.calc.inputs.mean(axis=0) if others is None else np.array(others)
    place[[3, 1]] = 1.0, 5.0  # right, at the bottom
    np.testing.assert_allclose(grid.probabilities[0, 1], weights.calc.probabilities(weights.x, [place])[0], atol=1e-14)


def test_an_ensembles_map_is_the_mean_of_the_minimas(trained_landscape):
    maps = [
        decision_grid(trained_landscape, k, resolution=5).probabilities for k in range(len(trained_landscape.minima))
    ]
    together = decision_grid(Ensemble(trained_landscape), resolution=5).probabilities
    np.testing.assert_allclose(together, np.mean(maps, axis=0), atol=1e-14)


def test_places_take_the_colour_of_their_class(trained_landscape, ax):
    plot_decision_map(trained_landscape, 0, ax, resolution=30, data=None)
    picture = np.asarray(ax.images[0].get_array())
    grid = decision_grid(trained_landscape, 0, resolution=30)
    assert picture.shape == (30, 30, 3)
    tint = (1 - picture) / (1 - np.array(class_colours(3))[grid.classes])  # one strength for all three channels
    assert np.ptp(tint, axis=2).max() < 1e-12
    sure = grid.probabilities.max(axis=2).ravel()
    assert np.all(np.diff(tint[:, :, 0].ravel()[np.argsort(sure)]) >= -1e-12)
    np.testing.assert_allclose(ax.images[0].get_extent(), grid.edges)


def scattered(ax):
    return [c.get_offsets().data for c in ax.collections if isinstance(c, PathCollection)]


def test_axes_have_the_values_before_the_scaling(ax):
    raw = load_iris()
    scaler = StandardScaler().fit(raw.data)
    weights = Weights.random(NetworkLoss(scaler.transform(raw.data), raw.target, hidden=(3,)), 1)
    scaling = Scaling.of(raw.data, "standard")
    names = {"class_names": ["se$tosa", "versicolor", "virginica"], "input_names": raw.feature_names}
    plot_decision_map(weights, ax=ax, plane=(2, 3), resolution=8, scaling=scaling, probability_of=1, **names)
    np.testing.assert_allclose(np.concatenate(scattered(ax)[:1]), raw.data[:, 2:], atol=1e-12)
    left, right, bottom, top = ax.images[0].get_extent()
    assert left < 1 < 6.9 < right
    assert bottom < 0.1 < 2.5 < top
    assert ax.get_xlabel() == "petal length (cm)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["se\\$tosa", "versicolor", "virginica"]
    with pytest.raises(ValueError, match="class_names must hold 3 names, one for each class; there are 1"):
        plot_decision_map(weights, ax=ax, class_names=["one"])
    with pytest.raises(ValueError, match="scaling is of 1 inputs; the network has 4"):
        plot_decision_map(weights, ax=ax, scaling=Scaling.of(raw.data[:, :1], "standard"))


def test_points_and_crosses_are_the_data(trained_landscape, trained, ax):
    plot_decision_map(trained_landscape, 0, ax, resolution=5)
    data = trained[1]
    right, below, crosses = scattered(ax)
    np.testing.assert_array_equal(right, data.inputs[~data.mislabelled])
    np.testing.assert_array_equal(crosses, data.inputs[data.mislabelled])
    np.testing.assert_array_equal(below, crosses)
    colours = ax.collections[0].get_facecolors()[:, :3]
    np.testing.assert_allclose(colours, np.array(class_colours(3))[data.labels[~data.mislabelled]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class 0", "class 1", "class 2", "mislabelled"]


def test_fewer_points_and_other_data(trained_landscape, trained, ax):
    data = trained[1]
    plot_decision_map(trained_landscape, 0, ax, resolution=5, points=4, input_names=["r12", "r13"], title="mine")
    assert [len(points) for points in scattered(ax)] == [4, 4, 4]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("r12", "r13", "mine")
    other = Figure().add_subplot()
    plot_decision_map(trained_landscape, 0, other, resolution=5, data=(data.inputs[:7], data.labels[:7]), legend=False)
    assert len(scattered(other)[0]) == 7
    assert other.get_legend() is None


def test_the_probability_of_one_class(trained_landscape, ax):
    plot_decision_map(trained_landscape, 0, ax, probability_of=2, resolution=12, data=None)
    wanted = decision_grid(trained_landscape, 0, resolution=12).probabilities[:, :, 2]
    np.testing.assert_array_equal(ax.images[0].get_array(), wanted)
    assert ax.get_legend() is None
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["probability of class 2"]


def test_several_side_by_side(trained_landscape, tmp_path):
    figure = plot_decision_maps(trained_landscape, [0, 1, 2, Ensemble(trained_landscape)], resolution=10)
    titles = [ax.get_title() for ax in figure.axes]
    energies = trained_landscape.minima.energy[:3]
    assert titles[:3] == [f"minimum {k}, loss {energy:.4f}" for k, energy in enumerate(energies)]
    assert titles[3] == f"ensemble of {len(trained_landscape.minima)} minima"
    assert len(figure.legends) == 1
    figure.savefig(tmp_path / "maps.png")
    assert (tmp_path / "maps.png").stat().st_size > 1000


def test_without_axes_pyplot_makes_them(trained_landscape):
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        ax = plot_decision_map(trained_landscape, resolution=5)
        assert ax.figure is plt.gcf()
        plt.close(ax.figure)


def test_colours_differ():
    for n in (2, 4, 7, 8, 10, 12):
        colours = class_colours(n)
        assert len({to_rgb(colour) for colour in colours}) == n


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"plane": (0, 2)}, ValueError, "plane must name two different inputs between 0 and 1"),
        ({"plane": (1, 1)}, ValueError, "plane must"),
        ({"plane": (0.0, 1.0)}, ValueError, "plane must"),
        ({"resolution": 1}, ValueError, "resolution must be a whole number, at least 2"),
        ({"extent": (0, 0, 1, 2)}, ValueError, "extent must be"),
        ({"extent": (0, np.nan, 1, 2)}, ValueError, "extent must be"),
        ({"others": [0.0]}, ValueError, "others must hold 2 finite numbers"),
        ({"minimum": 99}, IndexError, "there is no minimum 99"),
        ({"probability_of": 3}, ValueError, "probability_of is 3; classes run from 0 to 2"),
        ({"input_names": ["x"]}, ValueError, "input_names must hold 2 names"),
        ({"data": (np.zeros((3, 5)), [0, 1, 2])}, ValueError, r"data\.inputs has shape \(3, 5\)"),
        ({"data": SimpleNamespace(inputs=np.zeros((1, 2)), labels=[5])}, ValueError, "must lie between 0 and 2"),
        ({"data": "everything"}, TypeError, "data is of type str"),
    ],
)
def test_bad_input_is_named_and_nothing_is_drawn(trained_landscape, ax, arguments, error, message):
    with pytest.raises(error, match=message):
        plot_decision_map(trained_landscape, ax=ax, **{"resolution": 5, **arguments})
    assert not ax.has_data()


def test_what_has_no_map_is_named(trained_landscape, tmp_path):
    with pytest.raises(ValueError, match="two inputs at least; this one has 1"):
        decision_grid(wide(1))
    with pytest.raises(TypeError, match="a Landscape of a network or its Weights"):
        decision_grid(Point([0.0], calc=LJAT()))
    with pytest.raises(TypeError, match="an Ensemble is all of its minima together"):
        decision_grid(Ensemble(trained_landscape), 1)
    with pytest.raises(ValueError, match="minima is empty"):
        plot_decision_maps(trained_landscape, [])
    loss = trained_landscape.system.potential
    with Landscape(Weights.random(loss), tmp_path / "b.zarr") as empty, pytest.raises(ValueError, match="no minima"):
        plot_decision_map(empty)
