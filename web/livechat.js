// SPDX-License-Identifier: MIT
// A client for livechat: one WebSocket for any number of chats, kept up until it is closed.
// An ES module without dependencies, for browsers and for Node 22 and later.  See docs/client.md.
// Its types are in livechat.d.ts.

/** Pauses before a connection is opened again, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20000;
/** The first pause where all clients of a server come back at once. */
const FIRST_PAUSE_OF_ALL = 3000;
/** A connection that has lasted so long was a good one: pauses begin anew. */
const GOOD_CONNECTION = 10000;
/** After so long a silence the server is asked for a sign of life, which must come in time. */
const SILENCE = 40000;
const ANSWER = 10000;
/** Pause before a chat is asked for again that cannot be had for now; up to a third longer. */
const CHAT_PAUSE = 30000;
/** Pause before what was refused by the limit of commands is sent again. */
const COMMAND_PAUSE = 5000;

const KINDS = new Set(["status", "error", "chat", "event", "stats"]);
/** Errors that, where they name no chat, answer a command and leave all chats as they were. */
const ABOUT_COMMANDS = new Set(["RATE_LIMITED", "NO_ACTIVE_CHAT", "INVALID_MESSAGE_TYPE", "STREAM_NOT_FOUND"]);
/** Errors that pass by themselves, where the server does not say whether they do. */
const TEMPORARY = new Set(["STREAM_NOT_LIVE", "STREAM_ENDED", "UPSTREAM_UNAVAILABLE", "TOO_MANY_CHATS", "RATE_LIMITED"]);

/** Why the server closes a connection. */
export const CLOSE_CODES = {
  1001: "the server is shutting down",
  1002: "the server understood a frame as broken",
  1007: "the server understood a frame as broken",
  1008: "too many commands were sent",
  1009: "a command was too large",
  1011: "the server failed",
  1013: "the server has too much to do",
  4008: "messages were read too slowly",
};
/** Codes with which a server closes all of its clients at once: they come back spread. */
const ALL_AT_ONCE = new Set([1001, 1013]);
/** Codes after which coming back soon would only repeat the fault. */
const OUR_FAULT = new Set([1002, 1007, 1008, 1009]);

/** The server's WebSocket, where this file was loaded from a server. */
export function defaultAddress() {
  return /^https?:/.test(import.meta.url) ? webSocketAddress(new URL("../ws", import.meta.url)) : null;
}

/**
 * What a `LiveChat` tells its listeners.
 *
 * - `message`: what the server sent, decoded; `text` as it was sent
 * - `subscription`: of a status or an error, the subscription that it is about, or null
 * - `retryIn`: of an error, ms until the chat is asked for again, or null where that would not help
 */
export class LiveChatEvent extends Event {
  constructor(type, fields) {
    super(type);
    Object.assign(this, fields);
  }
}

/**
 * A connection that is opened by the first `subscribe` and kept up until `close`.
 *
 * Events, all of class `LiveChatEvent`:
 * - `chat`, `event`, `stats`, `status`, `error`: messages of the server, by their type
 * - `message`: every message of the server, known or not
 * - `sent`: every command that leaves, as `message` and `text`
 * - `state`: `state` is `connecting` (with `attempt`), `open`, `lost` (with `code`, `reason`, and
 *   `retryIn` ms until the next try) or `closed`
 */
export class LiveChat extends EventTarget {
  #address;
  #WebSocket;
  #random;
  #retriesChats;
  /** What is subscribed to: the subscription, and `{timer, isAnswered}` of it. */
  #subscriptions = new Map();
  #socket = null;
  #state = "closed";
  #attempts = 0;
  #retry = null;
  #silence = null;
  #good = null;
  #isProbing = false;

  /**
   * @param {string|URL} [address] of the WebSocket; may be left out where this file was loaded from
   *   the server
   * @param {object} [options]
   * @param {Function} [options.WebSocket] the class to use where there is no global one
   * @param {boolean} [options.retryChats] whether chats that cannot be had for now are asked for
   *   again; true
   * @param {() => number} [options.random] 0 to 1
   */
  constructor(address = defaultAddress(), { WebSocket = globalThis.WebSocket, retryChats = true, random = Math.random } = {}) {
    super();
    if (!address) throw new TypeError("LiveChat needs the address of a server");
    if (!WebSocket) throw new TypeError("LiveChat needs a WebSocket class: Node has one since version 22");
    this.#address = webSocketAddress(new URL(address));
    this.#WebSocket = WebSocket;
    this.#retriesChats = retryChats;
    this.#random = random;
  }

  /** `connecting`, `open`, `lost` or `closed`. */
  get state() {
    return this.#state;
  }

  /** What is subscribed to, or asked for again from time to time. */
  get subscriptions() {
    return [...this.#subscriptions.keys()];
  }

  /**
   * Subscribes to a chat, now and after every loss of the connection. A subscription to the same
   * chat takes the place of an earlier one.
   *
   * @param {{platform?: string, identifier: string, identifierType?: string}} chat with whatever
   *   other options the `subscribe` command has
   * @returns {object} the subscription, as events name it
   */
  subscribe(chat) {
    const subscription = Object.freeze({ ...chat });
    this.#forget(this.#same(subscription));
    this.#subscriptions.set(subscription, { timer: null, isAnswered: false });
    if (this.#state === "closed") this.#begin();
    else this.#ask(subscription);
    return subscription;
  }

  /** Lets go of a chat; the connection stays. */
  unsubscribe(chat) {
    const subscription = this.#same(chat);
    if (!subscription) return;
    const isWaiting = this.#subscriptions.get(subscription).timer !== null;
    this.#forget(subscription);
    const { platform, identifier, identifierType } = subscription;
    if (!isWaiting) this.send({ type: "unsubscribe", platform, identifier, identifierType });
  }

  /** Sends a command, such as `{ type: "get_stats" }`; false while there is no connection. */
  send(command) {
    if (this.#state !== "open") return false;
    const text = JSON.stringify(command);
    this.#socket.send(text);
    this.#tell("sent", { message: command, text });
    return true;
  }

  /** Lets go of everything; a later `subscribe` begins anew. */
  close() {
    if (this.#state === "closed") return;
    for (const subscription of this.subscriptions) this.#forget(subscription);
    for (const timer of [this.#retry, this.#silence, this.#good]) clearTimeout(timer);
    globalThis.removeEventListener?.("online", this.#hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.#hurry);
    const socket = this.#socket;
    this.#socket = null;
    this.#retry = null;
    socket?.close(1000);
    this.#become("closed");
  }

  // ---- the connection ---------------------------------------------------------------------------

  #begin() {
    this.#attempts = 0;
    globalThis.addEventListener?.("online", this.#hurry);
    globalThis.document?.addEventListener("visibilitychange", this.#hurry);
    this.#connect();
  }

  #connect() {
    this.#retry = null;
    this.#become("connecting", { attempt: this.#attempts });
    const socket = new this.#WebSocket(this.#address);
    this.#socket = socket;
    this.#isProbing = false;
    this.#expectWithin(SILENCE);
    const listen = (type, act) =>
      socket.addEventListener(type, (event) => {
        if (socket === this.#socket) act(event);
      });
    listen("open", () => this.#opened());
    listen("message", ({ data }) => this.#received(data));
    listen("close", ({ code, reason }) => this.#lost(code, reason));
    // A close follows; without a listener some classes of Node would throw.
    listen("error", () => {});
  }

  #opened() {
    this.#become("open");
    this.#good = setTimeout(() => {
      this.#attempts = 0;
    }, GOOD_CONNECTION);
    this.#expectWithin(SILENCE);
    for (const subscription of this.subscriptions) this.#ask(subscription);
  }

  #lost(code, reason = "") {
    clearTimeout(this.#silence);
    clearTimeout(this.#good);
    this.#socket = null;
    const most = Math.min(LONGEST_PAUSE, firstPause(code) * 2 ** this.#attempts);
    const retryIn = Math.round(most * (0.5 + this.#random() / 2));
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), retryIn);
    this.#become("lost", { code, reason, retryIn });
  }

  /** The machine is on line again, or somebody looks: no need to wait. */
  #hurry = () => {
    if (this.#retry === null || globalThis.document?.hidden) return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  // A socket whose other end has vanished says nothing, for minutes. So after a silence we ask, and
  // whoever does not answer is gone.
  #expectWithin(patience) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#isProbing || this.#state !== "open") {
        const socket = this.#socket;
        this.#lost(1006, "no sign of life");
        socket.close();
      } else {
        this.#isProbing = this.send({ type: "get_stats" });
        this.#expectWithin(ANSWER);
      }
    }, patience);
  }

  // ---- messages ---------------------------------------------------------------------------------

  #received(text) {
    const isProbing = this.#isProbing;
    this.#isProbing = false;
    this.#expectWithin(SILENCE);
    const message = decoded(text);
    if (!message) return;
    const fields = { message, text, subscription: this.#isAbout(message), retryIn: null };
    const record = this.#subscriptions.get(fields.subscription);
    if (record) record.isAnswered = true;
    if (message.type === "error") fields.retryIn = this.#failed(message, fields.subscription);
    this.#tell("message", fields);
    // That no chat is held is no news for whoever only wanted a sign of life.
    const isSignOfLife = isProbing && message.type === "error" && message.identifier === undefined;
    if (KINDS.has(message.type) && !isSignOfLife) this.#tell(message.type, fields);
  }

  #isAbout({ type, code, platform, identifier }) {
    if (type !== "status" && type !== "error") return null;
    if (identifier !== undefined) {
      // A subscription may leave the platform to the server.
      const isMeant = (each) => each.identifier === identifier && (each.platform ?? platform) === platform;
      return this.subscriptions.find(isMeant) ?? null;
    }
    // Whatever else names no chat answers a `subscribe`.
    if (ABOUT_COMMANDS.has(code)) return null;
    return this.#subscriptions.size === 1 ? this.subscriptions[0] : null;
  }

  /** A chat is over or cannot be had: ms until it is asked for again, or null. */
  #failed(message, subscription) {
    if (!subscription) {
      if (message.code === "RATE_LIMITED") this.#askAgain();
      return null;
    }
    if (!this.#retriesChats || !(message.temporary ?? TEMPORARY.has(message.code))) {
      this.#forget(subscription);
      return null;
    }
    const retryIn = Math.round(CHAT_PAUSE * (1 + this.#random() / 3));
    this.#askIn(retryIn, subscription);
    return retryIn;
  }

  #ask(subscription) {
    const record = this.#subscriptions.get(subscription);
    clearTimeout(record.timer);
    record.timer = null;
    record.isAnswered = false;
    this.send({ type: "subscribe", ...subscription });
  }

  /** A command was refused for coming too soon; which one, nobody knows. */
  #askAgain() {
    for (const [subscription, { isAnswered }] of this.#subscriptions) {
      if (!isAnswered) this.#askIn(COMMAND_PAUSE, subscription);
    }
  }

  #askIn(pause, subscription) {
    const record = this.#subscriptions.get(subscription);
    clearTimeout(record.timer);
    record.timer = setTimeout(() => this.#ask(subscription), pause);
  }

  #forget(subscription) {
    clearTimeout(this.#subscriptions.get(subscription)?.timer);
    this.#subscriptions.delete(subscription);
  }

  /** The subscription that names the same chat, or null. */
  #same(chat) {
    const isSame = (each) => ["platform", "identifier", "identifierType"].every((name) => each[name] === chat[name]);
    return this.subscriptions.find(isSame) ?? null;
  }

  #become(state, more = {}) {
    this.#state = state;
    this.#tell("state", { state, ...more });
  }

  #tell(type, fields) {
    this.dispatchEvent(new LiveChatEvent(type, fields));
  }
}

function firstPause(code) {
  if (OUR_FAULT.has(code)) return LONGEST_PAUSE;
  return ALL_AT_ONCE.has(code) ? FIRST_PAUSE_OF_ALL : FIRST_PAUSE;
}

function webSocketAddress(url) {
  return url.href.replace(/^http/, "ws");
}

function decoded(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
