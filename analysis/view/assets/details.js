// The panel of one point: its numbers, geometry, spectrum and neighbours.
"use strict";

class Details {
  constructor(box, page) {
    this.box = box;
    this.page = page;
  }

  async show(graph, kind, row) {
    this.asked = `${graph.box.id} ${kind} ${row}`; // an answer that comes after another click is not shown
    const mine = this.asked;
    delete this.box.dataset.shown;
    let point;
    try {
      point = await graph.store.point(kind, row);
    } catch (error) {
      if (mine === this.asked) this.page.complain(error);
      return;
    }
    if (mine !== this.asked) return;
    this.box.replaceChildren();
    const what = kind === "minima" ? "Minimum" : "Transition state";
    element(this.box, "h2", "", `${what} ${row} of ${graph.summary.name}`);
    if (point.note) element(this.box, "p", "note", point.note);
    const linked = this.page.linkText(graph, kind, row);
    if (linked) element(this.box, "p", "note", linked);
    if (point.shape) {
      const view = new ShapeView(element(this.box, "div", "shape"), graph.summary, this.page);
      view.show(point.shape);
    }
    this.numbers(point.numbers);
    this.spectrum(point.spectrum);
    this.neighbours(graph, kind, point);
    this.box.dataset.shown = mine;
  }

  numbers(numbers) {
    const table = element(this.box, "table", "numbers");
    for (const [name, value] of Object.entries(numbers)) {
      const line = element(table, "tr");
      element(line, "th", "", name);
      element(line, "td", "", short(value, 10));
    }
  }

  spectrum(spectrum) {
    if (!spectrum) return;
    element(this.box, "h3", "", "Eigenvalues of the Hessian");
    if (spectrum.missing) {
      element(this.box, "p", "note", spectrum.missing);
      return;
    }
    const values = Array.from(unpacked(spectrum.values));
    const box = element(this.box, "div", "spectrum");
    const colour = values.map((value) => (value < 0 ? "#d55e00" : "#0072b2"));
    const positive = values.length && values.every((value) => value > 0);
    const wide = positive && values[values.length - 1] > 100 * values[0];
    const bars = { type: "scatter", mode: "markers", x: values.map((_, k) => k), y: values, marker: { color: colour, size: 6 }, hovertemplate: "%{y:.6g}<extra>mode %{x}</extra>" };
    const layout = {
      width: 400, height: 220, margin: { l: 60, r: 10, t: 10, b: 40 }, xaxis: { title: { text: "mode" }, zeroline: false, dtick: values.length > 10 ? undefined : 1 },
      yaxis: { title: { text: plain(spectrum.label) }, type: wide ? "log" : "linear", exponentformat: "power" },
    };
    Plotly.newPlot(box, [bars], layout, { displayModeBar: false });
  }

  neighbours(graph, kind, point) {
    if (!point.neighbours) return;
    element(this.box, "h3", "", kind === "minima" ? "Neighbours over transition states" : "Minima on its two sides");
    if (!point.neighbours.length) element(this.box, "p", "", "none is known");
    const table = element(this.box, "table", "rows neighbours");
    const head = element(table, "tr");
    for (const name of ["state", "energy", "barrier", "minimum", "energy"]) element(head, "th", "", name);
    for (const [state, energy, barrier, minimum, there] of point.neighbours) {
      const line = element(table, "tr");
      const cells = [state, short(energy, 8), short(barrier, 5), minimum, short(there, 8)].map((text) => element(line, "td", "", text));
      cells[0].addEventListener("click", () => this.page.show(graph, "states", state));
      cells[3].addEventListener("click", () => this.page.show(graph, "minima", minimum));
      cells[0].classList.add("link");
      cells[3].classList.add("link");
    }
    if (point.more) element(this.box, "p", "note", `... and ${point.more} more of higher energy`);
  }
}
