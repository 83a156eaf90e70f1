// SPDX-License-Identifier: MIT
// Where the daemon is. All addresses begin where these files lie, so that the pages work under
// whatever path a proxy gives them.

/** An address of the daemon; `path` has no slash before it. */
export function daemonUrl(path) {
  return new URL(`../../${path}`, import.meta.url).href;
}

/** The address of the daemon's socket, with the token of the page's own address if it has one. */
export function socketAddress(search) {
  const address = new URL(daemonUrl("ws"));
  address.protocol = address.protocol.replace("http", "ws");
  const token = new URLSearchParams(search).get("token");
  if (token) address.searchParams.set("token", token);
  return address.href;
}
