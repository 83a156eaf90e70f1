// SPDX-License-Identifier: MIT
// Events of a chat, in words: from the fields that all platforms share.

import { priceIn } from "./money.js";
import { clock, count, duration } from "./words.js";

const NOBODY = "Somebody";

/** Kinds that come so often that the pages show no line for them; the test page counts them. */
const COUNTED_ONLY = new Set(["join", "like", "room", "share", "viewers"]);

const TITLES = {
  announcement: "Announcements", deletion: "Deletions", donation: "Donations", follow: "Follows",
  gap: "Gaps", gift: "Gifts", goal: "Goals", join: "Joins", like: "Likes", milestone: "Milestones",
  notice: "Notices", pin: "Pins", poll: "Polls", question: "Questions", raid: "Raids",
  room: "Room rules", share: "Shares", stream: "Stream", subscription: "Subscriptions",
  timeout: "Time-outs", viewers: "Viewers",
};

/** Large gifts that were shown, and how many of their parts are still to come. */
const largeGifts = new Map();

/** The plural name of a kind. */
export function kindName(kind) {
  return Object.hasOwn(TITLES, kind) ? TITLES[kind] : String(kind);
}

/** Whether a kind comes too often for a line each. */
export function isCountedOnly(kind) {
  return COUNTED_ONLY.has(kind);
}

/**
 * An event as one sentence, or null where it is not worth a line.
 *
 * @param {{type: string, data: object}} event
 */
export function sentenceOf({ type, data }) {
  const build = Object.hasOwn(SENTENCES, type) ? SENTENCES[type] : ({ text }) => words(text);
  return build(data ?? {}) || null;
}

/** Why messages are gone, for a `deletion` or `timeout`. */
export function whyGone({ type, data }) {
  if (type === "deletion") return "deleted";
  return data?.seconds > 0 ? `timed out ${duration(data.seconds)}` : "removed";
}

/**
 * Whether a message is gone after a `deletion` or `timeout` in the same chat.
 *
 * @param {{id: string, author: string, login: string}} row the ids of the message and its author
 * @param {{type: string, data: object}} event
 */
export function isGone({ id, author, login }, { type, data }) {
  if (type === "deletion") return data?.scope === "chat" || Boolean(id && id === data?.message_id);
  if (type !== "timeout") return false;
  const { id: userId, username } = data?.user ?? {};
  return words(userId) ? author === userId : Boolean(words(username)) && login === username;
}

/** The rules of a chat as a few words; empty where there are none. */
export function rulesOf({ emote_only: emotes, followers_only: followers, slow, subscribers_only: subscribers, unique }) {
  const minutes = number(followers);
  return [
    emotes === true && "emotes only",
    minutes !== null && (minutes > 0 ? `followers of ${duration(minutes * 60)}` : "followers only"),
    number(slow) > 0 && `slow (${duration(slow)})`,
    subscribers === true && "subscribers only",
    unique === true && "no repetitions",
  ].filter(Boolean).join(", ");
}

const SENTENCES = {
  announcement: ({ text }) => (words(text) ? `Announcement: ${words(text)}` : "Announcement"),
  deletion: ({ scope }) => (scope === "chat" ? "A moderator cleared the chat" : ""),
  donation: ({ user, price, charity }) =>
    `${name(user)} donated${after(" ", priceIn(price))}${after(" to ", words(charity))}`,
  follow: ({ user }) => `${name(user)} follows the channel`,
  gap: ({ from, to, filled }) => (filled ? "" : `Part of the chat is missing (${clock(from)}–${clock(to)})`),
  gift: (data) => (data.gift_type === "subscription" ? givenSubscription(data) : virtualGift(data)),
  goal: ({ text, progress, target, unit }) => {
    const reached = number(progress) === null ? "" : count(progress);
    const state = reached && number(target) !== null ? `${reached} of ${count(target)}` : reached;
    return `Goal${after(": ", words(text))}${after(": ", state)}${state ? after(" ", words(unit)) : ""}`;
  },
  join: ({ user }) => `${name(user)} has come`,
  like: ({ user, count: likes }) => `${name(user)} gave ${several(likes, "like", "likes")}`,
  milestone: ({ user, category, value, text }) => {
    const build = Object.hasOwn(MILESTONES, category) ? MILESTONES[category] : null;
    return build && number(value) !== null ? `${name(user)} ${build(count(value))}` : words(text) || `${name(user)} reached a milestone`;
  },
  notice: ({ text, platform_kind: kind }) => words(text) || after("Notice: ", words(kind).replaceAll("_", " ")),
  pin: ({ status, author, content, gift }) => {
    if (status === "unpinned") return "The pinned message was taken down";
    if (gift) return `Pinned: ${virtualGift(gift, author)}`;
    const text = words(content?.sanitized) || words(content?.raw);
    return text ? `Pinned: ${author ? `${name(author)}: ` : ""}${text}` : "A message was pinned";
  },
  poll: ({ status, question, choices }) => {
    if (status === "updated") return "";
    const options = Array.isArray(choices) ? choices : [];
    const named = status === "closed" ? options.map(result) : options.map(({ text }) => words(text));
    const list = named.filter(Boolean).join(", ");
    return `Poll${status === "closed" ? " closed" : ""}${after(": ", words(question))}${list && ` (${list})`}`;
  },
  question: ({ status, user, text }) => {
    if (status === "opened") return `Questions are welcome${after(": ", words(text))}`;
    const who = user ? ` of ${name(user)}` : "";
    return `Question${who}${status === "answered" ? " answered" : ""}${after(": ", words(text))}`;
  },
  raid: ({ direction, user, viewers }) => {
    const crowd = number(viewers) > 0 ? ` with ${several(viewers, "viewer", "viewers")}` : "";
    if (direction === "cancelled") return "The raid was called off";
    return direction === "outgoing" ? `The raid goes to ${name(user)}${crowd}` : `${name(user)} is raiding${crowd}`;
  },
  room: (data) => `Rules of the chat: ${rulesOf(data) || "none"}`,
  share: ({ user, friends }) =>
    `${name(user)} shared the stream${number(friends) > 0 ? ` with ${several(friends, "friend", "friends")}` : ""}`,
  stream: ({ status, title, category }) => {
    const about = [words(title), words(category)].filter(Boolean).join(" · ");
    return `${Object.hasOwn(STREAM, status) ? STREAM[status] : "Stream"}${after(": ", about)}`;
  },
  subscription: (data) => {
    const { user, status, months, gifted, gifter, recipient } = data;
    const tier = tierOf(data);
    if (recipient !== undefined) return `${name(user)} passes the gift on to ${recipient ? name(recipient) : "the chat"}`;
    const long = number(months) > 1 ? `${count(months)} months` : "";
    if (status === "upgraded") return `${name(user)} upgraded the subscription${tier}`;
    if (status === "milestone") return `${name(user)} has been subscribed for ${long || "a while"}${tier}`;
    if (status === "renewed") return `${name(user)} subscribed again${tier}${after(", ", long)}`;
    const given = gifted ? `was given a subscription${gifter ? ` by ${name(gifter)}` : ""}` : "subscribed";
    return `${name(user)} ${given}${tier}${after(", ", long)}`;
  },
  timeout: () => "",
  viewers: ({ viewers }) => (number(viewers) === null ? "" : `${count(viewers)} watching`),
};

const MILESTONES = {
  bits_badge: (value) => `has the badge for ${value} bits`,
  fan_level: (value) => `reached fan level ${value}`,
  level: (value) => `reached level ${value}`,
  moderator_anniversary: (value) => `has been a moderator for ${value} months`,
  sharing: (value) => `has shared the stream ${value} times`,
  watch_streak: (value) => `has watched ${value} streams in a row`,
};

const STREAM = {
  live: "The stream is live",
  offline: "The stream is offline",
  paused: "The stream is paused",
  resumed: "The stream goes on",
  changed: "Stream",
};

function givenSubscription(data) {
  const { user, recipient, count: many, months, gift_id: id } = data;
  const large = words(id) || name(user);
  if (recipient && largeGifts.get(large) > 0) {
    largeGifts.set(large, largeGifts.get(large) - 1);
    return "";
  }
  const long = number(months) > 1 ? ` for ${count(months)} months` : "";
  if (recipient) return `${name(user)} gave ${name(recipient)} a subscription${tierOf(data)}${long}`;
  if (largeGifts.size > 100) largeGifts.clear();
  // Each part follows and is not shown again.
  largeGifts.set(large, number(many) ?? Infinity);
  const what = number(many) === null ? "subscriptions" : several(many, "subscription", "subscriptions");
  return `${name(user)} gave ${what}${tierOf(data)}${long}`;
}

function virtualGift({ user, name: what, count: many, price, recipient }, author = user) {
  const times = number(many) > 1 ? ` × ${count(many)}` : "";
  const to = recipient ? ` to ${name(recipient)}` : "";
  const worth = priceIn(price);
  return `${name(author)} sent ${words(what) || "a gift"}${times}${to}${worth ? ` (${worth})` : ""}`;
}

/** The name of what was subscribed to; a bare number names nothing. */
function tierOf({ tier, tier_name: title }) {
  const named = words(title) || words(tier);
  return named && !/^\d+$/.test(named) ? ` (${named})` : "";
}

function result({ text, votes, ratio }) {
  const share = number(ratio) !== null ? `${Math.round(ratio * 100)} %` : number(votes) !== null ? count(votes) : "";
  return words(text) + after(" ", share);
}

function several(many, one, more) {
  return number(many) === null ? more : `${count(many)} ${many === 1 ? one : more}`;
}

function after(prefix, text) {
  return text ? prefix + text : "";
}

function words(text) {
  return typeof text === "string" ? text.trim() : "";
}

function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function name(person) {
  return words(person?.display_name) || words(person?.username) || NOBODY;
}
