// The panel of a path: its energies, and its geometries one after another.
"use strict";

class Route {
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.timer = null;
  }

  async show(graph, first, second, patient = false) {
    this.stop();
    delete this.box.dataset.shown;
    this.box.replaceChildren();
    element(this.box, "p", "", patient ? "Following the path down from each transition state ..." : `Searching for the lowest path from minimum ${first} to ${second} ...`);
    let path;
    try {
      path = await graph.store.path(graph.data, first, second, patient);
    } catch (error) {
      this.box.replaceChildren();
      element(this.box, "p", "note", error.message);
      return;
    }
    if (graph.picked[0] !== first || graph.picked[1] !== second) return; // another click came meanwhile
    this.box.replaceChildren();
    element(this.box, "h2", "", `Lowest path from minimum ${first} to ${second} of ${graph.summary.name}`);
    const states = path.kind.filter((kind) => kind === "transition state").length;
    const highest = Math.max(...path.energy);
    element(this.box, "p", "", `${counted(states, "transition state")}, the highest point at ${short(highest, 9)}`);
    if (path.note) element(this.box, "p", "note", path.note);
    if (path.slow) {
      const button = element(this.box, "button", "", "Follow the path down (this may take minutes)");
      button.id = "follow";
      button.addEventListener("click", () => this.show(graph, first, second, true));
    }
    this.profile = element(this.box, "div", "profile");
    this.path = path;
    await this.draw(graph);
    this.animate(graph);
    graph.route = path.row.filter((_, k) => path.kind[k] === "minimum");
    await graph.mark();
    this.box.dataset.shown = `${first} ${second}`;
  }

  draw(graph) {
    const { path } = this;
    const places = path.length || path.energy.map((_, k) => k);
    const line = path.line || smoothLine(places, path.energy);
    const numbers = (values) => Array.from(values.data ? unpacked(values) : values);
    const symbols = path.kind.map((kind) => (kind === "minimum" ? "circle" : "triangle-up"));
    const labels = path.row.map((row, k) => `${path.kind[k]} ${row}`);
    this.line = { x: numbers(line.length), y: numbers(line.energy) };
    const traces = [
      { type: "scatter", mode: "lines", ...this.line, line: { color: "#555555" }, hoverinfo: "skip" },
      { type: "scatter", mode: "markers", x: places, y: path.energy, text: labels, marker: { size: 8, symbol: symbols, color: "#0072b2" }, hovertemplate: "%{text}: %{y:.8g}<extra></extra>" },
      { type: "scatter", mode: "markers", x: [places[0]], y: [path.energy[0]], marker: { size: 13, color: "#d55e00", symbol: "circle-open", line: { width: 3 } }, hoverinfo: "skip" },
    ];
    const layout = {
      width: 420, height: 260, margin: { l: 70, r: 10, t: 10, b: 40 }, showlegend: false,
      xaxis: { title: { text: "length of the path" }, zeroline: false }, yaxis: { title: { text: plain(graph.summary.energyLabel) } },
    };
    return Plotly.newPlot(this.profile, traces, layout, { displayModeBar: false });
  }

  animate(graph) {
    const { frames, at } = this.path;
    if (!frames || !frames.length) return;
    const bar = element(this.box, "div", "player");
    const button = element(bar, "button", "", "Play");
    button.id = "play";
    const slider = element(bar, "input");
    Object.assign(slider, { type: "range", min: 0, max: frames.length - 1, value: 0 });
    slider.id = "frame";
    const view = new ShapeView(element(this.box, "div", "shape"), graph.summary, this.page);
    const { x, y } = this.line;
    this.frame = (k) => {
      slider.value = k;
      view.show(frames[k]);
      let near = 0;
      for (let i = 0; i < x.length; i++) if (Math.abs(x[i] - at[k]) < Math.abs(x[near] - at[k])) near = i;
      Plotly.restyle(this.profile, { x: [[at[k]]], y: [[y[near]]] }, [2]);
      this.box.dataset.frame = k;
    };
    slider.addEventListener("input", () => {
      this.stop();
      this.frame(Number(slider.value));
    });
    button.addEventListener("click", () => (this.timer ? this.stop() : this.play(frames.length, slider)));
    this.button = button;
    this.frame(0);
  }

  /** Show one frame after another, forth and back, until it is stopped. */
  play(count, slider) {
    let step = 1;
    this.button.textContent = "Stop";
    this.timer = setInterval(() => {
      const now = Number(slider.value);
      if (now + step < 0 || now + step >= count) step = -step;
      if (count > 1) this.frame(now + step);
    }, count < 10 ? 500 : 100);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.button) this.button.textContent = "Play";
  }
}
