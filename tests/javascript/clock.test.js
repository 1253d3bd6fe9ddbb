// How fast a film plays.

import assert from "node:assert/strict";
import { test } from "node:test";

import { rate } from "../../playgrounds/player/clock.js";

test("a film of ordinary length lasts six seconds", () => assert.equal(rate(120, 1), 20));
test("a short one shows a frame a second at least", () => assert.equal(rate(3, 1), 1));
test("a long one shows thirty a second at most", () => assert.equal(rate(1000, 1), 30));
test("the reader's speed counts", () => assert.deepEqual([0.25, 0.5, 2].map((speed) => rate(120, speed)), [5, 10, 40]));
test("no faster than the screen", () => assert.equal(rate(1000, 4), 60));
