// SPDX-License-Identifier: MIT
// Copying to the clipboard.

import { make } from "./dom.js";

/** Copies, and says on the button whether it went well. */
export async function copy(button, text) {
  button.dataset.words ??= button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = copyOldWay(text) ? "Copied" : "Not allowed";
  }
  setTimeout(() => {
    button.textContent = button.dataset.words;
  }, 1500);
}

// Without https the browser gives no clipboard, but it still knows the command.
function copyOldWay(text) {
  const field = make("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
