// A film that plays by itself, over and over: what it shows, without its curves, its controls, or a word to the server
// but to ask for frames. It stands still for readers who want less motion, and while nobody looks.

import { Figure } from "./figure.js";
import { Player } from "./player.js";

const REST = 2500; // ms that the last frame is shown before the film begins again

/** The panels that show a state, side by side and without titles; those that show the course of the run are left out. */
export class LoopFigure extends Figure {
  height = 0; // px

  /** Folded is also what runs along the film's own time. */
  open() {
    const rest = (this.film.base.panels ?? []).filter((panel) => panel.detail || panel.runs);
    this.folded = new Set(rest.map((panel) => `x${panel.suffix}`));
  }

  /**
   * @param {import("./film.js").Frame} frame
   * @param {"" | "opened" | "narrow" | "narrow_opened"} _arrangement one suits all widths
   * @param {any} head
   * @param {boolean} isVeiled
   */
  whole(frame, _arrangement, head, isVeiled) {
    const made = super.whole(frame, "", head, isVeiled);
    const { layout } = made;
    const shown = [];
    for (const { name, suffix } of this.film.base.panels ?? []) {
      const axes = [layout[`xaxis${suffix}`], layout[`yaxis${suffix}`]];
      for (const title of layout.annotations) if (title.name === name) title.visible = false;
      if (!this.folded.has(`x${suffix}`)) shown.push(axes[1].domain);
      for (const axis of axes)
        Object.assign(axis, this.folded.has(`x${suffix}`) ? { visible: false } : { showticklabels: false, fixedrange: true });
    }
    const low = Math.min(...shown.map((domain) => domain[0]));
    const high = Math.max(...shown.map((domain) => domain[1]));
    for (const { suffix } of this.film.base.panels ?? []) {
      const axis = layout[`yaxis${suffix}`];
      if (!this.folded.has(`x${suffix}`)) axis.domain = axis.domain.map((/** @type {number} */ at) => (at - low) / (high - low));
    }
    layout.height = this.height;
    layout.margin = { l: 4, r: 4, t: 4, b: 4 };
    layout.hovermode = false;
    return made;
  }
}

export class Loop extends Player {
  /** @param {any} root */
  constructor(root) {
    super(root);
    this.figure = new LoopFigure(this.film, this.painter);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    this.isWanted = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.isSeen = true;
    this.switch = root.parentElement.querySelector(".loop-switch");
    this.switch.onclick = () => this.wish(!this.isWanted);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.isSeen = isIntersecting;
      this.playOrRest();
    }).observe(root);
    this.wish(this.isWanted);
  }

  /** @param {boolean} wanted whether it moves */
  wish(wanted) {
    this.isWanted = wanted;
    this.switch.classList.toggle("playing", wanted);
    this.switch.setAttribute("aria-label", wanted ? "Pause the moving picture" : "Play the moving picture");
    this.playOrRest();
  }

  /** Play or rest, as the reader wants and as far as anybody looks. */
  playOrRest() {
    clearTimeout(this.resting);
    const should = this.isWanted && this.isSeen && Boolean(this.plot.data);
    if (should && !this.clock.playing) this.play();
    if (!should && this.clock.playing) this.pause();
  }

  /** @param {import("./film.js").Message} message */
  receive(message) {
    const fresh = message.run !== this.film.run;
    super.receive(message);
    if (fresh && this.isWanted) Object.assign(this, { autoplay: true, following: false, now: 0 });
  }

  /** @param {number} frames */
  advance(frames) {
    const goesOn = super.advance(frames);
    if (!goesOn && this.root.isConnected) this.resting = setTimeout(() => this.root.isConnected && this.playOrRest(), REST);
    return goesOn;
  }

  /** As high as its place on the page. */
  mount() {
    this.figure.height = this.plot.clientHeight;
    super.mount();
  }

  heightFor() {
    return this.figure.height;
  }

  resize() {
    if (this.plot.data && this.plot.clientWidth && this.plot.clientWidth !== this.width) this.mount();
    this.width = this.plot.clientWidth;
  }

  /** Where the film stands is nobody's business. */
  settle() {}

  /** The page's own keys mean what they mean. */
  key() {}
}

/** Called for every message, and after a change of theme. The text of the page comes first. @param {any} component */
export default function (component) {
  const root = component.parentElement.querySelector(".player");
  const take = () => {
    root.player ??= new Loop(root);
    root.player.report = (/** @type {any} */ report) => component.setStateValue("report", report);
    root.player.take(component.data);
  };
  if (root.player) take();
  else if ("requestIdleCallback" in window) requestIdleCallback(take, { timeout: 1500 });
  else setTimeout(take, 300);
}
