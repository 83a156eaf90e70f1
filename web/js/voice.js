// SPDX-License-Identifier: MIT
// Messages read aloud.

import { say } from "./dom.js";

/** Longest text that is read, in characters. */
const LONGEST = 300;
/** Shortest time between two messages for a screen reader, in ms. */
const PAUSE = 4000;
/** Longest time that a message is read, in ms: some voices never say that they have ended. */
const LONGEST_READING = 30000;

/**
 * Reads messages with the voice of the machine, one after the other: what comes while one is being
 * read is left out, except the last. Where the machine has no voice, a live region gives the
 * messages to a screen reader.
 */
export class Voice {
  #region;
  #isOn = false;
  #isBusy = false;
  #next = "";
  /** What is being read; browsers forget an utterance that nobody holds. */
  #utterance = null;

  /** @param {HTMLElement} region a live region */
  constructor(region) {
    this.#region = region;
    // The list of voices is loaded when it is first asked for.
    globalThis.speechSynthesis?.getVoices();
  }

  /** On or off. */
  turn(isOn) {
    this.#isOn = isOn;
    this.#next = "";
    if (!isOn) globalThis.speechSynthesis?.cancel();
  }

  /** A message has come. */
  read({ author, content }) {
    if (!this.#isOn) return;
    const words = String(content?.sanitized || content?.raw || "").slice(0, LONGEST);
    this.#next = `${author?.display_name ?? ""}: ${words}`;
    this.#goOn();
  }

  #goOn() {
    if (this.#isBusy || !this.#next) return;
    this.#isBusy = true;
    const text = this.#next;
    this.#next = "";
    const synthesis = globalThis.speechSynthesis;
    if (synthesis?.getVoices().length) this.#speak(synthesis, text);
    else {
      say(this.#region, text);
      setTimeout(() => this.#done(), PAUSE);
    }
  }

  #speak(synthesis, text) {
    const utterance = new SpeechSynthesisUtterance(text);
    const done = () => {
      clearTimeout(limit);
      if (utterance === this.#utterance) this.#done();
    };
    const limit = setTimeout(() => {
      synthesis.cancel();
      done();
    }, LONGEST_READING);
    utterance.onend = done;
    utterance.onerror = done;
    this.#utterance = utterance;
    synthesis.speak(utterance);
  }

  #done() {
    this.#utterance = null;
    this.#isBusy = false;
    this.#goOn();
  }
}
