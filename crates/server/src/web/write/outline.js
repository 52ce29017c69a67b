// The tree of forks as an outline: a row for each stretch between two forks, those of the text at
// hand in strong, each to be gone to.

import { h, clear } from "../dom.js";
import * as heat from "../heat.js";

const LONGEST = 46;
/** Deeper ones aren't put in further. */
const DEEPEST = 9;

/** The stretches of a tree in the order of a walk: { first, last, n, depth, text, t }. */
export function stretches(tree) {
  const all = [];
  const waiting = tree
    .children(-1)
    .reverse()
    .map((first) => [first, 0]);
  while (waiting.length > 0) {
    const [first, depth] = waiting.pop();
    let last = first;
    let n = 1;
    let text = "";
    let next = [];
    for (;;) {
      const node = tree.nodes[last];
      if (text.length <= LONGEST) text += node.text === "" ? node.shown : node.text;
      next = tree.children(last);
      // A text that ends here is a stretch, also where it goes on elsewhere.
      if (next.length !== 1) break;
      [last] = next;
      n += 1;
    }
    all.push({ first, last, n, depth, text, forks: next.length });
    waiting.push(...next.reverse().map((child) => [child, depth + 1]));
  }
  return all;
}

/** Makes one. `go(first, last)` hears where somebody wants to be, `cut(first)` what is to go. */
export function outline({ go, cut }) {
  const list = h("ul", { class: "forks", role: "tree", "aria-label": "Forks" });
  const note = h("p", { class: "note" });
  const remove = h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () => {
        if (at) cut(at.first);
      },
    },
    "Cut this branch off",
  );
  let rows = [];
  let at = null;

  list.addEventListener("keydown", (event) => {
    const i = rows.findIndex((row) => row.item === document.activeElement);
    if (i < 0) return;
    const to = {
      ArrowDown: i + 1,
      ArrowUp: i - 1,
      Home: 0,
      End: rows.length - 1,
      ArrowLeft: rows.findLastIndex((row, j) => j < i && row.depth < rows[i].depth),
      ArrowRight: i + 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      rows[to]?.item.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      go(rows[i].first, rows[i].last);
    } else if (event.key === "Delete" && rows[i].depth > 0) {
      event.preventDefault();
      cut(rows[i].first);
    }
  });

  return {
    root: h(
      "section",
      { class: "panel", "aria-label": "Tree of forks" },
      h("div", { class: "panel-head" }, h("h2", {}, "Tree of forks"), remove),
      note,
      list,
    ),
    show(tree) {
      const path = new Set(tree.path());
      const focused = rows.findIndex((row) => row.item === document.activeElement);
      rows = stretches(tree);
      const leaves = rows.filter((row) => row.forks === 0).length;
      note.textContent =
        leaves < 2
          ? "Take another token somewhere, and the text forks here."
          : `${leaves} texts. Choose one to go there.`;
      at = rows.filter((row) => path.has(row.first)).at(-1) ?? null;
      remove.hidden = !at || at.depth === 0;
      clear(list).append(
        ...rows.map((row) => {
          const { t } = tree.nodes[row.first];
          const on = path.has(row.first);
          const text = row.text.replaceAll("\n", "↵").trim();
          row.item = h(
            "li",
            {
              role: "treeitem",
              class: on ? "on" : "",
              tabindex: row === at ? "0" : "-1",
              "aria-level": row.depth + 1,
              "aria-selected": String(row === at),
              "--depth": Math.min(row.depth, DEEPEST),
              "--heat": t === null || t === undefined ? null : heat.colour(t),
              onclick: () => go(row.first, row.last),
            },
            h(
              "span",
              { class: "fork-text" },
              text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || "(blank)",
            ),
            h("span", { class: "fork-n" }, row.n === 1 ? "1 token" : `${row.n} tokens`),
          );
          return row.item;
        }),
      );
      if (!at && rows[0]) rows[0].item.tabIndex = 0;
      if (focused >= 0) rows[Math.min(focused, rows.length - 1)]?.item.focus();
    },
  };
}
