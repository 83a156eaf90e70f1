// SPDX-License-Identifier: MIT
// Events of a chat, in words.

import { sum, paidWith } from "./money.js";
import { count, duration } from "./words.js";

const NOBODY = "Somebody";

/** Kinds that come so often that they are counted and not shown. */
const COUNTED_ONLY = new Set(["join", "like", "share", "viewers", "room"]);

const TITLES = {
  announcement: "Announcements", deletion: "Deletions", donation: "Donations", follow: "Follows",
  gift: "Gifts", goal: "Goals", join: "Joins", like: "Likes", membership: "Memberships",
  milestone: "Milestones", notice: "Notices", pin: "Pins", poll: "Polls", question: "Questions",
  raid: "Raids", room: "Room rules", share: "Shares", stream: "Stream", subscription: "Subscriptions",
  timeout: "Time-outs", viewers: "Viewers",
};

/** Gifts to several people that were shown; each person's gift follows and is not shown again. */
const communityGifts = new Set();

/** The plural name of a kind. */
export function kindName(kind) {
  return Object.hasOwn(TITLES, kind) ? TITLES[kind] : String(kind);
}

/**
 * An event as one sentence, or null where it is not worth a line.
 *
 * @param {{type: string, data: object}} event
 */
export function sentenceOf({ type, data = {} }) {
  if (COUNTED_ONLY.has(type)) return null;
  const build = Object.hasOwn(SENTENCES, type) ? SENTENCES[type] : null;
  return (build ? build(data) : words(data.text)) || null;
}

/** Why messages are gone, for a `deletion` or `timeout`. */
export function whyGone({ type, data = {} }) {
  if (type === "deletion") return "deleted";
  if (data.seconds === null) return "banned";
  return Number(data.seconds) > 0 ? `timed out ${duration(Number(data.seconds))}` : "removed";
}

/** The user whose messages a `timeout` removes, as `{id, username}`. */
export function whoIsGone(data = {}) {
  return { id: words(data.user_id) || words(data.user?.id), username: words(data.user?.username) };
}

const SENTENCES = {
  deletion: (data) => (data.scope === "chat" ? "A moderator cleared the chat" : null),
  timeout: () => null,
  follow: (data) => `${name(data)} follows the channel`,
  raid: (data) => {
    if (words(data.text)) return words(data.text);
    const viewers = Number(data.viewers) > 0 ? ` with ${count(data.viewers)} viewers` : "";
    return `${name(data)} is raiding${viewers}`;
  },
  gift: (data) => {
    const community = words(data.community_gift_id);
    if (community && data.recipient && communityGifts.has(community)) return null;
    if (community && !data.recipient) {
      if (communityGifts.size > 100) communityGifts.clear();
      communityGifts.add(community);
    }
    // Who gets one of many gifts is as little worth a line.
    if (data.gift === "membership_redemption") return null;
    if (words(data.text)) return withName(data);
    const paid = paidWith(data);
    const times = Number(data.count) > 1 ? ` × ${count(data.count)}` : "";
    const worth = paid ? ` (${sum(paid.value, paid.currency)})` : "";
    return `${name(data)} sent ${words(data.name) || "a gift"}${times}${worth}`;
  },
  subscription: (data) => {
    if (words(data.text)) return words(data.text);
    const months = Number(data.months) > 1 ? ` for ${count(data.months)} months` : "";
    return `${name(data)} subscribed${months}`;
  },
  donation: (data) => {
    const paid = paidWith(data);
    if (words(data.text) || !paid) return words(data.text);
    const cause = words(data.charity) ? ` to ${words(data.charity)}` : "";
    return `${name(data)} donated ${sum(paid.value, paid.currency)}${cause}`;
  },
  milestone: (data) => words(data.text) || `${name(data)} reached ${words(data.milestone) || "a milestone"} ${data.level ?? ""}`.trim(),
  question: (data) => (words(data.text) ? `Question: ${words(data.text)}` : null),
  pin: (data) => {
    const text = words(data.message?.content?.sanitized) || words(data.content?.sanitized);
    const isPinned = (data.status ?? data.action) === "pinned";
    return isPinned ? `Pinned${text ? `: ${text}` : " a message"}` : null;
  },
  poll: (data) => {
    const status = data.status ?? data.action;
    const title = words(data.question) || words(data.title);
    if (status === "opened") return `Poll: ${title || "opened"}`;
    return status === "closed" || status === "result" ? `Poll closed${title ? `: ${title}` : ""}` : null;
  },
  goal: (data) => words(data.text) || words(data.description),
  stream: (data) => words(data.text) || (words(data.action) ? `Stream: ${words(data.action)}` : null),
  announcement: (data) => words(data.text),
};

function words(text) {
  return typeof text === "string" ? text.trim() : "";
}

/** The platform's sentence, with the name of the one it is about if it begins without it. */
function withName(data) {
  const text = words(data.text);
  const who = name(data);
  if (who === NOBODY || text.includes(who)) return text;
  return `${who} ${text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`;
}

function name(data) {
  const person = data.user ?? data.author ?? {};
  if (person.anonymous) return NOBODY;
  return words(person.display_name) || words(person.username) || NOBODY;
}
