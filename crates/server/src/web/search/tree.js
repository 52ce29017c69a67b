// The tree of a search: what texts begin with in common is there once, branches with their
// probability, what was dropped pale, and texts that were found with rank and score.

import { h, clear } from "../dom.js";
import { count, number, share } from "../format.js";
import { chance, pathTo, rowsOf } from "./rows.js";

/** @import { Searched, SearchNode } from "../types.js" */
/** @import { Row } from "./rows.js" */

/** @typedef {Row & { item: HTMLElement, isOpen: boolean, hasBranches: boolean }} Item */

/** Most dropped tokens of one place that are named. */
const FEW = 4;
/** Deeper ones aren't put in further. */
const DEEPEST = 12;

/**
 * A token as people read it.
 * @param {string} text
 */
export function visible(text) {
  return text.replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

/**
 * Makes a tree; `choose(path)` hears of the nodes up to the row that somebody chose.
 * @param {(path: number[], from: number) => void} choose
 */
export function tree(choose) {
  const list = h("ul", { class: "search-tree", role: "tree", "aria-label": "Tree of prefixes" });
  const after = h("span", { class: "search-dropped" });
  const prompt = h("q", {});
  const root = h("p", { class: "search-root" }, "Behind ", prompt, after);
  /** @type {Item[]} */
  let items = [];
  /** @type {SearchNode[]} */
  let nodes = [];
  const view = {
    root: h("div", { class: "search-box" }, root, list),
    /**
     * @param {Searched} answer
     * @param {string} text the end of what the search begins with
     */
    show(answer, text) {
      prompt.textContent = text;
      nodes = answer.tree ?? [];
      const { rows, dropped } = rowsOf(nodes);
      items = rows.map((row, i) => ({
        ...row,
        item: item(nodes, row, answer, () => pick(i)),
        isOpen: true,
        hasBranches: rows.some((other) => other.parent === i),
      }));
      after.replaceChildren(...droppedOf(nodes, dropped));
      after.hidden = dropped.length === 0;
      clear(list).append(...items.map((one) => one.item));
      items.forEach((one, i) => {
        if (one.hasBranches) one.item.setAttribute("aria-expanded", "true");
        one.item.tabIndex = i === 0 ? 0 : -1;
      });
    },
    /**
     * Marks the way to a node, or none.
     * @param {number | null} last
     */
    mark(last) {
      const path = new Set(last === null ? [] : pathTo(nodes, last));
      for (const one of items) {
        const on = path.has(one.nodes[0]);
        one.item.classList.toggle("on", on);
        one.item.setAttribute("aria-selected", String(on && path.has(one.nodes.at(-1) ?? -1)));
      }
    },
  };
  /** @param {number} i */
  function pick(i) {
    for (const one of items) one.item.tabIndex = -1;
    items[i].item.tabIndex = 0;
    const last = items[i].nodes.at(-1) ?? 0;
    view.mark(last);
    choose(pathTo(nodes, last), items[i].nodes[0]);
  }
  list.addEventListener("keydown", (event) => {
    const i = items.findIndex((one) => one.item === document.activeElement);
    if (i < 0) return;
    const to = keyed(items, i, event.key);
    if (to !== null) items[to]?.item.focus();
    else if (event.key === "Enter" || event.key === " ") pick(i);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      fold(items, i, event.key === "ArrowRight");
    } else return;
    event.preventDefault();
  });
  return view;
}

/**
 * The row that a key leads to; null if the key leads to none.
 * @param {Item[]} items
 * @param {number} i
 * @param {string} key
 */
function keyed(items, i, key) {
  const shown = (/** @type {Item} */ one) => !one.item.hidden;
  switch (key) {
    case "ArrowDown":
      return items.findIndex((one, j) => j > i && shown(one));
    case "ArrowUp":
      return items.findLastIndex((one, j) => j < i && shown(one));
    case "ArrowLeft":
      return items[i].hasBranches && items[i].isOpen ? null : items[i].parent;
    case "ArrowRight":
      return items[i].hasBranches && items[i].isOpen ? i + 1 : null;
    case "Home":
      return 0;
    case "End":
      return items.findLastIndex(shown);
    default:
      return null;
  }
}

/**
 * Folds what comes behind a row, or shows it again.
 * @param {Item[]} items
 * @param {number} i
 * @param {boolean} isOpen
 */
function fold(items, i, isOpen) {
  if (!items[i].hasBranches) return;
  items[i].isOpen = isOpen;
  items[i].item.setAttribute("aria-expanded", String(isOpen));
  items.forEach((one) => {
    const up = items[one.parent];
    if (up) one.item.hidden = up.item.hidden || !up.isOpen;
  });
}

/**
 * @param {SearchNode[]} nodes
 * @param {Row} row
 * @param {Searched} answer
 * @param {() => void} pick
 */
function item(nodes, row, answer, pick) {
  const [first] = row.nodes;
  const last = nodes[row.nodes.at(-1) ?? 0];
  const p = chance(nodes, first);
  const { times, group } = nodes[first];
  const of = answer.samples ?? 0;
  const look = {
    role: "treeitem",
    class: ["search-row", row.lives ? "" : "pale", row.isMain ? "main" : ""].join(" "),
    tabindex: "-1",
    "aria-level": row.depth + 1,
    "aria-selected": "false",
    "--depth": Math.min(row.depth, DEEPEST),
    "--p": p,
    onclick: pick,
  };
  const words = h(
    "span",
    { class: "search-text" },
    row.nodes.map((i) => h("span", { class: "search-token" }, visible(nodes[i].text))),
  );
  const many = times === undefined ? "" : `${times} of ${of}`;
  const groups = (answer.groups ?? 1) > 1 && nodes[first].parent === null;
  return h(
    "li",
    look,
    h(
      "span",
      { class: "search-p", title: "the probability of this branch’s first token" },
      h("span", { class: "search-bar", "aria-hidden": "true" }, h("span", {})),
      share(p),
    ),
    h(
      "span",
      { class: "search-words" },
      groups && h("span", { class: "search-group" }, `group ${group}`),
      words,
      many && h("span", { class: "search-times" }, many),
      end(last, row, answer),
      row.dropped.length > 0 &&
        h("span", { class: "search-dropped" }, ...droppedOf(nodes, row.dropped)),
    ),
  );
}

/**
 * How a row ends: with a text that was found, or why with none.
 * @param {SearchNode} last
 * @param {Row} row
 * @param {Searched} answer
 */
function end({ rank, fate }, row, { texts }) {
  if (rank !== undefined) {
    const words = `${rank} · ${number(texts[rank - 1]?.score, 3)}`;
    return h("span", { class: "search-rank", title: "rank and score" }, words);
  }
  if (fate === "left") return h("span", { class: "search-end" }, "… the search ended");
  if (fate === "ended") return h("span", { class: "search-end" }, "† better texts drove it out");
  return !row.lives && h("span", { class: "search-end" }, "† nothing that followed was kept");
}

/**
 * Dropped tokens, the likeliest of them by name.
 * @param {SearchNode[]} nodes
 * @param {number[]} dropped
 */
function droppedOf(nodes, dropped) {
  if (dropped.length === 0) return [];
  const all = dropped.map((i) => ({ text: nodes[i].text, p: chance(nodes, i) }));
  all.sort((a, b) => b.p - a.p);
  const named = all
    .slice(0, FEW)
    .flatMap(({ text, p }) => [
      h("span", { class: "search-drop" }, h("code", {}, visible(text)), ` ${share(p)}`),
      " ",
    ]);
  const more = all.length - FEW;
  return ["dropped: ", ...named, more > 0 ? `and ${count(more)} more` : ""];
}
