// What each stage of a chain leaves: survivors on a logarithmic bar, entropy, and the mass that it
// took away.

import { h, clear } from "../dom.js";
import { count, number, share } from "../format.js";

/** @import { Trace } from "../types.js" */

/**
 * A row: tokens before and after, entropy after (and `from` what), and the mass removed.
 * @typedef {object} Left
 * @property {string} stage
 * @property {number} before
 * @property {number} after
 * @property {number} [entropy]
 * @property {number} [from]
 * @property {number} removed
 */

/** Makes a table. */
export function waterfall() {
  const body = h("tbody");
  const heads = ["after", "tokens left", "", "entropy", "change", "removed"].map((name, i) =>
    h(
      "th",
      { scope: "col", class: i > 2 || i === 1 ? "figure" : "" },
      i === 2 ? h("span", { class: "unseen" }, "bar") : name,
    ),
  );
  const root = h(
    "table",
    { class: "waterfall" },
    h("caption", { class: "unseen" }, "What each stage leaves"),
    h("thead", {}, h("tr", {}, heads)),
    body,
  );
  return {
    root,
    /**
     * @param {Trace[]} stages
     * @param {number} vocabulary tokens in all
     */
    show(stages, vocabulary) {
      clear(body).append(...rows(stages, vocabulary).map((row) => line(row, vocabulary)));
    },
  };
}

/**
 * @param {Trace[]} stages
 * @param {number} vocabulary
 * @returns {Left[]}
 */
function rows(stages, vocabulary) {
  const [first] = stages;
  return [
    {
      stage: "the model",
      before: vocabulary,
      after: first?.survivors_before ?? vocabulary,
      entropy: first?.entropy_before,
      removed: 0,
    },
    ...stages.map((one) => ({
      stage: one.stage,
      before: one.survivors_before,
      after: one.survivors_after,
      entropy: one.entropy_after,
      from: one.entropy_before,
      removed: one.mass_removed,
    })),
  ];
}

/**
 * @param {Left} row
 * @param {number} vocabulary
 */
function line(row, vocabulary) {
  const width = (/** @type {number} */ n) => (n <= 1 ? 0.012 : Math.log(n) / Math.log(vocabulary));
  const room = h(
    "div",
    { class: "bar-room" },
    h("div", { class: "ghost", "--w": width(row.before) }),
    h("div", { class: "bar", "--w": width(row.after) }),
  );
  const removed = row.removed === 0 ? "–" : share(row.removed);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, row.stage),
    h("td", { class: "figure", "data-figure": "left" }, count(row.after)),
    h("td", { class: "bar-cell", "aria-hidden": "true" }, room),
    h("td", { class: "figure", "data-figure": "entropy" }, number(row.entropy, 3)),
    h("td", { class: "figure change" }, change(row)),
    h("td", { class: "figure", "data-figure": "removed" }, removed),
  );
}

/**
 * How the entropy changed.
 * @param {Left} row
 */
function change({ entropy, from }) {
  if (entropy === undefined || from === undefined || Math.abs(entropy - from) < 0.0005) {
    return h("small", {}, "");
  }
  const up = entropy > from;
  const by = number(Math.abs(entropy - from), 3);
  return h("small", { class: up ? "up" : "down" }, `${up ? "▲" : "▼"} ${by}`);
}
