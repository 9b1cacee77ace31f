// The disconnectivity graph of one landscape: its settings, its picture, hovering and clicking.
"use strict";

const BLACK = "#333333";
const PICKED = ["#d55e00", "#0072b2"]; // the first and the second minimum that were clicked

/** Text as Plotly shows it: nothing in it is markup. */
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A number for people. */
function short(value, digits = 6) {
  if (value === null || value === undefined || Number.isNaN(value)) return "unknown";
  if (value === true || value === false) return value ? "yes" : "no";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
}

/** A number of things. */
function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

function lowestOf(energy) {
  return energy.reduce((best, value, i) => (value < energy[best] ? i : best), 0);
}

class Graph {
  constructor(box, store, page) {
    this.box = box;
    this.store = store;
    this.page = page;
    this.settings = { levels: 50, smallest: null, from: null, to: null, colour: null };
    this.picked = [];
    this.route = null;
  }

  /** Read what the graph needs, at first and when the store has grown. */
  async load() {
    const s = (this.summary = await this.store.summary());
    const forest = {
      firsts: unpacked(s.forest.first),
      seconds: unpacked(s.forest.second),
      energies: unpacked(s.forest.energy),
      states: unpacked(s.forest.state),
    };
    this.data = { energy: unpacked(s.energy), forest };
    this.columns = new Map();
    this.sizes = componentSizes(s.minima, forest);
    let largest = 0;
    for (const size of this.sizes) largest = Math.max(largest, size);
    // isolated minima are many while a landscape grows: hidden unless asked for
    if (this.settings.smallest === null) this.settings.smallest = largest > 1 ? Math.max(2, Math.ceil(largest / 100)) : 1;
    if (this.settings.colour === null) this.settings.colour = s.columns.minima.includes("test_auc") ? "test_auc" : "energy";
    this.rebuild();
    await this.recolour();
  }

  /** A column of numbers, read once. */
  async column(kind, name) {
    const key = `${kind} ${name}`;
    if (!this.columns.has(key)) this.columns.set(key, this.store.column(kind, name));
    return this.columns.get(key);
  }

  /** Build the tree for the settings. */
  rebuild() {
    const { energy, forest } = this.data;
    const { levels, smallest, from, to } = this.settings;
    let chosen = Uint8Array.from(this.sizes, (size) => (size >= smallest ? 1 : 0));
    if (!chosen.includes(1)) chosen = chosen.fill(1);
    let low = Infinity;
    for (let i = 0; i < energy.length; i++) if (chosen[i]) low = Math.min(low, energy[i]);
    const high = to === null ? joiningHeight(energy, forest, chosen) : to;
    if (high < low) throw new Error(`The window ends at ${short(high)}, below the lowest minimum, ${short(low)}.`);
    if (from !== null && from >= high) throw new Error(`The window must end above ${short(from)}, where it begins.`);
    this.chosen = chosen;
    this.tree = withLines(superbasinTree(energy, forest, chosen, ladder(from === null ? low : from, high, levels)));
    this.leafOf = new Int32Array(energy.length).fill(-1);
    this.tree.leaves.forEach((minimum, leaf) => (this.leafOf[minimum] = leaf));
    this.reset();
  }

  /** Show the whole graph, or the window of energies. */
  reset() {
    const { bottom, top, leaves } = this.tree;
    const low = this.settings.from === null ? bottom : this.settings.from;
    const pad = 0.03 * (top - low);
    this.range = { x: [-0.02 * leaves.length - 0.5, 1.02 * leaves.length + 0.5], y: [low - pad, top + pad] };
  }

  async recolour() {
    const values = await this.column("minima", this.settings.colour);
    let [low, high] = [Infinity, -Infinity];
    for (const minimum of this.tree.leaves) {
      const value = values[minimum];
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (!(low <= high)) [low, high] = [0, 1];
    if (low === high) [low, high] = [low - 0.5e-3, high + 0.5e-3];
    this.colours = { values, low, high };
    return this.draw();
  }

  view() {
    const area = this.box.querySelector(".nsewdrag");
    const size = area ? area.getBoundingClientRect() : { width: 600, height: 500 };
    return { ...this.range, width: Math.max(50, Math.round(size.width)), height: Math.max(50, Math.round(size.height)) };
  }

  traces() {
    const { values, low, high } = this.colours;
    const map = this.page.colours;
    const { leaves } = this.tree;
    const colourOf = (leaf) => {
      const value = values[leaves[leaf]];
      if (!Number.isFinite(value)) return -2;
      return Math.min(map.length - 1, Math.floor(((value - low) / (high - low)) * map.length));
    };
    const width = leaves.length > 500 ? 1 : 1.5;
    const lines = [this.colourBar()];
    for (const [colour, { x, y }] of visibleLines(this.tree, this.view(), colourOf)) {
      const ink = colour === -1 ? BLACK : colour === -2 ? "#9a9a9a" : map[colour];
      const line = { color: ink, width, simplify: false };
      lines.push({ type: "scatter", mode: "lines", x, y, line, hoverinfo: "skip", showlegend: false });
    }
    return lines;
  }

  colourBar() {
    const { low, high } = this.colours;
    const map = this.page.colours;
    const scale = map.map((colour, k) => [k / (map.length - 1), colour]);
    const bar = { title: { text: plain(this.settings.colour), side: "right" }, thickness: 12, len: 0.8 };
    const marker = { color: [low, high], cmin: low, cmax: high, colorscale: scale, showscale: true, colorbar: bar };
    return { type: "scatter", mode: "markers", x: [null, null], y: [null, null], marker, hoverinfo: "skip", showlegend: false };
  }

  /** Marks of the minima on the path, and of the picked ones: shapes, which change without the lines being drawn anew. */
  marks() {
    const { x, energy } = this.tree;
    const marks = [];
    const mark = (minimum, fillcolor, path) => {
      const leaf = this.leafOf[minimum];
      if (leaf < 0) return;
      const place = { xref: "x", yref: "y", xsizemode: "pixel", ysizemode: "pixel", xanchor: x[leaf], yanchor: energy[leaf] };
      marks.push({ type: "path", path, fillcolor, line: { color: "white", width: 1 }, ...place });
    };
    for (const minimum of this.route || []) mark(minimum, "#555555", "M-3,-3L3,-3L3,3L-3,3Z");
    this.picked.forEach((minimum, k) => mark(minimum, PICKED[k], "M0,-8L7,0L0,8L-7,0Z"));
    return marks;
  }

  mark() {
    return Plotly.relayout(this.box, { shapes: this.marks() });
  }

  layout() {
    const axis = { zeroline: false, showgrid: false, linecolor: "#888888" };
    return {
      margin: { l: 70, r: 10, t: 30, b: 15 },
      title: { text: plain(this.summary.name), font: { size: 14 }, x: 0.02, xanchor: "left" }, // beside the buttons
      xaxis: { ...axis, visible: false, range: this.range.x.slice() },
      yaxis: { ...axis, ticks: "outside", showline: true, title: { text: plain(this.summary.energyLabel) }, range: this.range.y.slice() },
      shapes: this.marks(), dragmode: "zoom", hovermode: false, showlegend: false, paper_bgcolor: "white", plot_bgcolor: "white",
    };
  }

  async draw() {
    const first = !this.box.querySelector(".nsewdrag");
    const config = { displaylogo: false, responsive: true, scrollZoom: true, doubleClick: false, modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"]] };
    if (first) {
      await Plotly.newPlot(this.box, [this.colourBar()], this.layout(), config); // now the size of the picture is known
      this.listen();
    }
    await Plotly.react(this.box, this.traces(), this.layout(), config);
    this.page.said(this);
  }

  listen() {
    this.box.on("plotly_relayout", (changed) => {
      if (!Object.keys(changed).some((name) => /^[xy]axis/.test(name))) return;
      const { xaxis, yaxis } = this.box._fullLayout;
      this.range = { x: xaxis.range.slice(), y: yaxis.range.slice() };
      this.page.zoomed(this);
      this.draw();
    });
    this.box.on("plotly_doubleclick", () => {
      this.reset();
      this.page.zoomed(this);
      this.draw();
    });
    // Plotly takes clicks near its points alone; branches are found by their place
    let down = null;
    this.box.addEventListener("pointerdown", (event) => {
      down = [event.clientX, event.clientY];
      this.page.choose(this);
    }, true);
    window.addEventListener("pointerup", (event) => {
      const still = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) < 4;
      down = null;
      const hit = still && this.at(event);
      if (hit) this.page.clicked(this, hit);
    }, true);
    this.box.addEventListener("pointermove", (event) => this.page.hovered(this, event, this.at(event)));
    this.box.addEventListener("pointerleave", (event) => this.page.hovered(this, event, null));
  }

  /** The branch under the pointer, with the row of its minimum, or of the lowest of its minima. */
  at(event) {
    const area = this.box.querySelector(".nsewdrag").getBoundingClientRect();
    const [px, py] = [event.clientX - area.left, event.clientY - area.top];
    if (px < -6 || py < -6 || px > area.width + 6 || py > area.height + 6) return null;
    const hit = branchAt(this.tree, this.view(), px, py);
    if (!hit) return null;
    const { leaves, lowest, size, level, levels } = this.tree;
    if (hit.leaf !== undefined) return { row: leaves[hit.leaf] };
    return { row: leaves[lowest[hit.node]], size: size[hit.node], energy: levels[level[hit.node]] };
  }

  /** Lines of text about a branch. */
  describe(hit) {
    const energy = this.data.energy[hit.row];
    const lines = hit.size ? [`${hit.size} minima joined at ${short(hit.energy)}`, `lowest: minimum ${hit.row}`] : [`minimum ${hit.row}`];
    lines.push(`${this.summary.energyLabel}: ${short(energy, 9)}`);
    if (this.settings.colour !== "energy") lines.push(`${this.settings.colour}: ${short(this.colours.values[hit.row])}`);
    return lines;
  }

  /** The Python that draws what is shown. */
  python() {
    const { levels, from, to, colour, smallest } = this.settings;
    const { source, python } = this.summary;
    const lines = ["from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork"];
    if (python[colour].startsWith("Landscape.")) lines.push("from thalweg.landscapes import Landscape");
    lines.push("");
    if (source !== "network") lines.push(`network = ${source}`);
    const words = [`levels=${levels}`];
    if (from !== null) words.push(`emin=${from}`);
    if (to !== null) words.push(`emax=${to}`);
    if (this.chosen.includes(0)) {
      lines.push(`shown = [minima[0] for minima in network.components if len(minima) >= ${smallest}]`);
      words.push("connected_to=shown");
    }
    lines.push(`graph = DisconnectivityGraph(network, ${words.join(", ")})`, `graph.save("graph.png", colour=${python[colour]})`);
    return lines.join("\n");
  }
}
