// Numbers as their metrics want them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readable } from "../../playgrounds/player/numbers.js";

/** @type {[string, number | null, {unit?: string, digits?: number}, string][]} */
const CASES = [
  ["a number with its significant digits", 0.023149, { digits: 3 }, "0.0231"],
  ["four digits unless it says", 0.69314718, {}, "0.6931"],
  ["a share as percent", 0.985, { unit: "%" }, "98.5 %"],
  ["a share of all", 1, { unit: "%" }, "100 %"],
  ["a share with three digits at least", 0.12345, { unit: "%", digits: 2 }, "12.3 %"],
  ["a count with separators", 1204, { unit: "count" }, "1,204"],
  ["a count in words", 138357544, { unit: "count" }, "138 million"],
  ["a large count in words", 2.5e9, { unit: "count" }, "2.5 billion"],
  ["a whole number like a count", 12000, {}, "12,000"],
  ["a unit behind the number", 3, { unit: "px" }, "3 px"],
  ["a true minus sign", -4.5, {}, "−4.5"],
  ["a whole number's minus sign", -12, {}, "−12"],
  ["nothing", 0, {}, "0"],
  ["a small number as a power", 0.00000032, {}, "3.20·10⁻⁷"],
  ["a large number as a power", 12345678.5, {}, "1.23·10⁷"],
  ["a small negative number as a power", -0.00021, { digits: 2 }, "−2.1·10⁻⁴"],
  ["what has no number", null, {}, "not finite"],
];

for (const [name, value, metric, text] of CASES) test(name, () => assert.equal(readable(value, metric), text));
