// Balls and sticks that turn, on a canvas: atoms of a structure, its cell, and periodic images of bonded atoms.
"use strict";

const BONDED = 1.25; // atoms are joined up to this multiple of the sum of their radii
const BALL = 0.5; // radius of a ball, in radii of its atom
const MOST_IMAGED = 150; // atoms up to which bonds to periodic images are looked for

class Structure {
  constructor(canvas, atoms) {
    this.canvas = canvas;
    this.radii = unpacked(atoms.radii);
    this.colours = unpacked(atoms.colours);
    this.cell = atoms.cell;
    this.periodic = [0, 1, 2].filter((axis) => atoms.pbc[axis]);
    // rotation, row after row: the third axis of something periodic points up, others lie as they are
    this.turn = this.periodic.length ? [1, 0, 0, 0, 0, 1, 0, -1, 0] : [1, 0, 0, 0, 1, 0, 0, 0, 1];
    this.rotate(0.4, this.periodic.length ? 0.3 : -0.35);
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.rotate((event.clientX - last[0]) * 0.01, (event.clientY - last[1]) * 0.01);
      last = [event.clientX, event.clientY];
      this.draw();
    });
    canvas.addEventListener("pointerup", () => (last = null));
  }

  /** Turn about the upright axis, then about the level one. */
  rotate(about, over) {
    const [c, s, d, t] = [Math.cos(about), Math.sin(about), Math.cos(over), Math.sin(over)];
    const step = [c, 0, s, t * s, d, -t * c, -d * s, t, d * c];
    const old = this.turn;
    this.turn = step.map((_, k) => {
      const [row, column] = [3 * Math.floor(k / 3), k % 3];
      return step[row] * old[column] + step[row + 1] * old[column + 3] + step[row + 2] * old[column + 6];
    });
  }

  show(positions) {
    const flat = unpacked(positions);
    this.atoms = Array.from(this.radii, (_, i) => ({ place: Array.from(flat.slice(3 * i, 3 * i + 3)), kind: i, image: false }));
    this.joined = this.bonds();
    if (!this.scale) this.frame();
    this.draw();
  }

  /** Pairs of atoms that are near each other; images of atoms that are near one of the cell are added to the atoms. */
  bonds() {
    const found = [];
    const n = this.atoms.length;
    const near = (a, b) => distance(a.place, b.place) < BONDED * (this.radii[a.kind] + this.radii[b.kind]);
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) if (near(this.atoms[i], this.atoms[j])) found.push([i, j]);
    }
    for (const shift of n > MOST_IMAGED ? [] : this.shifts()) {
      for (let j = 0; j < n; j++) {
        const image = { place: this.atoms[j].place.map((value, axis) => value + shift[axis]), kind: j, image: true };
        const joined = [];
        for (let i = 0; i < n; i++) if (near(this.atoms[i], image)) joined.push([i, this.atoms.length]);
        if (!joined.length) continue;
        found.push(...joined);
        this.atoms.push(image);
      }
    }
    return found;
  }

  /** Vectors from the cell to those around it. */
  shifts() {
    let found = [[0, 0, 0]];
    for (const axis of this.periodic) {
      found = found.flatMap((shift) => [-1, 0, 1].map((k) => shift.map((value, c) => value + k * this.cell[axis][c])));
    }
    return found.filter((shift) => Math.hypot(...shift) > 1e-9);
  }

  /** Edges of the cell along its periodic axes; those of a surface lie below its lowest atom. */
  edges() {
    const { periodic, cell } = this;
    let origin = [0, 0, 0];
    if (periodic.length === 2) {
      const [a, b] = periodic.map((axis) => cell[axis]);
      const normal = [0, 1, 2].map((k) => a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3]);
      const size = Math.hypot(...normal) || 1;
      const height = Math.min(...this.atoms.map(({ place }) => normal.reduce((sum, value, k) => sum + (value / size) * place[k], 0)));
      origin = normal.map((value) => (value / size) * height);
    }
    const found = [];
    for (const axis of periodic) {
      let starts = [origin];
      for (const other of periodic) if (other !== axis) starts = starts.flatMap((s) => [s, s.map((value, c) => value + cell[other][c])]);
      for (const start of starts) found.push([start, start.map((value, c) => value + cell[axis][c])]);
    }
    return found;
  }

  /** Middle and size of what is shown, the same for all frames of a path. */
  frame() {
    const points = [...this.edges().flat(), ...this.atoms.map(({ place }) => place)];
    this.middle = [0, 1, 2].map((axis) => {
      const values = points.map((point) => point[axis]);
      return (Math.min(...values) + Math.max(...values)) / 2;
    });
    const reach = Math.max(...points.map((point) => distance(point, this.middle)));
    this.scale = 1 / (reach + BALL * Math.max(...this.radii));
  }

  /** Place on the canvas, and depth. */
  seen(point) {
    const [x, y, z] = [0, 1, 2].map((axis) => (point[axis] - this.middle[axis]) * this.scale);
    const t = this.turn;
    const half = Math.min(this.canvas.width, this.canvas.height) * 0.49;
    return [
      this.canvas.width / 2 + half * (t[0] * x + t[1] * y + t[2] * z),
      this.canvas.height / 2 - half * (t[3] * x + t[4] * y + t[5] * z),
      t[6] * x + t[7] * y + t[8] * z,
    ];
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const pixels = Math.min(this.canvas.width, this.canvas.height) * 0.49 * this.scale; // of a unit of length
    const parts = this.atoms.map((atom) => ({ depth: this.seen(atom.place)[2], atom }));
    for (const [from, to] of this.edges()) parts.push(this.stick(from, to, "#b0b0b0", 1));
    for (const pair of this.joined) parts.push(...this.bond(...pair.map((k) => this.atoms[k]), pixels));
    parts.sort((a, b) => a.depth - b.depth);
    for (const part of parts) {
      pen.globalAlpha = (part.atom || part).image ? 0.22 : 1;
      if (part.atom) this.ball(pen, part.atom, pixels);
      else this.line(pen, part);
    }
    pen.globalAlpha = 1;
  }

  stick(from, to, colour, width) {
    const ends = [this.seen(from), this.seen(to)];
    return { ends, depth: (ends[0][2] + ends[1][2]) / 2, colour, width, image: false };
  }

  /** Two halves of a bond, from each ball's surface to the middle, in the colours of their atoms. */
  bond(one, other, pixels) {
    const apart = distance(one.place, other.place) || 1;
    const along = (share) => one.place.map((value, axis) => value + share * (other.place[axis] - value));
    const [start, end] = [one, other].map((atom) => (0.9 * BALL * this.radii[atom.kind]) / apart);
    if (start + end >= 1) return [];
    const width = Math.max(2, 0.22 * Math.min(this.radii[one.kind], this.radii[other.kind]) * pixels);
    const middle = along((start + 1 - end) / 2);
    const halves = [[along(start), middle, one], [middle, along(1 - end), other]];
    return halves.map(([from, to, atom]) => ({ ...this.stick(from, to, this.ink(atom.kind, 0.7), width), image: one.image || other.image }));
  }

  ink(kind, shade) {
    return `rgb(${Array.from(this.colours.slice(3 * kind, 3 * kind + 3), (value) => Math.round(value * shade)).join(",")})`;
  }

  line(pen, { ends: [from, to], colour, width }) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(from[0], from[1]);
    pen.lineTo(to[0], to[1]);
    pen.stroke();
  }

  ball(pen, { place, kind }, pixels) {
    const [x, y] = this.seen(place);
    const radius = Math.max(3, BALL * this.radii[kind] * pixels);
    const light = pen.createRadialGradient(x - radius / 3, y - radius / 3, radius / 10, x, y, radius);
    light.addColorStop(0, "#ffffff");
    light.addColorStop(0.35, this.ink(kind, 1));
    light.addColorStop(1, this.ink(kind, 0.45));
    pen.fillStyle = light;
    pen.strokeStyle = "#404040";
    pen.lineWidth = 0.6;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
