// SPDX-License-Identifier: MIT
// Compiled, never run: what the types allow a program, and what they do not.

import {
  CLOSE_CODES,
  LiveChat,
  Subscription,
  type ClientMessage,
  type EventKind,
  type Position,
  type ServerMessage,
} from "../../web/livechat.js";

const client = new LiveChat("ws://127.0.0.1:3000/ws");

client.addEventListener("chat", ({ message }) => {
  const { author, content, metadata } = message.data.data;
  const paid: number | undefined = metadata.monetary_data?.value;
  const place: [number, number] | undefined = content.elements[0]?.position;
  console.log(author.display_name.toUpperCase(), author.avatar_url?.length, paid, place);
  // @ts-expect-error may be null
  console.log(author.avatar_url.length);
});

client.addEventListener("event", ({ message: { data: event } }) => {
  if (event.type === "raid") {
    const viewers: number | null | undefined = event.data.viewers;
    console.log(event.data.direction === "incoming", viewers);
  }
  if (event.type === "gift" && event.data.gift_type === "subscription") {
    console.log(event.data.user?.display_name, event.data.recipient?.id);
    // @ts-expect-error a gift has no direction
    console.log(event.data.direction);
  }
});

client.subscribe({ platform: "twitch", identifier: "ann", events: ["raid"] });
client.subscribe({ identifier: "ann", events: true });
// @ts-expect-error no such kind
client.subscribe({ identifier: "ann", events: ["raids"] });
// @ts-expect-error an identifier is needed
client.subscribe({ platform: "twitch" });

export function said(message: ServerMessage): string {
  switch (message.type) {
    case "chat":
      return message.data.data.content.raw;
    case "event":
      return message.data.type satisfies EventKind;
    case "status":
      return message.status;
    case "stats":
      return String(message.data.totalMessages);
    case "error":
      return message.code === "STREAM_ENDED" ? "over" : message.error;
    case "pong":
      return String(message.id);
  }
}

export const ping: ClientMessage = { type: "ping" };

const chat: Subscription = client.subscribe({
  platform: "twitch",
  identifier: "ann",
  stats: 5,
  history: 20,
  since: { epoch: "a", seq: 3 },
  future: true,
});
export const place: Position | null = chat.position;

client.addEventListener("event:raid", ({ data, isReplayed, subscription }) => {
  console.log(data.user?.display_name, data.viewers, isReplayed, subscription?.identifier);
  // @ts-expect-error a raid has no months
  console.log(data.months);
});
chat.addEventListener("chat", ({ data, message }) => {
  console.log(data.author.display_name, data.content.raw, message.data.timestamp);
});
chat.addEventListener("stats", ({ data }) => console.log(data.totalMessages + 1));
chat.addEventListener("error", ({ retryIn, isGivenUp, message }) => {
  const pause: number | null = retryIn;
  console.log(pause, isGivenUp, message.code);
});
chat.addEventListener("missed", ({ message }) => console.log(message.status));
client.addEventListener("state", ({ state, code }) => console.log(state, CLOSE_CODES[code ?? 0]));
// @ts-expect-error no such event
client.addEventListener("nonsense", () => {});
// @ts-expect-error a state is the client's
chat.addEventListener("state", () => {});
chat.change({ events: true, stats: false });
client.unsubscribe(chat);
client.unsubscribe({ platform: "twitch", identifier: "ann" });
// @ts-expect-error only the client makes one
new Subscription();

export const stored = new LiveChat(undefined, { storage: sessionStorage, retryChats: false });
