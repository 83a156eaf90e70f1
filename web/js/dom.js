// SPDX-License-Identifier: MIT
// Making elements. Text always becomes text nodes: nothing here parses HTML.

/**
 * An element with attributes and children.
 *
 * @param {string} tag
 * @param {Object<string, string|number|boolean|null|undefined>} [attributes] false, null and
 *   undefined leave the attribute out, true makes it empty
 * @param {...(Node|string|null|undefined)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for SVG. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** The element with that id; a page without it is a mistake of ours. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no #${id} on this page`);
  return element;
}

/** Puts text into an element, unless it is there already. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
