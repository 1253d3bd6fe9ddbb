// From a film and a painter to what Plotly is given: whole at first, then only what differs.

import { put } from "./film.js";
import { recolour } from "./painter.js";

/** @typedef {import("./film.js").Film} Film */
/** @typedef {import("./film.js").Frame} Frame */
/** @typedef {import("./painter.js").Painter} Painter */

const LATER = "later"; // how kit/still.py marks a trace that shows what comes out
const ON_HOVER = ["hovertext", "customdata"]; // trace attributes that nobody sees while the film plays
const AS_LOG = { type: "log", dtick: 1, exponentformat: "power" }; // an axis that is compared with one in powers of ten

const LARGE = 1.5; // times the size of letters, for a lecture hall

/**
 * Larger letters in a layout, and the room that they need.
 * @param {any} part
 */
function enlarge(part) {
  if (part === null || typeof part !== "object") return;
  for (const [key, value] of Object.entries(part)) {
    if (key === "margin") for (const side of ["l", "t", "b"]) value[side] *= LARGE;
    else if (/font$/i.test(key) && value?.size) value.size *= LARGE;
    enlarge(value);
  }
}

export class Figure {
  /**
   * @param {Film} film
   * @param {Painter} painter
   */
  constructor(film, painter) {
    this.film = film;
    this.painter = painter;
    this.theme = "";
    /** @type {WeakMap<Frame, {data: any, layout: any}>} */
    this.shown = new WeakMap();
    /** @type {Set<string>} x axes of details that are closed */
    this.folded = new Set();
    this.coloured = film.base;
  }

  /** After a message or a change of theme: colour what is new. @param {boolean} isOpen whether details are shown */
  refresh(isOpen) {
    if (this.theme !== this.painter.theme) this.shown = new WeakMap();
    this.theme = this.painter.theme;
    this.coloured = recolour(this.film.base, this.painter.scheme);
    this.open(isOpen);
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    const details = isOpen ? [] : (this.film.base.panels ?? []).filter((panel) => panel.detail);
    this.folded = new Set(details.map((panel) => `x${panel.suffix}`));
  }

  /** A frame's differences in the colours of the theme. @param {Frame} frame */
  of(frame) {
    let made = this.shown.get(frame);
    if (!made) {
      made = { data: recolour(frame.data, this.painter.scheme), layout: recolour(frame.layout, this.painter.scheme) };
      this.shown.set(frame, made);
    }
    return made;
  }

  /**
   * The whole figure of a frame, in one of its layouts.
   * @param {Frame} frame
   * @param {"" | "opened" | "narrow" | "narrow_opened"} arrangement
   * @param {{ranges?: [string, number, number, boolean][], mark?: string}} head
   * @param {boolean} isVeiled whether what comes out is not shown yet
   */
  whole(frame, arrangement, head, isVeiled) {
    const { data: changed, layout: moved } = this.of(frame);
    // A copy: Plotly writes what is restyled into the very objects it was given, and the base must stay the base.
    const { data, layout } = structuredClone({
      data: this.coloured.data.map((trace, n) => ({ ...trace, ...changed[n] })),
      layout: { ...this.coloured.layout, ...moved },
    });
    layout.images = this.images(frame);
    layout.font = { ...layout.font, family: this.painter.font };
    for (const [axis, low, high, log] of head.ranges ?? []) {
      if (this.film.varying.layout.has(axis)) continue;
      const small = { tickfont: { ...layout[axis].tickfont, size: 11 } }; // Plotly writes powers a quarter larger
      Object.assign(layout[axis], { range: [low, high], autorange: false }, log && layout[axis].type !== "log" ? { ...AS_LOG, ...small } : {});
    }
    if (head.mark) layout.shapes.push(recolour(JSON.parse(head.mark), this.painter.scheme));
    for (const [path, value] of Object.entries(this.coloured[arrangement] ?? {})) put(layout, path.split("."), value);
    if (document.body.dataset.present === "true") enlarge(layout);
    this.hide({ data, layout });
    if (isVeiled) for (const trace of data) if (trace.meta === LATER) trace.visible = false;
    return { data, layout };
  }

  /** The traces that show what comes out, but for those of details that are closed. @returns {number[]} */
  later() {
    const { data } = this.coloured;
    return [...data.keys()].filter((n) => data[n].meta === LATER && !this.folded.has(data[n].xaxis));
  }

  /** What of the layout changes with this frame. @param {Frame} frame */
  layoutOf(frame) {
    const { layout: moved } = this.of(frame);
    /** @type {Record<string, any>} */
    const layout = {};
    for (const key of this.film.varying.layout) layout[key] = moved[key] ?? this.coloured.layout[key];
    if (document.body.dataset.present === "true") {
      for (const key of Object.keys(layout)) layout[key] = structuredClone(layout[key]); // the film's own stays as it is
      enlarge(layout);
    }
    this.hide({ layout });
    if (layout.images) layout.images = this.images(frame);
    else this.sources(frame).forEach((source, i) => (layout[`images[${this.film.base.fields[i].image}].source`] = source));
    return layout;
  }

  /**
   * What of the traces changes with this frame: [trace, attributes] each.
   * @param {Frame} frame
   * @param {boolean} playing
   * @returns {[number, Record<string, any>][]}
   */
  tracesOf(frame, playing) {
    const { data: changed } = this.of(frame);
    return Object.entries(this.film.varying.data).map(([n, keys]) => {
      const seen = [...keys].filter((key) => !(playing && ON_HOVER.includes(key)));
      return [Number(n), Object.fromEntries(seen.map((key) => [key, [changed[n]?.[key] ?? this.coloured.data[Number(n)][key]]]))];
    });
  }

  /** @param {Frame} frame */
  sources(frame) {
    return this.painter.sources(this.film.base.fields, frame.pixels);
  }

  /** @param {Frame} frame */
  images(frame) {
    const images = (this.of(frame).layout.images ?? this.coloured.layout.images).map((/** @type {any} */ image) => ({ ...image }));
    this.sources(frame).forEach((source, i) => (images[this.film.base.fields[i].image].source = source));
    for (const image of images) if (this.folded.has(image.xref)) image.visible = false;
    return images;
  }

  /** Take out of sight what belongs to details, while those are closed. @param {{data?: any[], layout: any}} figure */
  hide({ data = [], layout }) {
    if (!this.folded.size) return;
    for (const trace of data) if (this.folded.has(trace.xaxis)) trace.visible = false;
    const isFolded = (/** @type {any} */ one) => this.folded.has(one.xref?.split(" ")[0]);
    for (const kind of ["shapes", "annotations"])
      if (layout[kind]) layout[kind] = layout[kind].map((/** @type {any} */ one) => (isFolded(one) ? { ...one, visible: false } : one));
  }

  /**
   * Where the film is in a panel that shows a run along its x axis: that cursor's place on the axis.
   * @param {Frame} frame
   * @param {string} suffix
   * @returns {number | null}
   */
  cursor(frame, suffix) {
    const shapes = this.of(frame).layout.shapes ?? this.coloured.layout.shapes;
    const found = shapes.find((/** @type {any} */ one) => one.xref === `x${suffix}` && one.yref === `y${suffix} domain` && one.x0 === one.x1);
    return found ? found.x0 : null;
  }
}
