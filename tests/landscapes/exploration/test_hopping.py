"""Basin-hopping in landscapes: moves and temperatures that suit networks, and partners from the whole landscape."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Landscape
from thalweg.landscapes.exploration.settings import hopping_settings
from thalweg.optimizers import AllCoordinates, HiddenUnits, Move, SpliceNetworks

from ...helpers import small_network, stored_arrays

UNITS = [move.to_dict() for move in (HiddenUnits(step=None), SpliceNetworks())]


@pytest.mark.parametrize(
    ("hidden", "given", "step", "temperature", "moves"),
    [
        ((3,), {}, 1.0, 2.0, None),
        ((3, 3), {}, 2.0, 1e-3, UNITS),
        ((3, 2, 2), {}, 2.0, 1e-3, UNITS),
        ((3, 3), {"step": 0.5}, 0.5, 1e-3, UNITS),
        ((3, 3), {"temperature": 0.5}, 2.0, 0.5, UNITS),
        ((3, 3), {"moves": [AllCoordinates()]}, 1.0, 2.0, [AllCoordinates().to_dict()]),
        ((3,), {"moves": [SpliceNetworks()]}, 1.0, 2.0, [SpliceNetworks().to_dict()]),
    ],
)
def test_deep_networks_draw_units_again_unless_moves_are_given(tmp_path, hidden, given, step, temperature, moves):
    with Landscape(small_network(hidden=hidden), tmp_path / "a.zarr") as landscape:
        chosen = hopping_settings(landscape, **{"moves": None} | given)
        assert (chosen["step"], chosen["temperature"], chosen.get("moves")) == (step, temperature, moves)
        landscape.find_minima(4, workers=1, **given)
        assert landscape.state["find_minima"]["settings"] == chosen


def hopped(path, *, workers=1, seconds=None, steps=60):
    """Explore a deep network, in one call or in many."""
    done = 0
    while done < steps:
        with Landscape(small_network(hidden=(4, 3)), path, seed=1, tasks_ahead=4) as landscape:
            done += landscape.find_minima(steps - done, workers=workers, seconds=seconds).done
            seconds = seconds and 1.5 * seconds


def test_chains_that_combine_minima_are_the_same_on_any_workers_and_in_any_number_of_calls(tmp_path):
    hopped(tmp_path / "a.zarr")
    hopped(tmp_path / "b.zarr", workers=2)
    hopped(tmp_path / "c.zarr", seconds=0.03)
    stored = stored_arrays(tmp_path / "a.zarr")
    assert stored_arrays(tmp_path / "b.zarr") == stored
    assert stored_arrays(tmp_path / "c.zarr") == stored


class ToPartner(Move):
    """Go to the first minimum of those that a move may combine: it is the lowest."""

    def numbers(self, system):
        return 1

    def displace(self, system, x, step, draws, pool):
        return np.array(pool.partner(0.0, x))


def test_moves_combine_minima_with_the_lowest_of_the_landscape(tmp_path):
    with Landscape(small_network(hidden=(4, 3)), tmp_path / "a.zarr", seed=1, tasks_ahead=4) as landscape:
        landscape.find_minima(24, workers=1)
        chains, energies = landscape.state["find_minima"]["chains"], landscape.minima.energy[:]
        assert set(chains) != {int(np.argmin(energies))}
        landscape.find_minima(80, moves=[ToPartner()], temperature=1e-12, workers=1)  # what is known four tasks before
        assert set(landscape.state["find_minima"]["chains"]) == {int(np.argmin(energies))}
        assert len(landscape.minima) == len(energies)
