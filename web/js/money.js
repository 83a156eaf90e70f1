// SPDX-License-Identifier: MIT
// Money: amounts as people read them, and what a chat has brought in.

const VIRTUAL = { BITS: ["bit", "bits"], DIAMONDS: ["diamond", "diamonds"], JEWELS: ["Jewel", "Jewels"] };

/** A sum in a currency (ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`) in the reader's language. */
export function sum(value, currency) {
  if (Object.hasOwn(VIRTUAL, currency)) {
    return `${value.toLocaleString()} ${VIRTUAL[currency][value === 1 ? 0 : 1]}`;
  }
  try {
    return value.toLocaleString([], { style: "currency", currency });
  } catch {
    return `${value.toLocaleString()} ${currency}`;
  }
}

/** A price as the platform shows it, or else in the reader's language; empty where it is not known. */
export function priceIn(price) {
  if (typeof price?.formatted === "string" && price.formatted.trim()) return price.formatted.trim();
  const paid = known(price);
  return paid ? sum(paid.value, paid.currency) : "";
}

/** What was paid with a message or an event: `{value, currency}`, or null. */
export function paidWith(data) {
  return known(data?.metadata?.monetary_data ?? data?.price);
}

function known(money) {
  const value = Number(money?.value);
  const isPaid = typeof money?.currency === "string" && money.currency && Number.isFinite(value) && value > 0;
  return isPaid ? { value, currency: money.currency.slice(0, 16) } : null;
}

/** Sums by currency. */
export class MoneySums {
  #sums = new Map();

  add({ value, currency }) {
    const so = this.#sums.get(currency) ?? { currency, value: 0, times: 0 };
    so.value += value;
    so.times += 1;
    if (this.#sums.size < 64) this.#sums.set(currency, so);
  }

  /** `{currency, value, times}` of each currency, the one paid most often first. */
  get sums() {
    return [...this.#sums.values()].sort((one, other) => other.times - one.times);
  }
}
