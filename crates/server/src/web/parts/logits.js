// Rows of a label and a number, to be typed.

import { h, clear } from "../dom.js";

/** @import { Logit } from "../types.js" */

/** @typedef {{ label: string, logit: number }} Row */

/** How far a slider goes from 0, both ways; what is typed may be any number. */
const REACH = 6;

/**
 * Rows from the address: `Hello=4;Namaste=1`.
 * @param {string} text
 * @returns {Row[]}
 */
export function parse(text) {
  return text
    .split(";")
    .filter(Boolean)
    .map((part) => {
      const at = part.lastIndexOf("=");
      return { label: at < 0 ? "" : part.slice(0, at), logit: Number(part.slice(at + 1)) };
    })
    .filter(({ logit }) => !Number.isNaN(logit));
}

/**
 * Rows for the address.
 * @param {Row[]} rows
 */
export function write(rows) {
  return rows.map(({ label, logit }) => `${label.replaceAll(";", ",")}=${logit}`).join(";");
}

/**
 * Rows as the server takes them.
 * @param {Row[]} rows
 * @returns {Logit[]}
 */
export function sent(rows) {
  return rows.map(({ label, logit }, i) => ({
    label: label || `x${i + 1}`,
    logit: logit === -Infinity ? "-inf" : logit,
  }));
}

/**
 * Makes an editor of at most `most` rows; `call` hears of every change that is a number.
 * @param {Row[]} rows
 * @param {number} most
 * @param {(rows: Row[]) => void} call
 */
export function logits(rows, most, call) {
  const list = h("ol", { class: "logits" });
  const more = () => {
    rows = [...rows, { label: "", logit: 0 }];
    paint();
    list.lastElementChild?.querySelector("input")?.focus();
    call(rows);
  };
  const add = h("button", { type: "button", class: "quiet", onclick: more }, "+ Add a logit");

  function paint() {
    const changed = () => call(rows);
    const remove = (/** @type {Row} */ row) => {
      rows = rows.filter((other) => other !== row);
      paint();
      call(rows);
    };
    const only = rows.length < 2;
    clear(list).append(...rows.map((row, i) => item(row, i, only, changed, remove)));
    add.hidden = rows.length >= most;
  }
  paint();
  return {
    root: h("div", { class: "logits-box" }, list, add),
    /** @param {Row[]} next */
    set(next) {
      rows = next;
      paint();
    },
  };
}

/**
 * @param {Row} row
 * @param {number} i
 * @param {boolean} only whether there is no other
 * @param {() => void} changed
 * @param {(row: Row) => void} remove
 */
function item(row, i, only, changed, remove) {
  const label = h("input", {
    type: "text",
    value: row.label,
    placeholder: `x${i + 1}`,
    "aria-label": `Label ${i + 1}`,
    class: "logit-label",
  });
  label.addEventListener("input", () => {
    row.label = label.value;
    changed();
  });
  const number = h("input", {
    type: "text",
    inputmode: "decimal",
    value: String(row.logit),
    "aria-label": `Logit ${i + 1}`,
    class: "logit-number",
  });
  number.addEventListener("input", () => {
    const typed = number.value.trim().replace("−", "-");
    const value = typed === "-inf" ? -Infinity : Number(typed);
    const good = typed !== "" && !Number.isNaN(value) && value < Infinity;
    number.setAttribute("aria-invalid", String(!good));
    if (!good) return;
    row.logit = value;
    slider.value = String(value);
    changed();
  });
  const slider = h("input", {
    type: "range",
    min: String(-REACH),
    max: String(REACH),
    step: "0.1",
    value: String(row.logit),
    "aria-label": `Logit ${i + 1}, as a slider`,
    class: "logit-slider",
  });
  slider.addEventListener("input", () => {
    row.logit = Number(slider.value);
    number.value = slider.value;
    number.removeAttribute("aria-invalid");
    changed();
  });
  const look = {
    type: "button",
    class: "quiet icon",
    "aria-label": `Remove ${row.label || `x${i + 1}`}`,
    disabled: only,
    onclick: () => remove(row),
  };
  return h("li", {}, label, number, h("button", look, "×"), slider);
}
