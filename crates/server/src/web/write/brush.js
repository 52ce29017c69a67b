// A stretch of the text: versions of it, or a temperature of its own.

import { field, h } from "../dom.js";
import * as heat from "../heat.js";
import { temperature } from "../parts/temperature.js";

/** Characters of the stretch that are shown. */
const LONGEST = 60;

/**
 * Who hears what is wanted: `paint(from, to, t)` (null: no paint), `select(from, to)` of another
 * stretch, `vary(temperatures)` of versions of it, `close()` that nothing is.
 * @typedef {object} Host
 * @property {(from: number, to: number, t: number | null) => void} paint
 * @property {(from: number, to: number) => void} select
 * @property {(temperatures: number[]) => void} vary
 * @property {() => void} close
 */

/**
 * Makes a brush, hidden until `show(from, to, text, t)`.
 * @param {Host} host
 */
export function brush({ paint, select, vary, close }) {
  /** @type {[number, number]} */
  let at = [0, 0];
  let t = 1.5;
  const words = h("q", {});
  const first = end("First token of the stretch");
  const last = end("Last token of the stretch");
  const use = h("button", { type: "button", class: "strong" }, `Rewrite from here with T = ${t}`);
  const off = h("button", { type: "button" }, "Take the paint off");
  const shut = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "×");
  const picked = (/** @type {number} */ next) => {
    const limit = next === Infinity;
    t = next;
    use.disabled = limit;
    use.textContent = limit
      ? "Nothing is drawn at T = ∞"
      : `Rewrite from here with T = ${heat.written(t)}`;
  };
  const slider = temperature(t, picked, { label: "Temperature of this stretch" });
  const typed = () => {
    const [a, b] = [Number(first.value), Number(last.value)];
    if (Number.isInteger(a) && Number.isInteger(b) && a >= 1 && b >= a) select(a - 1, b);
  };
  first.addEventListener("change", typed);
  last.addEventListener("change", typed);
  use.addEventListener("click", () => paint(...at, t));
  off.addEventListener("click", () => paint(...at, null));
  shut.addEventListener("click", () => close());
  const heats = h("input", { type: "text", class: "brush-heats", value: "0.5 1 1 1.5" });
  const make = h("button", { type: "button", class: "strong" }, "Make versions");
  make.addEventListener("click", () => {
    const all = heats.value.split(/[\s;]+/).filter(Boolean);
    const parsed = all.map((one) => heat.parsed(one, null));
    const good = parsed.filter((one) => one !== null && one < Infinity);
    const is = good.length === all.length && good.length > 0;
    heats.setAttribute("aria-invalid", String(!is));
    if (is) vary(/** @type {number[]} */ (good));
  });
  const says = h("p", { class: "brush-says" }, "Tokens ", first, " to ", last, " ", words);
  const root = h(
    "div",
    { class: "brush", role: "group", "aria-label": "The selected stretch", hidden: true },
    h("div", { class: "panel-head" }, says, shut),
    h("div", { class: "row" }, field("Versions at these temperatures", heats), make),
    slider.root,
    h("div", { class: "row middle" }, use, off),
  );
  return {
    root,
    /**
     * @param {number} from
     * @param {number} to
     * @param {string} text of the stretch
     * @param {number | null} painted
     */
    show(from, to, text, painted) {
      at = [from, to];
      first.value = String(from + 1);
      last.value = String(to);
      words.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST - 2)}…` : text;
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

/** @param {string} label */
function end(label) {
  return h("input", { type: "number", min: "1", class: "short", "aria-label": label });
}
