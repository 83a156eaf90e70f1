// SPDX-License-Identifier: MIT
// From the daemon's `rawHtml` to nodes, without ever handing a string to an HTML parser.
//
// `rawHtml` holds two elements and nothing else: `<span class="text">` around escaped text, and
// `<img class="emote" src alt …>`. Those two are recognised and made anew; whatever else a daemon
// might send is shown as the characters that it is. The page's policy forbids every use of HTML
// (Trusted Types), so this is not a habit but a wall.

import { picture } from "./pictures.js";

const PIECE = /<span class="text">([^<]*)<\/span>|<img((?: [a-z-]+="[^"<>]*")+)>/g;
const ATTRIBUTE = / ([a-z-]+)="([^"]*)"/g;
const ENTITY = /&(amp|lt|gt|quot|#39|#x27);/g;
const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };

/**
 * The content of a message, safe to put on the page.
 *
 * @param {string} rawHtml
 * @returns {DocumentFragment} text nodes, emotes, and words for emotes whose picture cannot be had
 */
export function sanitized(rawHtml) {
  const clean = document.createDocumentFragment();
  let end = 0;
  for (const found of rawHtml.matchAll(PIECE)) {
    if (found.index > end) clean.append(rawHtml.slice(end, found.index));
    clean.append(found[2] === undefined ? unescaped(found[1]) : emote(found[0], found[2]));
    end = found.index + found[0].length;
  }
  if (end < rawHtml.length) clean.append(rawHtml.slice(end));
  return clean;
}

function emote(whole, attributes) {
  const given = new Map();
  for (const [, name, value] of attributes.matchAll(ATTRIBUTE)) given.set(name, unescaped(value));
  return given.get("class") === "emote" ? picture(given.get("src"), given.get("alt"), "emote") : whole;
}

function unescaped(text) {
  return text.replaceAll(ENTITY, (_, name) => CHARACTERS[name]);
}
