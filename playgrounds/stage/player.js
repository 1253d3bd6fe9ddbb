// Plays a film (playgrounds/kit/film.py): the figure, its note and its metrics, step by step, without asking the server.
// Used as a Streamlit component and, unchanged, in the HTML file that readers download.

const PALETTE = __PALETTE__; // playgrounds/kit/palette.py
const PHONE = 600; // px: narrower figures put their panels below each other
const SECONDS = 6; // a film lasts about this long at normal speed
const PATIENCE = 5000; // ms to wait for more frames before asking again
const AS_LOG = { type: "log", dtick: 1, exponentformat: "power" }; // an axis that is compared with one in powers of ten
const ON_HOVER = ["hovertext", "customdata"]; // trace attributes that nobody sees while the film plays

export default function (component) {
  const root = component.parentElement.querySelector(".player");
  root.player ??= new Player(root);
  const player = root.player;
  player.report = (state) => component.setStateValue("report", state);
  const received = unpack(component.data);
  player.last = Promise.resolve(player.last).then(async () => player.receive(await received)); // in the order sent
}

/** Take a message apart: {...head, pixels}; see film.py for its form. */
async function unpack(zipped) {
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { ...head, pixels: new Int8Array(bytes.buffer, bytes.byteOffset + 4 + length, bytes.byteLength - 4 - length) };
}

let loading = null;
/** plotly.js from our own server, once per page; it travels compressed, which Streamlit does not do for us. */
function plotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  loading ??= fetch(url)
    .then((response) => new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text())
    .then((code) => {
      const script = document.createElement("script");
      script.text = code;
      document.head.append(script);
      return window.Plotly;
    })
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}

class Player {
  constructor(root) {
    const find = (name) => root.querySelector(`.player-${name}`);
    Object.assign(this, {
      root, plot: find("plot"), note: find("note"), scrub: find("scrub"), count: find("count"), button: find("play"),
      metrics: find("metrics"), table: find("table"), chips: find("chips"), stream: find("stream"), progress: root.querySelector("progress"),
      stop: find("stop"), speed: find("speed"), back: find("back"), on: find("on"),
    });
    this.run = null;
    this.playing = false;
    this.canvas = document.createElement("canvas");
    this.button.onclick = () => (this.playing ? this.pause() : this.play());
    this.back.onclick = () => this.go(this.now - 1);
    this.on.onclick = () => this.go(this.now + 1);
    this.scrub.oninput = () => this.go(Number(this.scrub.value), false);
    this.scrub.onchange = () => this.settle();
    this.stop.onclick = () => {
      this.stopped = !this.stopped;
      this.showProgress();
      this.tell();
    };
    root.onkeydown = (event) => this.key(event);
    new ResizeObserver(() => this.resize()).observe(this.plot);
    const back = () => (this.root.isConnected ? this.ask() : document.removeEventListener("visibilitychange", back));
    document.addEventListener("visibilitychange", back);
  }

  /** A message has come: of a new run, more of the same run, or the one we have, after a change of theme. */
  receive(message) {
    const fresh = message.run !== this.run;
    const [order, to] = message.order ?? [];
    if (fresh) {
      Object.assign(this, { run: message.run, frames: [], done: false, stopped: false, following: true, now: 0 });
      this.wanted = message.start; // the step that the link asks for, until it is computed
      this.pause(false);
    }
    clearTimeout(this.waiting);
    this.asked = -1;
    if (!fresh && message.from === 0 && this.told) this.settle(); // a server that was started again knows no step of ours
    if (message.from > this.frames.length) return this.ask(); // the server believes that we have more than we have
    const before = [this.frames.length, this.done, this.theme, this.ranges];
    const size = message.base.fields.reduce((sum, field) => sum + field.rows * field.columns, 0);
    message.frames.forEach((frame, i) => {
      if (message.from + i < this.frames.length) return;
      frame.pixels = message.pixels.subarray(i * size, (i + 1) * size);
      this.frames.push(frame);
    });
    Object.assign(this, { head: message, base: message.base, done: message.done, ranges: JSON.stringify([message.ranges, message.mark]) });
    this.root.dataset.role = message.role ?? "";
    if (!this.frames.length) return this.ask();
    const told = order && order !== this.obeyed;
    if (told) {
      Object.assign(this, { obeyed: order, wanted: to, following: false });
      if (to == null) Object.assign(this, { autoplay: true, now: 0 });
    }
    this.paintTheme();
    this.names = [...new Set([this.frames.at(-1), ...this.frames].flatMap((frame) => Object.keys(frame.metrics)))];
    const last = this.frames.length - 1;
    if (this.following) this.now = last;
    if (this.wanted != null && (this.done || this.frames[last].step >= this.wanted)) {
      const far = (frame) => Math.abs(frame.step - this.wanted);
      this.now = this.frames.reduce((best, frame, i) => (far(frame) < far(this.frames[best]) ? i : best), 0);
      this.following = false;
      this.wanted = null;
    }
    this.scrub.max = last;
    this.plot.setAttribute("aria-label", message.alt);
    this.showProgress();
    this.ask();
    const same = before.every((was, i) => was === [this.frames.length, this.done, this.theme, this.ranges][i]);
    if (!fresh && !told && same) return;
    plotly(message.plotly)
      .then(() => this.mount())
      .catch(() => (this.note.textContent = "The drawing library could not be loaded. Check the connection and reload the page."));
  }

  /** Colours of the theme in use, put in for the stand-ins of the palette. */
  paintTheme() {
    const style = getComputedStyle(this.root);
    const paper = style.getPropertyValue("--st-background-color").trim();
    this.theme = brightness(paper) < 0.5 ? "dark" : "light";
    const colours = PALETTE.themes[this.theme];
    const scheme = { ...colours, [PALETTE.stand_ins.paper]: paper || colours[PALETTE.stand_ins.paper] };
    for (const [name, stand_in] of Object.entries(PALETTE.stand_ins)) this.root.style.setProperty(`--player-${name}`, scheme[stand_in]);
    PALETTE.series.forEach((colour, i) => this.root.style.setProperty(`--player-series-${i}`, colour));
    this.scales = Object.fromEntries(Object.entries(PALETTE.scales[this.theme]).map(([name, stops]) => [name, scale(name, stops)]));
    this.scheme = scheme;
    this.coloured = recolour(this.base, scheme);
    this.frames.forEach((frame) => {
      if (frame.theme === this.theme) return;
      frame.shown = { data: recolour(frame.data, scheme), layout: recolour(frame.layout, scheme) };
      frame.theme = this.theme;
    });
    this.varying = { data: {}, layout: new Set() };
    for (const frame of this.frames) {
      for (const [n, change] of Object.entries(frame.data)) for (const key in change) (this.varying.data[n] ??= new Set()).add(key);
      for (const key in frame.layout) this.varying.layout.add(key);
    }
  }

  mount() {
    this.isNarrow = this.plot.clientWidth < PHONE;
    const frame = this.frames[this.now];
    // A copy: Plotly writes what is restyled into the very objects it was given, and the base must stay the base.
    const { data, layout } = structuredClone({
      data: this.coloured.data.map((trace, n) => ({ ...trace, ...frame.shown.data[n] })),
      layout: { ...this.coloured.layout, ...frame.shown.layout },
    });
    layout.images = this.images(frame);
    for (const [axis, low, high, log] of this.head.ranges ?? []) {
      if (this.varying.layout.has(axis)) continue;
      const small = { tickfont: { ...layout[axis].tickfont, size: 11 } }; // Plotly writes powers a quarter larger
      Object.assign(layout[axis], { range: [low, high], autorange: false }, log && layout[axis].type !== "log" ? { ...AS_LOG, ...small } : {});
    }
    if (this.head.mark) layout.shapes.push(recolour(JSON.parse(this.head.mark), this.scheme));
    if (this.isNarrow) for (const [path, value] of Object.entries(this.coloured.narrow)) put(layout, path.split("."), value);
    const draw = Plotly.react(this.plot, data, layout, { displayModeBar: false, responsive: false, doubleClick: false });
    this.showTexts(frame);
    Promise.resolve(draw).then(async () => {
      if (this.frames[this.now] !== frame) await this.show(); // the reader has moved on meanwhile
      else this.showPartner(frame);
      if (this.head.role === "follow") this.partner()?.show();
      if (this.head.pick) this.offer();
      if (this.autoplay) {
        this.autoplay = false;
        this.play();
      }
      this.root.dataset.run = this.run; // says to tests and to the benchmark that this run is on the screen
      this.root.dataset.drawn = String(this.frames.length);
      this.root.dataset.done = String(this.done);
    });
  }

  resize() {
    if (!this.plot.data || !this.plot.clientWidth) return;
    if (this.plot.clientWidth < PHONE !== this.isNarrow) this.mount();
    else if (this.plot.clientWidth !== this.width) Plotly.Plots.resize(this.plot);
    this.width = this.plot.clientWidth;
  }

  /** Show frame `this.now`: the figure in one update, then the texts. Resolves when Plotly has drawn it. */
  show() {
    const frame = this.frames[this.now];
    const drawn = [];
    if (this.plot.data) {
      const layout = {};
      for (const key of this.varying.layout) layout[key] = frame.shown.layout[key] ?? this.coloured.layout[key];
      if (layout.images) layout.images = this.images(frame);
      else this.sources(frame).forEach((source, i) => (layout[`images[${this.base.fields[i].image}].source`] = source));
      if (Object.keys(layout).length) drawn.push(Plotly.relayout(this.plot, layout));
      for (const [n, keys] of Object.entries(this.varying.data)) {
        const change = {};
        for (const key of keys) {
          if (this.playing && ON_HOVER.includes(key)) continue;
          change[key] = [frame.shown.data[n]?.[key] ?? this.coloured.data[n][key]];
        }
        if (Object.keys(change).length) drawn.push(Plotly.restyle(this.plot, change, [Number(n)]));
      }
    }
    this.showTexts(frame);
    this.showPartner(frame);
    return Promise.all(drawn);
  }

  /** Let the other of two compared players show the same step, and the table both. */
  showPartner(frame) {
    if (this.head.role !== "lead") return;
    const partner = this.partner();
    partner?.follow(frame.step, this.now === this.frames.length - 1);
    this.showTable(frame, partner);
  }

  /** The player on this page that shows the other of two runs that are compared. */
  partner() {
    if (!this.head.role) return null;
    const others = [...document.querySelectorAll(".player")].map((root) => root.player);
    return others.find((other) => other?.frames?.length && other.head.role && other.head.role !== this.head.role);
  }

  /** Show what this run was like at that step of the other; at its end, its own end. */
  follow(step, end) {
    const past = this.frames.findIndex((frame) => frame.step > step);
    this.now = end || past < 0 ? this.frames.length - 1 : Math.max(0, past - 1);
    this.following = this.now === this.frames.length - 1;
    if (this.plot.data) this.show();
  }

  /** The numbers of both runs beside each other. */
  showTable(frame, partner) {
    const other = partner?.frames[partner.now];
    const row = (tag, ...texts) => element("tr", {}, ...texts.map((text, i) => element(i ? tag : "th", { scope: i ? "" : "row" }, text)));
    const value = (of, name) => (of && name in of.metrics ? readable(of.metrics[name]) : "–");
    const rows = this.names.map((name) => row("td", name.replaceAll("_", " "), value(frame, name), value(other, name)));
    this.table.replaceChildren(row("th", "", `this run, step ${frame.step}`, other ? `pinned run, step ${other.step}` : "pinned run"), ...rows);
  }

  /** Points that carry a value can be clicked: the page is told which. */
  offer() {
    this.plot.removeAllListeners("plotly_click");
    this.plot.on("plotly_click", ({ points: [point] }) => {
      if (point.customdata == null) return;
      this.picked = point.customdata;
      this.tell();
    });
  }

  showTexts(frame) {
    const step = frame.step;
    this.note.setAttribute("aria-live", this.playing ? "off" : "polite");
    this.note.textContent = frame.note;
    this.count.textContent = `${step} / ${this.frames.at(-1).step}`;
    this.scrub.value = this.now;
    this.scrub.setAttribute("aria-valuetext", `step ${step}`);
    this.root.dataset.step = step;
    this.back.disabled = this.now === 0;
    this.on.disabled = this.now === this.frames.length - 1;
    if (this.metrics.childElementCount !== this.names.length)
      this.metrics.replaceChildren(...this.names.map(() => element("div", {}, element("dt"), element("dd"))));
    this.names.forEach((name, i) => {
      const [term, number] = this.metrics.children[i].children;
      term.textContent = name.replaceAll("_", " ");
      number.textContent = name in frame.metrics ? readable(frame.metrics[name]) : "–";
    });
    this.showChips(frame);
  }

  showChips(frame) {
    this.base.chips.forEach((row, n) => {
      row = frame.chips[n] ?? row;
      const old = this.chips.children[n];
      if (old?.row === row) return;
      const boxes = row.texts.map((text, i) => {
        if (text === "") return element("li", { className: "gap", ariaHidden: "true" });
        const box = element("li", {}, text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥"));
        if (row.colours?.[i] != null) {
          const series = `var(--player-series-${row.colours[i] % PALETTE.series.length})`;
          box.style.background = `color-mix(in srgb, ${series} 26%, transparent)`;
        }
        if (row.marks.includes(i)) box.classList.add("marked");
        if (row.subs) box.append(element("small", {}, row.subs[i]));
        return box;
      });
      const made = element("div", { className: "player-row" }, element("p", {}, row.title), element("ul", {}, ...boxes));
      made.row = row;
      old ? old.replaceWith(made) : this.chips.append(made);
    });
    while (this.chips.childElementCount > this.base.chips.length) this.chips.lastElementChild.remove();
  }

  /** The pictures of a frame as image sources, in the order of the base's fields. */
  sources(frame) {
    let at = 0;
    return this.base.fields.map((field) => {
      const { rows, columns, smooth } = field;
      const z = frame.pixels.subarray(at, (at += rows * columns));
      const zoom = smooth ? 1 : Math.ceil(160 / Math.max(rows, columns));
      const image = new ImageData(columns * zoom, rows * zoom);
      const pixels = new Uint32Array(image.data.buffer);
      const colours = this.scales[field.scale];
      for (let row = 0; row < rows * zoom; row++)
        for (let column = 0; column < columns * zoom; column++)
          pixels[(rows * zoom - 1 - row) * columns * zoom + column] = colours[z[((row / zoom) | 0) * columns + ((column / zoom) | 0)] + 128];
      this.canvas.width = image.width;
      this.canvas.height = image.height;
      this.canvas.getContext("2d").putImageData(image, 0, 0);
      return this.canvas.toDataURL();
    });
  }

  images(frame) {
    const images = (frame.shown.layout.images ?? this.coloured.layout.images).map((image) => ({ ...image }));
    this.sources(frame).forEach((source, i) => (images[this.base.fields[i].image].source = source));
    return images;
  }

  play() {
    if (!this.frames?.length) return;
    if (this.now === this.frames.length - 1) this.now = 0;
    this.following = false;
    this.playing = true;
    this.dressButton();
    let last = performance.now();
    let due = 0;
    const tick = (time) => {
      if (!this.playing || !this.root.isConnected) return;
      const rate = Math.min(60, Math.min(30, Math.max(1, this.frames.length / SECONDS)) * Number(this.speed.value));
      due += ((time - last) / 1000) * rate;
      last = time;
      if (due >= 1 || rate >= 60) {
        this.now = Math.min(this.frames.length - 1, this.now + Math.max(1, Math.min(5, Math.floor(due))));
        due = due >= 1 ? due % 1 : 0;
        if (this.now === this.frames.length - 1 && (this.done || this.stopped)) {
          if (this.done) this.ended = this.obeyed;
          return this.pause();
        }
        this.show();
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause(settle = true) {
    const was = this.playing;
    this.playing = false;
    this.dressButton();
    if (was && settle) {
      this.show();
      this.settle();
    }
  }

  dressButton() {
    this.button.classList.toggle("playing", this.playing);
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  go(n, settle = true) {
    if (!this.frames?.length) return;
    this.playing = false;
    this.wanted = null;
    this.dressButton();
    this.now = Math.max(0, Math.min(this.frames.length - 1, n));
    this.following = this.now === this.frames.length - 1;
    if (this.following && this.done) this.ended = this.obeyed;
    this.show();
    if (settle) this.settle();
  }

  key(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    if (key === " " && target.tagName !== "BUTTON") this.button.click();
    else if (key === "ArrowLeft") this.go(this.now - 1);
    else if (key === "ArrowRight") this.go(this.now + 1);
    else if (key === "Home") this.go(0);
    else if (key === "End") this.go(this.frames.length - 1);
    else return;
    event.preventDefault();
  }

  /** The reader has come to rest at a step: let the link say so. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.tell(), 250);
  }

  /** Report to the server, not before the rerun that is going on has ended: the page would send widgets' old values along. */
  tell() {
    clearTimeout(this.telling);
    const running = document.querySelector(".stApp")?.dataset.testScriptState === "running";
    if (running) this.telling = setTimeout(() => this.root.isConnected && this.tell(), 30);
    else this.tellNow();
  }

  tellNow() {
    const end = this.now >= this.frames.length - 1;
    const step = this.wanted ?? (end ? null : this.frames[this.now].step);
    this.told = (this.told ?? 0) + 1; // a report like the last one would not be sent
    const { run, stopped, told, ended = null, picked = null } = this;
    this.report({ run, have: this.frames.length, step, stopped, told, ended, picked });
  }

  /** Ask for the frames that are still to be computed, one message at a time, only while somebody looks. */
  ask() {
    if (this.done || this.stopped || document.hidden || this.asked === this.frames.length) return;
    this.asked = this.frames.length;
    this.tell();
    this.waiting = setTimeout(() => this.root.isConnected && this.askAgain(), PATIENCE); // the question may get lost
  }

  askAgain() {
    this.asked = -1;
    this.ask();
  }

  showProgress() {
    const { length, states } = this.head;
    this.stream.hidden = this.done;
    if (length) Object.assign(this.progress, { max: length, value: states });
    else this.progress.removeAttribute("value");
    this.stop.textContent = this.stopped ? "Continue" : "Stop";
  }
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function readable(value) {
  if (value === null) return "not finite";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return value.toLocaleString("en");
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Set what stands at a path: put(layout, ["xaxis", "domain"], [0, 1]). */
function put(into, [key, ...rest], value) {
  if (rest.length) put((into[key] ??= {}), rest, value);
  else into[key] = value;
}

/** A copy of a figure's part with the stand-in colours replaced. */
function recolour(part, scheme) {
  if (typeof part === "string") return scheme[part] ?? part;
  if (Array.isArray(part)) return part.length && part.every((one) => typeof one === "number") ? part : part.map((one) => recolour(one, scheme));
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, recolour(value, scheme)]));
}

/** 256 colours, as the bytes of a canvas, for the values -128 to 127 of a field. */
function scale(name, stops) {
  const colours = stops.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  const mix = (from, to, share) => {
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(colours[from][c] + share * (colours[to][c] - colours[from][c])));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  };
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const value = Math.max(-127, i - 128);
    if (name === "classes") {
      const level = Math.min(Math.max(0, value), PALETTE.shades * (stops.length - 1) - 1);
      return mix(0, 1 + Math.floor(level / PALETTE.shades), (level % PALETTE.shades) / (PALETTE.shades - 1));
    }
    const at = (name === "diverging" ? (value / 127 + 1) / 2 : Math.max(0, value / 127)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    return mix(low, low + 1, at - low);
  });
}

function brightness(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = colour || (matchMedia("(prefers-color-scheme: dark)").matches ? "#000" : "#fff");
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
