// SPDX-License-Identifier: MIT
// The three platforms: their names, marks, hints, and whose address a pasted URL is.

import { draw } from "./dom.js";

export const PLATFORMS = {
  youtube: {
    name: "YouTube",
    placeholder: "Channel name or URL",
    hint: "A channel’s name, its id (UC…), a video id, or any YouTube URL.",
    host: /(^|\.)(youtube\.com|youtube-nocookie\.com|youtu\.be)$/,
    mark: "M4 5h16a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3zm6 3.5v7l6-3.5z",
  },
  twitch: {
    name: "Twitch",
    placeholder: "Channel name or URL",
    hint: "A channel’s name as in twitch.tv/name, or its URL.",
    host: /(^|\.)twitch\.tv$/,
    mark: "M5 2h17v12l-5 5h-4l-3 3H8v-3H3V6zm5 5v6h2V7zm6 0v6h2V7z",
  },
  tiktok: {
    name: "TikTok",
    placeholder: "Username or URL",
    hint: "A username as in tiktok.com/@name, or its URL.",
    host: /(^|\.)tiktok\.com$/,
    mark: "M12 2h4a5 5 0 0 0 5 5v4a9 9 0 0 1-5-1.5V16a6.5 6.5 0 1 1-6.5-6.5h.5v4.1a2.5 2.5 0 1 0 2 2.4z",
  },
};

/** Ways to say which YouTube chat is meant. */
export const IDENTIFIER_TYPES = {
  username: "Username",
  channelId: "Channel id (UC…)",
  liveId: "Video id (watch?v=…)",
};

/** What a platform is called; an unknown one by its own word. */
export function platformName(platform) {
  return Object.hasOwn(PLATFORMS, platform) ? PLATFORMS[platform].name : String(platform);
}

/** Whether the text is an address rather than a name. */
export function isUrl(text) {
  return platformOfUrl(text) !== null;
}

/** The platform whose URL a text is, or null. */
export function platformOfUrl(text) {
  const trimmed = text.trim();
  if (!/^(https?:)?\/\/|^[a-z0-9.-]+\.[a-z]{2,}\//i.test(trimmed)) return null;
  try {
    const url = new URL(trimmed.replace(/^(https?:)?(\/\/)?/i, "https://"));
    const found = Object.entries(PLATFORMS).find(([, { host }]) => host.test(url.hostname));
    return found ? found[0] : null;
  } catch {
    return null;
  }
}

/** The platform's mark as a small drawing; decoration only. */
export function platformMark(platform) {
  const mark = draw("svg", { viewBox: "0 0 24 24", class: "mark", "aria-hidden": "true" });
  mark.dataset.platform = platform;
  if (Object.hasOwn(PLATFORMS, platform)) {
    mark.append(draw("path", { d: PLATFORMS[platform].mark, "fill-rule": "evenodd" }));
  }
  return mark;
}
