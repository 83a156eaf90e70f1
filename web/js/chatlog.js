// SPDX-License-Identifier: MIT
// A list that grows at its end: at most so many rows, one piece of work per frame, and it follows
// the newest row unless the reader has scrolled up.

/** Distance from the end, in pixels, that still counts as being there. */
const AT_END = 8;

export class ChatLog {
  #scroller;
  #list;
  #cap;
  #onUnseen;
  #waiting = [];
  #rows = new Map();
  #scheduled = false;
  #following = true;
  #lastTop = 0;
  #unseen = 0;

  /**
   * @param {HTMLElement} scroller what scrolls
   * @param {HTMLElement} list what holds the rows
   * @param {{cap: number, onUnseen: (count: number, following: boolean) => void}} options `cap` rows
   *   are kept while following, up to twice as many while the reader is somewhere above
   */
  constructor(scroller, list, { cap, onUnseen }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#cap = cap;
    this.#onUnseen = onUnseen;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    scroller.addEventListener("wheel", (event) => event.deltaY < 0 && this.#leave(), { passive: true });
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(list);
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(scroller);
  }

  /**
   * A row to come. It is made in the frame that shows it, and not at all where it would be pushed
   * out at once.
   *
   * @param {() => HTMLElement|null} build
   */
  add(build) {
    this.#waiting.push(build);
    if (this.#waiting.length > 2 * this.#cap) this.#waiting.splice(0, this.#waiting.length - this.#cap);
    this.#schedule();
  }

  /** The row of a message, if it is there. */
  rowOf(id) {
    return this.#rows.get(id);
  }

  /** All rows that are there, oldest first. */
  get rows() {
    return this.#list.children;
  }

  /** Takes everything away. */
  clear() {
    this.#waiting.length = 0;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.follow();
  }

  /** To the newest row, and stay there. */
  follow() {
    this.#following = true;
    this.#unseen = 0;
    this.#scroller.classList.add("following");
    this.#onUnseen(0, true);
    this.#flush();
    this.#toEnd();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const work = () => {
      this.#scheduled = false;
      this.#flush();
    };
    // A page in the background gets no frames.
    if (document.hidden) setTimeout(work, 1000);
    else requestAnimationFrame(work);
  }

  #flush() {
    const room = this.#following ? Infinity : 2 * this.#cap - this.#list.childElementCount;
    if (!this.#waiting.length) return;
    const batch = this.#waiting.splice(0, Math.max(0, room));
    const fresh = document.createDocumentFragment();
    for (const build of this.#following ? batch.slice(-this.#cap) : batch) {
      const row = build();
      if (!row) continue;
      if (row.dataset.id) this.#rows.set(row.dataset.id, row);
      fresh.append(row);
    }
    const added = fresh.childElementCount;
    this.#list.append(fresh);
    if (this.#following) {
      this.#trim();
      this.#toEnd();
    } else {
      this.#unseen += added;
      this.#onUnseen(this.#unseen + this.#waiting.length, false);
    }
  }

  #trim() {
    for (let extra = this.#list.childElementCount - this.#cap; extra > 0; extra -= 1) {
      const oldest = this.#list.firstElementChild;
      if (this.#rows.get(oldest.dataset.id) === oldest) this.#rows.delete(oldest.dataset.id);
      oldest.remove();
    }
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isAtEnd = scrollHeight - clientHeight - scrollTop < AT_END;
    if (isAtEnd && !this.#following) this.follow();
    else if (!isAtEnd && this.#following && scrollTop < this.#lastTop - 1) this.#leave();
    this.#lastTop = scrollTop;
  }

  #leave() {
    if (!this.#following || this.#scroller.scrollHeight <= this.#scroller.clientHeight) return;
    this.#following = false;
    this.#scroller.classList.remove("following");
    this.#onUnseen(0, false);
  }
}
