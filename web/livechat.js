// SPDX-License-Identifier: MIT
// A client for livechat: one WebSocket for any number of chats, kept up until it is closed.
// An ES module without dependencies, for browsers and for Node 20 and later.  See docs/client.md.
// Its types are in livechat.d.ts.

/** Pauses before a connection is opened again, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20000;
/** The first pause where all clients of a server come back at once. */
const FIRST_PAUSE_OF_ALL = 3000;
/** A connection that has lasted so long was a good one: pauses begin anew. */
const GOOD_CONNECTION = 10000;
/** Where nothing was heard for so long, the server is asked, and must answer in time. */
const SILENCE = 25000;
const ANSWER = 10000;
/** Pause before a chat is asked for again that cannot be had for now; up to a third longer. */
const CHAT_PAUSE = 30000;
/** Pause before what was refused by the limit of commands is sent again. */
const COMMAND_PAUSE = 5000;
/** How often the places in the chats are stored, at most. */
const STORE_PAUSE = 1000;
/** How many chats and events are recognised when they come again. */
const KNOWN_ITEMS = 1000;

/** What our own commands are called that are about the connection or a chat's statistics. */
const PING = "livechat-ping";
const STATS = "livechat-stats";
/** What a chat is; everything else in a `subscribe` is an option. */
const NAMES = ["platform", "identifier", "identifierType"];
const KINDS = new Set(["status", "error", "chat", "event", "stats"]);
/** Errors that, where they name no chat, answer a command and leave all chats as they were. */
const ABOUT_COMMANDS = new Set(["RATE_LIMITED", "NO_ACTIVE_CHAT", "INVALID_MESSAGE_TYPE", "STREAM_NOT_FOUND"]);
/** Errors that end a chat that is held.  All others answer a change of its options. */
const ENDINGS = /^(STREAM|UPSTREAM)_/;
/** Errors that pass by themselves, where the server does not say whether they do. */
const TEMPORARY = new Set(["STREAM_NOT_LIVE", "STREAM_ENDED", "UPSTREAM_UNAVAILABLE", "TOO_MANY_CHATS", "TOO_MANY_FILTERS", "RATE_LIMITED"]);

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
 * What a `LiveChat` and its subscriptions tell their listeners.
 *
 * - `message`: what the server sent, decoded; `text` as it was sent
 * - `data`: of a chat its author, content and metadata; of an event what its kind has; of `stats`
 *   the statistics
 * - `subscription`: the one that it is about, or null
 * - `isReplayed`: of a chat or event, whether it happened before the chat started here
 * - `retryIn`: of an error, ms until the chat is asked for again, or null
 * - `isGivenUp`: of an error, whether the subscription has ended with it
 */
export class LiveChatEvent extends Event {
  constructor(type, fields) {
    super(type);
    Object.assign(this, fields);
  }
}

/**
 * A chat that is subscribed to; made by `LiveChat.subscribe`.
 *
 * Events, all of class `LiveChatEvent`: `chat`, `event`, `event:KIND`, `stats`, `status`, `error`
 * and `missed`, of this chat alone.
 */
export class Subscription extends EventTarget {
  #held;
  #act;

  constructor(held, act) {
    super();
    this.#held = held;
    this.#act = act;
    for (const name of NAMES) Object.defineProperty(this, name, { value: held.chat[name], enumerable: true });
  }

  /** What this chat is called in commands. */
  get id() {
    return this.#held.id;
  }

  /** The options as they were asked for last. */
  get options() {
    return this.#held.options;
  }

  /** The place up to which the chat was received, as `since` takes it; or null. */
  get position() {
    return this.#held.order.position(this.#held.options) ?? null;
  }

  /** Changes some options; those that are undefined return to their defaults. */
  change(options) {
    this.#act.change({ ...this.options, ...options });
  }

  /** Asks for the statistics; they come as `stats`.  False while there is no connection. */
  getStats() {
    return this.#act.getStats();
  }

  /** Lets go of the chat; the connection stays. */
  unsubscribe() {
    this.#act.unsubscribe();
  }
}

/** How far one chat was received: nothing is told twice, and what was missed can be asked for. */
class Order {
  #epoch = null;
  /** The numbers of the last chat and of the last event; null: whatever comes is new. */
  #chat = null;
  #event = null;
  /** What has this number or a lower one happened before the chat started here. */
  #startSeq = -1;
  /** Whether the stream was heard to its end: the next one may have another epoch. */
  #isOver = false;
  #known = new Set();

  constructor(since) {
    if (!isPosition(since)) return;
    this.#epoch = since.epoch;
    this.#chat = this.#event = since.seq;
  }

  /** `waiting` has come right after `ended`: no live of the channel goes on. */
  end() {
    this.#isOver = true;
  }

  /** `started` has come: whether anything was missed for good.  `isNext`: it was waited for. */
  begin({ epoch, seq, recovered }, { history }, isNext) {
    if (!isPosition({ epoch, seq })) return false;
    const isExpected = isNext && this.#isOver;
    this.#isOver = false;
    const { isKnown } = this;
    const isSame = this.#epoch === epoch;
    const isBack = recovered === false && seq < Math.max(this.#chat, this.#event);
    if (!isSame || isBack) {
      this.#epoch = epoch;
      // What was kept may follow, with lower numbers.
      this.#chat = this.#event = history > 0 && seq > 0 ? null : seq;
    }
    this.#startSeq = seq;
    // Another epoch after an end is another stream, of which nothing was missed.
    return isKnown && (isSame ? recovered === false : !isExpected);
  }

  /** Whether a chat or event is told for the first time; from now on it is not. */
  takes({ type, seq, data }) {
    if (Number.isInteger(seq) && this.isKnown) {
      const last = type === "chat" ? this.#chat : this.#event;
      if (last !== null && seq <= last) return false;
      if (type === "chat") this.#chat = seq;
      else this.#event = seq;
    }
    const id = data?.message_id ?? data?.event_id;
    if (id === undefined) return true;
    const name = `${data.type} ${id}`;
    if (this.#known.has(name)) return false;
    this.#known.add(name);
    if (this.#known.size > KNOWN_ITEMS) this.#known.delete(this.#known.values().next().value);
    return true;
  }

  isReplayed({ seq }) {
    return Number.isInteger(seq) && seq <= this.#startSeq;
  }

  get isKnown() {
    return this.#epoch !== null;
  }

  /** Where to go on, as `since` takes it; undefined where nothing has come. */
  position({ hold }) {
    // Chats that are held come after events that have higher numbers.
    const seq = hold > 0 ? this.#chat : max(this.#chat, this.#event);
    return this.isKnown && seq !== null ? { epoch: this.#epoch, seq } : undefined;
  }
}

/** What is known about one subscription. */
class Held {
  /** What the server calls the chat, once it has said so. */
  channel = null;
  /** Whether the server holds it on this connection. */
  isHeld = false;
  /** The last status that the server has told. */
  status = null;
  /** The options that the server has accepted, and those of the commands that it has not answered. */
  accepted = null;
  asked = [];
  timer = null;

  constructor(chat, options, ownId, since) {
    this.chat = chat;
    this.ownId = ownId;
    this.options = options;
    this.order = new Order(options.since ?? since);
  }

  get id() {
    return this.options.id ?? this.ownId;
  }

  get subscribe() {
    const { chat, options, id, order } = this;
    const since = order.isKnown ? order.position(options) : options.since;
    return { type: "subscribe", ...chat, ...options, id, since };
  }

  /** Whether an answer with this `id` is about this chat, also one to an earlier command. */
  isCalled(id) {
    return [this.options, this.accepted, ...this.asked].some((options) => (options?.id ?? this.ownId) === id);
  }

  isSame(chat) {
    return NAMES.every((name) => this.chat[name] === chat[name]);
  }

  /** Whether a status or an error about this identifier may mean this chat. */
  isNamed({ platform, identifier }) {
    // A subscription may leave the platform to the server.
    return this.chat.identifier === identifier && (this.chat.platform ?? platform) === platform;
  }

  /** Whether a chat, event or statistics belong to this chat. */
  isFedBy({ platform, identifier }) {
    return (this.channel ?? this.chat.identifier) === identifier && (this.chat.platform ?? platform) === platform;
  }

  /** The connection is gone, and with it whatever was not answered. */
  drop() {
    this.isHeld = false;
    this.asked.length = 0;
  }
}

/**
 * A connection that is opened by the first `subscribe` and kept up until `close`.
 *
 * Events, all of class `LiveChatEvent`:
 * - `chat`, `event`, `stats`, `status`, `error`: messages of the server, by their type
 * - `event:KIND`, such as `event:raid`: events by their kind
 * - `missed`: a part of a chat cannot be had any more; with the `started` that says so
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
  #storage;
  /** What is known about each subscription. */
  #subscriptions = new Map();
  #count = 0;
  #socket = null;
  #state = "closed";
  #attempts = 0;
  #retry = null;
  #watch = null;
  #good = null;
  #store = null;
  /** Whether anything was heard since the last look, and whether an answer is due. */
  #isHeard = false;
  #isProbing = false;

  /**
   * @param {string|URL} [address] of the WebSocket; may be left out where this file was loaded from
   *   the server
   * @param {object} [options]
   * @param {Function} [options.WebSocket] the class to use where there is no global one
   * @param {boolean} [options.retryChats] whether chats that cannot be had for now are asked for
   *   again; true
   * @param {Storage} [options.storage] keeps the places in the chats, so that a later client goes on
   *   there: `sessionStorage` for a page that is loaded again
   * @param {() => number} [options.random] 0 to 1
   */
  constructor(address = defaultAddress(), { WebSocket = globalThis.WebSocket, retryChats = true, storage = null, random = Math.random } = {}) {
    super();
    if (!address) throw new TypeError("LiveChat needs the address of a server");
    if (!WebSocket) throw new TypeError("LiveChat needs a WebSocket class: Node has one since version 22");
    this.#address = webSocketAddress(new URL(address));
    this.#WebSocket = WebSocket;
    this.#retriesChats = retryChats;
    this.#storage = storage;
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
   * Subscribes to a chat, now and after every loss of the connection.  For a chat that is subscribed
   * to, states its options anew.
   *
   * @param {{platform?: string, identifier: string, identifierType?: string}} chat with whatever
   *   options the `subscribe` command has
   * @returns {Subscription}
   */
  subscribe(chat) {
    const names = Object.fromEntries(NAMES.filter((name) => chat[name] !== undefined).map((name) => [name, chat[name]]));
    const options = { ...chat };
    for (const name of ["type", ...NAMES]) delete options[name];
    const found = this.#same(chat);
    if (found) {
      this.#change(found, options);
      return found;
    }
    this.#count += 1;
    const held = new Held(names, Object.freeze(options), `chat-${this.#count}`, this.#stored()[storedName(names)]);
    const subscription = new Subscription(held, {
      change: (changed) => this.#change(subscription, changed),
      getStats: () => this.send({ type: "get_stats", ...names, id: STATS }),
      unsubscribe: () => this.unsubscribe(subscription),
    });
    this.#subscriptions.set(subscription, held);
    if (this.#state === "closed") this.#begin();
    else this.#ask(subscription);
    return subscription;
  }

  /** Lets go of a chat, named by its subscription or as for `subscribe`; the connection stays. */
  unsubscribe(chat) {
    const subscription = this.#same(chat);
    if (!subscription) return;
    const { chat: names, id, isHeld, asked } = this.#subscriptions.get(subscription);
    this.#forget(subscription);
    if (isHeld || asked.length) this.send({ type: "unsubscribe", ...names, id });
    this.#storePlaces({ [storedName(names)]: undefined });
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
    this.#storeNow();
    for (const subscription of this.subscriptions) this.#forget(subscription);
    for (const timer of [this.#retry, this.#watch, this.#good]) clearTimeout(timer);
    globalThis.removeEventListener?.("online", this.#hurry);
    globalThis.removeEventListener?.("pagehide", this.#storeNow);
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
    globalThis.addEventListener?.("pagehide", this.#storeNow);
    globalThis.document?.addEventListener("visibilitychange", this.#hurry);
    this.#connect();
  }

  #connect() {
    this.#retry = null;
    this.#become("connecting", { attempt: this.#attempts });
    const socket = new this.#WebSocket(this.#address);
    this.#socket = socket;
    this.#isProbing = false;
    this.#lookIn(SILENCE);
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
    this.#lookIn(SILENCE);
    for (const subscription of this.subscriptions) this.#ask(subscription);
  }

  #lost(code, reason = "") {
    clearTimeout(this.#watch);
    clearTimeout(this.#good);
    this.#socket = null;
    for (const held of this.#subscriptions.values()) held.drop();
    const most = Math.min(LONGEST_PAUSE, firstPause(code) * 2 ** this.#attempts);
    const retryIn = Math.round(most * (0.5 + this.#random() / 2));
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), retryIn);
    this.#become("lost", { code, reason, retryIn });
  }

  /** The machine is on line again, or somebody looks: no need to wait. */
  #hurry = () => {
    if (globalThis.document?.hidden) return;
    if (this.#retry !== null) {
      clearTimeout(this.#retry);
      this.#connect();
    } else if (this.#state === "open" && !this.#isProbing) this.#probe();
  };

  // A socket whose other end has vanished says nothing, for minutes. So after a silence we ask, and
  // whoever does not answer is gone.
  #lookIn(pause) {
    clearTimeout(this.#watch);
    this.#isHeard = false;
    this.#watch = setTimeout(() => this.#look(), pause);
  }

  #look() {
    if (this.#isHeard) {
      this.#isProbing = false;
      this.#lookIn(SILENCE);
    } else if (this.#isProbing || this.#state !== "open") {
      const socket = this.#socket;
      this.#lost(1006, "no sign of life");
      socket.close();
    } else this.#probe();
  }

  #probe() {
    this.#isProbing = this.send({ type: "ping", id: PING });
    this.#lookIn(ANSWER);
  }

  // ---- messages ---------------------------------------------------------------------------------

  #received(text) {
    this.#isHeard = true;
    const message = decoded(text);
    if (!message) return;
    if (message.type === "chat" || message.type === "event") this.#published(message, text);
    else if (message.type === "stats") this.#counted(message, text);
    else this.#answered(message, text);
  }

  /** A chat or an event: told to those whose it is, and once to the listeners of all. */
  #published(message, text) {
    const fields = { message, text, data: message.data?.data, subscription: null, isReplayed: false };
    const takers = [];
    let isDouble = false;
    for (const [subscription, { order }] of this.#fedBy(message)) {
      if (order.takes(message)) takers.push({ ...fields, subscription, isReplayed: order.isReplayed(message) });
      else isDouble = true;
    }
    this.#tell("message", takers[0] ?? fields);
    for (const own of takers) this.#tellPublication(own.subscription, own);
    if (takers.length || !isDouble) this.#tellPublication(this, takers[0] ?? fields);
    if (takers.length) this.#storeSoon();
  }

  #tellPublication(target, fields) {
    const { type, data } = fields.message;
    target.dispatchEvent(new LiveChatEvent(type, fields));
    if (type === "event") target.dispatchEvent(new LiveChatEvent(`event:${data?.type}`, fields));
  }

  #counted(message, text) {
    const [[first] = [null], ...more] = this.#fedBy(message);
    const fields = { message, text, data: message.data, subscription: first };
    this.#tell("message", fields);
    first?.dispatchEvent(new LiveChatEvent("stats", fields));
    for (const [subscription] of more) subscription.dispatchEvent(new LiveChatEvent("stats", { ...fields, subscription }));
    this.#tell("stats", fields);
  }

  /** The subscriptions to which a chat, an event or statistics belong. */
  #fedBy(message) {
    return [...this.#subscriptions].filter(([, held]) => held.isFedBy(message));
  }

  /** A status, an error, or something that we do not know. */
  #answered(message, text) {
    const { type } = message;
    const subscription = this.#isAbout(message);
    const held = this.#subscriptions.get(subscription);
    const fields = { message, text, subscription };
    let isMissing = false;
    if (type === "status" && held) isMissing = this.#changed(message, held);
    if (type === "error") Object.assign(fields, this.#failed(message, subscription, held));
    this.#tell("message", fields);
    if (!KINDS.has(type) || message.id === PING) return;
    subscription?.dispatchEvent(new LiveChatEvent(type, fields));
    this.#tell(type, fields);
    if (!isMissing) return;
    subscription.dispatchEvent(new LiveChatEvent("missed", fields));
    this.#tell("missed", fields);
  }

  /** The subscription that a status or an error is about, or null. */
  #isAbout(message) {
    const { type, code, id, identifier } = message;
    if (type !== "status" && type !== "error") return null;
    const all = [...this.#subscriptions];
    const called = id === undefined ? all : all.filter(([, held]) => held.isCalled(id));
    const named = identifier === undefined ? called : called.filter(([, held]) => held.isNamed(message));
    // What names no chat answers a `subscribe`, or it is about another command.
    const isNamed = id !== undefined || identifier !== undefined || !ABOUT_COMMANDS.has(code);
    return isNamed && named.length > 0 && (identifier !== undefined || named.length === 1) ? named[0][0] : null;
  }

  /** A status of a chat: whether anything of it was missed for good. */
  #changed(message, held) {
    if (message.channel !== undefined) held.channel = message.channel;
    if (message.status === "subscribed") {
      clearTimeout(held.timer);
      held.timer = null;
      held.isHeld = true;
      held.accepted = held.asked.shift() ?? held.options;
    }
    const before = held.status;
    held.status = message.status;
    // With all lives of a channel, one may end while others go on; then nothing is waited for.
    if (message.status === "waiting" && before === "ended") held.order.end();
    if (message.status !== "started") return false;
    const isMissing = held.order.begin(message, held.options, before === "waiting");
    this.#storeSoon();
    return isMissing;
  }

  /** What becomes of a chat after an error: `retryIn` and `isGivenUp` for the listeners. */
  #failed(message, subscription, held) {
    const isKept = { retryIn: null, isGivenUp: false };
    const { code, id, identifier } = message;
    if (!held) {
      // A command came too soon; which one, nobody knows.
      if (code === "RATE_LIMITED" && id === undefined) this.#askAgain();
      return isKept;
    }
    held.asked.shift();
    if (code === "RATE_LIMITED" && identifier === undefined) return this.#askIn(COMMAND_PAUSE, subscription);
    const isRefused = held.accepted !== null && held.options !== held.accepted;
    if (held.isHeld ? !ENDINGS.test(code) : isRefused && code === "INVALID_OPTION") {
      // The options were wrong, the chat is as it was.
      held.options = held.accepted;
      if (!held.isHeld) this.#ask(subscription);
      return isKept;
    }
    held.isHeld = false;
    // What was asked for after this is still to be answered.
    if (held.asked.length) return isKept;
    if (this.#retriesChats && (message.temporary ?? TEMPORARY.has(code))) {
      return this.#askIn(Math.round(CHAT_PAUSE * (1 + this.#random() / 3)), subscription);
    }
    this.#forget(subscription);
    return { retryIn: null, isGivenUp: true };
  }

  // ---- subscriptions ----------------------------------------------------------------------------

  #change(subscription, options) {
    const held = this.#subscriptions.get(subscription);
    if (!held) return;
    held.options = Object.freeze({ ...options });
    // Whoever waits for another try tries with the new options.
    if (held.timer === null) this.#ask(subscription);
  }

  #ask(subscription) {
    const held = this.#subscriptions.get(subscription);
    clearTimeout(held.timer);
    held.timer = null;
    if (this.send(held.subscribe)) held.asked.push(held.options);
  }

  #askAgain() {
    for (const [subscription, { asked, timer }] of this.#subscriptions) {
      if (asked.length && timer === null) this.#askIn(COMMAND_PAUSE, subscription);
    }
  }

  #askIn(retryIn, subscription) {
    const held = this.#subscriptions.get(subscription);
    held.asked.length = 0;
    clearTimeout(held.timer);
    held.timer = setTimeout(() => this.#ask(subscription), retryIn);
    return { retryIn, isGivenUp: false };
  }

  #forget(subscription) {
    clearTimeout(this.#subscriptions.get(subscription)?.timer);
    this.#subscriptions.delete(subscription);
  }

  /** The subscription that is this one or names the same chat, or null. */
  #same(chat) {
    if (this.#subscriptions.has(chat)) return chat;
    for (const [subscription, held] of this.#subscriptions) if (held.isSame(chat)) return subscription;
    return null;
  }

  // ---- what outlasts the page -------------------------------------------------------------------

  get #storeName() {
    return `livechat ${this.#address}`;
  }

  /** The stored places by the names of their chats. */
  #stored() {
    try {
      return decoded(this.#storage?.getItem(this.#storeName)) ?? {};
    } catch {
      return {};
    }
  }

  #storePlaces(places) {
    try {
      this.#storage?.setItem(this.#storeName, JSON.stringify({ ...this.#stored(), ...places }));
    } catch {
      // Full or forbidden: the next page begins without it.
    }
  }

  #storeSoon() {
    if (this.#storage) this.#store ??= setTimeout(this.#storeNow, STORE_PAUSE);
  }

  #storeNow = () => {
    clearTimeout(this.#store);
    this.#store = null;
    const known = this.subscriptions.filter(({ position }) => position);
    if (known.length) this.#storePlaces(Object.fromEntries(known.map((each) => [storedName(each), each.position])));
  };

  // ---- listeners --------------------------------------------------------------------------------

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

function storedName(chat) {
  return JSON.stringify(NAMES.map((name) => chat[name] ?? null));
}

function isPosition(place) {
  return typeof place?.epoch === "string" && Number.isInteger(place.seq);
}

/** The greater one; null is less than any number. */
function max(one, other) {
  return one === null || other > one ? other : one;
}

function decoded(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
