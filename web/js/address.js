// SPDX-License-Identifier: MIT
// Which chats an address names: `?platform=P&identifier=name`, repeated for several.

import { FIRST } from "./platforms.js";

/**
 * @typedef {{platform: string, identifier: string, identifierType?: string}} Source one chat
 */

/**
 * The chats in a query. Every `identifier` is one chat on the `platform` named last before it; an
 * `identifierType` belongs to the identifier before it, or if there is none yet to the first.
 *
 * @param {URLSearchParams} query
 * @returns {Source[]}
 */
export function sourcesIn(query) {
  const sources = [];
  let platform = FIRST;
  let type = null;
  for (const [name, value] of query) {
    if (name === "platform") platform = value.trim().toLowerCase();
    else if (name === "identifier" && value.trim()) {
      sources.push({ platform, identifier: value.trim() });
    } else if (name === "identifierType") {
      if (sources.length) sources.at(-1).identifierType = value;
      else type = value;
    }
  }
  if (type && sources.length && !sources[0].identifierType) sources[0].identifierType = type;
  return sources;
}

/** The chats as parameters of an address. */
export function queryOf(sources) {
  const query = new URLSearchParams();
  for (const { platform, identifier, identifierType } of sources) {
    query.append("platform", platform);
    query.append("identifier", identifier);
    if (identifierType && identifierType !== "username") query.append("identifierType", identifierType);
  }
  return query;
}
