// A film in the browser: messages taken apart, frames in their order, what differs, which frame is meant.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Film, parse, put, unpack, varying } from "../../playgrounds/player/film.js";

const FIELDS = [
  { image: 0, scale: "diverging", smooth: true, rows: 1, columns: 2 },
  { image: 1, scale: "sequential", smooth: false, rows: 1, columns: 1 },
];

/** A frame of a run that says nothing but its step. */
function frame(step, more = {}) {
  return { step, note: `step ${step}`, metrics: {}, data: {}, layout: {}, chips: {}, ...more };
}

/** A message with frames from number `from` on; the fields of frame n hold n, n, n. */
function message(from, frames, more = {}) {
  const pixels = Int8Array.from(frames.flatMap((_, i) => [from + i, from + i, from + i]));
  const base = { data: [], layout: {}, fields: FIELDS, chips: [] };
  return { run: "a", from, frames, base, done: false, pixels, metrics: {}, length: null, states: frames.length, ...more };
}

/** A message as it travels: the length of the head, the head, the fields. */
function packed(head, pixels) {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(4 + text.length + pixels.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(Uint8Array.from(pixels), 4 + text.length);
  return bytes;
}

/** A film that has these steps. */
function film(...steps) {
  const made = new Film();
  made.receive(message(0, steps.map((step) => frame(step))));
  return made;
}

test("a message is its head and the fields behind it", () => {
  const taken = parse(packed({ run: "ä", from: 3 }, [1, 127, 129]).buffer);
  assert.equal(taken.run, "ä");
  assert.equal(taken.from, 3);
  assert.deepEqual([...taken.pixels], [1, 127, -127], "bytes are signed");
});

test("a message travels as gzip", async () => {
  const bytes = packed({ run: "zipped" }, [5]);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const taken = await unpack(new Uint8Array(await new Response(stream).arrayBuffer()));
  assert.equal(taken.run, "zipped");
  assert.deepEqual([...taken.pixels], [5]);
});

test("frames get the part of the fields that is theirs", () => {
  const made = new Film();
  assert.equal(made.receive(message(0, [frame(0), frame(1)])), true);
  assert.equal(made.receive(message(2, [frame(2)])), true);
  assert.deepEqual(made.frames.map((one) => [...one.pixels]), [[0, 0, 0], [1, 1, 1], [2, 2, 2]]);
  assert.equal(made.last, 2);
});

test("a frame that is there already is not taken twice", () => {
  const made = film(0, 1);
  made.receive(message(1, [frame(1, { note: "again" }), frame(2)]));
  assert.deepEqual(made.frames.map((one) => one.note), ["step 0", "step 1", "step 2"]);
});

test("a message that leaves a gap is refused", () => {
  const made = film(0, 1);
  assert.equal(made.receive(message(3, [frame(3)], { done: true })), false);
  assert.equal(made.last, 1);
  assert.equal(made.done, false);
});

test("another run begins a new film", () => {
  const made = film(0, 1, 2);
  made.receive(message(0, [frame(7)], { run: "b", done: true }));
  assert.deepEqual([made.run, made.last, made.done, made.frames[0].step], ["b", 0, true, 7]);
});

test("the nearest frame to a step, the earlier of two", () => {
  const made = film(0, 10, 20);
  assert.deepEqual([-5, 4, 5, 6, 99].map((step) => made.nearest(step)), [0, 0, 0, 1, 2]);
});

test("the last frame that is not beyond a step", () => {
  const made = film(0, 10, 20);
  assert.deepEqual([-5, 0, 9, 10, 19, 99].map((step) => made.upTo(step)), [0, 0, 0, 1, 1, 2]);
});

test("metrics are those known in any frame, as they were declared", () => {
  const made = new Film();
  made.receive(message(0, [frame(0, { metrics: { loss: 1 } }), frame(1, { metrics: { accuracy: 0.5, loss: 1 } })]));
  assert.deepEqual(made.metrics({ accuracy: {}, unseen: {}, loss: {} }), ["accuracy", "loss"]);
});

test("what differs in any frame is gathered by trace and by key of the layout", () => {
  const found = varying([
    frame(0),
    frame(1, { data: { 2: { y: [1] } }, layout: { shapes: [] } }),
    frame(2, { data: { 2: { marker: {} }, 0: { y: [2] } } }),
  ]);
  assert.deepEqual(found, { data: { 2: new Set(["y", "marker"]), 0: new Set(["y"]) }, layout: new Set(["shapes"]) });
});

test("a value is put at its path, and what is missing on the way is made", () => {
  const layout = { xaxis: { range: [0, 1] } };
  put(layout, ["xaxis", "domain"], [0, 0.5]);
  put(layout, ["yaxis2", "title", "text"], "loss");
  assert.deepEqual(layout, { xaxis: { range: [0, 1], domain: [0, 0.5] }, yaxis2: { title: { text: "loss" } } });
});
