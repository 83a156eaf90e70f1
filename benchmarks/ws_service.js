// SPDX-License-Identifier: MIT
// A peer for `fanout.py`: Twitch chat to WebSocket clients with Node's `ws`, as services of its kind
// commonly do it: each message is written as JSON anew for each client, and sent to each by itself.
// node ws_service.js PORT IRC_PORT

"use strict";

const net = require("node:net");
const { WebSocketServer } = require("ws");

const [port, ircPort] = process.argv.slice(2).map(Number);
const watching = new Set();
let chat = null;

function tagsOf(text) {
  return Object.fromEntries(
    text.split(";").map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

function messageOf(tags, login, text) {
  const badges = (tags.badges ?? "").split(",").filter(Boolean).map((badge) => badge.split("/")[0]);
  const author = {
    id: tags["user-id"],
    username: login,
    display_name: tags["display-name"] || login,
    avatar_url: null,
    roles: {
      broadcaster: badges.includes("broadcaster"),
      moderator: tags.mod === "1",
      subscriber: tags.subscriber === "1",
      verified: false,
    },
    badges: badges.map((label) => ({ type: label === "subscriber" ? label : "custom", label, image_url: null })),
  };
  const content = {
    raw: text,
    formatted: text,
    sanitized: text,
    rawHtml: `<span class="text">${text}</span>`,
    elements: [{ type: "text", value: text, position: [0, text.length] }],
  };
  const about = { platform: "twitch", timestamp: tags["tmi-sent-ts"], message_id: tags.id, room_id: tags["room-id"] };
  return { type: "chat", data: { type: "chat", ...about, data: { author, content, metadata: { type: "chat" } } } };
}

function heard(line) {
  const parts = /^(?:@(\S+) )?(?::(\S+) )?(\S+)(?: (\S+))?(?: :(.*))?$/.exec(line);
  if (!parts) return;
  const [, tags, prefix, command, , text] = parts;
  if (command === "PING") chat.write(`PONG :${text ?? ""}\r\n`);
  if (command !== "PRIVMSG" || !tags || !prefix || text === undefined) return;
  const message = messageOf(tagsOf(tags), prefix.split("!")[0], text);
  for (const client of watching) client.send(JSON.stringify(message));
}

function join() {
  chat = net.connect(ircPort, "127.0.0.1");
  chat.setNoDelay(true);
  chat.write("CAP REQ :twitch.tv/tags\r\nNICK justinfan1\r\nJOIN #bench\r\n");
  let rest = "";
  chat.on("data", (data) => {
    const lines = (rest + data).split("\r\n");
    rest = lines.pop();
    lines.forEach(heard);
  });
}

new WebSocketServer({ port, host: "127.0.0.1", backlog: 4096, perMessageDeflate: false })
  .on("listening", () => console.log("ready"))
  .on("connection", (client) => {
    client.on("error", () => {});
    client.on("close", () => watching.delete(client));
    client.on("message", () => {
      if (!chat) join();
      client.send('{"type":"status","status":"subscribed","identifier":"bench"}');
      watching.add(client);
    });
  });
