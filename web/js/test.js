// SPDX-License-Identifier: MIT
// The test page: one chat at a time, everything about it, and how to connect to it.

import { CLOSE_CODES, defaultAddress, LiveChat } from "../livechat.js";
import { queryOf, sourcesIn } from "./address.js";
import { ChatLog } from "./chatlog.js";
import { byId, make, say } from "./dom.js";
import { Frames } from "./frames.js";
import { isCountedOnly, isGone, rulesOf, sentenceOf, whyGone } from "./events.js";
import { paidWith } from "./money.js";
import { fillOptions, optionsOf, putOptions } from "./options.js";
import { daemonUrl, socketAddress } from "./place.js";
import { chooseType, FIRST, identifierTypes, isServed, isUrl, offerTypes, PLATFORMS, platformMark, platformName, platformOfUrl } from "./platforms.js";
import { chatRow, eventRow, putOccasion, strikeOut } from "./row.js";
import { Statistics } from "./stats.js";
import { themeButton } from "./theme.js";
import { Voice } from "./voice.js";
import { errorInWords, waitingInWords } from "./words.js";

/** Rows kept on the page. */
const ROWS = 250;

const form = byId("connect-form");
const identifier = byId("identifier");
const identifierType = byId("identifier-type");
const stats = new Statistics();
const frames = new Frames();
const voice = new Voice(byId("spoken"));
const log = new ChatLog(byId("scroller"), byId("list"), { cap: ROWS, onUnseen: showUnseen });
/** What this page's address allows it. */
const token = new URLSearchParams(location.search).get("token");
const client = new LiveChat(socketAddress(location.search));

/** The chat that is connected or being connected, or null. */
let source = null;
/** Set while a failure is on show that closing the connection must not wipe away. */
let verdict = null;
let countdown = 0;
/** Where the chat began for this page, as `started` said. */
let beginning = null;

// ---- status -------------------------------------------------------------------------------------

function showStatus(state, title, text, code = "") {
  clearInterval(countdown);
  byId("status").dataset.state = state;
  say(byId("status-title"), title);
  say(byId("status-text"), text);
  say(byId("status-code"), code);
  byId("status-code").hidden = !code;
  byId("again").hidden = state !== "bad" && state !== "over";
}

function connectionChanged({ state, retryIn, attempt, code }) {
  const isActive = state !== "closed";
  byId("disconnect").disabled = !isActive;
  showConnect();
  if (state === "connecting") {
    if (!attempt) showStatus("busy", "Connecting", "Opening a WebSocket to the daemon…");
  } else if (state === "open") showStatus("busy", "Connected", "Asking the daemon for the chat…");
  else if (state === "lost") showLoss(code, retryIn);
  else if (verdict) showStatus(...verdict);
  else showIdle();
}

function showIdle() {
  showStatus("idle", "Not connected", PLATFORMS[form.elements.platform.value].hint);
}

/** The button invites to connect, unless what the form says is connected already. */
function showConnect() {
  const isDone = !byId("disconnect").disabled && JSON.stringify(wanted()) === JSON.stringify(source);
  say(byId("connect"), isDone ? "Reconnect" : "Connect");
  byId("connect").classList.toggle("done", isDone);
}

function showLoss(code, retryIn) {
  const why = Object.hasOwn(CLOSE_CODES, code) ? CLOSE_CODES[code].replace(/^./, (letter) => letter.toUpperCase()) : "The daemon does not answer";
  showCountdown("warn", "Connection lost", `${why}.`, "", retryIn);
}

function showCountdown(state, title, text, code, retryIn) {
  const due = Date.now() + retryIn;
  showStatus(state, title, text, code);
  const show = () => {
    const left = Math.max(0, Math.ceil((due - Date.now()) / 1000));
    say(byId("status-text"), left > 1 ? `${text} Next try in ${left} s.` : `${text} Trying again…`);
  };
  show();
  countdown = setInterval(show, 500);
}

// ---- what the daemon says -----------------------------------------------------------------------

for (const [type, act] of Object.entries({
  state: connectionChanged,
  sent: ({ message, text }) => frames.passed("out", message, text),
  message: ({ message, text }) => frames.passed("in", message, text),
  chat: chatCame,
  event: eventCame,
  missed: () => log.add(() => eventRow("gap", "Part of the chat was missed while there was no connection", new Date().toISOString())),
  stats: ({ message }) => stats.counted(message),
  status: ({ message }) => statusCame(message),
  error: errorCame,
})) {
  client.addEventListener(type, act);
}

function statusCame(message) {
  const { status, storage_type: storage, live, liveId, feed, reason, epoch, seq } = message;
  if (status === "subscribed") {
    stats.storage(storage);
    showStatus("busy", "Subscribed", "Waiting for the chat to begin…");
  } else if (status === "started") {
    beginning ??= { epoch, seq };
    const where = `Reading ${source.identifier} on ${platformName(source.platform)}.`;
    const offline = live === false ? " The streamer is offline; the chat room is open." : "";
    const top = feed === "top" ? " Only the top chat could be had." : "";
    showStatus("live", live === false ? "Chat open" : "Live", where + offline + top);
    sayEmpty("Waiting for the first message", "The chat is connected. Nobody has written yet.");
  } else if (status === "reconnecting") {
    const why = typeof reason === "string" && reason ? ` (${reason})` : "";
    showStatus("warn", "Reconnecting", `The platform dropped the connection${why}; the daemon is getting it back.`);
  } else if (status === "waiting") {
    const why = waitingInWords(message, source?.platform);
    showStatus("busy", "Waiting", `${why} The chat begins when the channel is live.`);
    sayEmpty("Waiting for the channel", why);
  } else if (status === "ended") {
    // The channel is waited for, or another live of it goes on.
    const which = source?.lives && liveId ? `The live ${liveId}` : "The stream";
    log.add(() => eventRow("stream", `${which} is over`, new Date().toISOString()));
  } else if (status === "unsubscribed") showStatus("idle", "Unsubscribed", "The chat was let go of.");
}

function errorCame({ message, retryIn, isGivenUp }) {
  const { title, text, code } = errorInWords(message, source?.platform);
  if (retryIn === null && !isGivenUp) {
    log.add(() => eventRow("error", `${title}: ${text} (${code})`, new Date().toISOString()));
    return;
  }
  sayEmpty(title, text);
  const state = message.code === "STREAM_ENDED" ? "over" : "bad";
  if (retryIn !== null) {
    showCountdown(state, title, text, code, retryIn);
    return;
  }
  verdict = [state, title, text, code];
  client.close();
}

/** Whether something happened before this page was there: it is shown, and not counted. */
function isHistory({ message, subscription, isReplayed }) {
  return isReplayed && message.seq <= beginning?.seq && subscription.position?.epoch === beginning?.epoch;
}

function chatCame(came) {
  const { data } = came.message;
  if (!data?.data) return;
  const paid = paidWith(data.data);
  if (paid && !isHistory(came)) stats.paid(paid);
  byId("empty").hidden = true;
  log.add(() => chatRow(data));
  if (came.isReplayed) return;
  stats.message(data.timestamp);
  voice.read(data.data);
}

function eventCame(came) {
  const event = came.message.data;
  if (!event?.type) return;
  const { type, data = {}, timestamp } = event;
  if (!isHistory(came)) stats.happened(type, data);
  if (type === "stream" && typeof data.title === "string") showTitle(data.title);
  if (type === "room") showRules(rulesOf(data));
  const paid = paidWith(data);
  if (paid && !isHistory(came)) stats.paid(paid);
  if (isCountedOnly(type)) return;
  // Now in what is shown, and once more when the messages are there that have not been made yet.
  const isRemoval = type === "deletion" || type === "timeout";
  if (isRemoval) strikeOutAll(event);
  log.add(() => {
    if (isRemoval) strikeOutAll(event);
    const sentence = sentenceOf(event);
    if (!sentence) return null;
    byId("empty").hidden = true;
    const row = log.rowOf(data.message_id);
    if (!row || type === "pin") return eventRow(type, sentence, timestamp);
    // What came with a message stands above it.
    putOccasion(row, type, sentence);
    return null;
  });
}

function showTitle(title) {
  byId("channel").querySelector(".title")?.remove();
  byId("channel").append(make("span", { class: "title", title }, `· ${title}`));
}

function showRules(rules) {
  byId("rules").hidden = !rules;
  say(byId("rules"), rules);
}

function strikeOutAll(event) {
  for (const row of log.rows) if (isGone(row.dataset, event)) strikeOut(row, whyGone(event));
}

// ---- the chat -----------------------------------------------------------------------------------

function showUnseen(unseen, following) {
  byId("newest").hidden = following;
  say(byId("newest"), unseen ? `↓ ${unseen.toLocaleString()} new` : "↓ Newest");
}

function sayEmpty(title, text) {
  say(byId("empty-title"), title);
  say(byId("empty-text"), text);
  byId("snippet").hidden = true;
}

byId("newest").addEventListener("click", () => {
  log.follow();
  byId("scroller").focus({ preventScroll: true });
});
byId("clear").addEventListener("click", () => log.clear());
byId("read-out").addEventListener("click", ({ currentTarget }) => {
  const isOn = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(isOn));
  voice.turn(isOn);
});
byId("list").addEventListener("click", ({ target }) => {
  const row = log.rowOf(target.closest(".reply")?.dataset.to);
  row?.scrollIntoView({ block: "center" });
  row?.animate?.([{ background: "var(--accent-soft)" }, {}], 1500);
});

// ---- the form -----------------------------------------------------------------------------------

function wanted() {
  const text = identifier.value.trim();
  const platform = platformOfUrl(text) ?? form.elements.platform.value;
  const chosen = { platform, identifier: text };
  if (identifierTypes(platform).length) chosen.identifierType = isUrl(text) ? "username" : identifierType.value;
  return { ...chosen, ...optionsOf(form.elements) };
}

function formChanged() {
  const pasted = platformOfUrl(identifier.value);
  if (pasted) form.elements.platform.value = pasted;
  const platform = form.elements.platform.value;
  identifier.placeholder = PLATFORMS[platform].placeholder;
  offerTypes(identifierType, platform, !pasted);
  say(byId("hint"), PLATFORMS[platform].hint);
  if (byId("status").dataset.state === "idle") showIdle();
  showConnect();
  showSnippet();
}

function showSnippet() {
  const { platform, identifier: name, identifierType: type, ...options } = wanted();
  const command = { type: "subscribe", platform, identifier: name || "…" };
  if (type && type !== "username") command.identifierType = type;
  Object.assign(command, options);
  say(
    byId("snippet"),
    `const ws = new WebSocket("${defaultAddress()}");\n` +
      `ws.onopen = () => ws.send(JSON.stringify(\n  ${JSON.stringify(command)}));\n` +
      "ws.onmessage = ({ data }) => console.log(JSON.parse(data));",
  );
}

function connect(chosen) {
  source = chosen;
  verdict = null;
  beginning = null;
  log.clear();
  stats.clear();
  showRules("");
  byId("empty").hidden = false;
  sayEmpty("Connecting", "The chat appears here.");
  const query = putOptions(queryOf([chosen]), chosen);
  if (token) query.set("token", token);
  history.replaceState(null, "", `?${query}`);
  byId("overlay-link").href = daemonUrl(`overlay#${query}`);
  document.title = `${chosen.identifier} (${chosen.platform}) - LiveChat`;
  byId("channel").replaceChildren(platformMark(chosen.platform), make("bdi", {}, chosen.identifier));
  client.close();
  // A page that is loaded again shows what it showed.
  client.subscribe({ ...chosen, events: true, history: ROWS });
}

function disconnect() {
  verdict = null;
  client.close();
  history.replaceState(null, "", token ? `?${new URLSearchParams({ token })}` : location.pathname);
  document.title = "LiveChat Test";
}

for (const [value, { title }] of Object.entries(PLATFORMS)) {
  const face = make("span", { class: "face" }, platformMark(value), title);
  form.querySelector(".platforms").append(make("label", {}, make("input", { type: "radio", name: "platform", value }), face));
}
form.elements.platform.value = FIRST;
form.addEventListener("input", formChanged);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (identifier.value.trim()) connect(wanted());
});
byId("disconnect").addEventListener("click", disconnect);
byId("again").addEventListener("click", () => source && connect(source));
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.nodeName)) return;
  event.preventDefault();
  identifier.select();
});

// ---- the daemon ---------------------------------------------------------------------------------

async function showHealth() {
  if (document.hidden) return;
  try {
    const health = await (await fetch(daemonUrl("health"), { signal: AbortSignal.timeout(5000) })).json();
    const streams = `${health.activeStreams} active ${health.activeStreams === 1 ? "stream" : "streams"}`;
    say(byId("health"), [`daemon ${health.status}`, streams, /^[0-9]/.test(health.version) && `v${health.version}`].filter(Boolean).join(" · "));
    byId("health").dataset.state = "good";
  } catch {
    say(byId("health"), "daemon unreachable");
    byId("health").dataset.state = "bad";
  }
}

// ---- beginning ----------------------------------------------------------------------------------

themeButton(byId("theme"));
setInterval(() => frames.tick(), 500);
setInterval(showHealth, 10000);
showHealth();
const query = new URLSearchParams(location.search);
const [first] = sourcesIn(query);
byId("options").open = fillOptions(form.elements, query);
if (first && isServed(first.platform)) {
  form.elements.platform.value = first.platform;
  identifier.value = first.identifier;
  formChanged();
  chooseType(identifierType, first.identifierType);
}
formChanged();
if (first) connect(isServed(first.platform) ? wanted() : { ...first, ...optionsOf(form.elements) });
else identifier.focus();
