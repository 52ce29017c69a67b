// What could stand at a place: the likeliest tokens, each to be taken by a click or its digit, and
// what the dice would take.

import { h, clear } from "../dom.js";
import { number, percent, share } from "../format.js";
import * as heat from "../heat.js";

export const FEW = 10;
export const MANY = 40;

/** Makes one. `take(row)` hears of a token that was chosen, `draw()` and `back()` of the two other ways, `more()` that ten are too few. */
export function alternatives({ take, draw, back, more }) {
  const title = h("h2", {}, "At this place");
  const now = h("p", { class: "place-now" });
  const facts = h("p", { class: "note place-facts" });
  const list = h("ol", { class: "alternatives" });
  const dart = h("p", { class: "note place-dart", "aria-live": "polite" });
  const drawButton = h(
    "button",
    { type: "button", class: "strong", onclick: () => draw() },
    "Draw ",
    h("kbd", {}, "Enter"),
  );
  const backButton = h(
    "button",
    { type: "button", onclick: () => back() },
    "Back ",
    h("kbd", {}, "⌫"),
  );
  const moreButton = h("button", { type: "button", class: "quiet", onclick: () => more() }, "More");
  let rows = [];

  const root = h(
    "section",
    { class: "panel at-place", "aria-label": "Alternatives at this place" },
    title,
    now,
    facts,
    h(
      "p",
      { class: "alternative alt-head", "aria-hidden": "true" },
      h("span", {}),
      h("span", {}),
      h("span", {}),
      h("span", { class: "alt-raw" }, "raw"),
      h("span", { class: "alt-p" }, "final"),
    ),
    list,
    h("div", { class: "row middle after" }, drawButton, backButton, moreButton),
    dart,
  );

  return {
    root,
    /** The tokens in the order of their digits. */
    rows: () => rows,
    /** `answer` is the server's; `stands` the token that stands here, `branches` the ids that the tree has here, `k` the place, `t` its temperature. */
    show(answer, { stands, branches, k, t, can }) {
      rows = answer.top;
      const high = Math.max(...rows.map((row) => Math.max(row.raw, row.final)), 0.01);
      title.textContent = stands ? `At token ${k + 1}` : `Token ${k + 1} comes next`;
      now.replaceChildren(
        ...(stands
          ? [h("code", {}, stands.shown), " stands here. Take another, and the text forks."]
          : ["Take a token by its digit, or let the dice draw."]),
      );
      facts.textContent = `${number(answer.raw.entropy_nats, 2)} nats of entropy raw, ${number(answer.final.entropy_nats, 2)} final at T = ${heat.written(t)}.`;
      clear(list).append(
        ...rows.map((row, i) => {
          const here = stands?.id === row.id;
          const words = `${row.shown}: raw ${percent(row.raw)}, final ${percent(row.final)}`;
          const also = here
            ? ", stands here"
            : branches.includes(row.id)
              ? ", a branch of the tree"
              : "";
          return h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: `alternative${here ? " stands" : ""}`,
                disabled: !can,
                "data-id": row.id,
                title: words,
                onclick: () => take(row),
              },
              h("kbd", { "aria-hidden": "true" }, i < 10 ? String((i + 1) % 10) : ""),
              h(
                "span",
                { class: "alt-token" },
                row.shown,
                branches.includes(row.id) && !here
                  ? h("span", { class: "alt-branch", "aria-hidden": "true" })
                  : null,
                h("span", { class: "unseen" }, also),
              ),
              h(
                "span",
                { class: "alt-room", "aria-hidden": "true" },
                h("span", { class: "ghost", "--w": row.raw / high }),
                h("span", { class: "bar", "--w": row.final / high }),
              ),
              h(
                "span",
                { class: "alt-raw" },
                h("span", { class: "unseen" }, "raw "),
                share(row.raw),
              ),
              h(
                "span",
                { class: "alt-p" },
                h("span", { class: "unseen" }, "final "),
                share(row.final),
              ),
            ),
          );
        }),
      );
      dart.replaceChildren(
        "The dice say ",
        h("code", { "data-figure": "dart" }, answer.dart.shown),
        ` (u = ${answer.dart.u.toFixed(4)}).`,
      );
      root.style.setProperty("--heat", heat.colour(t));
      drawButton.disabled = !can;
      backButton.disabled = k < 2;
      moreButton.hidden = rows.length > FEW;
    },
    /** Where nothing can be said. */
    nothing(words) {
      rows = [];
      title.textContent = "At this place";
      now.textContent = words;
      facts.textContent = dart.textContent = "";
      clear(list);
      drawButton.disabled = true;
      backButton.disabled = true;
      moreButton.hidden = true;
    },
  };
}
