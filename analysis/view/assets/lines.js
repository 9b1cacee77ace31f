// Lines of a graph as they are visible: every line where there is room, one a pixel where there is not.
"use strict";

const ROOM = 2; // leaves a pixel up to which every line is drawn
const MOST_SLANTS = 30000;

/** Lines by colour: coordinates with gaps, as Plotly draws them. */
class Strokes {
  constructor() {
    this.byColour = new Map();
  }
  add(colour, ...points) {
    if (!this.byColour.has(colour)) this.byColour.set(colour, { x: [], y: [] });
    const { x, y } = this.byColour.get(colour);
    for (const [px, py] of points) {
      x.push(px);
      y.push(py);
    }
    x.push(null);
    y.push(null);
  }
}

/**
 * Lines of a tree in a window.
 * view: x and y (ranges), width and height (pixels). colourOf: number of the colour of a leaf. Superbasins have -1.
 */
function visibleLines(tree, view, colourOf) {
  const strokes = new Strokes();
  strokes.add(-1, [NaN, NaN]); // superbasins are drawn first, below the others
  const shown = Math.min(view.x[1], tree.leaves.length) - Math.max(view.x[0], 0);
  if (shown <= ROOM * view.width) everyLine(tree, view, colourOf, strokes);
  else onePerPixel(tree, view, colourOf, strokes);
  return strokes.byColour;
}

function everyLine(tree, view, colourOf, strokes) {
  const n = tree.leaves.length;
  for (let k = tree.nodes - 1; k >= 0; k--) {
    const [x, fork] = [tree.x[k], tree.forkX[k]];
    if (Math.max(x, fork) < view.x[0] || Math.min(x, fork) > view.x[1]) continue;
    const colour = k < n ? colourOf(k) : -1;
    strokes.add(colour, [fork, tree.forkY[k]], [x, tree.bendY[k]], [x, tree.endY[k]]);
  }
}

/** Upright lines are joined in each column of pixels, and take the colour of its lowest minimum. */
function onePerPixel(tree, view, colourOf, strokes) {
  const scale = view.width / (view.x[1] - view.x[0]);
  const column = (x) => Math.floor((x - view.x[0]) * scale);
  const clipped = (place) => Math.min(view.width, Math.max(-1, place)) + 1;
  const leaves = new Columns(view);
  const branches = new Columns(view);
  const slants = new Set();
  const n = tree.leaves.length;
  for (let k = 0; k < tree.nodes; k++) {
    const [here, fork] = [column(tree.x[k]), column(tree.forkX[k])];
    if (Math.max(here, fork) < 0 || Math.min(here, fork) >= view.width) continue;
    const near = Math.abs(here - fork) <= 1;
    (k < n ? leaves : branches).add(here, near ? tree.forkY[k] : tree.bendY[k], tree.endY[k], k);
    if (near || slants.size > MOST_SLANTS) continue;
    // lines from one pixel to another: below one fork all begin at one level
    const level = tree.parent[k] < 0 ? tree.levels.length : tree.level[tree.parent[k]];
    const key = ((clipped(fork) * (view.width + 2) + clipped(here)) * (tree.levels.length + 1) + level) * 2 + (k < n ? 1 : 0);
    if (slants.has(key)) continue;
    slants.add(key);
    strokes.add(k < n ? colourOf(k) : -1, [tree.forkX[k], tree.forkY[k]], [tree.x[k], tree.bendY[k]]);
  }
  branches.draw(() => -1, strokes);
  leaves.draw(colourOf, strokes);
}

/** Which pixels upright lines cover. */
class Columns {
  constructor(view) {
    this.view = view;
    this.rows = Math.max(1, Math.round(view.height));
    this.ends = new Int32Array(view.width * (this.rows + 1)); // +1 where a line begins, -1 after its end
    this.lowest = new Int32Array(view.width).fill(-1);
    this.depth = new Float64Array(view.width).fill(Infinity);
  }
  row(y) {
    const [low, high] = this.view.y;
    return Math.min(this.rows - 1, Math.max(0, Math.floor(((high - y) / (high - low)) * this.rows)));
  }
  add(column, from, to, node) {
    const [low, high] = this.view.y;
    if (column < 0 || column >= this.view.width || to > high || from < low) return;
    const start = column * (this.rows + 1);
    this.ends[start + this.row(from)]++;
    this.ends[start + this.row(to) + 1]--;
    if (to < this.depth[column]) {
      this.depth[column] = to;
      this.lowest[column] = node;
    }
  }
  draw(colourOf, strokes) {
    const { x, y, width } = this.view;
    const height = (row) => y[1] - (row / this.rows) * (y[1] - y[0]);
    for (let column = 0; column < width; column++) {
      if (this.lowest[column] < 0) continue;
      const at = x[0] + ((column + 0.5) / width) * (x[1] - x[0]);
      const colour = colourOf(this.lowest[column]);
      let covered = 0;
      let begin = 0;
      for (let row = 0; row <= this.rows; row++) {
        const before = covered;
        covered += this.ends[column * (this.rows + 1) + row];
        if (!before && covered) begin = row;
        // the last line of a column ends at the energy itself, however deep the window
        if (before && !covered) strokes.add(colour, [at, height(begin)], [at, Math.max(height(row), y[0])]);
      }
    }
  }
}

/** The branch at a place: {leaf} or {node}; null where there is none within some pixels. */
function branchAt(tree, view, px, py, reach = 6) {
  const [sx, sy] = [view.width / (view.x[1] - view.x[0]), view.height / (view.y[1] - view.y[0])];
  const x = view.x[0] + px / sx;
  const y = view.y[1] - py / sy;
  const off = (k) => {
    const outside = Math.max(0, y - tree.forkY[k], tree.endY[k] - y) * sy;
    const slanting = y > tree.bendY[k] && tree.forkY[k] > tree.bendY[k];
    const share = slanting ? Math.min(1, (y - tree.bendY[k]) / (tree.forkY[k] - tree.bendY[k])) : 0;
    const lineX = tree.x[k] + share * (tree.forkX[k] - tree.x[k]);
    return Math.hypot(outside, (x - lineX) * sx);
  };
  let best = reach;
  let found = null;
  const [from, to] = [Math.floor(x - reach / sx), Math.floor(x + reach / sx)];
  for (let place = Math.max(0, from); place <= Math.min(tree.leaves.length - 1, to); place++) {
    const leaf = tree.leafAt[place];
    const distance = off(leaf);
    if (distance < best) [best, found] = [distance, { leaf }];
  }
  for (let node = tree.leaves.length; node < tree.nodes; node++) {
    const distance = off(node) + 0.5; // where both are near, the minimum is meant
    if (distance < best) [best, found] = [distance, { node }];
  }
  return found;
}
