// The formula of softmax with its numbers.

import { h } from "../dom.js";
import { decimal, number } from "../format.js";
import * as heat from "../heat.js";

/** @import { Child } from "../element.js" */
/** @import { Logit, Softmax } from "../types.js" */

/** Logits whose sum is written out. */
const SUMMED = 8;

/**
 * The formula of one choice.
 * @param {Softmax} at
 * @param {string[]} names
 * @param {number} now
 * @param {number} chosen
 */
export function formula({ choices, exp_sum: total }, names, now, chosen) {
  const choice = choices[chosen];
  const note = (/** @type {string} */ words) => h("span", { class: "note" }, words);
  const left = h("span", {}, "p", h("sub", {}, names[chosen]), " = ");
  const result = h("strong", { "data-figure": "result" }, decimal(choice.probability));
  if (now === 0) {
    const words = " T = 0 is the limit: the largest logit takes all, the first of equals.";
    return [left, result, note(words)];
  }
  if (now === Infinity) {
    const alike = choices.filter((one) => one.probability > 0).length;
    const words = " T = ∞ is the limit: all are alike.";
    return [left, fraction(["1"], [String(alike)]), " = ", result, note(words)];
  }
  const e = (/** @type {Logit["logit"]} */ logit) =>
    h("span", { class: "power" }, "e", h("sup", {}, `${digits(logit)}/${heat.written(now)}`));
  const terms = choices.slice(0, SUMMED).map((one) => e(one.logit));
  const sum = terms.flatMap((one, i) => (i === 0 ? [one] : [" + ", one]));
  const more = choices.length > SUMMED ? [...sum, " + …"] : sum;
  const numbers = fraction([power(choice.exp)], [power(total ?? null)]);
  return [left, fraction([e(choice.logit)], more), " = ", numbers, " = ", result];
}

/**
 * A power of e as far as it can be written; null is more than a number can hold.
 * @param {number | null} value
 */
export function power(value) {
  return value === null ? "huge" : number(value);
}

/**
 * A logit with the digits that it was typed with, as far as there is room.
 * @param {Logit["logit"]} logit
 */
export function digits(logit) {
  if (typeof logit !== "number") return number(logit);
  return String(Number(logit.toFixed(4))).replace("-", "−");
}

/**
 * @param {Child[]} over
 * @param {Child[]} under
 */
function fraction(over, under) {
  return h("span", { class: "fraction" }, h("span", {}, ...over), h("span", {}, ...under));
}
