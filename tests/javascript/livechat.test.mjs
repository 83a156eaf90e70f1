// SPDX-License-Identifier: MIT
// The client by itself: played time, and a WebSocket whose other end the test plays.
// Run by tests/test_client.py, or by hand: node --test tests/javascript

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import * as module from "../../web/livechat.js";

const { LiveChat } = module;

const ANN = { platform: "twitch", identifier: "ann" };
const BEN = { platform: "youtube", identifier: "Ben", identifierType: "channelId", history: 20 };

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

/** The latest event of a type. */
function latest(type) {
  return events.findLast((event) => event.type === type);
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
  for (const type of ["state", "sent", "message", "chat", "event", "stats", "status", "error"]) {
    client.addEventListener(type, (event) => events.push(event));
  }
});

afterEach(() => {
  client.close();
  mock.timers.reset();
});

describe("subscribing", () => {
  test("opens one socket for several chats and passes every option on", () => {
    const socket = connect(ANN, BEN);
    assert.equal(sockets.length, 1);
    assert.equal(socket.address, "ws://127.0.0.1:3000/chat/ws");
    assert.deepEqual(socket.sent, [{ type: "subscribe", ...ANN }, { type: "subscribe", ...BEN }]);
    assert.deepEqual(client.subscriptions, [ANN, BEN]);
  });

  test("goes out at once on an open connection; the same chat takes the place of the earlier", () => {
    const socket = connect(ANN);
    client.subscribe(BEN);
    client.subscribe({ ...ANN, events: true });
    assert.deepEqual(socket.sent.slice(1), [{ type: "subscribe", ...BEN }, { type: "subscribe", ...ANN, events: true }]);
    assert.equal(client.subscriptions.length, 2);
  });

  test("ends with `unsubscribe`, which a later connection does not bring back", () => {
    const socket = connect(ANN, BEN);
    client.unsubscribe(ANN);
    assert.deepEqual(socket.sent.at(-1), { type: "unsubscribe", ...ANN });
    socket.end(1006);
    mock.timers.tick(500);
    sockets.at(-1).open();
    assert.deepEqual(sockets.at(-1).sent, [{ type: "subscribe", ...BEN }]);
  });

  test("needs an address and a WebSocket class", () => {
    assert.throws(() => new LiveChat(undefined, { WebSocket: PlayedSocket }), /address/);
    assert.throws(() => new LiveChat("ws://127.0.0.1/ws", { WebSocket: null }), /WebSocket class/);
    assert.throws(() => new LiveChat("nonsense", { WebSocket: PlayedSocket }), TypeError);
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

  test("about one chat name its subscription", () => {
    const socket = connect(ANN, BEN);
    socket.say({ type: "status", status: "subscribed", platform: "youtube", identifier: "Ben" });
    assert.deepEqual(latest("status").subscription, BEN);
    socket.say(failure({ identifier: "somebody" }, "STREAM_NOT_FOUND"));
    assert.equal(latest("error").subscription, null);
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
    assert.deepEqual(socket.sent.at(-1), { type: "subscribe", ...ANN });
  });

  test("is given up where it does not pass", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "UPSTREAM_UNAVAILABLE", { temporary: false, details: "PRIVATE" }));
    assert.equal(latest("error").retryIn, null);
    assert.deepEqual(client.subscriptions, [BEN]);
  });

  test("is judged by its code where an older server does not say", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE"));
    socket.say(failure(BEN, "STREAM_NOT_FOUND"));
    assert.deepEqual(client.subscriptions, [ANN]);
  });

  test("is not asked for again by a client that was made so", () => {
    client = new LiveChat("ws://127.0.0.1/ws", { WebSocket: PlayedSocket, retryChats: false });
    const socket = connect(ANN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    assert.deepEqual(client.subscriptions, []);
  });

  test("is sent again when it was too fast for the limit of commands", () => {
    const socket = connect(ANN, BEN);
    socket.say({ type: "status", status: "subscribed", ...ANN });
    socket.say({ type: "error", code: "RATE_LIMITED", error: "slow down", temporary: true });
    mock.timers.tick(5000);
    assert.deepEqual(socket.sent.slice(2), [{ type: "subscribe", ...BEN }]);
  });

  test("is asked for again where the limit of starts refused it", () => {
    const socket = connect(ANN, BEN);
    socket.say(failure(ANN, "RATE_LIMITED", { temporary: true }));
    assert.deepEqual([latest("error").subscription, latest("error").retryIn], [ANN, 30000]);
  });

  test("needs no `unsubscribe` while it waits", () => {
    const socket = connect(ANN);
    socket.say(failure(ANN, "STREAM_NOT_LIVE", { temporary: true }));
    client.unsubscribe(ANN);
    mock.timers.tick(39000);
    assert.equal(socket.sent.length, 1);
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
    mock.timers.tick(39000);
    assert.equal(sockets.at(-1).sent.length, 3);
  });

  test("is noticed when nothing comes and nobody answers", () => {
    const socket = connect(ANN);
    mock.timers.tick(40000);
    assert.deepEqual(socket.sent.at(-1), { type: "get_stats" });
    socket.say({ type: "error", code: "NO_ACTIVE_CHAT", error: "none" });
    assert.equal(latest("error"), undefined);
    mock.timers.tick(40000);
    mock.timers.tick(10000);
    assert.equal(latest("state").state, "lost");
    assert.equal(socket.closedWith, 1005);
  });

  test("is noticed when it never opens", () => {
    client.subscribe(ANN);
    mock.timers.tick(40000);
    assert.equal(latest("state").state, "lost");
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
    assert.deepEqual(sockets.at(-1).sent, [{ type: "subscribe", ...BEN }]);
    assert.equal(client.send({ type: "get_stats" }), true);
  });
});

describe("the types", () => {
  const types = readFileSync(new URL("../../web/livechat.d.ts", import.meta.url), "utf8");

  test("declare every export, and every member of the class", () => {
    const declared = [...types.matchAll(/^export (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(declared.sort(), Object.keys(module).sort());
    const body = types.match(/^export class LiveChat [^{]*\{\n(.*?)^\}/ms)[1];
    const members = [...body.matchAll(/^  (?:get )?(\w+)[(<]/gm)].map(([, name]) => name);
    const own = members.filter((name) => !name.endsWith("EventListener"));
    assert.deepEqual(own.sort(), Object.getOwnPropertyNames(LiveChat.prototype).sort());
  });
});
