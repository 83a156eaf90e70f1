// SPDX-License-Identifier: MIT
// From the daemon's `rawHtml` to nodes, without ever handing a string to an HTML parser.
//
// `rawHtml` holds two elements and nothing else: `<span class="text">` around escaped text, and
// `<img class="emote" src alt …>`. Those two are recognised and made anew; whatever else a daemon
// might send is shown as the characters that it is. The page's policy forbids every use of HTML
// (Trusted Types), so this is not a habit but a wall.

import { make } from "./dom.js";
import { picture } from "./pictures.js";

const PIECE = /<span class="text">([^<]*)<\/span>|<img((?: [a-z-]+="[^"<>]*")+)>/g;
const ATTRIBUTE = / ([a-z-]+)="([^"]*)"/g;
const ENTITY = /&(amp|lt|gt|quot|#39|#x27);/g;
const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };

/**
 * The content of a message, safe to put on the page.
 *
 * A zero-width emote lies over the emote before it, if only blanks are between the two.
 *
 * @param {string} rawHtml
 * @param {unknown} elements those of the message, which say which emotes are zero-width
 * @returns {DocumentFragment} text nodes, emotes, and words for emotes whose picture cannot be had
 */
export function sanitized(rawHtml, elements) {
  const clean = document.createDocumentFragment();
  const over = zeroWidth(elements);
  let emotes = 0;
  let end = 0;
  for (const found of rawHtml.matchAll(PIECE)) {
    if (found.index > end) clean.append(rawHtml.slice(end, found.index));
    if (found[2] === undefined) {
      clean.append(unescaped(found[1]));
    } else {
      const shown = emote(found[0], found[2]);
      if (!over[emotes++] || !laidOver(clean, shown)) clean.append(shown);
    }
    end = found.index + found[0].length;
  }
  if (end < rawHtml.length) clean.append(rawHtml.slice(end));
  return clean;
}

/** Of each emote, in order, whether it is zero-width. */
function zeroWidth(elements) {
  if (!Array.isArray(elements)) return [];
  return elements.filter((one) => one?.type === "emote").map((one) => one.metadata?.zero_width === true);
}

/** Lay a picture over the emote at the end; false if there is none. */
function laidOver(clean, shown) {
  const last = clean.lastChild;
  const blank = last?.nodeType === Node.TEXT_NODE && !last.data.trim() ? last : null;
  const under = blank ? blank.previousSibling : last;
  if (!(shown instanceof Element && under instanceof Element)) return false;
  let stack = under;
  if (!under.classList.contains("stack")) {
    stack = make("span", { class: "stack" });
    under.replaceWith(stack);
    stack.append(under);
  }
  // The blank stays between them, for whoever copies the text.
  stack.append(...(blank ? [blank, shown] : [shown]));
  return true;
}

function emote(whole, attributes) {
  const given = new Map();
  for (const [, name, value] of attributes.matchAll(ATTRIBUTE)) given.set(name, unescaped(value));
  return given.get("class") === "emote" ? picture(given.get("src"), given.get("alt"), "emote") : whole;
}

function unescaped(text) {
  return text.replaceAll(ENTITY, (_, name) => CHARACTERS[name]);
}
