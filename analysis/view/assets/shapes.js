// What a geometry looks like: a structure, a network's decision map, its weights, or plain coordinates.
"use strict";

/** A child element with a class and a text; text of a store is never markup. */
function element(parent, tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
}

/** A place that shows one geometry after another of a landscape. */
class ShapeView {
  constructor(box, summary, page) {
    this.box = box;
    this.summary = summary;
    this.page = page;
    box.replaceChildren();
    if (summary.kind === "atoms") {
      this.canvas = element(box, "canvas", "structure");
      [this.canvas.width, this.canvas.height] = [380, 320];
      this.structure = new Structure(this.canvas, summary.atoms);
    } else if (summary.kind === "network" && summary.network.map) {
      this.map = element(box, "div", "map");
    }
    this.rest = element(box, "div");
  }

  show(shape) {
    if (shape.positions) this.structure.show(shape.positions);
    if (shape.map) this.showMap(unpacked(shape.map));
    this.rest.replaceChildren();
    if (shape.missing) element(this.rest, "p", "note", shape.missing);
    if (shape.matrices) this.showWeights(shape.matrices);
    if (shape.coordinates) {
      const values = Array.from(unpacked(shape.coordinates).slice(0, 40), (value) => short(value));
      element(this.rest, "p", "", `coordinates: ${values.join("  ")}`);
    }
  }

  /** Each place has the colour of its most probable class, paler where that is less certain. */
  picture(bytes) {
    const { resolution, strengths, colours } = this.summary.network.map;
    const ink = unpacked(colours);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = resolution;
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(resolution, resolution);
    for (let k = 0; k < bytes.length; k++) {
      const kind = Math.floor(bytes[k] / strengths);
      const strength = 0.25 + 0.55 * ((bytes[k] % strengths) / (strengths - 1));
      const [row, column] = [resolution - 1 - Math.floor(k / resolution), k % resolution];
      const at = 4 * (row * resolution + column);
      for (let c = 0; c < 3; c++) image.data[at + c] = 255 - strength * (255 - ink[3 * kind + c]);
      image.data[at + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
    return canvas.toDataURL();
  }

  showMap(bytes) {
    this.bytes = bytes;
    const { extent, inputs, labels, colours } = this.summary.network.map;
    const [left, right, bottom, top] = extent;
    const image = { source: this.picture(bytes), xref: "x", yref: "y", x: left, y: top, sizex: right - left, sizey: top - bottom, sizing: "stretch", layer: "below" };
    if (!this.drawn) {
      const [points, kinds, ink] = [unpacked(inputs), unpacked(labels), unpacked(colours)];
      const colour = Array.from(kinds, (kind) => `rgb(${ink.slice(3 * kind, 3 * kind + 3).join(",")})`);
      this.data = [{
        type: "scatter", mode: "markers", hoverinfo: "skip",
        x: Array.from(kinds, (_, k) => points[2 * k]), y: Array.from(kinds, (_, k) => points[2 * k + 1]),
        marker: { size: 4, color: colour, line: { color: "white", width: 0.4 } },
      }];
    }
    const axis = (range, title) => ({ range, title: { text: title }, zeroline: false, showgrid: false, fixedrange: true });
    const layout = {
      width: 380, height: 340, margin: { l: 50, r: 10, t: 10, b: 40 }, images: [image], hovermode: false,
      xaxis: axis([left, right], "input 0"), yaxis: axis([bottom, top], "input 1"),
    };
    Plotly.react(this.map, this.data, layout, { displayModeBar: false });
    if (!this.drawn) this.map.addEventListener("click", (event) => this.mapClicked(event));
    this.drawn = true;
  }

  /** The class at the place that was clicked, which another landscape may know as a minimum. */
  mapClicked(event) {
    const { extent, resolution, strengths } = this.summary.network.map;
    const area = this.map.querySelector(".nsewdrag").getBoundingClientRect();
    const [x, y] = [(event.clientX - area.left) / area.width, 1 - (event.clientY - area.top) / area.height];
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return;
    const kind = Math.floor(this.bytes[Math.floor(y * resolution) * resolution + Math.floor(x * resolution)] / strengths);
    const place = [extent[0] + x * (extent[1] - extent[0]), extent[2] + y * (extent[3] - extent[2])];
    this.page.classClicked(kind, place);
  }

  /** The weights of each layer as a picture; behind a line to click where a decision map says more. */
  showWeights(matrices) {
    this.matrices = matrices;
    if (!this.heat) {
      this.heat = element(this.box, "details", "weights");
      element(this.heat, "summary", "", "weights, layer by layer: a row for each unit, its bias last");
      this.heat.open = !this.map;
      this.heat.addEventListener("toggle", () => this.drawWeights());
    }
    this.drawWeights();
  }

  drawWeights() {
    if (!this.heat.open) return;
    this.matrices.forEach(([rows, columns, values], k) => {
      const numbers = unpacked(values);
      const z = Array.from({ length: rows }, (_, row) => Array.from(numbers.slice(row * columns, (row + 1) * columns)));
      const heat = { type: "heatmap", z, colorscale: "RdBu", zmid: 0, hovertemplate: "unit %{y}, input %{x}: %{z:.4g}<extra></extra>" };
      const layout = {
        width: 420, height: 230, margin: { l: 45, r: 10, t: 30, b: 40 }, title: { text: `layer ${k + 1}`, font: { size: 12 } },
        xaxis: { title: { text: `inputs 0 to ${columns - 2}, bias` } }, yaxis: { autorange: "reversed", title: { text: "unit" } },
      };
      const box = this.heat.children[k + 1] || element(this.heat, "div", "matrix");
      Plotly.react(box, [heat], layout, { displayModeBar: false });
    });
  }
}
