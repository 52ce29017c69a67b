// What each stage of a chain leaves: survivors on a logarithmic bar, entropy, and the mass that it
// took away.

import { h, clear } from "../dom.js";
import { count, number, share } from "../format.js";

/** Makes one. `show(stages, vocabulary)` paints the rows of a trace. */
export function waterfall() {
  const body = h("tbody");
  const root = h(
    "table",
    { class: "waterfall" },
    h("caption", { class: "unseen" }, "What each stage leaves"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["after", "tokens left", "", "entropy", "change", "removed"].map((name, i) =>
          h(
            "th",
            { scope: "col", class: i > 2 || i === 1 ? "figure" : "" },
            i === 2 ? h("span", { class: "unseen" }, "bar") : name,
          ),
        ),
      ),
    ),
    body,
  );

  return {
    root,
    show(stages, vocabulary) {
      const width = (n) => (n <= 1 ? 0.012 : Math.log(n) / Math.log(vocabulary));
      const first = stages[0];
      const rows = [
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
      clear(body).append(
        ...rows.map((row) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, row.stage),
            h("td", { class: "figure", "data-figure": "left" }, count(row.after)),
            h(
              "td",
              { class: "bar-cell", "aria-hidden": "true" },
              h(
                "div",
                { class: "bar-room" },
                h("div", { class: "ghost", "--w": width(row.before) }),
                h("div", { class: "bar", "--w": width(row.after) }),
              ),
            ),
            h("td", { class: "figure", "data-figure": "entropy" }, number(row.entropy, 3)),
            h("td", { class: "figure change" }, delta(row)),
            h(
              "td",
              { class: "figure", "data-figure": "removed" },
              row.removed === 0 ? "–" : share(row.removed),
            ),
          ),
        ),
      );
    },
  };
}

function delta({ entropy, from }) {
  if (from === undefined || Math.abs(entropy - from) < 0.0005) return h("small", {}, "");
  return h(
    "small",
    { class: entropy > from ? "up" : "down" },
    `${entropy > from ? "▲" : "▼"} ${number(Math.abs(entropy - from), 3)}`,
  );
}
