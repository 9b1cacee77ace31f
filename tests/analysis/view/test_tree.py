"""The page's tree, in JavaScript, beside that of thalweg.analysis.DisconnectivityGraph."""

from __future__ import annotations

import json

import numpy as np
import pytest

from thalweg.analysis import DisconnectivityGraph
from thalweg.analysis.view.viewed_landscape import ViewedLandscape

from ..random_networks import random_network
from .pages import ASSETS

_TREES = """
return JSON.parse(arguments[0]).map(({ summary, levels, smallest, from, to }) => {
  const s = summary.forest;
  const [firsts, seconds, energies] = [unpacked(s.first), unpacked(s.second), unpacked(s.energy)];
  const forest = { firsts, seconds, energies };
  const energy = unpacked(summary.energy);
  const chosen = Uint8Array.from(componentSizes(energy.length, forest), (size) => (size >= smallest ? 1 : 0));
  let low = Infinity;
  for (let i = 0; i < energy.length; i++) if (chosen[i]) low = Math.min(low, energy[i]);
  const high = to === null ? joiningHeight(energy, forest, chosen) : to;
  const tree = withLines(superbasinTree(energy, forest, chosen, ladder(from === null ? low : from, high, levels)));
  const wanted = ["levels", "leaves", "parent", "level", "size", "x", "forkX", "forkY", "bendY", "endY"];
  const hits = Array.from(tree.leaves, (_, leaf) => {
    const n = tree.leaves.length;
    const view = { x: [0, n], y: [tree.bottom, tree.top], width: 40 * n, height: 4000 };
    const py = ((tree.top - tree.energy[leaf]) / (tree.top - tree.bottom)) * view.height;
    return branchAt(tree, view, tree.x[leaf] * 40, py).leaf;
  });
  return { ...Object.fromEntries(wanted.map((name) => [name, Array.from(tree[name])])), top: tree.top, hits };
});
"""


def settings(seed):
    """Return a random network and what is to be shown of it."""
    rng = np.random.default_rng(seed)
    network = random_network(seed, int(rng.integers(1, 60)), int(rng.integers(0, 120)))
    sizes = sorted({len(part) for part in network.components})
    smallest = int(rng.choice(sizes))
    shown = np.concatenate([part for part in network.components if len(part) >= smallest])
    low, high = np.quantile(network.energies[shown], [0.2, 0.9])
    ends = [(None, None), (None, high), (low, high + 1), (low, None)][seed % 4]
    if ends[0] is not None and ends[1] is None and network.n_transition_states == 0:
        ends = (None, None)
    return network, int(rng.integers(1, 60)), smallest, *(None if end is None else float(end) for end in ends)


def test_trees_of_random_networks(browser):
    browser.get("about:blank")
    cases, asked = [], []
    for seed in range(80):
        network, levels, smallest, low, high = settings(seed)
        shown = [int(part[0]) for part in network.components if len(part) >= smallest]
        try:
            graph = DisconnectivityGraph(network, levels, emin=low, emax=high, connected_to=shown)
        except ValueError:
            continue
        cases.append(graph)
        summary = ViewedLandscape(network).summary()
        asked.append({"summary": summary, "levels": levels, "smallest": smallest, "from": low, "to": high})
    assert len(cases) > 60
    script = "".join((ASSETS / f"{name}.js").read_text() for name in ("data", "tree", "lines"))
    for seen, graph in zip(browser.execute_script(script + _TREES, json.dumps(asked)), cases, strict=True):
        tree, lines = graph.tree, graph.lines
        np.testing.assert_array_equal(seen["levels"], tree.levels)
        np.testing.assert_array_equal(seen["leaves"], tree.leaves)
        np.testing.assert_array_equal(seen["parent"], tree.parent)
        np.testing.assert_array_equal(seen["level"], tree.level)
        np.testing.assert_array_equal(seen["size"], tree.size)
        np.testing.assert_array_equal(seen["x"][:-1], lines.x)
        drawn = np.concatenate([lines.leaves, lines.branches])
        np.testing.assert_array_equal(seen["forkX"], drawn[:, 0, 0])
        for k, name in enumerate(("forkY", "bendY", "endY")):
            np.testing.assert_array_equal(seen[name], drawn[:, k, 1])
        assert seen["top"] == lines.top
        assert seen["hits"] == list(range(tree.n_leaves))


_PIXELS = """
const { summary, width } = JSON.parse(arguments[0]);
const s = summary.forest;
const [firsts, seconds, energies] = [unpacked(s.first), unpacked(s.second), unpacked(s.energy)];
const forest = { firsts, seconds, energies };
const energy = unpacked(summary.energy);
const chosen = new Uint8Array(energy.length).fill(1);
const high = joiningHeight(energy, forest, chosen);
const low = energy.reduce((a, b) => Math.min(a, b));
const tree = withLines(superbasinTree(energy, forest, chosen, ladder(low, high, 50)));
const view = { x: [0, tree.leaves.length], y: [low, tree.top], width, height: 500 };
const covered = (strokes) => {
  const ink = Array.from({ length: width }, () => Infinity);
  let points = 0;
  for (const { x, y } of strokes.values()) {
    points += x.length;
    for (let k = 0; k < x.length; k++) {
      if (x[k] === null || Number.isNaN(x[k])) continue;
      const column = Math.min(width - 1, Math.floor((x[k] / tree.leaves.length) * width));
      ink[column] = Math.min(ink[column], y[k]);
    }
  }
  return { ink, points };
};
return [covered(visibleLines(tree, view, () => 0)), covered(visibleLines(tree, { ...view, width: 1e9 }, () => 0))];
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_many_lines_are_drawn_by_the_pixel(browser, seed):
    """Far fewer points than minima; and each column of pixels reaches as far down as with every line."""
    browser.get("about:blank")
    rng = np.random.default_rng(seed)
    network = random_network(int(rng.integers(100)), 20_000, 60_000)
    script = "".join((ASSETS / f"{name}.js").read_text() for name in ("data", "tree", "lines"))
    asked = json.dumps({"summary": ViewedLandscape(network).summary(), "width": 300})
    few, every = browser.execute_script(script + _PIXELS, asked)
    assert few["points"] < 20_000 < every["points"]
    height = np.ptp(network.energies) / 500
    known = [(a, b) for a, b in zip(few["ink"], every["ink"], strict=True) if a is not None and b is not None]
    assert len(known) > 280
    assert max(abs(a - b) for a, b in known) < 3 * height
