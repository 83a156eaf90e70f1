// SPDX-License-Identifier: MIT
// One message as a row of the chat.

import { hexColor, hue, inkOn, readable } from "./colors.js";
import { make } from "./dom.js";
import { picture } from "./pictures.js";
import { ownRole } from "./platforms.js";
import { sanitized } from "./sanitize.js";

/** The roles of the contract, as chips: what it says, and what it means. */
const ROLES = [
  ["broadcaster", "Host", "The broadcaster of this channel"],
  ["moderator", "Mod", "Moderator"],
  ["subscriber", "Sub", "Subscriber"],
  ["verified", "✓", "Verified"],
];

/** Badges that say no more than the role chip beside them. */
const SAID_BY_ROLE = /^(broadcaster|moderator|lead_moderator|partner|verified|owner|member|subscriber)\b/i;

/**
 * The row of a chat message.
 *
 * @param {object} message the `data` of a `chat` message
 * @returns {HTMLLIElement} with `data-id` and `data-author`
 */
export function chatRow(message) {
  const { author = {}, content = {}, metadata = {} } = message.data ?? {};
  const row = make("li", { class: "row" });
  row.dataset.id = message.message_id ?? "";
  row.dataset.author = author.id ?? "";
  row.dataset.login = author.username ?? "";
  if (metadata.action) row.classList.add("action");
  if (metadata.highlighted) row.classList.add("highlighted");
  if (metadata.first_message) row.classList.add("first");
  const head = make("div", { class: "head" }, ...nameAndMarks(author, message.platform));
  const text = make("div", { class: "text", dir: "auto" });
  text.append(typeof content.rawHtml === "string" ? sanitized(content.rawHtml, content.elements) : "");
  const body = make("div", { class: "body" }, head, text);
  if (metadata.reply) body.prepend(replyLine(metadata.reply));
  if (metadata.first_message) head.append(make("span", { class: "tag" }, "first message"));
  const isMirrored = metadata.source_room_id && metadata.source_room_id !== message.room_id;
  if (isMirrored) head.append(make("span", { class: "tag" }, "shared chat"));
  if (metadata.monetary_data) putMoney(row, head, metadata.monetary_data);
  if (metadata.sticker) body.append(picture(metadata.sticker.url, metadata.sticker.alt || "Sticker", "sticker"));
  head.append(timeOf(message.timestamp));
  row.append(authorAvatar(author), body);
  return row;
}

/** A line for something that is not a message. */
export function eventRow(kind, sentence, timestamp) {
  const row = make("li", { class: "row event" }, make("span", { class: "sign", "aria-hidden": "true" }));
  row.dataset.kind = kind;
  row.append(make("div", { class: "body" }, make("span", { dir: "auto" }, sentence), timeOf(timestamp)));
  return row;
}

/** Says above a message what it came with. */
export function putOccasion(row, kind, sentence) {
  if (row.querySelector(".occasion")) return;
  row.classList.add("occasioned");
  row.dataset.kind = kind;
  row.querySelector(".body").prepend(make("div", { class: "occasion", dir: "auto" }, sentence));
}

/** Strikes a message out. */
export function strikeOut(row, why) {
  if (row.classList.contains("gone")) return;
  row.classList.add("gone");
  const text = row.querySelector(".text");
  if (!text) return;
  const struck = make("del", { class: "text", dir: "auto" });
  struck.append(...text.childNodes);
  text.replaceWith(struck);
  row.querySelector(".head time").before(make("span", { class: "tag gone-tag" }, why));
}

/** Name, role chips and badges of an author on a platform. */
export function nameAndMarks(author, platform) {
  const shown = author.display_name || author.username || "?";
  const name = make("span", { class: "name" }, make("bdi", {}, shown));
  const shades = readable(author.color, author.id || shown);
  name.style.setProperty("--light-shade", shades.light);
  name.style.setProperty("--dark-shade", shades.dark);
  if (author.username && author.username.toLowerCase() !== shown.toLowerCase()) {
    name.title = author.username;
  }
  return [name, ...roleChips(author.roles, platform), ...(author.badges ?? []).slice(0, 12).map(badge)];
}

/** The chips of what somebody is, in the words of the platform. */
export function roleChips(roles, platform) {
  return ROLES.filter(([role]) => roles?.[role] === true).map(([role, ...general]) => {
    const [word, title] = ownRole(platform, role) ?? general;
    return make("span", { class: `chip ${role}`, title }, word);
  });
}

function badge({ label, image_url: url, title, months }) {
  const words = title || badgeWords(label);
  const isKnown = SAID_BY_ROLE.test(String(label ?? ""));
  // Without a picture a badge is worth its words only where no role chip has said them.
  const shown = picture(url, words, "badge");
  if (!(shown instanceof HTMLImageElement)) return isKnown ? "" : shown;
  // The badge itself shows only a step.
  if (months) shown.title = `${words} (${months} ${months === 1 ? "month" : "months"})`;
  return shown;
}

/** `sub-gifter/25` as `sub gifter 25`; the versions 0 and 1 say nothing. */
function badgeWords(label) {
  return String(label ?? "").replace(/\/[01]$/, "").replaceAll(/[/_-]+/g, " ").trim();
}

/** The picture of an author, or the first letter of the name. */
export function authorAvatar(author) {
  const shown = author.display_name || author.username || "?";
  const circle = make("span", { class: "avatar", "aria-hidden": "true" });
  const letters = [...shown.replace(/[^\p{L}\p{N}]/gu, "")].slice(0, 1).join("");
  circle.append(letters.toUpperCase() || "?");
  circle.style.setProperty("--hue", String(hue(author.id || shown)));
  const image = picture(author.avatar_url, "", "face");
  if (image) circle.append(image);
  return circle;
}

/** Marks a row as paid, in the platform's colour, with the amount. */
export function putMoney(row, head, money) {
  row.classList.add("paid");
  const color = hexColor(money.color);
  if (color) {
    row.style.setProperty("--paid", color);
    row.style.setProperty("--paid-soft", `${color}29`);
    row.style.setProperty("--paid-ink", inkOn(color));
  }
  head.append(make("span", { class: "amount" }, money.formatted || money.amount || ""));
}

function replyLine(reply) {
  const line = make("div", { class: "reply" }, "↩ ");
  const who = reply.display_name || reply.username || "";
  line.append(make("b", {}, make("bdi", {}, who)), " ", make("bdi", {}, reply.text ?? ""));
  line.dataset.to = reply.message_id ?? "";
  line.title = "Replying to";
  return line;
}

/** When it was, as hours and minutes. */
export function timeOf(timestamp) {
  const at = new Date(timestamp ?? "");
  if (Number.isNaN(at.getTime())) return make("time", {});
  const two = (number) => String(number).padStart(2, "0");
  return make(
    "time",
    { datetime: timestamp, title: at.toLocaleString() },
    `${two(at.getHours())}:${two(at.getMinutes())}`,
  );
}
