// The controls above the graphs: levels, window, components, colours, search, pictures.
"use strict";

class Controls {
  constructor(page) {
    this.page = page;
    this.box = (name) => document.getElementById(name);
    this.box("linking").hidden = this.box("about").hidden = page.graphs.length < 2;
    this.on("levels", "input", (graph, value) => (graph.settings.levels = Number(value)));
    this.on("smallest", "change", (graph, value) => (graph.settings.smallest = Math.max(1, Number(value) || 1)));
    this.on("from", "change", (graph, value) => (graph.settings.from = value === "" ? null : Number(value)));
    this.on("to", "change", (graph, value) => (graph.settings.to = value === "" ? null : Number(value)));
    this.box("colour").addEventListener("change", () => this.colour());
    this.box("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.search(this.box("row").value.trim());
    });
    this.box("lowest").addEventListener("click", () => this.search("lowest"));
    this.box("whole").addEventListener("click", () => {
      page.chosen.reset();
      page.zoomed(page.chosen);
      page.chosen.draw();
    });
    for (const format of ["svg", "png"]) this.box(format).addEventListener("click", () => this.picture(format));
    this.box("python").addEventListener("click", () => {
      this.box("code").textContent = page.chosen.python();
      this.open("code");
    });
    for (const tab of document.querySelectorAll("#tabs button")) {
      tab.addEventListener("click", () => {
        this.open(tab.dataset.panel);
        if (tab.dataset.panel === "table") page.showTable();
      });
    }
  }

  /** A control that changes the tree; the number of levels is that of all graphs where they are linked. */
  on(name, event, change) {
    let waiting = null;
    this.box(name).addEventListener(event, () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.apply(name, change), 30);
    });
  }

  apply(name, change) {
    const { page } = this;
    const graphs = name === "levels" && this.linked() ? page.graphs : [page.chosen];
    for (const graph of graphs) {
      const before = { ...graph.settings };
      try {
        change(graph, this.box(name).value);
        graph.rebuild();
        page.complain(null);
      } catch (error) {
        graph.settings = before;
        page.complain(error);
      }
      graph.recolour();
    }
    this.follow(page.chosen);
  }

  linked() {
    return this.page.graphs.length > 1 && this.box("linked").checked;
  }

  /** Show the settings of the chosen graph. */
  follow(graph) {
    const { levels, smallest, from, to, colour } = graph.settings;
    this.box("about").textContent = `${graph.summary.name}:`;
    this.box("levels").value = levels;
    this.box("levels-said").textContent = levels;
    this.box("smallest").value = smallest;
    this.box("from").value = from === null ? "" : from;
    this.box("to").value = to === null ? "" : to;
    const choice = this.box("colour");
    choice.replaceChildren();
    for (const name of graph.summary.columns.minima) element(choice, "option", "", name).value = name;
    choice.value = colour;
  }

  async colour() {
    const graph = this.page.chosen;
    graph.settings.colour = this.box("colour").value;
    await graph.recolour();
  }

  search(text) {
    const graph = this.page.chosen;
    const { energy } = graph.data;
    let row = Number(text);
    if (text === "lowest") row = lowestOf(energy);
    if (text === "" || !Number.isInteger(row) || row < 0 || row >= energy.length) {
      this.page.complain(new Error(`There is no minimum ${text}: rows run from 0 to ${energy.length - 1}.`));
      return;
    }
    this.page.show(graph, "minima", row).then(() => {
      if (graph.leafOf[row] < 0) this.page.complain(new Error(`Minimum ${row} is hidden: it is in a small component, or outside the window of energies.`));
    });
  }

  async picture(format) {
    const graph = this.page.chosen;
    const filename = graph.summary.name.replace(/[^A-Za-z0-9_.-]+/g, "_") || "graph";
    await Plotly.downloadImage(graph.box, { format, filename, width: 900, height: 700, scale: format === "png" ? 2 : 1 });
  }

  /** Show one panel; with a promise, when it is done. */
  open(name, work = null) {
    for (const panel of document.querySelectorAll("#panels > *")) panel.hidden = panel.id !== name;
    for (const tab of document.querySelectorAll("#tabs button")) tab.classList.toggle("chosen", tab.dataset.panel === name);
    if (work) work.catch((error) => this.page.complain(error));
  }
}
