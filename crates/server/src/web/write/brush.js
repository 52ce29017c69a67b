// The brush: a stretch of the text and a temperature for it.

import { h } from "../dom.js";
import * as heat from "../heat.js";
import { temperature } from "../parts/temperature.js";

/**
 * Makes one, hidden until `show(from, to, text, t)`. `paint(from, to, t)` hears what is wanted (null: no paint), `select(from, to)`
 * of another stretch, `close()` that nothing is. */
export function brush({ paint, select, close }) {
  let at = [0, 0];
  let t = 1.5;
  const words = h("q", {});
  const end = (label) =>
    h("input", {
      type: "number",
      min: "1",
      class: "short",
      "aria-label": label,
      onchange: () => {
        const [a, b] = [Number(first.value), Number(last.value)];
        if (Number.isInteger(a) && Number.isInteger(b) && a >= 1 && b >= a) select(a - 1, b);
      },
    });
  const first = end("First token of the stretch");
  const last = end("Last token of the stretch");
  const says = h("p", { class: "brush-says" }, "Tokens ", first, " to ", last, " ", words);
  const slider = temperature(
    t,
    (next) => {
      t = next;
      use.disabled = t === Infinity;
      use.textContent =
        t === Infinity
          ? "Nothing is drawn at T = ∞"
          : `Rewrite from here with T = ${heat.written(t)}`;
    },
    { label: "Temperature of this stretch" },
  );
  const use = h(
    "button",
    { type: "button", class: "strong", onclick: () => paint(...at, t) },
    `Rewrite from here with T = ${t}`,
  );
  const off = h(
    "button",
    { type: "button", onclick: () => paint(...at, null) },
    "Take the paint off",
  );
  const root = h(
    "div",
    { class: "brush", role: "group", "aria-label": "Paint a temperature", hidden: true },
    h(
      "div",
      { class: "panel-head" },
      says,
      h(
        "button",
        { type: "button", class: "quiet icon", "aria-label": "Close", onclick: () => close() },
        "×",
      ),
    ),
    slider.root,
    h("div", { class: "row middle" }, use, off),
  );
  return {
    root,
    show(from, to, text, painted) {
      at = [from, to];
      first.value = from + 1;
      last.value = to;
      words.textContent = text.length > 60 ? `${text.slice(0, 58)}…` : text;
      off.hidden = painted === null;
      if (painted !== null && root.hidden) {
        t = painted;
        slider.set(t);
      }
      root.hidden = false;
    },
    hide() {
      root.hidden = true;
    },
  };
}
