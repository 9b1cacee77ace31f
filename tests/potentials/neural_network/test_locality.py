"""Which connections stay when a network's range is limited."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.potentials.neural_network.locality import neighbour_mask


def places(width):
    return [Fraction(1, 2)] if width == 1 else [Fraction(k, width - 1) for k in range(width)]


def nearest(place, others, count):
    return sorted(range(len(others)), key=lambda k: (abs(others[k] - place), k))[:count]


def plain_mask(layers, neighbours):
    kept = []
    for layer in range(len(layers) - 1):
        below, above = places(layers[layer]), places(layers[layer + 1])
        keep = np.zeros((len(above), len(below)), dtype=bool)
        for j, place in enumerate(above):
            if layer + 1 < len(layers) - 1:
                keep[j, nearest(place, below, neighbours)] = True
        for k, place in enumerate(below):
            if layer > 0:
                keep[nearest(place, above, neighbours), k] = True
        kept.append(keep.ravel())
    return np.concatenate([*kept, np.ones(sum(layers[1:]), dtype=bool)])


@pytest.mark.parametrize(("neighbours", "frozen"), [(1, 40), (2, 20), (3, 10), (4, 0), (100, 0), (None, 0)])
def test_frozen_weights_of_the_paper(neighbours, frozen):
    mask = neighbour_mask((2, 10, 4), neighbours)
    assert mask.size == 74
    assert (~mask).sum() == frozen
    assert mask[-14:].all()


def test_ties_go_to_the_lower_index_where_floating_point_is_wrong():
    # unit 2 of [2,5,4] lies at 1/2, as far from output 1 at 1/3 as from output 2 at 2/3
    outgoing = neighbour_mask((2, 5, 4), 1)[10:30].reshape(4, 5)
    assert np.flatnonzero(outgoing[:, 2]).tolist() == [1]
    incoming = neighbour_mask((2, 5, 4), 1)[:10].reshape(5, 2)
    assert incoming.tolist() == [[True, False]] * 3 + [[False, True]] * 2


def test_the_only_node_of_a_layer_lies_in_the_middle():
    incoming = neighbour_mask((5, 1, 3), 1)[:5]
    assert np.flatnonzero(incoming).tolist() == [2]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 14), min_size=3, max_size=5), st.integers(1, 8))
def test_against_fractions(layers, neighbours):
    assert np.array_equal(neighbour_mask(layers, neighbours), plain_mask(layers, neighbours))
