// SPDX-License-Identifier: MIT
// The overlay: one or several chats, merged, for a streaming program. Nothing to click: everything
// is said by the address (see overlay-settings.js).

import { LiveChat } from "../livechat.js";
import { sourcesIn } from "./address.js";
import { byId, make } from "./dom.js";
import { isCountedOnly, isGone, sentenceOf } from "./events.js";
import { filterOf, isLeftOut, settingsIn } from "./overlay-settings.js";
import { picture } from "./pictures.js";
import { socketAddress } from "./place.js";
import { paint, platformMark, platformName } from "./platforms.js";
import { authorAvatar, nameAndMarks, putMoney, timeOf } from "./row.js";
import { sampleMessage } from "./sample.js";
import { sanitized } from "./sanitize.js";
import { errorInWords, waitingInWords } from "./words.js";

/** Events that are worth a line on a stream; others have one only with `show=events`. */
const CELEBRATED = new Set(["donation", "follow", "gap", "gift", "raid", "subscription"]);
/** How long a note stays that needs nobody to do anything, in ms. */
const NOTE = 10000;

const query = new URLSearchParams(location.search);
const settings = settingsIn(query);
const sources = sourcesIn(query);
const list = byId("list");
/** Rows to come, as `{build, at, isReplayed}`, newest last; made in the next frame. */
const waiting = [];

// ---- how it looks -------------------------------------------------------------------------------

document.body.dataset.theme = settings.theme;
document.body.dataset.newest = settings.newest;
document.body.style.setProperty("--size", `${settings.size}px`);
document.body.style.setProperty("--fade", `${settings.fade}s`);
if (settings.font) document.body.style.setProperty("--font", `"${settings.font}"`);
if (settings.fade) document.body.classList.add("fading");

function messageRow(message, channel = "") {
  const { author, content = {}, metadata = {} } = message.data;
  const row = make("li", { class: "line" });
  row.dataset.channel = channel;
  paint(row, message.platform);
  row.dataset.id = message.message_id;
  row.dataset.author = author.id;
  row.dataset.login = author.username;
  if (metadata.action) row.classList.add("action");
  const head = make("span", { class: "head" });
  if (!settings.hide.includes("platform")) head.append(platformMark(message.platform));
  if (settings.show.includes("avatars")) head.append(authorAvatar(author));
  const [name, ...marks] = nameAndMarks(author, message.platform);
  if (!settings.hide.includes("badges")) head.append(...marks);
  head.append(name);
  if (metadata.monetary_data) putMoney(row, head, metadata.monetary_data);
  const text = make("span", { class: "text", dir: "auto" });
  text.append(typeof content.rawHtml === "string" ? sanitized(content.rawHtml, content.elements) : "");
  row.append(head, " ", text);
  if (metadata.sticker) row.append(picture(metadata.sticker.url, metadata.sticker.alt || "Sticker", "sticker"));
  if (settings.show.includes("time")) row.append(timeOf(message.timestamp));
  return row;
}

function eventRow(event, sentence) {
  const row = make("li", { class: "line event" });
  row.dataset.kind = event.type;
  if (!settings.hide.includes("platform")) row.append(platformMark(event.platform), " ");
  row.append(make("bdi", {}, sentence));
  return row;
}

// ---- rows come and go ---------------------------------------------------------------------------

const isNewestOnTop = settings.newest === "top";

function show(build, timestamp = "", isReplayed = false) {
  const at = Date.parse(timestamp) || Date.now();
  // What has faded already on a page that was there all the time.
  if (isReplayed && settings.fade && secondsLeft(at) <= 0) return;
  waiting.push({ build, at, isReplayed });
  // Of several chats each may be played again.
  if (waiting.length > settings.max * Math.max(1, sources.length)) waiting.shift();
  if (waiting.length === 1) requestAnimationFrame(flush);
}

function flush() {
  for (const { build, at, isReplayed } of waiting.splice(0)) {
    const row = build();
    row.at = at;
    if (isReplayed) replay(row);
    else if (isNewestOnTop) list.prepend(row);
    else list.append(row);
  }
  while (list.childElementCount > settings.max) (isNewestOnTop ? list.lastElementChild : list.firstElementChild).remove();
}

/** Puts a row among those that are there, by its time. */
function replay(row) {
  if (settings.fade) row.style.setProperty("--fade", `${Math.max(0, secondsLeft(row.at))}s`);
  const older = (other) => (isNewestOnTop ? other.nextElementSibling : other.previousElementSibling);
  let other = isNewestOnTop ? list.firstElementChild : list.lastElementChild;
  while (other?.at > row.at) other = older(other);
  if (isNewestOnTop) list.insertBefore(row, other);
  else list.insertBefore(row, other ? other.nextElementSibling : list.firstElementChild);
}

function secondsLeft(at) {
  return settings.fade - (Date.now() - at) / 1000;
}

list.addEventListener("animationend", ({ animationName, target }) => {
  if (animationName === "leave") target.remove();
});

/** On a stream what was deleted is gone, not struck out. */
function takeAway(event, channel) {
  flush();
  for (const row of [...list.children]) {
    const isHere = row.dataset.platform === event.platform && row.dataset.channel === channel;
    if (isHere && isGone(row.dataset, event)) row.remove();
  }
}

/** Something that only the streamer needs to know; it goes soon, unless it needs to be mended. */
function note(text, stays) {
  const row = make("li", { class: "line note" }, text);
  row.at = Date.now();
  if (isNewestOnTop) list.prepend(row);
  else list.append(row);
  if (!stays) setTimeout(() => row.remove(), NOTE);
}

// ---- what the daemon says -----------------------------------------------------------------------

const noted = new Set();

function chatCame({ message, isReplayed }) {
  if (!message.data?.data?.author) return;
  show(() => messageRow(message.data, message.identifier), message.data.timestamp, isReplayed);
}

function eventCame({ message, isReplayed }) {
  const { data: event, identifier: channel = "" } = message;
  if (!event) return;
  if (event.type === "deletion" || event.type === "timeout") takeAway(event, channel);
  const isWanted = CELEBRATED.has(event.type) || (settings.show.includes("events") && !isCountedOnly(event.type));
  if (!isWanted || settings.hide.includes("events")) return;
  const sentence = sentenceOf(event);
  if (sentence) show(() => eventRow(event, sentence), event.timestamp, isReplayed);
}

function errorCame({ message, subscription, retryIn, isGivenUp }) {
  if (retryIn === null && !isGivenUp) return;
  const { title, text, code } = errorInWords(message, subscription.platform);
  const { identifier, platform } = subscription;
  // The same trouble is noted once, not at every attempt.
  const what = `${identifier} (${platformName(platform)})`;
  if (!noted.has(what + code)) note(`${what}: ${title}. ${text}`, isGivenUp);
  noted.add(what + code);
}

/** Which chats are connected, for styles: `live` as soon as one is. */
const states = new Map();

function stateCame({ status }, subscription) {
  if (status !== "started" && status !== "waiting") return;
  states.set(subscription, status === "started" ? "live" : "waiting");
  document.body.dataset.state = [...states.values()].includes("live") ? "live" : "waiting";
}

/** The chats come by themselves when the channel is live; until then one note says why none come. */
function statusCame({ message, subscription }) {
  if (subscription) stateCame(message, subscription);
  if (message.status !== "waiting" || !subscription) return;
  const { identifier, platform } = subscription;
  const words = `${identifier} (${platformName(platform)}): Waiting. ${waitingInWords(message, platform)}`;
  if (!noted.has(words)) note(words, false);
  noted.add(words);
}

if (settings.sample) {
  const next = () => {
    const message = sampleMessage();
    if (!isLeftOut(message, settings)) show(() => messageRow(message));
  };
  for (let i = 0; i < 8; i += 1) next();
  setInterval(next, 1600);
} else if (sources.length) {
  const client = new LiveChat(socketAddress(location.search));
  client.addEventListener("chat", chatCame);
  client.addEventListener("event", eventCame);
  client.addEventListener("error", errorCame);
  client.addEventListener("status", statusCame);
  // A page that is loaded again shows what it showed.
  const options = { events: true, stats: false, history: settings.max, filter: filterOf(settings), hold: settings.hold || undefined, wait: settings.wait === 1 || undefined };
  for (const source of sources) client.subscribe({ ...source, ...options });
}
