// What a reader draws, puts into the plane or types into a grid, as the short text that a knob takes (playgrounds/kit/forms.py).
// Nothing leaves the browser but that text; a picture from a file is scaled down here.

/**
 * @typedef {{form: "drawing" | "points" | "matrix", value: string, label: string, help: string, lo: number, hi: number,
 *            most: number, locked: boolean}} Data
 * @typedef {[number, number]} Place
 */

const BIGGEST = 2 ** 20; // bytes of a picture file
const PAUSE = 150; // ms after the last key before the text is sent
const COLOURS = __SERIES__; // of the classes, playgrounds/kit/palette.py

/** @param {Component<Data>} component */
export default function (component) {
  const root = /** @type {any} */ (component.parentElement.querySelector(".pad"));
  const { form, value } = component.data;
  root.pad ??= new { drawing: Drawing, points: Points, matrix: Matrix }[form](root, component.data);
  root.pad.send = (/** @type {string} */ text) => component.setStateValue("value", text);
  root.pad.hear(value);
}

/**
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {(Node | string)[]} children
 * @returns {any}
 */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * @param {string} text
 * @param {() => void} press
 * @returns {HTMLElement}
 */
function button(text, press, label = text) {
  return element("button", { type: "button", textContent: text, ariaLabel: label, title: label, onclick: press });
}

/** What the three have in common: a value, its history, a line that says what happened. */
class Pad {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    this.root = root;
    this.data = data;
    /** @type {string[]} */
    this.history = [];
    /** @type {{before: string} | null} the value before the server was asked to read a text */
    this.waiting = null;
    /** @type {(text: string) => void} */
    this.send = () => {}; // put in by whoever made it
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {HTMLCanvasElement} what is drawn on, if there is something to draw */
    this.canvas = element("canvas", { className: "pad-canvas", tabIndex: 0 });
    /** @type {HTMLElement} */
    this.said = element("p", { className: "pad-said" });
    this.said.setAttribute("aria-live", "polite");
    root.setAttribute("aria-label", data.label);
  }

  /** Build it, and show its first value: called at the end of each constructor. */
  begin() {
    const { root, data } = this;
    const label = /** @type {HTMLElement} */ (root.querySelector(".pad-label"));
    label.textContent = data.label + (data.help && ` (${data.help})`);
    const body = /** @type {HTMLElement} */ (root.querySelector(".pad-body"));
    body.inert = data.locked; // by a teacher's link
    this.build(body);
    root.append(this.said);
    this.read(data.value);
    this.show();
  }

  // What each of the three does in its own way.

  /** Make its elements. @param {HTMLElement} body */
  build(body) {}

  /** Take up a value. @param {string} text */
  read(text) {}

  /** The value as a text. */
  write() {
    return "";
  }

  show() {}

  /** @param {number} dx @param {number} dy */
  move(dx, dy) {}

  press() {}

  remove() {}

  /** The server has called again. Its value counts only where it was asked to read a text; else ours is ahead of it. @param {string} value */
  hear(value) {
    if (!this.waiting || value === this.waiting.before) return;
    this.waiting = null;
    this.read(value);
    this.show();
  }

  keep() {
    this.history.push(this.write());
    if (this.history.length > 200) this.history.shift();
  }

  undo() {
    const before = this.history.pop();
    if (before === undefined) return this.say("Nothing to undo.");
    this.read(before);
    this.changed();
  }

  clear() {
    this.keep();
    this.read("");
    this.changed();
  }

  changed(soon = false) {
    this.waiting = null;
    this.show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.root.isConnected && this.send(this.write()), soon ? PAUSE : 0);
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }

  /** @param {(Node | string)[]} more */
  tools(...more) {
    return element("div", { className: "pad-tools" }, ...more, button("Undo", () => this.undo()), button("Clear", () => this.clear()));
  }

  /** @param {string} label */
  surface(label) {
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", label);
    this.canvas.onkeydown = (event) => this.key(event);
    this.canvas.onfocus = this.canvas.onblur = () => this.show();
    return this.canvas;
  }

  /** Where in the surface the pointer is, from 0 to 1 both ways, from the top left. @param {PointerEvent} event @returns {Place} */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** The surface's context. */
  get context() {
    return /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, Place>} */
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey && event.key === "z") this.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (moves[event.key]) this.move(...moves[event.key]);
    else if (event.key === " " || event.key === "Enter") this.press();
    else if (event.key === "Delete" || event.key === "Backspace") this.remove();
    else return;
    event.preventDefault();
  }

  paper() {
    const style = getComputedStyle(this.root);
    return { ink: style.color, faint: style.getPropertyValue("--st-border-color"), mark: style.getPropertyValue("--st-primary-color") };
  }
}

class Drawing extends Pad {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    super(root, data);
    this.side = data.hi;
    /** @type {Place} */
    this.cursor = [this.side >> 1, this.side >> 1];
    this.erasing = false;
    this.eraser = button("Erase", () => {
      this.erasing = !this.erasing;
      this.eraser.setAttribute("aria-pressed", String(this.erasing));
    });
    /** @type {number[]} */
    this.cells = [];
    this.begin();
  }

  /** @param {HTMLElement} body */
  build(body) {
    const file = element("input", { type: "file", accept: "image/*", hidden: true, onchange: () => this.load(file) });
    this.eraser.setAttribute("aria-pressed", "false");
    const upload = button("Picture…", () => file.click(), "Take a picture from a file, up to 1 MB; it is scaled down");
    body.append(this.surface(`${this.data.label}: ${this.side} by ${this.side} cells. Arrows move, space draws, delete erases.`),
      this.tools(this.eraser, upload), file);
    /** @type {Place | null} */
    let last = null;
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.keep();
      this.stroke(this.at(event), (last = this.at(event)));
      event.preventDefault();
      this.canvas.focus();
    };
    this.canvas.onpointermove = (event) => {
      if (!last) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) this.stroke(last, (last = this.at(one)));
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => {
      if (last) this.changed();
      last = null;
    };
  }

  /** @param {string} text */
  read(text) {
    this.cells = Array.from({ length: this.side ** 2 }, (_, i) => (text ? parseInt(text[i], 16) : 0));
  }

  write() {
    return this.cells.some(Boolean) ? this.cells.map((level) => level.toString(16)).join("") : "";
  }

  /**
   * A soft pen from one place to the next: a cell gets more ink the nearer the pen passes by its middle.
   * @param {Place} from
   * @param {Place} to
   */
  stroke(from, to) {
    const [a, b] = [from, to].map(([x, y]) => [x * this.side, y * this.side]);
    const steps = Math.max(1, Math.ceil(4 * Math.hypot(b[0] - a[0], b[1] - a[1])));
    const wide = Math.max(1.15, this.side / 13);
    for (let i = 0; i <= steps; i++) {
      const [x, y] = [0, 1].map((k) => a[k] + ((b[k] - a[k]) * i) / steps);
      for (let row = Math.floor(y - wide); row <= y + wide; row++)
        for (let column = Math.floor(x - wide); column <= x + wide; column++) {
          if (row < 0 || column < 0 || row >= this.side || column >= this.side) continue;
          const ink = Math.round(15 * Math.min(1, 1.5 * (wide - Math.hypot(column + 0.5 - x, row + 0.5 - y)) / wide));
          if (ink <= 0) continue;
          const k = row * this.side + column;
          this.cells[k] = this.erasing ? 0 : Math.max(this.cells[k], ink);
        }
    }
    this.show();
  }

  /** @param {number} dx @param {number} dy */
  move(dx, dy) {
    const within = (/** @type {number} */ at) => Math.min(this.side - 1, Math.max(0, at));
    this.cursor = [within(this.cursor[0] + dx), within(this.cursor[1] + dy)];
    this.tell();
  }

  press() {
    this.set(this.erasing ? 0 : 15);
  }

  remove() {
    this.set(0);
  }

  /** @param {number} level of ink, 0 to 15 */
  set(level) {
    this.keep();
    this.cells[this.cursor[1] * this.side + this.cursor[0]] = level;
    this.changed(true);
    this.tell();
  }

  tell() {
    const [x, y] = this.cursor;
    this.say(`Row ${y + 1}, column ${x + 1}: ${this.cells[y * this.side + x]} of 15.`);
    this.show();
  }

  /** @param {any} input */
  async load(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    if (file.size > BIGGEST) return this.say("That file has more than 1 MB. Take a smaller picture.");
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return this.say("That file is not a picture that this browser can read. Take a PNG or a JPEG.");
    }
    const cut = Math.min(picture.width, picture.height); // the middle square
    const small = element("canvas", { width: this.side, height: this.side });
    const context = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d"));
    Object.assign(context, { imageSmoothingQuality: "high", fillStyle: "#fff" });
    context.fillRect(0, 0, this.side, this.side);
    context.drawImage(picture, (picture.width - cut) / 2, (picture.height - cut) / 2, cut, cut, 0, 0, this.side, this.side);
    const { data } = context.getImageData(0, 0, this.side, this.side);
    const light = this.cells.map((_, i) => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255);
    this.keep();
    this.cells = light.map((value) => Math.round(15 * value));
    this.say(`The picture was cut to its middle square and scaled to ${this.side} by ${this.side} cells.`);
    this.changed();
  }

  show() {
    const zoom = Math.ceil(240 / this.side);
    const { faint, ink, mark } = this.paper();
    this.canvas.width = this.canvas.height = zoom * this.side;
    const { context } = this;
    this.cells.forEach((level, i) => {
      const [x, y] = [i % this.side, Math.floor(i / this.side)];
      context.globalAlpha = level / 15;
      context.fillStyle = ink;
      context.fillRect(x * zoom, y * zoom, zoom, zoom);
      context.globalAlpha = 1;
      context.strokeStyle = faint;
      if (this.side <= 16) context.strokeRect(x * zoom + 0.5, y * zoom + 0.5, zoom, zoom);
    });
    if (document.activeElement === this.canvas) {
      Object.assign(context, { strokeStyle: mark, lineWidth: 3 });
      context.strokeRect(this.cursor[0] * zoom + 1, this.cursor[1] * zoom + 1, zoom - 2, zoom - 2);
    }
  }
}

class Points extends Pad {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    super(root, data);
    /** @type {Place} */
    this.cursor = [0, 0];
    this.label = 0;
    /** @type {HTMLElement[]} */
    this.kinds = [];
    /** @type {HTMLElement} */
    this.count = element("span", { className: "pad-count" });
    /** @type {number[][]} x, y and class of each */
    this.points = [];
    this.begin();
  }

  /** @param {HTMLElement} body */
  build(body) {
    this.kinds = Array.from({ length: this.data.hi }, (_, k) => {
      const choose = button("", () => this.choose(k), `Class ${k}`);
      choose.append(element("span", { className: "pad-dot" }), `Class ${k}`);
      /** @type {HTMLElement} */ (choose.firstChild).style.background = COLOURS[k];
      return choose;
    });
    const text = element("textarea", { rows: 4, placeholder: "0.5, -0.2, 1\n-0.3, 0.4, 0", ariaLabel: "Points as CSV: x, y, class" });
    const take = button("Take these points", () => {
      this.keep();
      this.waiting = { before: this.write() };
      this.say("");
      this.send(text.value);
    });
    const paste = element("details", {}, element("summary", { textContent: "Paste CSV" }), text, take);
    body.append(this.surface(`${this.data.label}: a plane. Arrows move, space puts a point, delete takes the nearest away.`),
      this.data.hi > 1 ? element("div", { className: "pad-tools" }, ...this.kinds) : "", this.tools(this.count), paste);
    this.canvas.onpointerdown = (event) => {
      const [x, y] = this.at(event);
      this.cursor = [Number((2 * x - 1).toPrecision(3)), Number((1 - 2 * y).toPrecision(3))];
      const hit = this.nearest(0.07);
      hit < 0 ? this.press() : this.remove();
      this.canvas.focus();
      event.preventDefault();
    };
    this.choose(0);
  }

  /** @param {number} k */
  choose(k) {
    this.label = k;
    this.kinds.forEach((one, i) => one.setAttribute("aria-pressed", String(i === k)));
  }

  /** @param {string} text */
  read(text) {
    this.points = text ? text.split("\n").map((line) => line.split(",").map(Number)) : [];
  }

  write() {
    return this.points.map((point) => point.join(",")).join("\n");
  }

  /** @param {number} dx @param {number} dy */
  move(dx, dy) {
    const within = (/** @type {number} */ at) => Number(Math.min(1, Math.max(-1, at)).toFixed(2));
    this.cursor = [within(this.cursor[0] + 0.05 * dx), within(this.cursor[1] - 0.05 * dy)];
    this.say(`At ${this.cursor.join(", ")}.`);
    this.show();
  }

  nearest(within = 9) {
    const far = this.points.map(([x, y]) => Math.hypot(x - this.cursor[0], y - this.cursor[1]));
    const best = far.indexOf(Math.min(...far));
    return best >= 0 && far[best] <= within ? best : -1;
  }

  press() {
    if (this.points.length >= this.data.most) return this.say(`More than ${this.data.most} points are not taken.`);
    this.keep();
    this.points.push([...this.cursor, this.label]);
    this.say(`Point at ${this.cursor.join(", ")}, class ${this.label}.`);
    this.changed(true);
  }

  remove() {
    const at = this.nearest();
    if (at < 0) return this.say("There is no point.");
    this.keep();
    this.points.splice(at, 1);
    this.say("Point taken away.");
    this.changed(true);
  }

  show() {
    const size = (this.canvas.width = this.canvas.height = 280);
    const { faint, mark } = this.paper();
    const { context } = this;
    const place = (/** @type {number[]} */ [x, y]) => /** @type {Place} */ ([((x + 1) / 2) * size, ((1 - y) / 2) * size]);
    context.strokeStyle = faint;
    for (const k of [0, 70, 140, 210, 280]) {
      context.strokeRect(k, 0, 0, size);
      context.strokeRect(0, k, size, 0);
    }
    for (const point of this.points) {
      context.fillStyle = COLOURS[point[2]];
      context.beginPath();
      context.arc(...place(point), 6, 0, 7);
      context.fill();
    }
    if (document.activeElement === this.canvas) {
      const [x, y] = place(this.cursor);
      Object.assign(context, { strokeStyle: mark, lineWidth: 2 });
      context.strokeRect(x - 12, y, 24, 0);
      context.strokeRect(x, y - 12, 0, 24);
    }
    this.count.textContent = this.points.length === 1 ? "1 point" : `${this.points.length} points`;
  }
}

class Matrix extends Pad {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    super(root, data);
    /** @type {HTMLElement} */
    this.grid = element("div", { className: "pad-grid" });
    /** @type {HTMLSelectElement[]} */
    this.sizes = [];
    /** @type {string[][]} */
    this.rows = [];
    this.begin();
  }

  /** @param {HTMLElement} body */
  build(body) {
    const { lo, hi } = this.data;
    this.sizes = ["Rows", "Columns"].map((name) => {
      const sides = Array.from({ length: hi - lo + 1 }, (_, i) => element("option", { textContent: lo + i }));
      return element("select", { ariaLabel: name, onchange: () => this.resize() }, ...sides);
    });
    body.append(this.grid, element("div", { className: "pad-tools" }, this.sizes[0], "×", this.sizes[1], button("Undo", () => this.undo())));
  }

  /** @param {string} text */
  read(text) {
    this.rows = text.split(";").map((row) => row.split(","));
  }

  write() {
    return this.rows.map((row) => row.join(",")).join(";");
  }

  resize() {
    this.keep();
    const [rows, columns] = this.sizes.map((one) => Number(one.value));
    this.rows = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => this.rows[i]?.[j] ?? "0"));
    this.changed();
  }

  show() {
    const columns = this.rows[0].length;
    [this.rows.length, columns].forEach((n, k) => (this.sizes[k].value = String(n)));
    this.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(2.6rem, 4rem))`;
    this.grid.replaceChildren(...this.rows.flatMap((row, i) => row.map((entry, j) => {
      const label = `Row ${i + 1}, column ${j + 1}`;
      const input = element("input", { type: "number", step: "any", value: entry, ariaLabel: label });
      input.onchange = () => {
        if (input.value === "" || !Number.isFinite(input.valueAsNumber)) {
          input.value = this.rows[i][j];
          return this.say(`${label}: type a number.`);
        }
        this.keep();
        this.rows[i][j] = String(Math.min(99, Math.max(-99, input.valueAsNumber)));
        input.value = this.rows[i][j];
        this.say("");
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.root.isConnected && this.send(this.write()), PAUSE);
      };
      return input;
    })));
  }
}
