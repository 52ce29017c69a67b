// The dart: the same dice on the cumulative bar at any temperature, and the exact temperatures at
// which they take another token.

import { cumulative } from "../draw/cumulative.js";
import { h, clear } from "../dom.js";
import { share } from "../format.js";
import * as heat from "../heat.js";

/** Makes one; `move` hears of a temperature that was chosen. */
export function dart(move) {
  const bar = cumulative();
  const says = h("p", { class: "says", "aria-live": "polite" });
  const near = h("p", { class: "note near" });
  const list = h("ol", { class: "flips" });
  const note = h("p", { class: "note" });
  let found = null;
  let now = 1;

  function mark() {
    for (const item of list.children) {
      const from = Number(item.dataset.from);
      const to = Number(item.dataset.to);
      item.classList.toggle("here", now >= from && now <= to);
    }
  }

  return {
    root: h(
      "div",
      {},
      h(
        "p",
        { class: "note" },
        "The tokens lie one behind the other, the likeliest first, each as long as its probability. The dice throw a dart at u: what it hits is drawn. Heat moves the pieces, not the dart.",
      ),
      bar.root,
      says,
      near,
      h("h3", {}, "Where the pick flips"),
      list,
      note,
    ),
    show(answer, t) {
      now = t;
      const pieces = [...answer.top]
        .map((one, i) => ({
          id: one.id,
          name: one.shown,
          p: one.final,
          colour: i < 8 ? i : "more",
        }))
        .filter((piece) => piece.p > 0)
        .sort((a, b) => b.p - a.p)
        .slice(0, 40);
      bar.show({ pieces, dart: { ...answer.dart, name: answer.dart.shown } });
      const { shown, rank, from, to } = answer.dart;
      says.replaceChildren(
        `At T = ${heat.written(t)} it hits `,
        h("code", { "data-figure": "pick" }, shown),
        `, number ${rank + 1} of the order, which lies from ${from.toFixed(6)} to ${to.toFixed(6)} (${share(to - from)}).`,
      );
      mark();
    },
    /** The nearest flips, which come a little later than the rest. */
    nearest({ below, above }) {
      const go = (to, words) =>
        h("button", { type: "button", class: "quiet link", onclick: () => move(to) }, words);
      near.replaceChildren(
        ...(below
          ? [
              "Down to T = ",
              go(below.above, String(below.above)),
              " it's the same; colder by one digit, ",
              h("code", {}, below.from.shown),
              ". ",
            ]
          : ["Colder, it stays the same. "]),
        ...(above
          ? [
              "Up to T = ",
              h("b", { "data-figure": "flip" }, String(above.below)),
              "; from ",
              go(above.above, String(above.above)),
              " on it's ",
              h("code", {}, above.to.shown),
              ".",
            ]
          : ["Hotter, it stays the same."]),
      );
    },
    flips(next) {
      found = next;
      const bounds = [0, ...found.flips.map((flip) => flip.above)];
      const names = [found.first, ...found.flips.map((flip) => flip.to)];
      clear(list).append(
        ...names.map((name, i) => {
          const from = bounds[i];
          const to = found.flips[i]?.below ?? Infinity;
          return h(
            "li",
            { "data-from": from, "data-to": to === Infinity && !found.more ? "Infinity" : to },
            h(
              "button",
              {
                type: "button",
                "--heat": heat.colour(Math.max(from, 0.05)),
                title: `From T = ${from || "0"}`,
                onclick: () => move(i === 0 ? 0 : from),
              },
              h("span", { class: "flip-t" }, i === 0 ? "cold" : `T ≥ ${from}`),
              h("code", {}, name.shown),
            ),
          );
        }),
      );
      note.textContent =
        found.flips.length === 0
          ? "These dice take the same token at every temperature from 0.05 to 10."
          : `Exact to the last digit of the 32-bit number that T is: one step lower, and it's the token before. Looked for from T = 0.05 up to 10${found.more ? "; there are more" : ""}.`;
      mark();
    },
  };
}
