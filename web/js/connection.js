// SPDX-License-Identifier: MIT
// The WebSocket: opens, says what is wanted, and comes back by itself with growing pauses.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20000;
const SILENCE = 40000;
const ANSWER = 10000;

/**
 * A connection that is kept up until it is closed.
 *
 * States, told by `onState(state, detail)`:
 * - `connecting`: a socket is being opened
 * - `open`: subscriptions have been sent
 * - `lost`: the socket is gone; `detail.retryIn` ms until the next try, `detail.code` of the close
 * - `closed`: by us
 */
export class Connection {
  #address;
  #listener;
  #subscriptions = [];
  #socket = null;
  #attempts = 0;
  #retry = 0;
  #watch = 0;

  /**
   * @param {string} address
   * @param {{onState: Function, onFrame: Function, onSent?: Function}} listener `onFrame(message,
   *   text)` for every JSON object that arrives, `onSent(text)` for every one that leaves
   */
  constructor(address, listener) {
    this.#address = address;
    this.#listener = listener;
    const hurry = () => this.#hurry();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
  }

  /** Connects and subscribes, now and after every loss. */
  open(subscriptions) {
    this.close();
    this.#subscriptions = subscriptions;
    this.#attempts = 0;
    this.#connect();
  }

  /** Lets go, for good. */
  close() {
    const socket = this.#socket;
    if (!socket && !this.#retry) return;
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    this.#retry = 0;
    this.#socket = null;
    socket?.close(1000);
    this.#listener.onState("closed", {});
  }

  /** Subscribes again to one chat that ended or could not be had. */
  resubscribe(subscription) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ type: "subscribe", ...subscription });
  }

  #connect() {
    this.#retry = 0;
    this.#listener.onState("connecting", { attempt: this.#attempts });
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      for (const wanted of this.#subscriptions) this.#send({ type: "subscribe", ...wanted });
      this.#listener.onState("open", {});
      this.#await(SILENCE);
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#received(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    });
  }

  #received(text) {
    this.#attempts = 0;
    this.#await(SILENCE);
    let message = null;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message && typeof message === "object") this.#listener.onFrame(message, text);
  }

  #send(message) {
    const text = JSON.stringify(message);
    this.#socket.send(text);
    this.#listener.onSent?.(text);
  }

  // A socket whose other end has vanished says nothing, for minutes. So after a silence we ask, and
  // whoever does not answer is gone.
  #await(patience) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (patience === ANSWER || this.#socket?.readyState !== WebSocket.OPEN) {
        this.#socket?.close();
        this.#lost(1006);
        return;
      }
      this.#send({ type: "get_stats" });
      this.#await(ANSWER);
    }, patience);
  }

  #lost(code) {
    clearTimeout(this.#watch);
    this.#socket = null;
    const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts);
    const retryIn = Math.round(most * (0.5 + Math.random() / 2));
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), retryIn);
    this.#listener.onState("lost", { code, retryIn });
  }

  #hurry() {
    if (!this.#retry || document.hidden) return;
    clearTimeout(this.#retry);
    this.#connect();
  }
}
