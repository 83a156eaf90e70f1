// SPDX-License-Identifier: MIT
// The only place that parses HTML: the daemon's `rawHtml`, rebuilt from the two elements it may hold.
//
// The daemon has escaped everything already. This is the second wall: even a daemon that lies gets
// nothing on the page but text and https pictures. What was parsed lives in a template, where no
// script runs and no picture loads, and is thrown away; the page only sees new elements made here.
// Where the browser knows Trusted Types, the page's policy forbids any other use of HTML.

import { picture } from "./pictures.js";

const policy = globalThis.trustedTypes?.createPolicy("livechat-raw-html", {
  createHTML: (html) => html,
});

const nursery = document.createElement("template");

/**
 * The content of a message, safe to put on the page.
 *
 * @param {string} rawHtml `<span class="text">` and `<img class="emote">` only; of anything else the
 *   text is kept
 * @returns {DocumentFragment}
 */
export function sanitized(rawHtml) {
  const html = String(rawHtml);
  nursery.innerHTML = policy ? policy.createHTML(html) : html;
  const clean = document.createDocumentFragment();
  for (const node of nursery.content.childNodes) {
    const isEmote = node.nodeName === "IMG" && node.classList.contains("emote");
    if (isEmote) clean.append(picture(node.getAttribute("src"), node.getAttribute("alt"), "emote"));
    else clean.append(node.textContent ?? "");
  }
  nursery.content.replaceChildren();
  return clean;
}
