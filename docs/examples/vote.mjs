// SPDX-License-Identifier: MIT
// Counts votes in any number of chats: whoever writes `!vote tea` votes for tea.
//
//   curl -O http://127.0.0.1:3000/web/livechat.js
//   node vote.mjs ws://127.0.0.1:3000 https://www.twitch.tv/ann https://www.youtube.com/@ann

import { LiveChat } from "./livechat.js";

const [server, ...channels] = process.argv.slice(2);
/** What each user voted for; the last vote counts. */
const votes = new Map();

// It connects again by itself, and asks again for a chat that is not live yet.
const client = new LiveChat(server);

client.addEventListener("chat", ({ message, data }) => {
  const choice = /^!vote\s+(\S.*)/i.exec(data.content.raw)?.[1].trim().toLowerCase();
  if (!choice) return;
  votes.set(`${message.platform} ${data.author.id}`, choice);
  console.log(`${data.author.display_name} votes for ${choice}. ${standing()}`);
});

client.addEventListener("status", ({ message }) => {
  if (message.status === "started") console.log(`You may vote in ${message.identifier}`);
});

client.addEventListener("error", ({ message, retryIn }) => {
  console.error(`${message.identifier ?? "?"}: ${message.error}${retryIn === null ? "" : "; trying again"}`);
});

function standing() {
  const counts = new Map();
  for (const choice of votes.values()) counts.set(choice, (counts.get(choice) ?? 0) + 1);
  const best = [...counts].sort(([, a], [, b]) => b - a);
  return best.map(([choice, count]) => `${choice}: ${count}`).join(", ");
}

for (const identifier of channels) client.subscribe({ identifier, stats: false });
