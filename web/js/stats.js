// SPDX-License-Identifier: MIT
// The statistics beside the chat: what the daemon counts, and what this page has seen itself.

import { RateChart } from "./chart.js";
import { byId, make, say } from "./dom.js";
import { kindName } from "./events.js";
import { MoneySums, sum } from "./money.js";
import { roleChips } from "./row.js";
import { count } from "./words.js";

const TOP = 10;
/** Milliseconds beyond which a time stamp says nothing about delay: it is a recording's. */
const LONGEST_LAG = 600000;
const SINCE = "since this page connected";
const STORAGE = { memory: "In memory", redis: "Redis" };

export class Statistics {
  #chart = new RateChart(byId("chart"), byId("chart-words"));
  #money = new MoneySums();
  #kinds = new Map();
  /** The daemon's own sums and counts, where it keeps them. */
  #counted = { money: null, events: null };
  #lags = [];
  #received = 0;

  constructor() {
    setInterval(() => this.#tick(), 1000);
  }

  clear() {
    this.#money = new MoneySums();
    this.#kinds.clear();
    this.#counted = { money: null, events: null };
    this.#lags = [];
    this.#received = 0;
    this.#chart.clear();
    say(byId("total"), "0");
    say(byId("unique"), "0");
    byId("viewers").hidden = true;
    byId("storage").hidden = true;
    byId("top").replaceChildren();
    byId("top-empty").hidden = false;
    this.#tick();
    this.#showMoney();
    this.#showKinds();
  }

  /** Where the daemon keeps its counts. */
  storage(type) {
    const badge = byId("storage");
    badge.hidden = !Object.hasOwn(STORAGE, type);
    if (!badge.hidden) say(badge, STORAGE[type]);
  }

  /** A `stats` message. */
  counted({ data, platform }) {
    const users = Array.isArray(data?.uniqueUsers) ? data.uniqueUsers : [];
    say(byId("total"), count(data?.totalMessages ?? 0));
    const about = data?.uniqueUserCountEstimated ? "≈ " : "";
    say(byId("unique"), about + count(data?.uniqueUserCount ?? users.length));
    this.#counted = { money: record(data?.money), events: record(data?.events) };
    this.#showMoney();
    const top = users.slice(0, TOP);
    const most = Math.max(1, top[0]?.messageCount ?? 1);
    byId("top").replaceChildren(...top.map((user) => chatter(user, most, platform)));
    byId("top-empty").hidden = top.length > 0;
  }

  /** A chat message has arrived. */
  message(timestamp) {
    this.#received += 1;
    this.#chart.hit();
    const lag = Date.now() - Date.parse(timestamp);
    if (Math.abs(lag) < LONGEST_LAG) this.#lags.push(lag);
    if (this.#lags.length > 60) this.#lags.shift();
  }

  /** Money was paid. */
  paid(money) {
    this.#money.add(money);
    this.#showMoney();
  }

  /** An event has arrived. */
  happened(kind, data) {
    if (kind === "viewers" && Number.isFinite(data?.viewers)) {
      byId("viewers").hidden = false;
      say(byId("viewers"), `${count(data.viewers)} watching`);
    }
    if (this.#kinds.size < 64 || this.#kinds.has(kind)) {
      this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    }
  }

  #tick() {
    this.#chart.paint();
    say(byId("rate"), count(this.#chart.perMinute));
    say(byId("received"), `${count(this.#received)} received here`);
    const sorted = [...this.#lags].sort((one, other) => one - other);
    const median = sorted[Math.floor(sorted.length / 2)];
    say(byId("lag"), median === undefined ? "–" : seconds(Math.max(0, median)));
    this.#showKinds();
  }

  #showMoney() {
    const counted = this.#counted.money && Object.entries(this.#counted.money).map(([currency, value]) => ({ currency, value }));
    const rows = (counted ?? this.#money.sums).map(({ currency, value, times }) =>
      make("li", {}, make("b", {}, sum(Number(value), currency)), times ? make("span", {}, `${count(times)} ×`) : ""),
    );
    byId("money").replaceChildren(...rows);
    byId("money-panel").hidden = rows.length === 0;
    say(byId("money-since"), counted ? "" : SINCE);
  }

  #showKinds() {
    const counted = this.#counted.events && Object.entries(this.#counted.events);
    const rows = (counted ?? [...this.#kinds]).map(([kind, times]) =>
      make("li", {}, `${kindName(kind)} `, make("b", {}, count(times))),
    );
    byId("kinds").replaceChildren(...rows);
    byId("kinds-panel").hidden = rows.length === 0;
    say(byId("kinds-since"), counted ? "" : SINCE);
  }
}

function record(value) {
  return value && typeof value === "object" ? value : null;
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 1 : 0)} s`;
}

function chatter(user, most, platform) {
  const row = make("li", {});
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String((user.messageCount ?? 0) / most));
  row.append(
    bar,
    make("span", { class: "who" }, make("bdi", {}, user.display_name || user.username || "?"), ...roleChips(user.roles, platform)),
    make("span", { class: "how-often" }, count(user.messageCount ?? 0), make("span", { class: "visually-hidden" }, " messages")),
  );
  return row;
}
