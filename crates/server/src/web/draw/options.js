// The options of a question as bars, in a table that can be read aloud. Behind each bar are pale
// ones, one for each order in which the options were asked: where they agree they are dark.

import { h, clear } from "../dom.js";
import { decimal, share } from "../format.js";

/**
 * An option: its probability, those of single orders, and that at the fitted temperature.
 * @typedef {object} Option
 * @property {string} name
 * @property {string} label what the model saw in its place
 * @property {number} p
 * @property {number[]} ghosts
 * @property {number} [mark]
 * @property {boolean} isBest
 */

/**
 * Makes the table. `show(options)` paints.
 * @param {string} caption
 */
export function options(caption) {
  const body = h("tbody");
  const heads = ["option", "bar", "probability"];
  const head = heads.map((words, i) => {
    const text = i === 1 ? h("span", { class: "unseen" }, words) : words;
    return h("th", { scope: "col", class: ["", "bar-head", "figure"][i] }, text);
  });
  const root = h(
    "table",
    { class: "bars offered" },
    h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, head)),
    body,
  );
  return {
    root,
    /** @param {Option[]} all */
    show(all) {
      clear(body).append(...all.map(row));
    },
  };
}

/** @param {Option} option */
function row({ name, label, p, ghosts, mark, isBest }) {
  const width = (/** @type {string} */ kind, /** @type {number} */ w) =>
    h("div", { class: kind, "--w": w });
  const shown = label === name ? null : h("span", { class: "label" }, label);
  const orders = ghosts.map(share).join(", ");
  return h(
    "tr",
    { class: isBest ? "mark" : null, title: orders ? `single orders: ${orders}` : null },
    h("th", { scope: "row", class: "token" }, shown, h("span", {}, name)),
    h(
      "td",
      { class: "bar-cell", "aria-hidden": "true" },
      h(
        "div",
        { class: "bar-room" },
        ghosts.map((ghost) => width("ghost order", ghost)),
        width("bar", p),
        mark === undefined ? null : width("tick-mark", mark),
      ),
    ),
    h("td", { class: "figure", "data-p": p }, p < 0.0005 ? share(p) : decimal(p)),
  );
}
