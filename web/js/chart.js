// SPDX-License-Identifier: MIT
// Messages per minute over the last five minutes, as a small live drawing.

import { draw, say } from "./dom.js";
import { count } from "./words.js";

const BIN = 5000;
const BINS = 60;
const WIDTH = 300;
const HEIGHT = 64;

export class RateChart {
  #bins = new Array(BINS).fill(0);
  #second = new Array(60).fill(0);
  #binStart;
  #secondStart;
  #line = draw("path", { class: "line" });
  #area = draw("path", { class: "area" });
  #svg;
  #readout;
  #pointed = null;

  /**
   * @param {HTMLElement} holder gets the drawing
   * @param {HTMLElement} readout says in words what is shown or pointed at
   */
  constructor(holder, readout, now = Date.now()) {
    this.#readout = readout;
    this.#svg = draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      this.#area,
      this.#line,
    );
    holder.append(this.#svg);
    holder.addEventListener("pointermove", (event) => {
      const box = holder.getBoundingClientRect();
      const place = Math.round(((event.clientX - box.left) / box.width) * (BINS - 1));
      this.#pointed = Math.max(0, Math.min(BINS - 1, place));
      this.#describe();
    });
    holder.addEventListener("pointerleave", () => {
      this.#pointed = null;
      this.#describe();
    });
    this.clear(now);
  }

  clear(now = Date.now()) {
    this.#bins.fill(0);
    this.#second.fill(0);
    this.#binStart = now;
    this.#secondStart = now;
    this.paint(now);
  }

  /** One message. */
  hit() {
    this.#bins[BINS - 1] += 1;
    this.#second[59] += 1;
  }

  /** Messages in the last 60 seconds. */
  get perMinute() {
    return this.#second.reduce((total, next) => total + next, 0);
  }

  /** Moves on with the time and paints; once a second is enough. */
  paint(now = Date.now()) {
    this.#binStart = advance(this.#bins, this.#binStart, BIN, now);
    this.#secondStart = advance(this.#second, this.#secondStart, 1000, now);
    const values = this.#perMinuteByBin();
    const top = Math.max(10, ...values) * 1.1;
    const points = values.map((value, i) => {
      const x = ((i / (BINS - 1)) * WIDTH).toFixed(1);
      return `${x} ${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`;
    });
    this.#line.setAttribute("d", `M${points.join("L")}`);
    this.#area.setAttribute("d", `M0 ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`);
    this.#describe();
  }

  // The last bin has only just begun: what it says is what the last five seconds said.
  #perMinuteByBin() {
    const values = this.#bins.map((hits) => (hits * 60000) / BIN);
    const latest = this.#second.slice(-6, -1).reduce((total, next) => total + next, 0);
    values[BINS - 1] = latest * 12;
    return values;
  }

  #describe() {
    const values = this.#perMinuteByBin();
    const peak = Math.max(...values);
    if (this.#pointed === null) {
      say(this.#readout, `last 5 min · peak ${count(peak)}/min`);
    } else {
      const ago = ((BINS - 1 - this.#pointed) * BIN) / 1000;
      say(this.#readout, `${count(values[this.#pointed])}/min ${ago ? `${ago} s ago` : "now"}`);
    }
    const words = `Messages per minute: ${count(this.perMinute)} now, peak ${count(peak)} in the last five minutes`;
    if (this.#svg.getAttribute("aria-label") !== words) this.#svg.setAttribute("aria-label", words);
  }
}

/** Shifts counters so that the last one is the present one; returns its beginning. */
function advance(counters, start, length, now) {
  const steps = Math.floor((now - start) / length);
  if (steps <= 0) return start;
  const moved = Math.min(steps, counters.length);
  counters.splice(0, moved);
  counters.push(...new Array(moved).fill(0));
  return start + steps * length;
}
