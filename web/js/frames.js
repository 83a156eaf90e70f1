// SPDX-License-Identifier: MIT
// The panel for developers: the latest frames as they crossed the wire.

import { ChatLog } from "./chatlog.js";
import { copy } from "./copy.js";
import { byId, make, say } from "./dom.js";

const KEPT = 200;

export class Frames {
  #kept = [];
  #number = 0;
  #panel = byId("frames");
  #log = new ChatLog(byId("frame-scroller"), byId("frame-list"), { cap: KEPT, onUnseen() {} });
  #shown = null;
  #paused = false;

  constructor() {
    this.#panel.addEventListener("toggle", () => {
      document.body.classList.toggle("with-frames", this.#panel.open);
      this.#refill();
    });
    byId("frame-filter").addEventListener("change", () => this.#refill());
    byId("frame-pause").addEventListener("click", (event) => {
      this.#paused = !this.#paused;
      event.currentTarget.setAttribute("aria-pressed", String(this.#paused));
      if (!this.#paused) this.#refill();
    });
    byId("frame-copy").addEventListener("click", (event) => this.#shown && copy(event.currentTarget, pretty(this.#shown)));
    byId("frame-copy-all").addEventListener("click", (event) => {
      const all = this.#kept.filter((frame) => this.#isWanted(frame)).map((frame) => frame.text);
      copy(event.currentTarget, `[${all.join(",\n")}]`);
    });
    byId("frame-list").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.#show(button);
    });
  }

  /**
   * A frame has crossed the wire.
   *
   * @param {"in"|"out"} direction
   * @param {object} message
   * @param {string} text as it was on the wire
   */
  passed(direction, message, text) {
    this.#number += 1;
    const frame = { number: this.#number, direction, kind: kindOf(message), text, at: new Date() };
    this.#kept.push(frame);
    if (this.#kept.length > KEPT) this.#kept.shift();
    if (this.#panel.open && !this.#paused && this.#isWanted(frame)) this.#log.add(() => this.#row(frame));
  }

  /** Shows how many there were; for a timer. */
  tick() {
    say(byId("frame-count"), this.#number.toLocaleString());
  }

  #isWanted(frame) {
    const wanted = byId("frame-filter").value;
    return wanted === "all" || frame.kind.startsWith(wanted);
  }

  #refill() {
    this.#log.clear();
    if (!this.#panel.open) return;
    for (const frame of this.#kept) if (this.#isWanted(frame)) this.#log.add(() => this.#row(frame));
  }

  #row(frame) {
    const button = make(
      "button",
      { type: "button", "aria-pressed": "false" },
      make("span", { class: `way ${frame.direction}` }, frame.direction === "in" ? "↓" : "↑"),
      make("span", { class: "at" }, frame.at.toTimeString().slice(0, 8)),
      make("span", { class: "kind" }, frame.kind),
      make("span", { class: "size" }, `${frame.text.length.toLocaleString()} B`),
    );
    const row = make("li", {}, button);
    row.frame = frame;
    return row;
  }

  #show(button) {
    for (const other of byId("frame-list").querySelectorAll("[aria-pressed=true]")) {
      other.setAttribute("aria-pressed", "false");
    }
    button.setAttribute("aria-pressed", "true");
    this.#shown = button.parentElement.frame.text;
    say(byId("frame-json"), pretty(this.#shown));
    byId("frame-copy").disabled = false;
  }
}

function kindOf(message) {
  const more = message.status ?? message.code ?? (message.type === "event" ? message.data?.type : "");
  return [message.type, more].filter((word) => typeof word === "string" && word).join(" ");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
