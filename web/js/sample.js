// SPDX-License-Identifier: MIT
// Invented messages, to see how an overlay looks without a stream.

const NOBODY = { broadcaster: false, moderator: false, subscriber: false, verified: false };

const LINES = [
  ["twitch", "PixelPanda", "#FF7F50", { subscriber: true }, "hello everybody, what did I miss?"],
  ["youtube", "Lena Fox", undefined, {}, "first time here, greetings from Bergen 👋"],
  ["tiktok", "miso.soup", undefined, {}, "this is so cosy"],
  ["twitch", "WaffleWeather", "#B22222", { moderator: true }, "be kind to each other, please"],
  ["youtube", "Tomás R.", undefined, { subscriber: true }, "I have waited the whole day for this"],
  ["twitch", "nightbot", "#7C5CFF", { moderator: true }, "Follow the channel to never miss a stream!"],
  ["youtube", "Grace", undefined, { subscriber: true }, "for the snack fund!", { formatted: "$10.00", color: "#FFCA28" }],
  ["tiktok", "nova_21", undefined, { moderator: true }, "the timing of that jump, wow"],
  ["twitch", "ada_lv", "#1E90FF", {}, "!song"],
  ["twitch", "DerKartoffelkönig", "#2E8B57", { subscriber: true, verified: true }, "ein langer Satz, damit man sieht, wie es aussieht, wenn jemand mehr als eine Zeile schreibt"],
  ["twitch", "glow_worm", "#9ACD32", {}, "take my points!", { formatted: "500 bits", color: "#9c3ee8" }],
  ["youtube", "さくら", undefined, {}, "かわいい 😻"],
];

let number = 0;

/** The next invented message, in the shape of a `chat` message's `data`. */
export function sampleMessage() {
  const [platform, name, color, roles, text, money] = LINES[number % LINES.length];
  number += 1;
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return {
    platform,
    timestamp: new Date().toISOString(),
    message_id: `sample-${number}`,
    data: {
      author: { id: name, username: name.toLowerCase(), display_name: name, avatar_url: null, roles: { ...NOBODY, ...roles }, badges: [], color },
      content: { raw: text, sanitized: text, rawHtml: `<span class="text">${safe}</span>` },
      metadata: money ? { type: "super_chat", monetary_data: money } : { type: "chat" },
    },
  };
}
