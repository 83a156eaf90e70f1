// SPDX-License-Identifier: MIT
// What the daemon's codes mean, in words for people.

import { ownWords } from "./platforms.js";

const ERRORS = {
  STREAM_NOT_LIVE: ["Not live", "This channel is not live at the moment."],
  STREAM_ENDED: ["Stream ended", "The stream is over. Thank you for watching."],
  STREAM_NOT_FOUND: ["Not found", "There is no such channel or video."],
  UNSUPPORTED_PLATFORM: ["Not supported", "This daemon does not serve that platform."],
  INVALID_IDENTIFIER: ["Not understood", "That is no channel name, id or URL of this platform."],
  INVALID_OPTION: ["Not understood", "The daemon did not understand what was asked for."],
  INVALID_MESSAGE_TYPE: ["Not understood", "The daemon did not understand a message."],
  NO_ACTIVE_CHAT: ["No chat", "No chat is connected."],
  UPSTREAM_UNAVAILABLE: ["Platform unreachable", "The platform does not let the daemon read this chat."],
  TOO_MANY_CHATS: ["Too many chats", "The daemon watches as many chats as it may."],
  TOO_MANY_FILTERS: ["Too many filters", "The viewers of this chat have as many different filters as they may."],
  FORBIDDEN: ["Not allowed", "The token of this page does not allow this chat."],
  RATE_LIMITED: ["Too fast", "Too many requests. Wait a moment."],
};

const DETAILS = {
  OFFLINE: "The streamer is offline.",
  MEMBERS_ONLY: "The stream is for members only.",
  CHAT_DISABLED: "The chat is switched off.",
  AGE_RESTRICTED: "The stream is age restricted.",
  LOGIN_REQUIRED: "It can only be seen when logged in.",
  PRIVATE: "It is private.",
  BLOCKED: "The platform has blocked the daemon’s address for now.",
  REFUSED: "The platform refused the connection.",
  UPSTREAM: "The platform did not answer in time.",
  UPSTREAM_ERROR: "The platform answered with an error.",
  SERVER_ERROR: "The platform has trouble answering.",
  UNREADABLE: "The daemon could not read the platform’s answer.",
  UNCLEAR: "The platform does not say clearly whether the channel is live.",
  LOST: "The connection to the platform was lost.",
  NO_CONNECTION: "The daemon has no connection to the platform.",
  RATE_LIMITED: "The platform limits the daemon’s requests.",
  CONSENT: "The platform asks the daemon for consent first.",
  JOIN_UNANSWERED: "The platform does not let the daemon into the chat.",
  CHANNEL_LIMIT: "The platform lets the daemon join no more chats for now.",
  NOT_FOUND: "There is no such channel or video.",
  NO_ANSWER: "There is no such channel.",
  NOT_A_STREAM: "The video is not a live stream.",
  CANCELLED: "The daemon gave up the start.",
  BROKER: "The nodes of the service cannot reach each other.",
  INTERNAL: "The daemon failed; its log says why.",
  SUSPENDED: "The platform has suspended it.",
  ENDED: "The stream is over.",
  QUEUED: "Many chats start at once; this one waits for its turn.",
};

/**
 * An `error` message in words.
 *
 * @param {{code?: string, error?: string, details?: string, scheduledStart?: string}} message
 * @param {string} platform what it is about, if the message does not say so
 * @returns {{title: string, text: string, code: string}} `code` with its details, as sent
 */
export function errorInWords(message, platform = message.platform) {
  const code = String(message.code ?? "ERROR");
  const known = Object.hasOwn(ERRORS, code);
  const [title, general] = known ? ERRORS[code] : ["Error", String(message.error ?? "Unknown error.")];
  const details = typeof message.details === "string" ? message.details : "";
  return { title, text: special(message, details, platform) ?? general, code: details ? `${code} · ${details}` : code };
}

/** Why a channel is waited for, as a `waiting` says it, in words. */
export function waitingInWords(message, platform = message.platform) {
  const details = typeof message.details === "string" ? message.details : "";
  return special(message, details, platform) ?? "The channel is not live at the moment.";
}

function special(message, details, platform) {
  if (details === "UPCOMING") {
    const start = new Date(message.scheduledStart ?? "");
    return Number.isNaN(start.getTime())
      ? "The stream has been announced and has not begun yet."
      : `The stream is announced for ${start.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}.`;
  }
  return Object.hasOwn(DETAILS, details) ? DETAILS[details] : ownWords(platform, details);
}

/** A number with the separators of the reader's language. */
export function count(number) {
  return Number(number).toLocaleString();
}

/** The time of day of a time stamp; a dash where it is none. */
export function clock(timestamp) {
  const at = new Date(timestamp ?? "");
  return Number.isNaN(at.getTime()) ? "–" : at.toTimeString().slice(0, 8);
}

/** Seconds as people say them: `10 s`, `5 min`, `2 h`, `7 d`. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}
