// Colours: the theme's in place of the palette's stand-ins, and 256 of them for the values of a field.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.__PALETTE__ = {}; // playgrounds/player/assemble.py puts the palette there
const { recolour, scale } = await import("../../playgrounds/player/painter.js");

const SCHEME = { "#111111": "white", "#222222": "grey" };

/** A colour of the scale for a value of a field, as #rrggbb. */
function at(colours, value) {
  const [r, g, b] = [0, 8, 16].map((shift) => (colours[value + 128] >> shift) & 255);
  return `#${[r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

test("stand-ins are replaced wherever they stand, and nothing else", () => {
  const part = { line: { color: "#111111", width: 2 }, colours: ["#222222", "#abcdef", null], on: true };
  assert.deepEqual(recolour(part, SCHEME), { line: { color: "white", width: 2 }, colours: ["grey", "#abcdef", null], on: true });
  assert.equal(part.line.color, "#111111", "the part itself stays");
});

test("a text with colours of its own is coloured in its parts", () => {
  const text = '<span style="color:#111111">training</span> <span style="color:#222222">test</span>';
  assert.equal(recolour(text, SCHEME), '<span style="color:white">training</span> <span style="color:grey">test</span>');
});

test("long lists of numbers are not copied", () => {
  const x = [1, 2, 3];
  assert.equal(recolour({ x }, SCHEME).x, x);
});

test("the diverging scale has its middle at 0 and is cut at both ends", () => {
  const colours = scale("diverging", ["#0000ff", "#ffffff", "#ff0000"], 42);
  assert.deepEqual([-128, -127, 0, 127].map((value) => at(colours, value)), ["#0000ff", "#0000ff", "#ffffff", "#ff0000"]);
  assert.equal(at(colours, 64), "#ff7e7e");
});

test("the sequential scale begins at 0", () => {
  const colours = scale("sequential", ["#000000", "#ffffff"], 42);
  assert.deepEqual([-50, 0, 127].map((value) => at(colours, value)), ["#000000", "#000000", "#ffffff"]);
});

test("a class has its own colour, the paler the less certain it is", () => {
  const colours = scale("classes", ["#ffffff", "#0000ff", "#ff0000", "#00ff00"], 42);
  assert.deepEqual([0, 41, 42, 83, 84, 125, 127].map((value) => at(colours, value)),
    ["#ffffff", "#0000ff", "#ffffff", "#ff0000", "#ffffff", "#00ff00", "#00ff00"]);
});

test("every colour is opaque", () => {
  for (const colour of scale("diverging", ["#0000ff", "#ffffff", "#ff0000"], 42)) assert.equal(colour >>> 24, 255);
});
