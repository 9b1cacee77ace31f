// The tree of superbasins and its layout, as thalweg.analysis.disconnectivity computes them; a test compares the two.
"use strict";

/** Root of a minimum in a forest of joined minima, with the path halved. */
function rootOf(joined, i) {
  while (joined[i] !== i) {
    joined[i] = joined[joined[i]];
    i = joined[i];
  }
  return i;
}

/** Number of minima in the component of each minimum. */
function componentSizes(n, forest) {
  const joined = Int32Array.from({ length: n }, (_, i) => i);
  for (let k = 0; k < forest.firsts.length; k++) {
    joined[rootOf(joined, forest.firsts[k])] = rootOf(joined, forest.seconds[k]);
  }
  const sizes = new Int32Array(n);
  for (let i = 0; i < n; i++) sizes[rootOf(joined, i)]++;
  return Int32Array.from({ length: n }, (_, i) => sizes[rootOf(joined, i)]);
}

/** Highest energy that joins two chosen minima, or of a chosen minimum. */
function joiningHeight(energy, forest, chosen) {
  const joined = Int32Array.from({ length: energy.length }, (_, i) => i);
  const holds = Uint8Array.from(chosen);
  let height = -Infinity;
  for (let i = 0; i < energy.length; i++) if (chosen[i] && energy[i] > height) height = energy[i];
  for (let k = 0; k < forest.firsts.length; k++) {
    const i = rootOf(joined, forest.firsts[k]);
    const j = rootOf(joined, forest.seconds[k]);
    if (holds[i] && holds[j] && forest.energies[k] > height) height = forest.energies[k];
    joined[j] = i;
    holds[i] |= holds[j];
  }
  return height;
}

/** Evenly spaced levels, rising; the highest is the upper end of the window. */
function ladder(low, high, count) {
  if (high <= low) high = low + Math.max(Math.abs(low), 1) * 1e-3;
  const step = (high - low) / count;
  const levels = Float64Array.from({ length: count }, (_, k) => low + step * (k + 1));
  levels[count - 1] = high;
  return levels;
}

/** Index of the lowest level at or above an energy. */
function levelOf(levels, energy) {
  let low = 0;
  let high = levels.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle] < energy) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Build the tree of the chosen minima; connections through all minima count.
 * Nodes are leaves first, then superbasins by rising level: children come before their parents.
 */
function superbasinTree(energy, forest, chosen, levels) {
  const top = levels[levels.length - 1];
  const leaves = [];
  const node = new Int32Array(energy.length).fill(-1);
  for (let i = 0; i < energy.length; i++) if (chosen[i] && energy[i] <= top) node[i] = leaves.push(i) - 1;
  const size = 2 * leaves.length;
  const parent = new Int32Array(size).fill(-1);
  const level = new Int32Array(size).fill(-1);
  const same = Int32Array.from({ length: size }, (_, k) => k);
  const joined = Int32Array.from({ length: energy.length }, (_, i) => i);
  let count = leaves.length;
  for (let k = 0; k < forest.firsts.length; k++) {
    const here = levelOf(levels, forest.energies[k]);
    if (here === levels.length) break;
    const i = rootOf(joined, forest.firsts[k]);
    const j = rootOf(joined, forest.seconds[k]);
    let [a, b] = [node[i], node[j]];
    joined[j] = i;
    if (a < 0 || b < 0) {
      node[i] = Math.max(a, b);
      continue;
    }
    if (level[a] < level[b]) [a, b] = [b, a];
    if (level[a] < here) {
      parent[a] = parent[b] = count;
      level[count] = here;
      a = count++;
    } else if (level[b] === here) same[b] = a;
    else parent[b] = a;
    node[i] = a;
  }
  return compacted(leaves, energy, levels, parent, level, same, count);
}

/** Leave out superbasins that are the same as another one of their level. */
function compacted(leaves, energy, levels, parent, level, same, count) {
  const number = new Int32Array(count);
  let nodes = 0;
  for (let k = 0; k < count; k++) if (same[k] === k) number[k] = nodes++;
  const tree = {
    levels,
    leaves: Int32Array.from(leaves),
    energy: Float64Array.from(leaves, (i) => energy[i]),
    parent: new Int32Array(nodes).fill(-1),
    level: new Int32Array(nodes),
    nodes,
  };
  for (let k = 0; k < count; k++) {
    if (same[k] !== k) continue;
    tree.level[number[k]] = level[k];
    if (parent[k] >= 0) tree.parent[number[k]] = number[rootOf(same, parent[k])];
  }
  return sized(tree);
}

/** Add the number of leaves and the lowest leaf of each node, and the children of each, from the deepest up. */
function sized(tree) {
  const { nodes, parent, energy } = tree;
  const n = tree.leaves.length;
  tree.size = new Int32Array(nodes);
  tree.lowest = new Int32Array(nodes).fill(-1);
  for (let k = 0; k < nodes; k++) {
    if (k < n) {
      tree.size[k] = 1;
      tree.lowest[k] = k;
    }
    const p = parent[k];
    if (p < 0) continue;
    tree.size[p] += tree.size[k];
    const old = tree.lowest[p];
    const mine = tree.lowest[k];
    if (old < 0 || energy[mine] < energy[old] || (energy[mine] === energy[old] && mine < old)) tree.lowest[p] = mine;
  }
  const depth = Float64Array.from(tree.lowest, (leaf) => energy[leaf]);
  const sorted = Int32Array.from({ length: nodes }, (_, k) => k).sort((a, b) => depth[a] - depth[b] || a - b);
  tree.first = new Int32Array(nodes + 2); // the children of the common root are the last
  for (let k = 0; k < nodes; k++) tree.first[(parent[k] < 0 ? nodes : parent[k]) + 1]++;
  for (let k = 0; k <= nodes; k++) tree.first[k + 1] += tree.first[k];
  const next = tree.first.slice();
  tree.order = new Int32Array(nodes);
  for (const k of sorted) tree.order[next[parent[k] < 0 ? nodes : parent[k]]++] = k;
  return tree;
}

/**
 * Positions of all stems: every node owns an interval as wide as its number of leaves; the deepest branch goes
 * straight down, the others are placed outside those before, on the side that is narrower so far.
 */
function positions(tree) {
  const { nodes, order, first, size } = tree;
  const before = new Float64Array(nodes + 1);
  const left = new Uint8Array(nodes);
  for (let node = 0; node <= nodes; node++) {
    const [start, stop] = [first[node], first[node + 1]];
    if (start === stop) {
      before[node] = 0.5;
      continue;
    }
    before[node] = before[order[start]];
    let after = size[order[start]] - before[node];
    for (let k = start + 1; k < stop; k++) {
      const child = order[k];
      left[child] = before[node] < after ? 1 : 0;
      if (left[child]) before[node] += size[child];
      else after += size[child];
    }
  }
  const x = new Float64Array(nodes + 1);
  x[nodes] = before[nodes];
  for (let node = nodes; node >= tree.leaves.length; node--) {
    const [start, stop] = [first[node], first[node + 1]];
    if (start === stop) continue;
    const deepest = order[start];
    x[deepest] = x[node];
    let low = x[node] - before[deepest];
    let high = x[node] + size[deepest] - before[deepest];
    for (let k = start + 1; k < stop; k++) {
      const child = order[k];
      if (left[child]) {
        low -= size[child];
        x[child] = low + before[child];
      } else {
        x[child] = high + before[child];
        high += size[child];
      }
    }
  }
  return x;
}

/** Add the lines: from the fork at the parent's level, slanting to the bend, straight down to the end. */
function withLines(tree) {
  const { nodes, levels, parent, level, energy } = tree;
  const n = tree.leaves.length;
  tree.x = positions(tree);
  let lowest = Infinity;
  for (const value of energy) lowest = Math.min(lowest, value);
  const last = levels[levels.length - 1];
  let spacing = levels.length > 1 ? levels[1] - levels[0] : levels[0] - lowest;
  spacing = spacing || Math.max(Math.abs(levels[0]), 1) * 1e-3;
  tree.bottom = lowest;
  tree.top = last + Math.max(spacing, 0.02 * (last - lowest));
  tree.forkX = new Float64Array(nodes);
  tree.forkY = new Float64Array(nodes);
  tree.bendY = new Float64Array(nodes);
  tree.endY = new Float64Array(nodes);
  for (let k = 0; k < nodes; k++) {
    const end = (tree.endY[k] = k < n ? energy[k] : levels[level[k]]);
    const p = parent[k];
    tree.forkX[k] = p < 0 ? tree.x[k] : tree.x[p];
    tree.forkY[k] = p < 0 ? tree.top : levels[level[p]];
    const under = p < 0 ? last : level[p] > 0 ? levels[level[p] - 1] : levels[0] - spacing;
    tree.bendY[k] = Math.max(end, under);
  }
  tree.leafAt = new Int32Array(n); // leaves stand one apart, from 0.5 on
  for (let k = 0; k < n; k++) tree.leafAt[Math.floor(tree.x[k])] = k;
  return tree;
}
