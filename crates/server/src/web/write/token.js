// A token of the sheet as an element: its text, its colour, and what marks it.

import { said, sentence, step } from "../draw/lens.js";
import { h } from "../dom.js";
import { isPart, pieces } from "../parts/pieces.js";

/** @import { Piece } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */
/** @import { Shade } from "./stretches.js" */

/**
 * How tokens are shown: the chosen `place`, a `range`, `paints(i)` what a token is painted with,
 * `frame(i)` whether it belongs to the chat template; no colours without a `lens`.
 * @typedef {object} Look
 * @property {Lens | null} lens
 * @property {number | null} place
 * @property {[number, number]} range
 * @property {(i: number) => Shade | null} paints
 * @property {(i: number) => boolean} frame
 * @property {boolean} numbers
 */

/** @typedef {{ span: HTMLElement, of: Piece | null, look: string, start: number }} Shown */

/**
 * Whether a token's element can stay for another.
 * @param {Piece | null} a
 * @param {Piece} b
 */
export function isAlike(a, b) {
  return a === b || (a !== null && a.text === b.text && a.shown === b.shown);
}

/**
 * @param {Piece} token
 * @returns {Shown}
 */
export function made(token) {
  const span = h("span", {}, ...pieces(token.text));
  if (token.text === "") span.setAttribute("contenteditable", "false");
  return { span, of: token, look: "", start: 0 };
}

/**
 * @param {Shown} one
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 */
export function paint(one, token, i, look) {
  const { span } = one;
  one.of = token;
  const { lens, numbers } = look;
  const shade = look.paints(i);
  const classes = classesOf(token, i, look, shade);
  const value = lens && token.id >= 0 ? said(lens, token) : "";
  const now = `${i}|${classes}|${value}|${shade?.heat}`;
  if (now === one.look) return;
  one.look = now;
  span.className = classes;
  span.dataset.i = String(i);
  span.dataset.id = String(token.id);
  span.dataset.value = value;
  if (token.text === "" && !isPart(token)) span.dataset.shown = token.shown;
  if (numbers) span.dataset.number = value === "not known" ? "–" : value.replace(/ nats|rank /, "");
  if (shade?.heat) span.style.setProperty("--heat", shade.heat);
}

/**
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 * @param {Shade | null} shade
 */
function classesOf(token, i, { lens, place, numbers, range: [from, to], frame }, shade) {
  const at = lens && token.id >= 0 ? step(lens, token) : null;
  const all = [
    "piece",
    at === null ? "" : `lens-${at}`,
    i === place ? "here" : "",
    i >= from && i < to ? "in-range" : "",
    shade === null ? "" : `painted ${shade.name}`,
    token.text !== "" ? "" : isPart(token) ? "part" : "bytes",
    ["given", "own"].includes(token.by) ? token.by : "",
    token.id < 0 ? "typed" : "",
    numbers && token.id >= 0 ? "numbered" : "",
    frame(i) ? `frame${frame(i - 1) ? "" : " frame-first"}` : "",
  ];
  return all.filter(Boolean).join(" ");
}

/**
 * All that is known of a token, as its tooltip; put there when somebody points at it.
 * @param {HTMLElement} span
 * @param {Piece} token
 */
export function explain(span, token) {
  span.title = sentence(token);
}
