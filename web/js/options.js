// SPDX-License-Identifier: MIT
// The options of a subscribe, as fields of a form and as parameters of an address by the same names.

/** Conditions of a filter that are lists; in a field their entries are apart by commas. */
const LISTS = ["only_words", "exclude_words", "only_users", "exclude_users", "exclude_prefixes"];

/** What the fields say, as options; one that is as if it were not there is left out. */
export function optionsOf(fields) {
  const options = {};
  if (fields.wait.checked) options.wait = true;
  if (fields.lives.checked) options.lives = "all";
  const hold = Number.parseFloat(fields.hold.value);
  if (hold > 0) options.hold = Math.min(hold, 60);
  const filter = {};
  for (const name of LISTS) {
    const entries = fields[name].value.split(",").map((entry) => entry.trim()).filter(Boolean);
    if (entries.length) filter[name] = entries;
  }
  if (Object.keys(filter).length) options.filter = filter;
  return options;
}

/** Adds options to the query of an address. */
export function putOptions(query, { wait, lives, hold, filter = {} }) {
  if (wait) query.set("wait", "1");
  if (lives) query.set("lives", lives);
  if (hold) query.set("hold", String(hold));
  for (const [name, entries] of Object.entries(filter)) query.set(name, entries.join(","));
  return query;
}

/** Sets the fields as a query says; whether it says anything. */
export function fillOptions(fields, query) {
  fields.wait.checked = query.get("wait") === "1";
  fields.lives.checked = query.get("lives") === "all";
  fields.hold.value = query.get("hold") ?? "";
  for (const name of LISTS) fields[name].value = query.get(name) ?? "";
  return Object.keys(optionsOf(fields)).length > 0;
}
