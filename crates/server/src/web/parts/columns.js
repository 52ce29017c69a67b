// The columns of a comparison, as the address has them: temperatures, or whole chains, with `;`
// between them. The `;` of a schedule stands there twice.

import * as address from "../address.js";
import * as chains from "../chain.js";
import * as heat from "../heat.js";

/** @import { Draws, What } from "../types.js" */

const FIRST = "0;0.5;1;2";
const ALSO = [0, 0.5, 1, 1.5, 2, 0.7, 3, 0.3, 5];

/**
 * The columns of the address, at most `most`.
 * @param {number} most
 */
export function read(most) {
  const parts = address
    .key("cols", FIRST)
    .split(/(?<!;);(?!;)/)
    .map((part) => part.replaceAll(";;", ";").trim())
    .filter(Boolean);
  return parts.slice(0, most).map(parsed);
}

/**
 * A column as it was typed.
 * @param {string} typed
 * @returns {What}
 */
export function parsed(typed) {
  const t = heat.parsed(typed, null);
  return t === null ? { t: null, chain: typed.trim() } : { t, chain: null };
}

/**
 * A column for the address.
 * @param {What} what
 */
export function written(what) {
  return what.t === null ? what.chain : String(heat.sent(what.t));
}

/**
 * Columns into the address.
 * @param {What[]} columns
 */
export function write(columns) {
  const text = columns.map((what) => written(what).replaceAll(";", ";;")).join(";");
  address.write({ cols: text === FIRST ? null : text });
}

/**
 * The dice that columns have of their own, and which columns are locked: `-;5;3!`.
 * @typedef {{ dice: number | null, locked: boolean }} Own
 * @returns {Own[]}
 */
export function readDice() {
  return address
    .key("dice", "")
    .split(";")
    .map((part) => {
      const [, digits, lock] = /^(\d{1,15})(!?)$/.exec(part) ?? [];
      return digits
        ? { dice: Number(digits), locked: lock === "!" }
        : { dice: null, locked: false };
    });
}

/**
 * The dice of columns into the address.
 * @param {Own[]} columns
 */
export function writeDice(columns) {
  const all = columns.map(({ dice, locked }) =>
    dice === null ? "-" : `${dice}${locked ? "!" : ""}`,
  );
  address.write({ dice: columns.every(({ dice }) => dice === null) ? null : all.join(";") });
}

/**
 * A column with a temperature that none has.
 * @param {What[]} columns
 * @returns {What}
 */
export function another(columns) {
  return { t: ALSO.find((t) => columns.every((column) => column.t !== t)) ?? 1, chain: null };
}

/**
 * How a column draws, as the server takes it; `base` is the chain of columns that are temperatures.
 * @param {What} what
 * @param {string} base
 * @param {number} seed
 * @returns {Draws}
 */
export function ask(what, base, seed) {
  if (what.t === null) return { sampler: chains.sent(what.chain), seed };
  return { sampler: chains.sent(base), temperature: heat.sent(what.t), seed };
}

/**
 * A column's whole chain in the notation: the base with the column's temperature in the place of
 * its own.
 * @param {What} what
 * @param {string} base
 */
export function settingOf(what, base) {
  if (what.t === null) return chains.sent(what.chain);
  return chains.heated(base, what.t);
}

/**
 * The first token (from 0) in which two texts differ; null if they don't, or not yet. `over` says
 * whether a text has come to its own end. One that was broken off stops, but doesn't part.
 * @param {{ ids: number[], over: boolean }} a
 * @param {{ ids: number[], over: boolean }} b
 */
export function parting(a, b) {
  const n = Math.min(a.ids.length, b.ids.length);
  for (let i = 0; i < n; i += 1) if (a.ids[i] !== b.ids[i]) return i;
  if (a.ids.length === b.ids.length) return null;
  return (a.ids.length < b.ids.length ? a : b).over ? n : null;
}
