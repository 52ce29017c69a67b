// The tree of forks as an outline: a row for each stretch between two forks, those of the text at
// hand in strong, each to be gone to.

import { h, clear } from "../dom.js";
import * as heat from "../heat.js";

/** @import { Mark, Tree } from "./tree.js" */

const LONGEST = 46;
/** Deeper ones aren't put in further. */
const DEEPEST = 9;

/**
 * A stretch: the tokens from `first` to `last`, `n` in all, and how many ways lead on from it.
 * @typedef {object} Stretch
 * @property {number} first
 * @property {number} last
 * @property {number} n
 * @property {number} depth
 * @property {string} text
 * @property {number} forks
 * @property {Mark | undefined} mark of the last text that ends in it
 */

/** @typedef {Stretch & { item: HTMLElement }} Row */

/**
 * Who hears of it: `go(first)` where somebody wants to be, `cut(first)` what is to go.
 * @typedef {object} Host
 * @property {(first: number) => void} go
 * @property {(first: number) => void} cut
 */

/**
 * A token's text; its name where it has none. The chat template is left out.
 * @param {Tree} tree
 * @param {number} i
 */
function written(tree, i) {
  const { text, shown, frame } = tree.nodes[i];
  if (frame) return "";
  return text === "" ? shown : text;
}

/**
 * The stretches of a tree in the order of a walk.
 * @param {Tree} tree
 */
function stretches(tree) {
  /** @type {Stretch[]} */
  const all = [];
  const waiting = [...tree.children(-1)].reverse().map((first) => ({ first, depth: 0 }));
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    const { first, depth } = at;
    let last = first;
    let n = 1;
    let text = written(tree, first);
    let next = tree.children(first);
    let mark = tree.marks.get(first);
    // A text that ends here is a stretch, also where it goes on elsewhere.
    while (next.length === 1) {
      [last] = next;
      if (text.length <= LONGEST) text += written(tree, last);
      next = tree.children(last);
      mark = tree.marks.get(last) ?? mark;
      n += 1;
    }
    all.push({ first, last, n, depth, text, forks: next.length, mark });
    waiting.push(...next.reverse().map((child) => ({ first: child, depth: depth + 1 })));
  }
  return all;
}

/**
 * Makes an outline.
 * @param {Host} host
 */
export function outline({ go, cut }) {
  const list = h("ul", { class: "forks", role: "tree", "aria-label": "Forks" });
  const note = h("p", { class: "note" });
  const remove = h("button", { type: "button", class: "quiet" }, "Cut this branch off");
  /** @type {Row[]} */
  let rows = [];
  /** @type {Row | null} */
  let at = null;
  remove.addEventListener("click", () => {
    if (at) cut(at.first);
  });
  list.addEventListener("keydown", (event) => {
    const i = rows.findIndex((row) => row.item === document.activeElement);
    if (i < 0) return;
    const to = keyed(rows, i, event.key);
    if (to !== null) rows[to]?.item.focus();
    else if (event.key === "Enter" || event.key === " ") go(rows[i].first);
    else if (event.key === "Delete" && rows[i].depth > 0) cut(rows[i].first);
    else return;
    event.preventDefault();
  });
  const head = h("div", { class: "panel-head" }, h("h2", {}, "Tree of forks"), remove);
  return {
    root: h(
      "section",
      { class: "panel forks-panel", "aria-label": "Tree of forks" },
      head,
      note,
      list,
    ),
    /** @param {Tree} tree */
    show(tree) {
      const path = new Set(tree.path());
      const focused = rows.findIndex((row) => row.item === document.activeElement);
      const found = stretches(tree);
      const here = found.findLastIndex((one) => path.has(one.first));
      rows = found.map((one, i) => item(tree, one, path.has(one.first), i === here, go));
      at = rows[here] ?? null;
      const leaves = rows.filter((row) => row.forks === 0).length;
      note.textContent =
        leaves < 2
          ? "Take another token somewhere, and the text forks here."
          : `${leaves} texts. Choose one to go there.`;
      remove.hidden = !at || at.depth === 0;
      clear(list).append(...rows.map((row) => row.item));
      if (!at && rows[0]) rows[0].item.tabIndex = 0;
      if (focused >= 0) rows[Math.min(focused, rows.length - 1)]?.item.focus();
    },
  };
}

/**
 * The row that a key leads to; null if it's none of the outline's keys.
 * @param {Row[]} rows
 * @param {number} i
 * @param {string} key
 */
function keyed(rows, i, key) {
  switch (key) {
    case "ArrowDown":
    case "ArrowRight":
      return i + 1;
    case "ArrowUp":
      return i - 1;
    case "ArrowLeft":
      return rows.findLastIndex((row, j) => j < i && row.depth < rows[i].depth);
    case "Home":
      return 0;
    case "End":
      return rows.length - 1;
    default:
      return null;
  }
}

/**
 * @param {Tree} tree
 * @param {Stretch} stretch
 * @param {boolean} on whether the text at hand goes through it
 * @param {boolean} here whether the text at hand ends in it
 * @param {(first: number) => void} go
 * @returns {Row}
 */
function item(tree, stretch, on, here, go) {
  const { first, n, depth } = stretch;
  const { t } = tree.nodes[first];
  const text = stretch.text.replaceAll("\n", "↵").trim();
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || "(blank)";
  const look = {
    role: "treeitem",
    class: on ? "on" : "",
    tabindex: here ? "0" : "-1",
    "aria-level": depth + 1,
    "aria-selected": String(here),
    "--depth": Math.min(depth, DEEPEST),
    "--heat": t === null ? null : heat.colour(heat.parsed(t, 1)),
    onclick: () => go(first),
  };
  const { star = false, label = "", note = "" } = stretch.mark ?? {};
  const words = h(
    "span",
    { class: "fork-text", title: note || null },
    star && h("span", { class: "fork-star", title: "Favourite" }, "★ "),
    label && h("b", { class: "fork-label" }, `${label}: `),
    short,
    note && h("span", { class: "fork-note", "aria-label": "has a note" }, " ✎"),
  );
  const size = h("span", { class: "fork-n" }, n === 1 ? "1 token" : `${n} tokens`);
  return { ...stretch, item: h("li", look, words, size) };
}
