// Draws: 1, 100 or 10,000 of them beside what was to be expected.

import { bars } from "../draw/bars.js";
import { h, clear } from "../dom.js";
import { count, number } from "../format.js";
import { post } from "../server.js";

/** @import { Base, Drawn, Sent } from "../types.js" */

/** @typedef {{ observed: number, expected: number }} Bin */

/**
 * Makes a panel of draws.
 * @param {() => Base} base gives what to draw from
 * @param {() => Sent} at gives the temperature
 * @param {(error: unknown) => void} fail
 */
export function draws(base, at, fail) {
  const table = bars("Draws beside their expectation", ["token", "observed", "expected"]);
  const says = h("p", { class: "note", "aria-live": "polite" });
  const one = async (/** @type {number} */ n) => {
    try {
      const body = { ...base(), temperature: at(), n, top: 12 };
      show(await post("/studio/draws", body));
    } catch (error) {
      fail(error);
    }
  };
  const buttons = [1, 100, 10000].map((n) =>
    h("button", { type: "button", "data-n": n, onclick: () => one(n) }, count(n)),
  );
  table.root.hidden = true;

  function show(/** @type {Drawn} */ drawn) {
    const others = { shown: "all others", ...drawn.others };
    const rows = [...drawn.tokens, others];
    const most = Math.max(...rows.map((row) => Math.max(row.observed, row.expected)), 1e-9);
    const seen = rows.filter((row) => row === others || row.expected > 0 || row.observed > 0);
    table.root.hidden = false;
    table.show(
      seen.map((row) => ({
        name: row.shown,
        bar: row.observed,
        tick: row.expected,
        kind: row === others ? "rest" : "",
        dim: row.observed === 0,
        cells: [count(row.observed), number(row.expected, row.expected < 10 ? 2 : 1)],
      })),
      { most },
    );
    const { n, distinct } = drawn;
    const head = `${count(distinct)} different tokens in ${count(n)} `;
    says.textContent = `${head}${n === 1 ? "draw" : "draws"}. ${pearson(rows)}`;
  }

  const about =
    "Each draw has dice of its own. The bar is what came, the mark what was to be expected.";
  const group = { class: "presets flat", role: "group", "aria-label": "How many draws" };
  return {
    root: h(
      "div",
      {},
      h("p", { class: "note" }, about),
      h("div", { class: "row middle" }, h("span", {}, "Draw"), h("div", group, buttons)),
      table.root,
      says,
    ),
    clear() {
      table.root.hidden = true;
      clear(says);
    },
  };
}

/**
 * Pearson's statistic over the bins in which at least five were to be expected, the rest pooled, in
 * words; nothing where there is only one.
 * @param {Bin[]} rows
 */
function pearson(rows) {
  /** @type {Bin[]} */
  const bins = [];
  const pool = { observed: 0, expected: 0 };
  for (const { observed, expected } of rows) {
    if (expected >= 5) bins.push({ observed, expected });
    else {
      pool.observed += observed;
      pool.expected += expected;
    }
  }
  if (pool.expected >= 5) bins.push(pool);
  if (bins.length < 2) return "";
  const of = (/** @type {Bin} */ bin) => (bin.observed - bin.expected) ** 2 / bin.expected;
  const chi = bins.reduce((sum, bin) => sum + of(bin), 0);
  const free = bins.length - 1;
  return (
    `χ² = ${number(chi, 1)} over ${bins.length} bins; ` +
    `chance alone gives about ${free} ± ${number(Math.sqrt(2 * free), 1)}.`
  );
}
