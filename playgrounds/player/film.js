// A film as the server sends it (playgrounds/kit/film.py): the first figure whole, of every later one what differs.

/**
 * @typedef {{image: number, scale: string, smooth: boolean, rows: number, columns: number}} Field
 * @typedef {{title: string, texts: string[], colours: (number | null)[] | null, subs: string[] | null, marks: number[]}} Chips
 * @typedef {{name: string, title: string, suffix: string, detail: boolean, hero: boolean, runs: boolean}} Panel
 * @typedef {{data: any[], layout: Record<string, any>, fields: Field[], chips: Chips[], panels?: Panel[]} & Record<string, any>} Base
 * @typedef {{data: Record<string, any>, layout: Record<string, any>, chips: Record<string, Chips>}} Difference
 * @typedef {Difference & {step: number, note: string, metrics: Record<string, number | null>, pixels: Int8Array}} Frame
 * @typedef {{label: string, unit: string, digits: number, shown: boolean}} Metric
 * @typedef {{run: string, from: number, frames: Frame[], base: Base, done: boolean, pixels: Int8Array,
 *            metrics: Record<string, Metric>, length: number | null, states: number} & Record<string, any>} Message
 */

/**
 * Take a message apart: four bytes with the length of the head, the head as JSON, the fields of all its frames.
 * @param {Uint8Array<ArrayBuffer>} zipped
 * @returns {Promise<Message>}
 */
export async function unpack(zipped) {
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return parse(await new Response(stream).arrayBuffer());
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {Message}
 */
export function parse(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { ...head, pixels: new Int8Array(buffer, 4 + length) };
}

export class Film {
  constructor() {
    this.run = "";
    /** @type {Frame[]} */
    this.frames = [];
    this.done = false;
    /** @type {Base} */
    this.base = { data: [], layout: {}, fields: [], chips: [] };
    /** What differs in any frame: attributes by trace, and keys of the layout. */
    this.varying = { data: /** @type {Record<string, Set<string>>} */ ({}), layout: /** @type {Set<string>} */ (new Set()) };
  }

  get last() {
    return this.frames.length - 1;
  }

  /**
   * Take up what a message brings; false if it goes on where we have not got to.
   * @param {Message} message
   */
  receive(message) {
    if (message.run !== this.run) Object.assign(this, { run: message.run, frames: [], done: false });
    if (message.from > this.frames.length) return false;
    const size = message.base.fields.reduce((sum, field) => sum + field.rows * field.columns, 0);
    message.frames.forEach((frame, i) => {
      if (message.from + i < this.frames.length) return;
      frame.pixels = message.pixels.subarray(i * size, (i + 1) * size);
      this.frames.push(frame);
    });
    this.base = message.base;
    this.done = message.done;
    this.varying = varying(this.frames);
    return true;
  }

  /** The number of the frame that is nearest to a step. @param {number} step */
  nearest(step) {
    const far = (/** @type {Frame} */ frame) => Math.abs(frame.step - step);
    return this.frames.reduce((best, frame, i) => (far(frame) < far(this.frames[best]) ? i : best), 0);
  }

  /** The last frame that is not beyond a step. @param {number} step */
  upTo(step) {
    const past = this.frames.findIndex((frame) => frame.step > step);
    return past < 0 ? this.last : Math.max(0, past - 1);
  }

  /** Names of the metrics that are known in any frame, in the order of their declaration. @param {Record<string, Metric>} declared */
  metrics(declared) {
    const known = new Set(this.frames.flatMap((frame) => Object.keys(frame.metrics)));
    return Object.keys(declared).filter((name) => known.has(name));
  }
}

/**
 * What differs from the base in any of the frames.
 * @param {Difference[]} frames
 */
export function varying(frames) {
  const found = { data: /** @type {Record<string, Set<string>>} */ ({}), layout: /** @type {Set<string>} */ (new Set()) };
  for (const frame of frames) {
    for (const [n, change] of Object.entries(frame.data)) for (const key in change) (found.data[n] ??= new Set()).add(key);
    for (const key in frame.layout) found.layout.add(key);
  }
  return found;
}

/**
 * Set what stands at a path: put(layout, ["xaxis", "domain"], [0, 1]).
 * @param {any} into
 * @param {string[]} path
 * @param {any} value
 */
export function put(into, [key, ...rest], value) {
  if (rest.length) put((into[key] ??= {}), rest, value);
  else into[key] = value;
}
