// Controls that views share: fields, panels, choices, lists of figures. Elements come from
// `element.js`, which the report shares; the binary serves it from there.

import { h } from "./element.js";

export { clear, h, s } from "./element.js";

/** @import { Child } from "./element.js" */

let names = 0;

/**
 * A label and its control, tied together.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [note]
 */
export function field(label, control, note) {
  control.id ||= `field-${(names += 1)}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    note ? h("p", { class: "note" }, note) : null,
  );
}

/**
 * A panel with a heading.
 * @param {string} title
 * @param {...Child} children
 */
export function panel(title, ...children) {
  const id = `panel-${(names += 1)}`;
  return h(
    "section",
    { class: "panel", "aria-labelledby": id },
    h("h2", { id }, title),
    ...children,
  );
}

/**
 * One choice of several: `choices` are [value, words].
 * @param {string} label
 * @param {[string, string][]} choices
 * @param {string | null} chosen
 * @param {(value: string) => void} call
 */
export function choose(label, choices, chosen, call) {
  const buttons = choices.map(([value, words]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        "data-value": value,
        onclick: (event) => {
          for (const one of buttons) {
            one.setAttribute("aria-pressed", String(one === event.currentTarget));
          }
          call(value);
        },
      },
      words,
    ),
  );
  return h("div", { class: "choose", role: "group", "aria-label": label }, buttons);
}

/**
 * Figures as a list of terms: `rows` are [term, element, title].
 * @param {[string, HTMLElement, string?][]} rows
 */
export function terms(rows) {
  return h(
    "dl",
    { class: "terms" },
    rows.map(([term, element, title]) =>
      h("div", title ? { title } : {}, h("dt", {}, term), h("dd", {}, element)),
    ),
  );
}
