// The page: one graph or several side by side, the controls above, and the panels beside them.
"use strict";

class Page {
  constructor(config) {
    this.colours = config.colours;
    this.link = config.link;
    const stores = config.live ? config.names.map((_, k) => new ServedStore(k)) : config.stores.map((kept) => new KeptStore(kept));
    const room = document.getElementById("graphs");
    this.graphs = stores.map((store, k) => {
      const box = element(room, "div", "graph");
      box.id = `graph${k}`;
      element(document.getElementById("said"), "p", "", "\u00a0").id = `said-${box.id}`; // its room, before graphs are drawn
      return new Graph(box, store, this);
    });
    this.details = new Details(document.getElementById("point"), this);
    this.route = new Route(document.getElementById("path"), this);
    this.table = new Table(document.getElementById("table"), this);
    this.tip = document.getElementById("tip");
    this.controls = new Controls(this);
  }

  async start() {
    try {
      await Promise.all(this.graphs.map((graph) => graph.load()));
    } catch (error) {
      this.complain(error);
      throw error;
    }
    this.choose(this.graphs[0]);
    this.showLowest();
    document.body.dataset.ready = "yes";
    if (this.graphs[0].store.live) setInterval(() => this.refresh(), 2000);
  }

  /** Until something is clicked, the panel shows the lowest minimum. */
  showLowest() {
    const row = lowestOf(this.chosen.data.energy);
    this.details.show(this.chosen, "minima", row);
  }

  /** The graph that controls, table and search are about. */
  choose(graph) {
    if (this.chosen === graph) return;
    this.chosen = graph;
    for (const other of this.graphs) other.box.classList.toggle("chosen", other === graph && this.graphs.length > 1);
    this.controls.follow(graph);
    if (!document.getElementById("table").hidden) this.showTable();
  }

  showTable() {
    this.table.show(this.chosen).catch((error) => this.complain(error));
  }

  /** Read again what a search has added meanwhile. */
  async refresh() {
    if (this.refreshing) return;
    this.refreshing = true;
    try {
      for (const graph of this.graphs) {
        const { version } = await graph.store.changed();
        if (String(version) === String(graph.summary.version)) continue;
        await graph.load();
        this.controls.follow(this.chosen);
        if (this.chosen === graph && !document.getElementById("table").hidden) this.showTable();
      }
      if (this.outdated) this.complain(null); // what else is said there stays
      this.outdated = false;
    } catch (error) {
      this.outdated = true;
      this.complain(new Error(`The page is no longer up to date: ${error.message}`));
    }
    this.refreshing = false;
  }

  complain(error) {
    this.tell(error ? error.message : "", true);
  }

  tell(text, wrong = false) {
    const box = document.getElementById("message");
    box.textContent = text;
    box.classList.toggle("wrong", wrong);
  }

  /** Say below a graph what it shows and what it leaves out. */
  said(graph) {
    const { minima, states } = graph.summary;
    const shown = graph.tree.leaves.length;
    const small = graph.chosen.reduce((count, chosen) => count - chosen, minima);
    const which = shown === minima ? (minima === 1 ? "1 minimum" : `${minima} minima`) : `${shown} of ${minima} minima`;
    let text = `${graph.summary.name}: ${which} ${shown === 1 ? "is" : "are"} shown, ${counted(states, "transition state")}`;
    if (small) text += `; ${small} ${small === 1 ? "is in a smaller component" : "are in smaller components"}`;
    if (minima - shown - small) text += `; ${minima - shown - small} above the window of energies`;
    document.getElementById(`said-${graph.box.id}`).textContent = text;
  }

  hovered(graph, event, hit) {
    this.tip.hidden = !hit;
    if (!hit) return;
    this.tip.textContent = graph.describe(hit).join("\n");
    this.tip.style.left = `${event.clientX + 14}px`;
    this.tip.style.top = `${event.clientY + 14}px`;
  }

  clicked(graph, hit) {
    this.show(graph, "minima", hit.row);
  }

  /** Show a point; two minima that are chosen one after the other give a path. */
  async show(graph, kind, row) {
    this.choose(graph);
    this.complain(null);
    if (kind === "minima") {
      const before = graph.picked.length === 1 && graph.picked[0] !== row ? graph.picked : [];
      graph.picked = [...before, row];
      graph.route = null;
      graph.mark();
    }
    const details = this.details.show(graph, kind, row); // asked for first: the server answers one question after another
    if (kind === "minima" && graph.picked.length === 2) this.controls.open("path", this.route.show(graph, ...graph.picked));
    await details;
    if (!(kind === "minima" && graph.picked.length === 2)) this.controls.open("point");
  }

  /** Where graphs are linked, others show the same share of their heights. */
  zoomed(graph) {
    if (!this.controls.linked()) return;
    const share = (g, value) => (value - g.tree.bottom) / (g.tree.top - g.tree.bottom);
    const [low, high] = graph.range.y.map((value) => share(graph, value));
    for (const other of this.graphs) {
      if (other === graph) continue;
      const height = other.tree.top - other.tree.bottom;
      other.range.y = [other.tree.bottom + low * height, other.tree.bottom + high * height];
      other.draw();
    }
  }

  /** A class of a network is a minimum of the molecule whose outcomes it predicts. */
  classClicked(kind, place) {
    if (!this.link) return this.complain(null);
    const molecule = this.graphs[this.link.molecule];
    const row = this.link.rows[kind];
    this.tell(`At inputs ${place.map((value) => short(value, 4)).join(", ")} the network predicts class ${kind}: minimum ${row} of ${molecule.summary.name}.`);
    molecule.picked = [row];
    molecule.route = null;
    molecule.mark();
  }

  linkText(graph, kind, row) {
    if (!this.link || kind !== "minima" || this.graphs[this.link.molecule] !== graph) return null;
    const classes = this.link.rows.map((minimum, k) => (minimum === row ? k : -1)).filter((k) => k >= 0);
    const network = this.graphs[this.link.network].summary.name;
    return classes.length ? `${network} predicts this outcome as class ${classes.join(", ")}.` : null;
  }
}

const page = new Page(JSON.parse(document.getElementById("thalweg-data").textContent));
page.start();
