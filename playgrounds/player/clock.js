// Time: a film runs at its own pace, whatever the browser manages.

const SECONDS = 6; // a film lasts about this long at normal speed
const FASTEST = 60; // frames a second

export class Clock {
  /** @param {(frames: number) => boolean} advance goes on by so many frames; false: the film has ended */
  constructor(advance) {
    this.advance = advance;
    this.playing = false;
  }

  /**
   * @param {() => number} frames how many the film has by now
   * @param {() => number} speed as the reader has chosen
   */
  start(frames, speed) {
    this.playing = true;
    let last = performance.now();
    let due = 0;
    const tick = (/** @type {number} */ time) => {
      if (!this.playing) return;
      const pace = rate(frames(), speed());
      due += ((time - last) / 1000) * pace;
      last = time;
      if (due >= 1 || pace >= FASTEST) {
        const step = Math.max(1, Math.min(5, Math.floor(due)));
        due = due >= 1 ? due % 1 : 0;
        if (!this.advance(step)) return;
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  stop() {
    this.playing = false;
  }
}

/**
 * Frames a second for a film of so many frames.
 * @param {number} frames
 * @param {number} speed
 */
export function rate(frames, speed) {
  return Math.min(FASTEST, Math.min(30, Math.max(1, frames / SECONDS)) * speed);
}
