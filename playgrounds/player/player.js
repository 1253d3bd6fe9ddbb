// Plays a film: the figure, its note and its numbers, step by step, without asking the server.

import { Clock } from "./clock.js";
import { Figure } from "./figure.js";
import { Film, unpack } from "./film.js";
import { readable } from "./numbers.js";
import { PALETTE, Painter } from "./painter.js";
import { Tour } from "./tour.js";

/**
 * @typedef {import("./film.js").Message} Message
 * @typedef {import("./film.js").Frame} Frame
 * @typedef {{run: string, have: number, step: number | null, stopped: boolean, told: number, ended: number | null,
 *            picked: number | null, plays: number, tour: [number, number] | null}} Report what the server is told; stage/player.py reads it
 */

const PHONE = 600; // px: narrower figures put their panels below each other
const MOST_WAITS = 100; // of 30 ms: on a busy server the bar of a room may keep a page running all the time
const PATIENCE = 5000; // ms to wait for more frames before asking again
const BELOW = 84; // px below the picture that the numbers and the heads of the tabs need
const CHIPS = 120; // px of chips for which the picture makes room
const LEAST = 340; // px of a picture on a wide screen
const MOST = 1.7; // times its own height: how far a picture grows on a large screen
const OPTIONS = { displayModeBar: false, responsive: false, doubleClick: false };

/** @type {Promise<any> | null} */
let loading = null;

/** plotly.js from our own server, once per page; it travels compressed, which Streamlit does not do for us. @param {string} url */
function plotly(url) {
  const page = /** @type {any} */ (window);
  if (page.Plotly) return Promise.resolve(page.Plotly);
  loading ??= fetch(url)
    .then((response) => new Response(/** @type {any} */ (response.body).pipeThrough(new DecompressionStream("gzip"))).text())
    .then((code) => {
      const script = document.createElement("script");
      script.text = code;
      document.head.append(script);
      return page.Plotly;
    })
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}

export class Player {
  /** @param {any} root the element that player.html makes */
  constructor(root) {
    const find = (/** @type {string} */ name) => root.querySelector(`.player-${name}`);
    this.root = root;
    root.player = this;
    this.plot = find("plot");
    this.note = find("note");
    this.scrub = find("scrub");
    this.count = find("count");
    this.button = find("play");
    this.back = find("back");
    this.on = find("on");
    this.speed = find("speed");
    this.details = find("details");
    this.chips = find("chips");
    this.numbers = find("metrics");
    this.table = find("table");
    this.stream = find("stream");
    this.progress = root.querySelector("progress");
    this.stop = find("stop");

    this.film = new Film();
    this.painter = new Painter();
    this.figure = new Figure(this.film, this.painter);
    this.clock = new Clock((frames) => this.advance(frames));
    this.tour = new Tour(this);
    this.now = 0;
    this.following = true; // whether the last frame is shown, whichever that is
    this.startsTour = false; // whether it plays on tour once it is mounted
    this.stopped = false; // whether the reader wants no more frames computed
    this.isOpen = false; // whether the details are
    this.isNarrow = false;
    this.isWatching = false; // whether it hears of every drawing of Plotly's
    this.isVeiled = false; // whether what is still to come is hidden: a run is played for the first time
    /** @type {Set<string>} runs that were seen to their end */
    this.seen = new Set();
    this.plays = 0; // how often the reader has set it going
    this.told = 0;
    this.waits = 0; // how often in a row it has waited for a rerun to end
    this.asked = -1;
    /** @type {number | null} */
    this.wanted = null; // a step that is to be shown once it is there
    /** @type {number | null} */
    this.obeyed = null; // number of the last order from the page
    /** @type {number | null} */
    this.ended = null; // number of the order whose film was seen to its end
    /** @type {number | null} */
    this.picked = null; // value of the point that was clicked
    /** @type {(report: Report) => void} */
    this.report = () => {};
    /** @type {string[]} */
    this.names = [];
    /** @type {string[]} */
    this.shownNames = [];
    /** @type {any} */
    this.head = {};

    this.button.onclick = () => (this.clock.playing ? this.pause() : this.play());
    this.back.onclick = () => this.go(this.now - 1);
    this.on.onclick = () => this.go(this.now + 1);
    this.scrub.oninput = () => this.go(Number(this.scrub.value), false);
    this.scrub.onchange = () => this.settle();
    this.details.onclick = () => this.fold();
    this.note.onclick = () => this.note.classList.toggle("open"); // its arithmetic may be longer than a line
    this.stop.onclick = () => {
      this.stopped = !this.stopped;
      this.showProgress();
      this.tell();
    };
    root.onkeydown = (/** @type {KeyboardEvent} */ event) => this.key(event);
    new ResizeObserver(() => this.resize()).observe(this.plot);
    const back = () => (this.root.isConnected ? this.ask() : document.removeEventListener("visibilitychange", back));
    document.addEventListener("visibilitychange", back);
  }

  // ------------------------------------------------------------------------------------------------ what comes

  /** In the order in which messages were sent. @param {Uint8Array<ArrayBuffer>} zipped */
  take(zipped) {
    const received = unpack(zipped);
    this.taken = Promise.resolve(this.taken).then(async () => this.receive(await received));
  }

  /** A message has come: of a new run, more of the same run, or the one we have, after a change of theme. @param {Message} message */
  receive(message) {
    const { film } = this;
    const fresh = message.run !== film.run;
    const before = [film.frames.length, film.done, this.painter.theme, this.compared];
    const [order, to, isTour] = message.order ?? [];
    if (fresh) {
      Object.assign(this, { stopped: false, following: true, now: 0, wanted: message.start });
      this.isVeiled = Boolean(message.hold) && !this.seen.has(message.run);
      this.pause(false);
    }
    clearTimeout(this.waiting);
    this.asked = -1;
    if (!fresh && message.from === 0 && this.told) this.settle(); // a server that was started again knows no step of ours
    if (!film.receive(message)) return this.ask(); // the server believes that we have more than we have
    this.head = message;
    this.compared = JSON.stringify([message.ranges, message.mark]);
    this.root.dataset.role = message.role ?? "";
    if (!film.frames.length) return this.ask();
    const told = order && order !== this.obeyed;
    if (told) {
      Object.assign(this, { obeyed: order, wanted: to, following: false });
      if (to == null) Object.assign(this, { autoplay: true, startsTour: isTour, now: 0, isVeiled: !this.seen.has(message.run) });
    }
    this.painter.look(this.root);
    this.figure.refresh(this.isOpen);
    this.names = film.metrics(message.metrics);
    const marked = this.names.filter((name) => message.metrics[name].shown);
    this.shownNames = (marked.length ? marked : this.names).slice(0, 3);
    if (this.following) this.now = film.last;
    if (this.wanted != null && (film.done || film.frames[film.last].step >= this.wanted)) {
      Object.assign(this, { now: film.nearest(this.wanted), following: false, wanted: null });
    }
    this.scrub.max = film.last;
    this.tour.take(message.tour ?? undefined, fresh);
    this.plot.setAttribute("aria-label", message.alt);
    this.dressDetails();
    this.showProgress();
    this.ask();
    const after = [film.frames.length, film.done, this.painter.theme, this.compared];
    if (!fresh && !told && before.every((was, i) => was === after[i])) return;
    plotly(message.plotly)
      .then(() => this.mount())
      .catch(() => (this.note.textContent = "The drawing library could not be loaded. Check the connection and reload the page."));
  }

  // ------------------------------------------------------------------------------------------------ what is seen

  get frame() {
    return this.film.frames[this.now];
  }

  /** Give Plotly the whole figure. */
  mount() {
    this.isNarrow = this.plot.clientWidth < PHONE;
    const { frame } = this;
    const arrangement = /** @type {any} */ (["", "opened", "narrow", "narrow_opened"][2 * Number(this.isNarrow) + Number(this.isOpen)]);
    const { data, layout } = this.figure.whole(frame, arrangement, this.head, this.isVeiled);
    this.showTexts(frame);
    if (!this.isNarrow && !this.isOpen) layout.height = this.heightFor(layout.height);
    const drawn = /** @type {any} */ (window).Plotly.react(this.plot, data, layout, OPTIONS);
    Promise.resolve(drawn).then(async () => {
      if (!this.isWatching) this.plot.on("plotly_afterplot", () => this.veil()); // also after Plotly has drawn by itself
      this.isWatching = true;
      this.veil();
      this.tour.place();
      if (this.frame !== frame) await this.show(); // the reader has moved on meanwhile
      else this.showPartner(frame);
      if (this.head.role === "follow") this.partner()?.show();
      if (this.head.pick) this.offer();
      if (this.autoplay) {
        this.autoplay = false;
        if (this.startsTour) this.tour.start();
        else this.play();
      }
      this.root.dataset.run = this.film.run; // says to tests and to the benchmark that this run is on the screen
      this.root.dataset.drawn = String(this.film.frames.length);
      this.root.dataset.done = String(this.film.done);
    });
  }

  resize() {
    if (!this.plot.data || !this.plot.clientWidth) return;
    if (this.plot.clientWidth < PHONE !== this.isNarrow) this.mount();
    else if (this.plot.clientWidth !== this.width) /** @type {any} */ (window).Plotly.Plots.resize(this.plot);
    this.width = this.plot.clientWidth;
  }

  /** Show the frame that is due: the figure in one update, then the texts. Resolves when Plotly has drawn it. */
  show() {
    const { frame } = this;
    const { Plotly } = /** @type {any} */ (window);
    const drawn = [];
    if (this.plot.data) {
      const layout = this.figure.layoutOf(frame);
      if (Object.keys(layout).length) drawn.push(Plotly.relayout(this.plot, layout));
      for (const [n, change] of this.figure.tracesOf(frame, this.clock.playing))
        if (Object.keys(change).length) drawn.push(Plotly.restyle(this.plot, change, [n]));
    }
    this.showTexts(frame);
    this.showPartner(frame);
    if (this.isVeiled || this.wasVeiled) this.veil();
    return Promise.all(drawn);
  }

  /** As high as the window leaves room for: the tabs below shall be seen. @param {number} height as drawn for a laptop */
  heightFor(height) {
    const top = this.plot.getBoundingClientRect().top + (document.querySelector(".stMain")?.scrollTop ?? 0);
    const room = window.innerHeight - top - BELOW - Math.min(this.chips.offsetHeight, CHIPS);
    return Math.round(Math.max(Math.min(height, LEAST), Math.min(room, height * MOST)));
  }

  /** Hide what lies right of the cursor in panels along the run's own time, while it is seen for the first time. */
  veil() {
    this.wasVeiled = this.isVeiled;
    const drawn = this.plot._fullLayout;
    for (const { runs, suffix } of this.film.base.panels ?? []) {
      const clip = runs && this.plot.querySelector(`clipPath[id$="x${suffix}y${suffix}plot"] rect`);
      const axis = drawn?.[`xaxis${suffix}`];
      const at = clip && axis ? this.figure.cursor(this.frame, suffix) : null;
      if (at === null) continue;
      const width = this.isVeiled ? Math.max(0, axis.d2p(at)) : axis._length;
      clip.setAttribute("width", String(width));
    }
  }

  /** The run was seen to its end: nothing of it need be hidden any more. */
  unveil() {
    this.seen.add(this.film.run);
    if (!this.isVeiled) return;
    this.isVeiled = false;
    const later = this.figure.later();
    if (later.length && this.plot.data) /** @type {any} */ (window).Plotly.restyle(this.plot, { visible: true }, later);
  }

  /** @param {Frame} frame */
  showTexts(frame) {
    const { step } = frame;
    this.note.setAttribute("aria-live", this.clock.playing ? "off" : "polite");
    this.note.textContent = frame.note;
    this.count.textContent = `${step} / ${this.film.frames[this.film.last].step}`;
    this.scrub.value = this.now;
    this.scrub.setAttribute("aria-valuetext", `step ${step}`);
    this.root.dataset.step = step;
    this.back.disabled = this.now === 0;
    this.on.disabled = this.now === this.film.last;
    this.showNumbers(frame);
    this.showChips(frame);
  }

  /** At most three numbers, by their names. @param {Frame} frame */
  showNumbers(frame) {
    const { shownNames: names } = this;
    if (this.numbers.childElementCount !== names.length)
      this.numbers.replaceChildren(...names.map(() => element("div", {}, element("dt"), element("dd"))));
    names.forEach((name, i) => {
      const [term, number] = this.numbers.children[i].children;
      term.textContent = this.head.metrics[name].label;
      number.textContent = this.value(frame, name);
    });
  }

  /**
   * @param {Frame | undefined} frame
   * @param {string} name
   */
  value(frame, name) {
    return frame && name in frame.metrics ? readable(frame.metrics[name], this.head.metrics[name]) : "–";
  }

  /** @param {Frame} frame */
  showChips(frame) {
    const rows = this.film.base.chips.map((row, n) => frame.chips[n] ?? row);
    rows.forEach((row, n) => {
      const old = this.chips.children[n];
      if (old?.row === row) return;
      const made = /** @type {any} */ (chipRow(row));
      made.row = row;
      old ? old.replaceWith(made) : this.chips.append(made);
    });
    while (this.chips.childElementCount > rows.length) this.chips.lastElementChild.remove();
  }

  /** Open or close the details of the picture. */
  fold() {
    this.isOpen = !this.isOpen;
    this.figure.open(this.isOpen);
    this.dressDetails();
    this.mount();
  }

  /** Open the details if this panel is one of them. @param {string} name */
  openFor(name) {
    const panel = (this.film.base.panels ?? []).find((one) => one.name === name);
    if (panel?.detail && !this.isOpen) this.fold();
  }

  dressDetails() {
    this.details.hidden = !(this.film.base.panels ?? []).some((panel) => panel.detail);
    this.details.setAttribute("aria-expanded", String(this.isOpen));
    this.details.textContent = this.isOpen ? "Fewer pictures" : "More pictures";
  }

  // ------------------------------------------------------------------------------------------------ two runs compared

  /** Let the other of two compared players show the same step, and the table both. @param {Frame} frame */
  showPartner(frame) {
    if (this.head.role !== "lead") return;
    const partner = this.partner();
    partner?.follow(frame.step, this.now === this.film.last);
    this.showTable(frame, partner);
  }

  /** The player on this page that shows the other of two runs that are compared. @returns {Player | null} */
  partner() {
    if (!this.head.role) return null;
    const others = [.../** @type {any} */ (document.querySelectorAll(".player"))].map((root) => root.player);
    return others.find((other) => other?.film.frames.length && other.head.role && other.head.role !== this.head.role) ?? null;
  }

  /**
   * Show what this run was like at that step of the other; at its end, its own end.
   * @param {number} step
   * @param {boolean} end
   */
  follow(step, end) {
    this.now = end ? this.film.last : this.film.upTo(step);
    this.following = this.now === this.film.last;
    if (this.plot.data) this.show();
  }

  /**
   * The numbers of both runs beside each other.
   * @param {Frame} frame
   * @param {Player | null} partner
   */
  showTable(frame, partner) {
    const other = partner?.frame;
    const row = (/** @type {string} */ tag, /** @type {string[]} */ ...texts) =>
      element("tr", {}, ...texts.map((text, i) => element(i ? tag : "th", { scope: i ? "" : "row" }, text)));
    const rows = this.names.map((name) => row("td", this.head.metrics[name].label, this.value(frame, name), this.value(other, name)));
    const heading = row("th", "", `this run, step ${frame.step}`, other ? `pinned run, step ${other.step}` : "pinned run");
    this.table.replaceChildren(heading, ...rows);
  }

  /** Points that carry a value can be clicked: the page is told which. */
  offer() {
    this.plot.removeAllListeners("plotly_click");
    this.plot.on("plotly_click", (/** @type {any} */ { points: [point] }) => {
      if (point.customdata == null) return;
      this.picked = point.customdata;
      this.tell();
    });
  }

  // ------------------------------------------------------------------------------------------------ what the reader does

  /** @param {boolean} onTour whether it shall pause at the next stop */
  play(onTour = false) {
    if (!this.film.frames.length) return;
    if (!onTour) this.tour.leave();
    if (this.now === this.film.last) this.now = 0;
    this.following = false;
    this.clock.start(() => this.film.frames.length, () => Number(this.speed.value));
    this.dressButton();
    this.plays += 1;
    if (this.head.watched) this.tell(); // a class whose screens follow this one plays, too
  }

  /** The clock has gone on: show the next frame. @param {number} frames @returns {boolean} whether the film goes on */
  advance(frames) {
    if (!this.root.isConnected) return false;
    this.now = Math.min(this.film.last, this.now + frames);
    const stop = this.tour.due;
    if (stop !== null && this.now >= stop) {
      this.rest(stop);
      this.tour.arrive();
      return false;
    }
    if (this.now === this.film.last && (this.film.done || this.stopped)) {
      if (this.film.done) {
        this.ended = this.obeyed;
        this.unveil();
      }
      this.pause();
      return false;
    }
    this.show();
    return true;
  }

  pause(settle = true) {
    const was = this.clock.playing;
    this.clock.stop();
    this.dressButton();
    if (was && settle) {
      this.show();
      this.settle();
    }
  }

  dressButton() {
    this.button.classList.toggle("playing", this.clock.playing);
    this.button.setAttribute("aria-label", this.clock.playing ? "Pause" : "Play");
  }

  /** Show a frame that the reader has asked for, which ends a tour. @param {number} n @param {boolean} settle */
  go(n, settle = true) {
    this.tour.leave();
    this.rest(n, settle);
  }

  /**
   * Show a frame, and stay there.
   * @param {number} n
   * @param {boolean} settle
   */
  rest(n, settle = true) {
    if (!this.film.frames.length) return;
    this.clock.stop();
    this.wanted = null;
    this.dressButton();
    this.now = Math.max(0, Math.min(this.film.last, n));
    this.following = this.now === this.film.last;
    if (this.following && this.film.done) {
      this.ended = this.obeyed;
      this.unveil();
    }
    this.show();
    if (settle) this.settle();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    if (event.key === " " && target.tagName !== "BUTTON") this.button.click();
    else if (event.key === "ArrowLeft") this.go(this.now - 1);
    else if (event.key === "ArrowRight") this.go(this.now + 1);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.film.last);
    else return;
    event.preventDefault();
  }

  // ------------------------------------------------------------------------------------------------ what the server is told

  /** The reader has come to rest at a step: let the link say so. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.tell(), 250);
  }

  /** Report to the server, not before the rerun that is going on has ended: the page would send widgets' old values along. */
  tell() {
    clearTimeout(this.telling);
    const app = /** @type {HTMLElement | null} */ (document.querySelector(".stApp"));
    const running = app?.dataset.testScriptState === "running";
    this.waits = running ? this.waits + 1 : 0;
    if (running && this.waits < MOST_WAITS) this.telling = setTimeout(() => this.root.isConnected && this.tell(), 30);
    else this.tellNow();
  }

  tellNow() {
    this.waits = 0;
    const end = this.now >= this.film.last;
    const step = this.wanted ?? (end ? null : this.frame.step);
    this.told += 1; // a report like the last one would not be sent
    const { stopped, told, ended, picked, plays } = this;
    const { asked: tour } = this.tour;
    this.report({ run: this.film.run, have: this.film.frames.length, step, stopped, told, ended, picked, plays, tour });
  }

  /** Ask for the frames that are still to be computed, one message at a time, only while somebody looks. */
  ask() {
    if (this.film.done || this.stopped || document.hidden || this.asked === this.film.frames.length) return;
    this.asked = this.film.frames.length;
    this.tell();
    this.waiting = setTimeout(() => this.root.isConnected && this.askAgain(), PATIENCE); // the question may get lost
  }

  askAgain() {
    this.asked = -1;
    this.ask();
  }

  showProgress() {
    const { length, states } = this.head;
    this.stream.hidden = this.film.done;
    this.stop.hidden = this.film.done;
    if (length) Object.assign(this.progress, { max: length, value: states });
    else this.progress.removeAttribute("value");
    this.stop.textContent = this.stopped ? "Continue" : "Stop";
  }
}

/**
 * A row of boxes with a text each.
 * @param {import("./film.js").Chips} row
 */
function chipRow(row) {
  const boxes = row.texts.map((text, i) => {
    if (text === "") return element("li", { className: "gap", ariaHidden: "true" });
    const box = element("li", {}, text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥"));
    const colour = row.colours?.[i];
    if (colour != null) {
      const series = `var(--player-series-${colour % PALETTE.series.length})`;
      box.style.background = `color-mix(in srgb, ${series} 26%, transparent)`;
    }
    if (row.marks.includes(i)) box.classList.add("marked");
    if (row.subs) box.append(element("small", {}, row.subs[i]));
    return box;
  });
  return element("div", { className: "player-row" }, element("p", { className: "player-row-title" }, row.title), element("ul", {}, ...boxes));
}

/**
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {(Node | string)[]} children
 */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
