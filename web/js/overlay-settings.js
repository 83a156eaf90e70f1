// SPDX-License-Identifier: MIT
// How an overlay looks, as parameters of its address; the page that makes addresses uses the same.

export const THEMES = {
  outline: "Outline: bare text with a dark edge",
  glass: "Glass: dark see-through cards",
  paper: "Paper: light cards",
};

/** What can be left out, by its name in `hide`. */
export const HIDEABLE = {
  platform: "platform mark",
  badges: "badges and roles",
  bots: "bots",
  commands: "commands (!…)",
  events: "gifts, raids, subscriptions",
};

/** What can be added, by its name in `show`. */
export const SHOWABLE = { avatars: "avatars", time: "time", events: "all other events" };

export const DEFAULTS = {
  theme: "outline",
  newest: "bottom",
  fade: 0,
  size: 22,
  font: "",
  max: 50,
  hold: 0,
  hide: [],
  show: [],
  bots: [],
  wait: 1,
  sample: false,
};

/** Programs that write in many chats. */
const KNOWN_BOTS =
  ("botisimo botrixoficial coebot commanderroot creatisbot deepbot fossabot kofistreambot moobot " +
    "nightbot own3d phantombot pokemoncommunitygame restreambot sery_bot soundalerts " +
    "stay_hydrated_bot streamelements streamlabs streamstickers tangiabot wizebot").split(" ");

/**
 * The settings in a query; what is missing or out of range is as in `DEFAULTS`.
 *
 * - `theme`: `outline`, `glass` or `paper`
 * - `newest`: `bottom` or `top`
 * - `fade`: seconds until a message goes, 0 never
 * - `size`: of the text in pixels, 8 to 120
 * - `font`: a font family that the machine has
 * - `max`: messages kept, 1 to 200
 * - `hold`: seconds that messages are held back, 0 to 60: what a moderator removes meanwhile is not
 *   shown at all
 * - `hide`, `show`, `bots`: lists with commas; `bots` are further names to hide with `hide=bots`
 * - `wait`: 1 waits until a channel is live, and for its next stream; 0 does not
 * - `sample`: invented messages, to arrange things by
 *
 * @param {URLSearchParams} query
 */
export function settingsIn(query) {
  const list = (name) => (query.get(name) ?? "").toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
  return {
    theme: Object.hasOwn(THEMES, query.get("theme") ?? "") ? query.get("theme") : DEFAULTS.theme,
    newest: query.get("newest") === "top" ? "top" : DEFAULTS.newest,
    fade: number(query.get("fade"), 0, 3600, DEFAULTS.fade),
    size: number(query.get("size"), 8, 120, DEFAULTS.size),
    font: (query.get("font") ?? "").replaceAll(/[^\p{L}\p{N} _-]/gu, "").slice(0, 60).trim(),
    max: Math.round(number(query.get("max"), 1, 200, DEFAULTS.max)),
    hold: number(query.get("hold"), 0, 60, DEFAULTS.hold),
    hide: list("hide").filter((word) => Object.hasOwn(HIDEABLE, word)),
    show: list("show").filter((word) => Object.hasOwn(SHOWABLE, word)),
    bots: list("bots").map((name) => name.replace(/^@/, "")).slice(0, 50),
    wait: Math.round(number(query.get("wait"), 0, 1, DEFAULTS.wait)),
    sample: query.has("sample"),
  };
}

/** Adds to a query whatever differs from `DEFAULTS`. */
export function putSettings(query, settings) {
  for (const [name, normal] of Object.entries(DEFAULTS)) {
    const value = settings[name];
    if (Array.isArray(value)) {
      if (value.length) query.set(name, value.join(","));
    } else if (name === "sample") {
      if (value) query.set(name, "1");
    } else if (value !== normal) query.set(name, String(value));
  }
  return query;
}

/** What the settings leave out, as `filter` of a subscribe; undefined where that is nothing. */
export function filterOf({ hide, bots }) {
  const filter = {};
  // The server takes entries of at most 100 characters; nobody has a longer name.
  if (hide.includes("bots")) filter.exclude_users = [...KNOWN_BOTS, ...bots].filter((name) => name && name.length <= 100);
  if (hide.includes("commands")) filter.exclude_prefixes = ["!"];
  return Object.keys(filter).length ? filter : undefined;
}

/** The same of an invented message, of which no server knows. */
export function isLeftOut(message, settings) {
  const { exclude_users: users = [], exclude_prefixes: prefixes = [] } = filterOf(settings) ?? {};
  const { author, content } = message.data;
  return users.includes(author.username.toLowerCase()) || prefixes.some((prefix) => content.raw.startsWith(prefix));
}

function number(text, least, most, normal) {
  const value = Number.parseFloat(text ?? "");
  return Number.isFinite(value) ? Math.max(least, Math.min(most, value)) : normal;
}
