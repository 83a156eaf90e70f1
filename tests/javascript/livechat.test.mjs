// SPDX-License-Identifier: MIT
// The client by itself: played time, and a WebSocket whose other end the test plays.
// Run by tests/test_client.py, or by hand: node --test tests/javascript

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import * as module from "../../web/livechat.js";

const { LiveChat } = module;

const ANN = { platform: "twitch", identifier: "ann" };
const BEN = { platform: "youtube", identifier: "Ben", identifierType: "channelId" };
const TYPES = ["state", "sent", "message", "chat", "event", "event:raid", "stats", "status", "error", "missed"];

/** A WebSocket without a network; the latest one is `sockets.at(-1)`. */
const sockets = [];
class PlayedSocket extends EventTarget {
  sent = [];
  closedWith = null;

  constructor(address) {
    super();
    this.address = address;
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code ?? 1005;
  }

  open() {
    this.dispatchEvent(new Event("open"));
  }

  say(message) {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  end(code, reason = "") {
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

let client;
let events;
let random;

function connect(...chats) {
  for (const chat of chats) client.subscribe(chat);
  sockets.at(-1).open();
  return sockets.at(-1);
}

/** What a `subscribe` looks like on the wire; our ids are counted. */
function asked(number, chat, more = {}) {
  return { type: "subscribe", ...chat, id: `chat-${number}`, ...more };
}

/** The commands of a kind that a socket has sent. */
function commands(socket, type) {
  return socket.sent.filter((command) => command.type === type);
}

/** What the server says when it holds a chat. */
function greet(socket, chat, started = {}) {
  const { platform, identifier } = chat;
  const about = { type: "status", platform, identifier, channel: identifier.toLowerCase(), id: chat.id };
  socket.say({ ...about, status: "subscribed" });
  socket.say({ ...about, status: "started", ...started });
}

/** A chat message, or an event of a kind, of the channel `ann`. */
function published(seq, more = {}) {
  const data = { type: "chat", message_id: `m${seq}`, data: { content: { raw: `text ${seq}` } } };
  return { type: "chat", platform: "twitch", identifier: "ann", seq, data, ...more };
}

function happened(kind, seq, data = {}) {
  return published(seq, { type: "event", data: { type: kind, event_id: `e${seq}`, data } });
}

/** The numbers of what was told as chats. */
function told(type = "chat") {
  return events.filter((event) => event.type === type).map(({ message }) => message.seq);
}

/** Loses the connection and comes back; the new socket. */
function comeBack() {
  sockets.at(-1).end(1006);
  mock.timers.tick(latest("state").retryIn);
  sockets.at(-1).open();
  return sockets.at(-1);
}

/** Something like `sessionStorage`. */
function storage() {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text) };
}

/** The latest event of a type. */
function latest(type) {
  return events.findLast((event) => event.type === type);
}

/** The identifiers of what is subscribed to. */
function names() {
  return client.subscriptions.map(({ identifier }) => identifier);
}

function failure(chat, code, more = {}) {
  const { platform, identifier } = chat;
  return { type: "error", error: "no", code, platform, identifier, ...more };
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  sockets.length = 0;
  events = [];
  random = 0;
  client = new LiveChat("http://127.0.0.1:3000/chat/ws", { WebSocket: PlayedSocket, random: () => random });
  for (const type of TYPES) client.addEventListener(type, (event) => events.push(event));
});

afterEach(() => {
  client.close();
  mock.timers.reset();
});

describe("subscribing", () => {
  test("opens one socket for several chats and passes every option on", () => {
    const options = { id: 7, events: ["raid"], stats: 5, mirrored: false, history: 20, since: { epoch: "a", seq: 3 }, news: [1] };
    const socket = connect(ANN, { ...BEN, ...options });
    assert.equal(sockets.length, 1);
    assert.equal(socket.address, "ws://127.0.0.1:3000/chat/ws");
    assert.deepEqual(socket.sent, [asked(1, ANN), asked(2, BEN, options)]);
    const [ann, ben] = client.subscriptions;
    assert.deepEqual([ann.platform, ann.identifier, ann.identifierType, ann.id, ann.options], ["twitch", "ann", undefined, "chat-1", {}]);
    assert.deepEqual([ben.identifierType, ben.id, ben.options, ben.position], ["channelId", 7, options, options.since]);
  });

  test("goes out at once on an open connection", () => {
    const socket = connect(ANN);
    client.subscribe(BEN);
    assert.deepEqual(socket.sent.slice(1), [asked(2, BEN)]);
  });

  test("ends with `unsubscribe`, which a later connection does not bring back", () => {
    const socket = connect(ANN, BEN);
    client.unsubscribe(ANN);
    assert.deepEqual(socket.sent.at(-1), { type: "unsubscribe", ...ANN, id: "chat-1" });
    assert.deepEqual(comeBack().sent, [asked(2, BEN)]);
    client.subscriptions[0].unsubscribe();
    assert.deepEqual(sockets.at(-1).sent.at(-1), { type: "unsubscribe", ...BEN, id: "chat-2" });
    assert.deepEqual(client.subscriptions, []);
  });

  test("needs an address and a WebSocket class", () => {
    assert.throws(() => new LiveChat(undefined, { WebSocket: PlayedSocket }), /address/);
    assert.throws(() => new LiveChat("ws://127.0.0.1/ws", { WebSocket: null }), /WebSocket class/);
    assert.throws(() => new LiveChat("nonsense", { WebSocket: PlayedSocket }), TypeError);
  });

  test("to a chat that is subscribed to states its options anew", () => {
    const socket = connect({ ...ANN, history: 5 });
    const [subscription] = client.subscriptions;
    assert.equal(client.subscribe({ ...ANN, events: true }), subscription);
    assert.deepEqual(socket.sent.slice(1), [asked(1, ANN, { events: true })]);
    assert.deepEqual(subscription.options, { events: true });
  });
});

describe("options that are changed", () => {
  test("are merged, sent at once, and kept after a loss", () => {
    const socket = connect({ ...ANN, events: true, stats: 5 });
    greet(socket, ANN);
    client.subscriptions[0].change({ events: ["raid"], stats: undefined, mirrored: false });
    assert.deepEqual(socket.sent.at(-1), asked(1, ANN, { events: ["raid"], mirrored: false }));
    assert.deepEqual(comeBack().sent, [asked(1, ANN, { events: ["raid"], mirrored: false })]);
  });

  test("leave the chat as it was where they are wrong", () => {
    const socket = connect({ ...ANN, events: true });
    const [subscription] = client.subscriptions;
    greet(socket, ANN);
    subscription.change({ events: ["rade"] });
    socket.say({ type: "error", code: "INVALID_OPTION", details: "events", error: "no", id: "chat-1" });
    assert.deepEqual([latest("error").subscription, latest("error").retryIn, latest("error").isGivenUp], [subscription, null, false]);
    assert.deepEqual(subscription.options, { events: true });
    assert.deepEqual(comeBack().sent, [asked(1, ANN, { events: true })]);
  });

  test("that were never answered do not cost the chat when they turn out to be wrong", () => {
    connect({ ...ANN, events: true });
    greet(sockets.at(-1), ANN);
    client.subscriptions[0].change({ events: ["rade"] });
    const socket = comeBack();
    assert.deepEqual(socket.sent, [asked(1, ANN, { events: ["rade"] })]);
    socket.say({ type: "error", code: "INVALID_OPTION", details: "events", error: "no", id: "chat-1" });
    assert.deepEqual(socket.sent.at(-1), asked(1, ANN, { events: true }));
    assert.equal(client.subscriptions.length, 1);
  });

  test("before the first answer are what is held when all are answered", () => {
    const socket = connect({ ...ANN, stats: 5 });
    const [subscription] = client.subscriptions;
    subscription.change({ events: true });
    greet(socket, ANN);
    greet(socket, ANN);
    subscription.change({ events: ["rade"] });
    socket.say({ type: "error", code: "INVALID_OPTION", details: "events", error: "no", id: "chat-1" });
    assert.deepEqual(subscription.options, { stats: 5, events: true });
  });

  test("before the first answer are not given up with what went before", () => {
    const socket = connect(ANN);
    client.subscriptions[0].change({ events: true });
    socket.say(failure(ANN, "STREAM_NOT_FOUND", { temporary: false, id: "chat-1" }));
    assert.deepEqual([latest("error").retryIn, latest("error").isGivenUp], [null, false]);
    socket.say(failure(ANN, "STREAM_NOT_FOUND", { temporary: false, id: "chat-1" }));
    assert.equal(latest("error").isGivenUp, true);
    assert.deepEqual(client.subscriptions, []);
  });

  test("are sent again when they came too soon", () => {
    const socket = connect(ANN);
    greet(socket, ANN);
    client.subscriptions[0].change({ events: true });
    socket.say({ type: "error", code: "RATE_LIMITED", error: "slow down", temporary: true, id: "chat-1" });
    assert.deepEqual([latest("error").retryIn, latest("error").isGivenUp], [5000, false]);
    mock.timers.tick(5000);
    assert.deepEqual(socket.sent.slice(2), [asked(1, ANN, { events: true })]);
    client.unsubscribe(ANN);
    assert.equal(socket.sent.at(-1).type, "unsubscribe");
  });

  test("of a chat that waits for its next try wait, too", () => {
    const socket = connect(ANN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    client.subscriptions[0].change({ events: true });
    assert.equal(socket.sent.length, 1);
    mock.timers.tick(30000);
    assert.deepEqual(socket.sent.at(-1), asked(1, ANN, { events: true }));
  });

  test("have another `id` from then on; answers to the earlier one still find their chat", () => {
    const socket = connect({ ...ANN, id: "old" }, BEN);
    const [ann] = client.subscriptions;
    ann.change({ id: "new" });
    socket.say({ type: "status", status: "subscribed", id: "old", ...ANN });
    assert.equal(latest("status").subscription, ann);
    socket.say({ type: "status", status: "subscribed", id: "new", ...ANN });
    assert.equal(latest("status").subscription, ann);
    assert.equal(ann.id, "new");
  });
});

describe("messages", () => {
  test("become events by their type, and all of them `message`", () => {
    const socket = connect(ANN);
    for (const type of ["chat", "event", "stats", "status", "news"]) socket.say({ type, ...ANN, data: {} });
    for (const broken of ["", "no JSON", "5", "null"]) socket.say(broken);
    const types = events.map(({ type }) => type).filter((type) => !["state", "sent"].includes(type));
    assert.deepEqual(types, ["message", "chat", "message", "event", "message", "stats", "message", "status", "message"]);
    assert.deepEqual(latest("chat").message, { type: "chat", ...ANN, data: {} });
  });

  test("are told to the subscription, to the listeners of all, and events by their kind", () => {
    const [ann, ben] = [client.subscribe(ANN), client.subscribe({ platform: "twitch", identifier: "@Ben" })];
    sockets.at(-1).open();
    const heard = [];
    for (const type of TYPES) {
      ann.addEventListener(type, ({ type: name }) => heard.push(`ann ${name}`));
      ben.addEventListener(type, ({ type: name }) => heard.push(`ben ${name}`));
    }
    greet(sockets.at(-1), ann);
    const about = { type: "status", platform: "twitch", identifier: "@Ben", channel: "ben", id: ben.id };
    sockets.at(-1).say({ ...about, status: "subscribed" });
    heard.length = events.length = 0;
    sockets.at(-1).say(happened("raid", 1, { viewers: 5 }));
    sockets.at(-1).say(published(2));
    sockets.at(-1).say({ type: "stats", platform: "twitch", identifier: "ben", data: { totalMessages: 1 } });
    assert.deepEqual(heard, ["ann event", "ann event:raid", "ann chat", "ben stats"]);
    assert.deepEqual(events.map(({ type }) => type), ["message", "event", "event:raid", "message", "chat", "message", "stats"]);
    assert.deepEqual([latest("event:raid").data, latest("event:raid").subscription], [{ viewers: 5 }, ann]);
    assert.deepEqual(latest("chat").data, { content: { raw: "text 2" } });
    assert.deepEqual([latest("stats").data, latest("stats").subscription], [{ totalMessages: 1 }, ben]);
  });

  test("about one chat name its subscription, by `id` or else by name", () => {
    const socket = connect(ANN, BEN);
    const [ann, ben] = client.subscriptions;
    socket.say({ type: "status", status: "subscribed", platform: "youtube", identifier: "Ben" });
    assert.equal(latest("status").subscription, ben);
    socket.say({ type: "error", code: "INVALID_IDENTIFIER", error: "no", id: "chat-1" });
    assert.equal(latest("error").subscription, ann);
    for (const more of [{ identifier: "somebody" }, { id: 17, ...BEN }, { id: "chat-9" }, {}]) {
      socket.say({ type: "error", code: "STREAM_NOT_FOUND", error: "no", ...more });
      assert.equal(latest("error").subscription, null);
    }
  });

  test("answer `getStats`, whose failure leaves the chat alone", () => {
    const socket = connect(ANN);
    assert.equal(client.subscriptions[0].getStats(), true);
    assert.deepEqual(socket.sent.at(-1), { type: "get_stats", ...ANN, id: "livechat-stats" });
    socket.say(failure(ANN, "STREAM_NOT_FOUND", { temporary: false, id: "livechat-stats" }));
    assert.deepEqual([latest("error").subscription, client.subscriptions.length], [null, 1]);
  });
});

describe("a chat that cannot be had", () => {
  test("is asked for again where the server says that it passes", () => {
    const socket = connect(ANN, BEN);
    random = 0.75;
    socket.say(failure(ANN, "STREAM_NOT_FOUND", { temporary: true }));
    assert.equal(latest("error").retryIn, 37500);
    mock.timers.tick(37499);
    socket.say({ type: "news" });
    assert.equal(socket.sent.filter(({ type }) => type === "subscribe").length, 2);
    mock.timers.tick(1);
    assert.deepEqual(socket.sent.at(-1), asked(1, ANN));
    assert.equal(latest("error").isGivenUp, false);
  });

  test("is given up where it does not pass", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "UPSTREAM_UNAVAILABLE", { temporary: false, details: "PRIVATE" }));
    assert.deepEqual([latest("error").retryIn, latest("error").isGivenUp], [null, true]);
    assert.deepEqual(names(), ["Ben"]);
    mock.timers.tick(100000);
    assert.equal(commands(socket, "subscribe").length, 2);
  });

  test("is judged by its code where an older server does not say", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE"));
    socket.say(failure(BEN, "STREAM_NOT_FOUND"));
    assert.deepEqual(names(), ["ann"]);
  });

  test("is not asked for again by a client that was made so", () => {
    client = new LiveChat("ws://127.0.0.1/ws", { WebSocket: PlayedSocket, retryChats: false });
    const socket = connect(ANN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    assert.deepEqual(client.subscriptions, []);
  });

  test("is sent again when it was too fast for the limit of commands", () => {
    const socket = connect(ANN, BEN);
    greet(socket, ANN);
    socket.say({ type: "error", code: "RATE_LIMITED", error: "slow down", temporary: true });
    mock.timers.tick(5000);
    assert.deepEqual(socket.sent.slice(2), [asked(2, BEN)]);
  });

  test("is asked for again where the limit of starts refused it", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "RATE_LIMITED", { temporary: true }));
    assert.deepEqual([latest("error").subscription, latest("error").retryIn], [client.subscriptions[0], 30000]);
  });

  test("needs no `unsubscribe` while it waits", () => {
    const socket = connect(ANN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    client.unsubscribe(ANN);
    mock.timers.tick(39000);
    assert.deepEqual(socket.sent.filter(({ type }) => type !== "ping"), [asked(1, ANN)]);
  });
});

describe("a connection that is lost", () => {
  /** The pauses before so many attempts, none of which succeeds. */
  function pauses(code, count) {
    const found = [];
    for (let i = 0; i < count; i += 1) {
      sockets.at(-1).end(code);
      found.push(latest("state").retryIn);
      mock.timers.tick(found.at(-1));
    }
    return found;
  }

  test("comes back with growing pauses, which are spread", () => {
    connect(ANN);
    assert.deepEqual(pauses(1006, 8), [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]);
    random = 1;
    assert.deepEqual(pauses(1006, 1), [20000]);
  });

  test("begins with short pauses again once a connection has lasted", () => {
    connect(ANN);
    pauses(1006, 4);
    sockets.at(-1).open();
    assert.deepEqual(pauses(1006, 1), [4000]);
    sockets.at(-1).open();
    mock.timers.tick(10000);
    assert.deepEqual(pauses(1006, 1), [250]);
  });

  test("says why, and waits by the code", () => {
    connect(ANN);
    sockets.at(-1).end(1001, "bye");
    assert.deepEqual(
      [latest("state").state, latest("state").code, latest("state").reason, latest("state").retryIn],
      ["lost", 1001, "bye", 1500],
    );
    for (const [code, pause] of [[1008, 10000], [1009, 10000], [4008, 2000], [1011, 4000]]) {
      mock.timers.tick(10000);
      assert.deepEqual(pauses(code, 1), [pause], `after ${code}`);
    }
  });

  test("subscribes again, also to what waited", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    socket.end(1006);
    client.subscribe({ platform: "tiktok", identifier: "cat" });
    mock.timers.tick(250);
    sockets.at(-1).open();
    assert.deepEqual(sockets.at(-1).sent.map(({ identifier }) => identifier), ["ann", "Ben", "cat"]);
    mock.timers.tick(34000);
    assert.equal(commands(sockets.at(-1), "subscribe").length, 3);
  });

  test("is noticed when nothing comes and nobody answers", () => {
    const socket = connect(ANN);
    mock.timers.tick(25000);
    assert.deepEqual(socket.sent.at(-1), { type: "ping", id: "livechat-ping" });
    socket.say({ type: "pong", id: "livechat-ping" });
    // Refused, but alive: no news for anybody.
    socket.say({ type: "error", code: "RATE_LIMITED", error: "slow down", id: "livechat-ping" });
    assert.equal(latest("error"), undefined);
    mock.timers.tick(10000);
    mock.timers.tick(25000);
    assert.equal(commands(socket, "ping").length, 2);
    assert.equal(client.state, "open");
    mock.timers.tick(10000);
    assert.deepEqual([latest("state").state, latest("state").code], ["lost", 1006]);
    assert.equal(socket.closedWith, 1005);
  });

  test("is not asked for a sign of life while messages come", () => {
    const socket = connect(ANN);
    for (let i = 0; i < 20; i += 1) {
      socket.say(published(i));
      mock.timers.tick(10000);
    }
    assert.deepEqual(commands(socket, "ping"), []);
  });

  test("is noticed when it never opens", () => {
    client.subscribe(ANN);
    mock.timers.tick(25000);
    assert.equal(latest("state").state, "lost");
  });
});

describe("continuity", () => {
  const FIRST = { epoch: "e1", seq: 10 };

  test("goes on after the last that was received, each time", () => {
    const socket = connect(ANN);
    greet(socket, ANN, FIRST);
    assert.deepEqual(client.subscriptions[0].position, FIRST);
    for (const seq of [11, 12]) socket.say(published(seq));
    const second = comeBack();
    assert.deepEqual(second.sent, [asked(1, ANN, { since: { epoch: "e1", seq: 12 } })]);
    greet(second, ANN, { epoch: "e1", seq: 14, recovered: true });
    for (const seq of [13, 14, 15]) second.say(published(seq));
    assert.deepEqual(told(), [11, 12, 13, 14, 15]);
    assert.deepEqual(events.filter(({ type }) => type === "chat").map(({ isReplayed }) => isReplayed), [false, false, true, true, false]);
    assert.equal(latest("missed"), undefined);
    assert.deepEqual(comeBack().sent, [asked(1, ANN, { since: { epoch: "e1", seq: 15 } })]);
  });

  test("tells nothing twice", () => {
    const socket = connect({ ...ANN, events: true });
    greet(socket, ANN, FIRST);
    for (const seq of [11, 12, 11, 12, 13, 10]) socket.say(published(seq));
    for (const seq of [14, 14]) socket.say(happened("raid", seq));
    assert.deepEqual([told(), told("event:raid")], [[11, 12, 13], [14]]);
    assert.equal(events.filter(({ type, message }) => type === "message" && message.type !== "status").length, 8);
    // A jump of the numbers is no loss.
    socket.say(published(900));
    assert.equal(latest("missed"), undefined);
  });

  test("begins with history, and goes on from what of it has come", () => {
    const chat = { ...ANN, history: 3 };
    const socket = connect(chat);
    greet(socket, ANN, FIRST);
    assert.equal(client.subscriptions[0].position, null);
    assert.deepEqual(comeBack().sent, [asked(1, chat)]);
    greet(sockets.at(-1), ANN, FIRST);
    for (const seq of [7, 9]) sockets.at(-1).say(published(seq));
    const third = comeBack();
    assert.deepEqual(third.sent, [asked(1, chat, { since: { epoch: "e1", seq: 9 } })]);
    greet(third, ANN, { ...FIRST, recovered: true });
    third.say(published(10));
    assert.deepEqual(told(), [7, 9, 10]);
  });

  test("begins at once where there is no history", () => {
    connect({ ...ANN, history: 3 });
    greet(sockets.at(-1), ANN, { epoch: "e1", seq: 0 });
    assert.deepEqual(comeBack().sent, [asked(1, ANN, { history: 3, since: { epoch: "e1", seq: 0 } })]);
  });

  test("tells of what cannot be had any more", () => {
    const socket = connect(ANN);
    const heard = [];
    client.subscriptions[0].addEventListener("missed", ({ message }) => heard.push(message.epoch));
    greet(socket, ANN, FIRST);
    socket.say(published(11));
    const second = comeBack();
    greet(second, ANN, { epoch: "e1", seq: 999, recovered: false });
    second.say(published(600));
    assert.deepEqual([heard, told()], [["e1"], [11, 600]]);
    // A new order: low numbers are new ones, but what is known by its id is not.
    const third = comeBack();
    greet(third, ANN, { epoch: "e2", seq: 2, recovered: false });
    third.say(published(3, { data: published(600).data }));
    third.say(published(4));
    assert.deepEqual([heard, told()], [["e1", "e2"], [11, 600, 4]]);
    assert.deepEqual(comeBack().sent, [asked(1, ANN, { since: { epoch: "e2", seq: 4 } })]);
  });

  const ENDED = { type: "status", status: "ended", liveId: "one", identifier: "ann", platform: "twitch", channel: "ann" };
  const WAITING = { type: "status", status: "waiting", details: "OFFLINE", identifier: "ann", platform: "twitch", channel: "ann" };

  test("misses nothing when the next stream of a channel begins a new order", () => {
    const chat = { ...ANN, wait: true };
    const socket = connect(chat);
    greet(socket, ANN, FIRST);
    socket.say(published(11));
    for (const message of [ENDED, WAITING, { ...WAITING, details: "UPCOMING" }]) socket.say(message);
    assert.equal(latest("status").message.details, "UPCOMING");
    assert.equal(client.subscriptions.length, 1);
    socket.say({ ...WAITING, status: "started", epoch: "e2", seq: 0 });
    socket.say(published(1));
    assert.equal(latest("missed"), undefined);
    assert.deepEqual(told(), [11, 1]);
    assert.deepEqual(comeBack().sent, [asked(1, chat, { since: { epoch: "e2", seq: 1 } })]);
    // The order that follows without an end is a loss again.
    greet(sockets.at(-1), ANN, { epoch: "e3", seq: 5, recovered: false });
    assert.equal(latest("missed").message.epoch, "e3");
  });

  test("waits on over a loss of the connection, and misses what began meanwhile", () => {
    for (const [status, isMissed] of [[WAITING, false], [null, true]]) {
      const socket = connect({ ...ANN, wait: true });
      greet(socket, ANN, { epoch: `e1 ${isMissed}`, seq: 10 });
      for (const message of [ENDED, WAITING]) socket.say(message);
      const before = events.filter(({ type }) => type === "missed").length;
      const second = comeBack();
      second.say({ ...WAITING, status: "subscribed" });
      if (status) second.say(status);
      second.say({ ...WAITING, status: "started", epoch: `e2 ${isMissed}`, seq: 3, recovered: false });
      assert.equal(events.filter(({ type }) => type === "missed").length - before, Number(isMissed));
      client.close();
    }
  });

  test("takes the end of one of several lives for no end of the order", () => {
    const socket = connect({ ...ANN, lives: "all", wait: true });
    greet(socket, ANN, FIRST);
    socket.say(ENDED);
    const second = comeBack();
    greet(second, ANN, { epoch: "e2", seq: 2, recovered: false });
    assert.equal(latest("missed").message.epoch, "e2");
  });

  test("takes history in a new order", () => {
    connect({ ...ANN, history: 9 });
    greet(sockets.at(-1), ANN, FIRST);
    sockets.at(-1).say(published(11));
    const socket = comeBack();
    greet(socket, ANN, { epoch: "e2", seq: 5, recovered: false });
    for (const seq of [4, 5, 6]) socket.say(published(seq));
    assert.deepEqual(told(), [11, 4, 5, 6]);
    assert.notEqual(latest("missed"), undefined);
  });

  test("survives a server that went back in its order", () => {
    connect({ ...ANN, history: 9 });
    greet(sockets.at(-1), ANN, FIRST);
    sockets.at(-1).say(published(500));
    const socket = comeBack();
    greet(socket, ANN, { epoch: "e1", seq: 100, recovered: false });
    for (const seq of [99, 100, 101]) socket.say(published(seq));
    assert.deepEqual(told(), [500, 99, 100, 101]);
  });

  test("goes on from the last chat where chats are held, and keeps those that come after events", () => {
    connect({ ...ANN, events: true, hold: 5 });
    greet(sockets.at(-1), ANN, FIRST);
    sockets.at(-1).say(happened("raid", 13));
    for (const seq of [11, 12]) sockets.at(-1).say(published(seq));
    const socket = comeBack();
    assert.deepEqual(socket.sent[0].since, { epoch: "e1", seq: 12 });
    greet(socket, ANN, { epoch: "e1", seq: 14, recovered: true });
    socket.say(happened("raid", 13));
    socket.say(published(14));
    assert.deepEqual([told(), told("event:raid")], [[11, 12, 14], [13]]);
  });

  test("recognises what it knows by id where a server has no order", () => {
    const socket = connect(ANN);
    greet(socket, ANN);
    for (const id of ["a", "b", "a"]) socket.say(published(undefined, { data: { type: "chat", message_id: id, data: {} } }));
    assert.equal(told().length, 2);
  });

  test("outlasts the page where there is a storage, until the chat is let go of", () => {
    const kept = storage();
    const made = () => new LiveChat("ws://127.0.0.1/ws", { WebSocket: PlayedSocket, storage: kept });
    client = made();
    const socket = connect(ANN, BEN);
    greet(socket, ANN, FIRST);
    greet(socket, BEN, { epoch: "b1", seq: 3 });
    socket.say(published(11));
    mock.timers.tick(1000);
    client = made();
    const second = connect(ANN);
    assert.deepEqual(second.sent, [asked(1, ANN, { since: { epoch: "e1", seq: 11 } })]);
    second.say(published(12));
    client.close();
    client = made();
    assert.deepEqual(connect(ANN, BEN).sent.map(({ since }) => since), [{ epoch: "e1", seq: 12 }, { epoch: "b1", seq: 3 }]);
    client.unsubscribe(ANN);
    client = made();
    assert.deepEqual(connect(ANN).sent, [asked(1, ANN)]);
  });

  test("does without a storage that is broken or forbidden", () => {
    const refuse = () => {
      throw new Error("forbidden");
    };
    for (const broken of [{ getItem: refuse, setItem: refuse }, { getItem: () => "no JSON", setItem: refuse }]) {
      client = new LiveChat("ws://127.0.0.1/ws", { WebSocket: PlayedSocket, storage: broken });
      greet(connect(ANN), ANN, FIRST);
      client.close();
    }
  });
});

describe("closing", () => {
  test("ends all timers and the socket; what comes late is not told", () => {
    const socket = connect(ANN);
    client.close();
    assert.equal(socket.closedWith, 1000);
    assert.deepEqual([client.state, client.subscriptions, latest("state").state], ["closed", [], "closed"]);
    const count = events.length;
    socket.say({ type: "chat", ...ANN });
    socket.end(1000);
    mock.timers.tick(100000);
    assert.equal(events.length, count);
    assert.equal(sockets.length, 1);
  });

  test("can be followed by a new beginning", () => {
    connect(ANN);
    client.close();
    connect(BEN);
    assert.deepEqual(sockets.at(-1).sent, [asked(2, BEN)]);
    assert.equal(client.send({ type: "get_stats" }), true);
  });
});

describe("the types", () => {
  const types = readFileSync(new URL("../../web/livechat.d.ts", import.meta.url), "utf8");

  test("declare every export, and every member of the classes", () => {
    const declared = [...types.matchAll(/^export (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(declared.sort(), Object.keys(module).sort());
    for (const name of ["LiveChat", "Subscription"]) {
      const body = types.match(new RegExp(`^export class ${name} [^{]*\\{\\n(.*?)^\\}`, "ms"))[1];
      const members = [...body.matchAll(/^  (?:private )?(?:get )?(\w+)[(<]/gm)].map(([, member]) => member);
      const own = members.filter((member) => !member.endsWith("EventListener"));
      assert.deepEqual(own.sort(), Object.getOwnPropertyNames(module[name].prototype).sort(), name);
    }
  });
});
