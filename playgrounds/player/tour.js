// The tour: the film plays to the next stop and pauses there, with a sentence and a frame around what to look at.

/**
 * @typedef {{number: number, step: number, say: string, panel: string}} Stop
 * @typedef {{total: number, leg: number | null, legs: number, stops: Stop[]}} Plan what the page says of its tour:
 *   the stops of the run that is shown, which is leg number `leg` of the tour; null: the tour goes through other runs
 * @typedef {import("./player.js").Player} Player
 */

const AROUND = { left: 44, top: 28, right: 10, bottom: 26 }; // px from a panel's axes to the frame around it

export class Tour {
  /** @param {Player} player */
  constructor(player) {
    const find = (/** @type {string} */ name) => player.root.querySelector(`.player-${name}`);
    this.player = player;
    this.button = find("tour");
    this.marks = find("marks");
    this.said = find("said");
    this.frame = find("frame");
    /** @type {Plan} */
    this.plan = { total: 0, leg: null, legs: 0, stops: [] };
    this.at = -1; // which stop of this run is said
    this.isOn = false;
    this.asks = 0; // how often the page was asked for another leg
    /** @type {[number, number] | null} */
    this.asked = null;
    this.button.onclick = () => this.press();
  }

  /** A message has come. @param {any} tour @param {boolean} fresh whether it is of another run */
  take([total, leg, legs, stops] = [0, null, 0, []], fresh) {
    this.plan = { total, leg, legs, stops: stops.map((/** @type {any} */ [number, step, say, panel]) => ({ number, step, say, panel })) };
    if (fresh) this.leave();
    this.dress();
  }

  /** @param {Stop} stop @returns {number} the frame that shows it */
  frameOf(stop) {
    return this.player.film.nearest(stop.step);
  }

  /** The frame at which the film has to pause now; null: none. @returns {number | null} */
  get due() {
    const next = this.plan.stops[this.at + 1];
    return this.isOn && next ? this.frameOf(next) : null;
  }

  press() {
    const { leg, legs, stops } = this.plan;
    const isLast = this.isOn && this.at + 1 >= stops.length;
    if (leg === null) this.ask(0);
    else if (!isLast) this.start();
    else if (leg + 1 < legs) this.ask(leg + 1);
    else if (leg > 0) this.ask(0);
    else this.start(true);
  }

  /** @param {number} leg */
  ask(leg) {
    this.asks += 1;
    this.asked = [this.asks, leg];
    this.player.tell();
  }

  /** Go on to the next stop of this run; from the run's start, if the tour is not on yet. @param {boolean} again */
  start(again = false) {
    const { player } = this;
    if (!this.isOn || again) {
      this.at = -1;
      player.rest(0);
    }
    this.isOn = true;
    const next = this.due;
    if (next === null) return;
    if (next <= player.now) {
      player.rest(next);
      this.arrive();
    } else player.play(true);
    this.dress();
  }

  /** The film has come to the stop that was due. */
  arrive() {
    this.at += 1;
    this.dress();
    this.player.openFor(this.plan.stops[this.at].panel);
    this.place();
  }

  leave() {
    this.isOn = false;
    this.at = -1;
    this.dress();
    this.place();
  }

  dress() {
    const { total, stops } = this.plan;
    const stop = this.isOn ? stops[this.at] : undefined;
    this.button.hidden = total === 0;
    this.button.textContent = !stop ? "Tour" : stop.number < total ? "Next stop" : "Tour again";
    this.said.hidden = !stop;
    this.said.replaceChildren(...(stop ? [count(stop.number, total), stop.say] : []));
    this.player.root.classList.toggle("touring", Boolean(stop));
    const { last } = this.player.film;
    this.marks.replaceChildren(...(last > 0 ? stops.map((one) => mark(this.frameOf(one) / last)) : []));
  }

  /** The frame around the panel that is spoken of. */
  place() {
    const stop = this.isOn ? this.plan.stops[this.at] : undefined;
    const drawn = this.player.plot._fullLayout;
    const panel = (this.player.film.base.panels ?? []).find((one) => one.name === stop?.panel);
    const [x, y] = panel && drawn ? [drawn[`xaxis${panel.suffix}`], drawn[`yaxis${panel.suffix}`]] : [];
    this.frame.hidden = !(x && y);
    if (!x || !y) return;
    const left = Math.max(0, x._offset - AROUND.left);
    const top = Math.max(0, y._offset - AROUND.top);
    const number = (this.player.film.base.panels ?? []).findIndex((one) => one === panel);
    const title = this.player.plot.querySelector(`.annotation[data-index="${number}"]`);
    const written = title ? title.getBoundingClientRect().right - this.player.plot.getBoundingClientRect().left : 0;
    const right = Math.min(this.player.plot.clientWidth, Math.max(x._offset + x._length, written) + AROUND.right);
    const bottom = Math.min(this.player.plot.clientHeight, y._offset + y._length + AROUND.bottom);
    Object.assign(this.frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  }
}

/** @param {number} number @param {number} total */
function count(number, total) {
  return Object.assign(document.createElement("b"), { textContent: `${number} of ${total}` });
}

/** @param {number} share of the way through the film */
function mark(share) {
  const made = document.createElement("i");
  made.style.setProperty("--at", String(share));
  return made;
}
