// Draws: 1, 100 or 10,000 of them beside what was to be expected.

import { bars } from "../draw/bars.js";
import { h, clear } from "../dom.js";
import { count, number } from "../format.js";
import { post } from "../server.js";

/** Makes one; `body` gives what to draw from. */
export function draws(body, fail) {
  const table = bars("Draws beside their expectation", ["token", "observed", "expected"]);
  const says = h("p", { class: "note", "aria-live": "polite" });
  const one = async (n) => {
    try {
      show(await post("/studio/draws", { ...body(), n, top: 12 }));
    } catch (error) {
      fail(error);
    }
  };
  const buttons = [1, 100, 10000].map((n) =>
    h("button", { type: "button", "data-n": n, onclick: () => one(n) }, count(n)),
  );
  table.root.hidden = true;

  function show({ n, distinct, tokens, others }) {
    const rows = [
      ...tokens,
      { shown: "all others", observed: others.observed, expected: others.expected, kind: "rest" },
    ];
    const most = Math.max(...rows.map((row) => Math.max(row.observed, row.expected)), 1e-9);
    table.root.hidden = false;
    table.show(
      rows
        .filter((row) => row.kind || row.expected > 0 || row.observed > 0)
        .map((row) => ({
          name: row.shown,
          bar: row.observed,
          tick: row.expected,
          kind: row.kind ?? "",
          dim: row.observed === 0,
          cells: [count(row.observed), number(row.expected, row.expected < 10 ? 2 : 1)],
        })),
      { most },
    );
    // Pearson's statistic over the bins in which at least five were to be expected, the rest
    // pooled.
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
    const chi = bins.reduce(
      (sum, bin) => sum + (bin.observed - bin.expected) ** 2 / bin.expected,
      0,
    );
    says.textContent =
      `${count(distinct)} different tokens in ${count(n)} ${n === 1 ? "draw" : "draws"}. ` +
      (bins.length > 1
        ? `χ² = ${number(chi, 1)} over ${bins.length} bins; chance alone gives about ${bins.length - 1} ± ${number(Math.sqrt(2 * (bins.length - 1)), 1)}.`
        : "");
  }

  return {
    root: h(
      "div",
      {},
      h(
        "p",
        { class: "note" },
        "Each draw has dice of its own. The bar is what came, the mark what was to be expected.",
      ),
      h(
        "div",
        { class: "row middle" },
        h("span", {}, "Draw"),
        h("div", { class: "presets flat", role: "group", "aria-label": "How many draws" }, buttons),
      ),
      table.root,
      says,
    ),
    clear() {
      table.root.hidden = true;
      clear(says);
    },
  };
}
