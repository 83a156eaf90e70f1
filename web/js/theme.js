// SPDX-License-Identifier: MIT
// Light, dark, or as the system has it; the choice is kept.

import { byId } from "./dom.js";

const KEY = "livechat-theme";
const ORDER = ["auto", "light", "dark"];
/** When the style sheet of dark colours is in force. */
const DARK = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
const WORDS = { auto: "as the system", light: "light", dark: "dark" };

function stored() {
  try {
    const choice = localStorage.getItem(KEY);
    return ORDER.includes(choice) ? choice : "auto";
  } catch {
    return "auto";
  }
}

// At once: the page is drawn while its scripts still wait for the daemon.
byId("dark").media = DARK[stored()];

function apply(choice, button) {
  byId("dark").media = DARK[choice];
  button.setAttribute("aria-label", `Colours: ${WORDS[choice]}`);
  button.title = `Colours: ${WORDS[choice]}`;
  button.dataset.choice = choice;
}

/** Makes a button go round the three. */
export function themeButton(button) {
  let choice = stored();
  apply(choice, button);
  button.addEventListener("click", () => {
    choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length];
    apply(choice, button);
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // A browser that keeps nothing still shows the colours until the page is left.
    }
  });
}
