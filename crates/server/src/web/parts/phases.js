// A text whose tokens were drawn by several chains, or that has thoughts: what shades it, and the
// button that folds its thoughts away.

import * as chains from "../chain.js";
import { h } from "../dom.js";

/** @import { Piece, What } from "../types.js" */

/**
 * The places whose chains drew a text: in the order of its schedule, then as they came, since
 * heat adds places of its own.
 * @param {What} what
 * @param {Piece[]} list
 */
export function phasesOf(what, list) {
  const typed = what.t === null ? chains.parts(chains.sent(what.chain)) : [];
  const known = typed.length > 1 ? typed.map(chains.placeOf) : [];
  const came = list.map(({ at }) => at).filter((at) => at !== undefined);
  return [...new Set([...known, ...came])].filter((place) => came.includes(place));
}

/**
 * Says what shades and folds are of a text.
 * @param {{ list: Piece[], unfolded: boolean, fold: HTMLElement, key: HTMLElement }} one
 * @param {string[]} phases
 */
export function stretches({ list, unfolded, fold, key }, phases) {
  const n = list.filter((token) => token.thinks).length;
  fold.hidden = n === 0;
  fold.setAttribute("aria-expanded", String(unfolded));
  fold.textContent = `${unfolded ? "▾" : "▸"} Thoughts: ${n} tokens`;
  key.title = phases.length > 1 ? chains.DECIDES : "";
  key.replaceChildren(...phases.map((place, i) => h("li", { class: `phase-${i % 8}` }, place)));
}
