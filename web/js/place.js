// SPDX-License-Identifier: MIT
// Where the daemon is. All addresses begin where these files lie, so that the pages work under
// whatever path a proxy gives them.

/** An address of the daemon; `path` has no slash before it. */
export function daemonUrl(path) {
  return new URL(`../../${path}`, import.meta.url).href;
}
