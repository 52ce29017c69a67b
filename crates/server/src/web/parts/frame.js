// The elements of a column of a comparison.

import { h } from "../dom.js";
import { tokens } from "./tokens.js";

/** @typedef {ReturnType<typeof tokens>} Text */

/**
 * A column's elements.
 * @typedef {object} Frame
 * @property {HTMLElement} root
 * @property {HTMLElement} letter
 * @property {HTMLElement} eq
 * @property {HTMLInputElement} input
 * @property {HTMLButtonElement} drop
 * @property {HTMLButtonElement} lock
 * @property {HTMLButtonElement} roll
 * @property {Text} text
 * @property {HTMLElement} figures
 * @property {HTMLButtonElement} fold
 * @property {HTMLElement} key
 */

/**
 * @param {(i: number) => void} choose
 * @returns {Frame}
 */
export function frame(choose) {
  const text = tokens({ label: "", choose });
  const look = { type: "text", class: "column-what", spellcheck: "false", autocomplete: "off" };
  const input = h("input", look);
  const figures = h("dl", { class: "column-figures" });
  const drop = h("button", { type: "button", class: "quiet icon" }, "×");
  const lock = h("button", { type: "button", class: "quiet" }, "Lock");
  const roll = h("button", { type: "button", class: "quiet" }, "Other dice");
  const letter = h("span", { class: "letter" });
  const eq = h("span", { class: "column-t" });
  const head = h("div", { class: "column-head" }, letter, eq, input, drop);
  const acts = h("div", { class: "column-acts" }, lock, roll);
  const fold = h("button", { type: "button", class: "quiet thoughts", hidden: true });
  const key = h("ul", { class: "legend flat phases", "aria-label": "Shades" });
  const root = h("section", { class: "column" }, head, fold, text.root, key, figures, acts);
  return { text, input, figures, drop, lock, roll, letter, eq, root, fold, key };
}
