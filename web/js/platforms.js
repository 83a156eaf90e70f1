// SPDX-License-Identifier: MIT
// The platforms of this daemon, as it describes them: names, marks, words, and whose URL a text is.

import { draw } from "./dom.js";
import { daemonUrl } from "./place.js";

/** Milliseconds between two attempts to ask the daemon. */
const PAUSE = 1000;

/**
 * By name: `title`, `placeholder`, `hint`, `mark`, `color`, `colorOnDark`, `identifierTypes`,
 * `roles`, `words`, `hosts`, `pictures`. An overlay outlasts a restart of the daemon: it asks until it hears.
 */
export const PLATFORMS = await fetched();

/** Where all pictures are, as this followed by host and path; empty: where their addresses say. */
export const PICTURES = Object.values(PLATFORMS).find(({ pictures }) => pictures)?.pictures ?? "";

/** The platform that is meant where none is named. */
export const FIRST = Object.keys(PLATFORMS)[0] ?? "";

async function fetched() {
  for (;;) {
    try {
      const answer = await fetch(daemonUrl("platforms.json"));
      if (answer.ok) return await answer.json();
    } catch {
      // It may be starting.
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** What the daemon says about a platform; nothing about an unknown one. */
function of(platform) {
  return Object.hasOwn(PLATFORMS, platform) ? PLATFORMS[platform] : {};
}

/** Whether the daemon serves a platform. */
export function isServed(platform) {
  return Object.hasOwn(PLATFORMS, platform);
}

/** What a platform is called; an unknown one by its own word. */
export function platformName(platform) {
  return of(platform).title ?? String(platform);
}

/** Words and meaning of a role of an author where a platform has its own, else undefined. */
export function ownRole(platform, role) {
  const roles = of(platform).roles ?? {};
  return Object.hasOwn(roles, role) ? roles[role] : undefined;
}

/** A sentence for the `details` of an error where a platform has one, else null. */
export function ownWords(platform, details) {
  const words = of(platform).words ?? {};
  return Object.hasOwn(words, details) ? words[details] : null;
}

/** The ways to say which chat is meant: `identifierType` and its name; at least two, or none. */
export function identifierTypes(platform) {
  const types = Object.entries(of(platform).identifierTypes ?? {});
  return types.length > 1 ? types : [];
}

/** Offer the ways of a platform in a `<select>`, which is hidden where there is no choice. */
export function offerTypes(select, platform, isWanted = true) {
  const types = identifierTypes(platform);
  select.hidden = !isWanted || !types.length;
  if (select.dataset.platform === platform) return;
  select.dataset.platform = platform;
  select.replaceChildren(...types.map(([value, words]) => new Option(words, value)));
}

/** Choose one of the ways that are offered; another one changes nothing. */
export function chooseType(select, type) {
  if ([...select.options].some(({ value }) => value === type)) select.value = type;
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
    const { hostname } = new URL(trimmed.replace(/^(https?:)?(\/\/)?/i, "https://"));
    const found = Object.entries(PLATFORMS).find(([, { hosts }]) => hosts.some((host) => `.${hostname}`.endsWith(`.${host}`)));
    return found ? found[0] : null;
  } catch {
    return null;
  }
}

/** Let an element know the colours of a platform. */
export function paint(element, platform) {
  const { color, colorOnDark } = of(platform);
  element.dataset.platform = platform;
  if (color) element.style.setProperty("--mark-on-light", color);
  if (colorOnDark || color) element.style.setProperty("--mark-on-dark", colorOnDark || color);
}

/** The platform's mark as a small drawing; decoration only. */
export function platformMark(platform) {
  const mark = draw("svg", { viewBox: "0 0 24 24", class: "mark", "aria-hidden": "true" });
  paint(mark, platform);
  if (isServed(platform)) mark.append(draw("path", { d: of(platform).mark, "fill-rule": "evenodd" }));
  return mark;
}
