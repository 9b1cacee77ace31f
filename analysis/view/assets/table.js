// The table of minima and transition states, sorted by any column.
"use strict";

const ROWS = 100; // on one page of the table

class Table {
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.kind = "minima";
    this.sort = { name: "energy", down: false };
    this.start = 0;
  }

  async show(graph) {
    this.graph = graph;
    const { kind } = this;
    const names = graph.summary.columns[kind];
    const columns = await Promise.all(names.map((name) => graph.column(kind, name)));
    if (this.graph !== graph || this.kind !== kind) return;
    const length = kind === "minima" ? graph.summary.minima : graph.summary.states;
    this.columns = columns;
    this.names = names;
    this.order = Int32Array.from({ length }, (_, k) => k);
    this.sorted();
  }

  /** Sort by the chosen column; unknown numbers come last. */
  sorted() {
    const { name, down } = this.sort;
    const values = this.columns[this.names.indexOf(name)];
    const sign = down ? -1 : 1;
    if (name === "row" || !values) this.order.sort((a, b) => sign * (a - b));
    else {
      const known = (k) => !Number.isNaN(values[k]);
      this.order.sort((a, b) => {
        if (known(a) !== known(b)) return known(a) ? -1 : 1;
        return sign * (values[a] - values[b]) || a - b;
      });
    }
    this.start = 0;
    this.draw();
  }

  draw() {
    const { graph, names } = this;
    this.box.replaceChildren();
    const bar = element(this.box, "div", "bar");
    for (const [kind, text] of [["minima", "minima"], ["states", "transition states"]]) {
      const button = element(bar, "button", kind === this.kind ? "chosen" : "", text);
      button.dataset.kind = kind;
      button.addEventListener("click", () => {
        this.kind = kind;
        this.sort = { name: "energy", down: false };
        this.show(graph).catch((error) => this.page.complain(error));
      });
    }
    const end = Math.min(this.start + ROWS, this.order.length);
    element(bar, "span", "", ` ${graph.summary.name}: ${this.order.length ? this.start + 1 : 0} to ${end} of ${this.order.length} `);
    for (const [text, by] of [["previous", -ROWS], ["next", ROWS]]) {
      const button = element(bar, "button", "", text);
      button.disabled = by < 0 ? !this.start : end >= this.order.length;
      button.addEventListener("click", () => {
        this.start += by;
        this.draw();
      });
    }
    const table = element(element(this.box, "div", "scroll"), "table", "rows");
    this.head(element(table, "tr"));
    for (let place = this.start; place < end; place++) {
      const row = this.order[place];
      const line = element(table, "tr", "link");
      element(line, "td", "", row);
      names.forEach((_, k) => element(line, "td", "", short(this.columns[k][row], 9)));
      line.addEventListener("click", () => this.page.show(graph, this.kind, row));
    }
    this.box.dataset.shown = `${graph.box.id} ${this.kind} ${this.sort.name} ${this.sort.down}`;
  }

  head(line) {
    for (const name of ["row", ...this.names]) {
      const arrow = this.sort.name === name ? (this.sort.down ? " ▼" : " ▲") : "";
      const cell = element(line, "th", "link", name + arrow);
      cell.dataset.column = name;
      cell.addEventListener("click", () => {
        this.sort = { name, down: this.sort.name === name && !this.sort.down };
        this.sorted();
      });
    }
  }
}
