// Data of the page: from the file itself, or from the server that thalweg view has started.
"use strict";

const TYPED = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Return the typed array that Python packed as its type and base64. */
function unpacked(value) {
  const text = atob(value.data);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return new TYPED[value.type](bytes.buffer);
}

/** Answer of the server, as JSON; an Error with its message where it refuses. */
async function asked(what, parameters) {
  const answer = await fetch(`api/${what}?${new URLSearchParams(parameters)}`);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

/** One landscape, as the server has it. */
class ServedStore {
  constructor(index) {
    this.index = index;
    this.live = true;
  }
  summary() {
    return asked("landscape", { store: this.index });
  }
  changed() {
    return asked("changed", { store: this.index });
  }
  async column(kind, name) {
    return unpacked(await asked("column", { store: this.index, kind, name }));
  }
  point(kind, row) {
    return asked("point", { store: this.index, kind, row });
  }
  path(graph, first, second, patient) {
    return asked("path", { store: this.index, first, second, patient });
  }
}

/** One landscape, as far as it is in this file. */
class KeptStore {
  constructor(kept) {
    this.kept = kept;
    this.live = false;
  }
  async summary() {
    return this.kept.summary;
  }
  async column(kind, name) {
    return unpacked(this.kept.columns[kind][name]);
  }
  async point(kind, row) {
    const details = this.kept.points[kind][row];
    if (details) return details;
    const numbers = {};
    for (const name of this.kept.summary.columns[kind]) numbers[name] = (await this.column(kind, name))[row];
    return { kind, row, numbers, note: "This file holds geometries and spectra of the lowest points only." };
  }
  /** The path over the spanning forest, by its stationary points: nothing can be followed down without Thalweg. */
  async path(graph, first, second) {
    const steps = forestPath(graph, first, second);
    if (!steps) throw new Error(`No path joins minima ${first} and ${second}: they are in different components.`);
    const lengths = await this.lengths();
    const path = { kind: [], row: [], energy: [], length: [], at: [], frames: [] };
    let length = 0;
    const add = (kind, row, energy) => {
      path.kind.push(kind === "minima" ? "minimum" : "transition state");
      path.row.push(row);
      path.energy.push(energy);
      path.length.push(length);
      const details = this.kept.points[kind][row];
      if (details && details.shape) {
        path.at.push(length);
        path.frames.push(details.shape);
      }
    };
    add("minima", first, graph.energy[first]);
    for (const { state, energy, from, to } of steps) {
      const sides = lengths ? lengths(state, from) : [1, 1];
      length += sides[0];
      add("states", state, energy);
      length += sides[1];
      add("minima", to, graph.energy[to]);
    }
    const kept = path.frames.length === path.row.length;
    path.note = `Only stationary points are in this file${kept ? "" : ", and geometries of the lowest alone"}.`;
    path.line = smoothLine(path.length, path.energy);
    return path;
  }
  async lengths() {
    const names = ["path_length 1", "path_length 2", "minimum 1"];
    if (!names.every((name) => this.kept.columns.states[name])) return null;
    const [one, two, minimum] = await Promise.all(names.map((name) => this.column("states", name)));
    return (state, from) => {
      const pair = minimum[state] === from ? [one[state], two[state]] : [two[state], one[state]];
      return pair.map((value) => (Number.isFinite(value) && value > 0 ? value : 1));
    };
  }
}

/** A smooth line through stationary points that has no other extrema: cubic pieces that are flat at both ends. */
function smoothLine(length, energy) {
  const line = { length: [], energy: [] };
  for (let k = 0; k + 1 < length.length; k++) {
    for (let step = 0; step < 30; step++) {
      const t = step / 30;
      line.length.push(length[k] + t * (length[k + 1] - length[k]));
      line.energy.push(energy[k] + t * t * (3 - 2 * t) * (energy[k + 1] - energy[k]));
    }
  }
  line.length.push(length[length.length - 1]);
  line.energy.push(energy[energy.length - 1]);
  return line;
}

/** The steps from one minimum to another over the spanning forest; null where no path joins them. */
function forestPath(graph, first, second) {
  const { firsts, seconds, states, energies } = graph.forest;
  const steps = new Map();
  for (let k = 0; k < firsts.length; k++) {
    for (const [from, to] of [
      [firsts[k], seconds[k]],
      [seconds[k], firsts[k]],
    ]) {
      if (!steps.has(from)) steps.set(from, []);
      steps.get(from).push({ state: states[k], energy: energies[k], from, to });
    }
  }
  const reached = new Map([[first, null]]);
  const waiting = [first];
  for (let k = 0; k < waiting.length && !reached.has(second); k++) {
    for (const step of steps.get(waiting[k]) || []) {
      if (reached.has(step.to)) continue;
      reached.set(step.to, step);
      waiting.push(step.to);
    }
  }
  if (!reached.has(second)) return null;
  const found = [];
  for (let step = reached.get(second); step; step = reached.get(step.from)) found.unshift(step);
  return found;
}
