// A token of the sheet as an element: its text, its colour, and what marks it.

import { said, sentence, step } from "../draw/lens.js";
import { h } from "../dom.js";
import * as heat from "../heat.js";
import { isPart, pieces } from "../parts/pieces.js";

/** @import { Piece } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */

/**
 * How tokens are shown: the chosen `place`, a `range`, `heats(i)` the temperature that a token was
 * painted with, `frame(i)` whether it belongs to the chat template; no colours without a `lens`.
 * @typedef {object} Look
 * @property {Lens | null} lens
 * @property {number | null} place
 * @property {[number, number]} range
 * @property {(i: number) => number | null} heats
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
  const t = look.heats(i);
  const classes = classesOf(token, i, look, t);
  const value = lens && token.id >= 0 ? said(lens, token) : "";
  const now = `${i}|${classes}|${value}|${t}`;
  if (now === one.look) return;
  one.look = now;
  span.className = classes;
  span.dataset.i = String(i);
  span.dataset.id = String(token.id);
  span.dataset.value = value;
  if (token.text === "" && !isPart(token)) span.dataset.shown = token.shown;
  if (numbers) span.dataset.number = value === "not known" ? "–" : value.replace(/ nats|rank /, "");
  if (t !== null) span.style.setProperty("--heat", heat.colour(t));
}

/**
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 * @param {number | null} t
 */
function classesOf(token, i, { lens, place, numbers, range: [from, to], frame }, t) {
  const at = lens && token.id >= 0 ? step(lens, token) : null;
  const all = [
    "piece",
    at === null ? "" : `lens-${at}`,
    i === place ? "here" : "",
    i >= from && i < to ? "in-range" : "",
    t === null ? "" : "painted",
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
