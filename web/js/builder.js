// SPDX-License-Identifier: MIT
// The page that makes an overlay's address, with a preview. Its own state is in the part behind `#`.

import { queryOf, sourcesIn } from "./address.js";
import { byId, make } from "./dom.js";
import { copy } from "./copy.js";
import { HIDEABLE, putSettings, settingsIn, SHOWABLE, THEMES } from "./overlay-settings.js";
import { daemonUrl } from "./place.js";
import { chooseType, FIRST, isServed, isUrl, offerTypes, PLATFORMS, platformOfUrl } from "./platforms.js";
import { themeButton } from "./theme.js";

const form = byId("form");
const MOST = 12;

// ---- the form -----------------------------------------------------------------------------------

function addSource(source = { platform: FIRST, identifier: "" }) {
  const options = Object.entries(PLATFORMS).map(([value, { title }]) => make("option", { value }, title));
  const platform = make("select", { "aria-label": "Platform", class: "platform" }, ...options);
  const identifier = make("input", {
    type: "text", "aria-label": "Channel", class: "identifier", placeholder: "Channel name or URL",
    maxlength: 2048, spellcheck: "false", autocapitalize: "none",
  });
  const type = make("select", { "aria-label": "What the text is", class: "type" });
  const remove = make("button", { type: "button", class: "quiet round", "aria-label": "Remove this chat" }, "×");
  platform.value = isServed(source.platform) ? source.platform : FIRST;
  identifier.value = source.identifier;
  offerTypes(type, platform.value);
  chooseType(type, source.identifierType);
  const line = make("div", { class: "source" }, platform, identifier, type, remove);
  remove.addEventListener("click", () => {
    line.remove();
    if (!byId("sources").childElementCount) addSource();
    changed();
  });
  byId("sources").append(line);
  return identifier;
}

function sources() {
  return [...byId("sources").children].map((line) => {
    const [platform, identifier, type] = [".platform", ".identifier", ".type"].map((name) => line.querySelector(name));
    const pasted = platformOfUrl(identifier.value);
    if (pasted) platform.value = pasted;
    offerTypes(type, platform.value, !isUrl(identifier.value));
    const source = { platform: platform.value, identifier: identifier.value.trim() };
    return type.hidden ? source : { ...source, identifierType: type.value };
  }).filter(({ identifier }) => identifier);
}

function settings() {
  const query = new URLSearchParams();
  for (const name of ["theme", "newest", "fade", "size", "font", "max", "hold", "bots"]) {
    query.set(name, form.elements[name].value);
  }
  query.set("wait", form.elements.wait.checked ? "1" : "0");
  for (const name of ["hide", "show"]) {
    const chosen = [...byId(name).querySelectorAll("input:checked")].map(({ value }) => value);
    query.set(name, chosen.join(","));
  }
  return settingsIn(query);
}

function fill(query) {
  const given = settingsIn(query);
  for (const name of ["newest", "fade", "size", "font", "max", "hold", "theme"]) form.elements[name].value = String(given[name]);
  form.elements.wait.checked = given.wait === 1;
  form.elements.bots.value = given.bots.join(", ");
  for (const name of ["hide", "show"]) {
    for (const box of byId(name).querySelectorAll("input")) box.checked = given[name].includes(box.value);
  }
  for (const source of sourcesIn(query)) addSource(source);
  if (!byId("sources").childElementCount) addSource();
}

function check(type, name, value, words) {
  return make("label", {}, make("input", { type, name, value }), make("span", {}, words));
}

// ---- the address --------------------------------------------------------------------------------

let pending = 0;

function changed() {
  const chats = sources();
  const look = settings();
  const query = putSettings(queryOf(chats), look);
  byId("address").value = chats.length ? daemonUrl(`overlay?${query}`) : "";
  byId("address").placeholder = "Name a channel first";
  byId("copy").disabled = !chats.length;
  byId("add").disabled = byId("sources").childElementCount >= MOST;
  history.replaceState(null, "", `${location.pathname}#${query}`);
  clearTimeout(pending);
  pending = setTimeout(() => preview(chats, look), 400);
}

function preview(chats, look) {
  const isReal = document.querySelector("[name=preview]:checked").value === "real" && chats.length > 0;
  const query = putSettings(queryOf(isReal ? chats : []), { ...look, sample: !isReal });
  const address = daemonUrl(`overlay?${query}`);
  // A new address as `src` would become a step of this page's history.
  const frame = byId("preview");
  if (frame.dataset.address !== address) frame.contentWindow.location.replace(address);
  frame.dataset.address = address;
}

// ---- beginning ----------------------------------------------------------------------------------

themeButton(byId("theme"));
for (const [value, words] of Object.entries(THEMES)) {
  const [name, description] = words.split(": ");
  byId("themes").append(
    make("label", {}, make("input", { type: "radio", name: "theme", value }), make("span", {}, make("b", {}, name), " ", description)),
  );
}
for (const [value, words] of Object.entries(HIDEABLE)) byId("hide").append(check("checkbox", "hide", value, words));
for (const [value, words] of Object.entries(SHOWABLE)) byId("show").append(check("checkbox", "show", value, words));
fill(new URLSearchParams(location.hash.slice(1)));
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
for (const radio of document.querySelectorAll("[name=preview]")) radio.addEventListener("change", changed);
byId("add").addEventListener("click", () => addSource().focus());
byId("copy").addEventListener("click", ({ currentTarget }) => copy(currentTarget, byId("address").value));
byId("address").addEventListener("focus", ({ currentTarget }) => currentTarget.select());
changed();
