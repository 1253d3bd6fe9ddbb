// Colours of the reader's theme, and fields painted from bytes.

/** @typedef {import("./film.js").Field} Field */

/** @type {any} */
export const PALETTE = __PALETTE__; // playgrounds/kit/palette.py

/** What a figure may hold: anything that JSON can. @typedef {any} Part */

/**
 * A copy of a figure's part with the palette's stand-ins replaced by the theme's colours.
 * @param {Part} part
 * @param {Record<string, string>} scheme
 * @returns {Part}
 */
export function recolour(part, scheme) {
  if (typeof part === "string") return part.includes("<") ? recolourText(part, scheme) : (scheme[part] ?? part);
  if (Array.isArray(part)) {
    const numbers = part.length > 0 && part.every((one) => typeof one === "number");
    return numbers ? part : part.map((one) => recolour(one, scheme));
  }
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, recolour(value, scheme)]));
}

/**
 * A text whose parts have colours of their own.
 * @param {string} text
 * @param {Record<string, string>} scheme
 */
function recolourText(text, scheme) {
  return Object.entries(scheme).reduce((made, [stand_in, colour]) => made.replaceAll(stand_in, colour), text);
}

/**
 * 256 colours, as the bytes of a canvas, for the values -128 to 127 of a field.
 * @param {string} name
 * @param {string[]} stops
 * @param {number} shades values per class on the scale of classes
 */
export function scale(name, stops, shades) {
  const colours = stops.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  const mix = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ share) => {
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(colours[from][c] + share * (colours[to][c] - colours[from][c])));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  };
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const value = Math.max(-127, i - 128);
    if (name === "classes") {
      const level = Math.min(Math.max(0, value), shades * (stops.length - 1) - 1);
      return mix(0, 1 + Math.floor(level / shades), (level % shades) / (shades - 1));
    }
    const at = (name === "diverging" ? (value / 127 + 1) / 2 : Math.max(0, value / 127)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    return mix(low, low + 1, at - low);
  });
}

/** Relative brightness of a CSS colour, 0 to 1; of the system's theme where there is none. @param {string} colour */
export function brightness(colour) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  context.fillStyle = colour || (matchMedia("(prefers-color-scheme: dark)").matches ? "#000" : "#fff");
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

export class Painter {
  constructor() {
    this.theme = "";
    this.font = "";
    /** @type {Record<string, string>} */
    this.scheme = {};
    /** @type {Record<string, Uint32Array>} */
    this.scales = {};
    this.canvas = document.createElement("canvas");
  }

  /** Take up the colours of the page that the player stands on. @param {HTMLElement} root */
  look(root) {
    this.font = getComputedStyle(root).fontFamily;
    const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
    this.theme = brightness(paper) < 0.5 ? "dark" : "light";
    const colours = PALETTE.themes[this.theme];
    const own = PALETTE.stand_ins.paper;
    this.scheme = { ...colours, [own]: paper || colours[own] };
    for (const [name, stand_in] of Object.entries(PALETTE.stand_ins))
      root.style.setProperty(`--player-${name}`, this.scheme[/** @type {string} */ (stand_in)]);
    PALETTE.series.forEach((/** @type {string} */ colour, /** @type {number} */ i) => root.style.setProperty(`--player-series-${i}`, colour));
    const scales = /** @type {[string, string[]][]} */ (Object.entries(PALETTE.scales[this.theme]));
    this.scales = Object.fromEntries(scales.map(([name, stops]) => [name, scale(name, stops, PALETTE.shades)]));
  }

  /**
   * The fields of a frame as image sources, in their order.
   * @param {Field[]} fields
   * @param {Int8Array} pixels
   */
  sources(fields, pixels) {
    let at = 0;
    return fields.map((field) => {
      const z = pixels.subarray(at, (at += field.rows * field.columns));
      return this.paint(field, z);
    });
  }

  /**
   * @param {Field} field
   * @param {Int8Array} z row by row from below
   */
  paint({ rows, columns, smooth, scale }, z) {
    const zoom = smooth ? 1 : Math.ceil(160 / Math.max(rows, columns)); // cells with sharp edges are painted large
    const image = new ImageData(columns * zoom, rows * zoom);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = this.scales[scale];
    for (let row = 0; row < rows * zoom; row++) {
      const line = (rows * zoom - 1 - row) * columns * zoom;
      const from = Math.floor(row / zoom) * columns;
      for (let column = 0; column < columns * zoom; column++)
        pixels[line + column] = colours[z[from + Math.floor(column / zoom)] + 128];
    }
    this.canvas.width = image.width;
    this.canvas.height = image.height;
    /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d")).putImageData(image, 0, 0);
    return this.canvas.toDataURL();
  }
}
