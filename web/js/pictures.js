// SPDX-License-Identifier: MIT
// Pictures from other hosts: https only, and words in their place where they cannot be had.

import { make } from "./dom.js";
import { PICTURES } from "./platforms.js";

const LONGEST = 2048;

/** Pictures that failed lately; they are not asked for again with every message. */
const broken = new Set();

/** The address if it is one of an https picture, else null. */
export function pictureUrl(address) {
  if (typeof address !== "string" || address.length > LONGEST) return null;
  try {
    const url = new URL(address);
    if (url.protocol !== "https:") return null;
    // In a demonstration the pictures of all hosts come from the simulator.
    return PICTURES ? PICTURES + url.href.slice("https://".length) : url.href;
  } catch {
    return null;
  }
}

/**
 * A picture, or its words where there is none.
 *
 * @param {unknown} address
 * @param {string|null} alt what it shows, in words; empty: it is decoration and vanishes
 * @param {string} className of the picture; the words get it with `-text` behind
 */
export function picture(address, alt, className) {
  const words = alt ?? "";
  const url = pictureUrl(address);
  if (!url || broken.has(url)) return inWords(words, className);
  const image = make("img", { class: className, alt: words, title: words || null });
  image.decoding = "async";
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  image.addEventListener("error", () => failed(image, url, words, className), { once: true });
  image.src = url;
  return image;
}

function failed(image, url, words, className) {
  if (broken.size > 1000) broken.clear();
  broken.add(url);
  image.replaceWith(inWords(words, className));
}

function inWords(words, className) {
  return words ? make("span", { class: `${className}-text` }, words) : "";
}
