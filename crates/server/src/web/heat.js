// Temperatures: their place on the axis, their colour, their digits.
//
// The axis is s = T/(1+T): 0 at T = 0, the middle at T = 1, the end at T = ∞. Sliders and charts
// share it, so all temperatures there are fit, and the two limits are places like any other.

/** @import { Sent } from "./types.js" */

/**
 * Where T stands, from 0 to 1.
 * @param {number} t
 */
export function place(t) {
  return t === Infinity ? 1 : t / (1 + t);
}

/**
 * The temperature at a place, with the digits that a person would type.
 * @param {number} where
 */
export function at(where) {
  if (where <= 0) return 0;
  if (where >= 1) return Infinity;
  return rounded(where / (1 - where));
}

/** @param {number} t */
function rounded(t) {
  const step = t < 4 ? 0.01 : t < 20 ? 0.1 : t < 200 ? 1 : 10;
  return Number((Math.round(t / step) * step).toFixed(2));
}

/**
 * The next temperature up (1) or down (-1), for the keyboard.
 * @param {number} t
 * @param {number} way
 */
export function step(t, way) {
  if (t === Infinity) return way < 0 ? 100 : Infinity;
  const below = way < 0 ? 1e-9 : 0;
  const by = t - below < 2 ? 0.05 : t - below < 5 ? 0.1 : t - below < 20 ? 1 : 10;
  const next = Number((Math.round((t + way * by) / by) * by).toFixed(2));
  return next > 100 ? Infinity : Math.max(0, next);
}

/**
 * Twice (1) or half (-1) the temperature, for the keyboard. Below ∞ comes the hottest finite one.
 * @param {number} t
 * @param {number} way
 */
export function leap(t, way) {
  if (t === Infinity) return step(t, way);
  return at(place(way > 0 ? t * 2 || 0.1 : t / 2));
}

/**
 * A temperature as people write it.
 * @param {number} t
 */
export function written(t) {
  return t === Infinity ? "∞" : String(t);
}

/**
 * A temperature as the address and the server have it.
 * @param {number} t
 * @returns {Sent}
 */
export function sent(t) {
  return t === Infinity ? "inf" : t;
}

/**
 * A temperature from the address or the server; `otherwise` where it's none.
 * @template T
 * @param {Sent | string | null | undefined} text
 * @param {T} otherwise
 * @returns {number | T}
 */
export function parsed(text, otherwise) {
  if (text === undefined || text === null || text === "") return otherwise;
  if (["inf", "∞", "infinity"].includes(String(text).trim().toLowerCase())) return Infinity;
  const t = Number(String(text).replace(",", "."));
  return Number.isFinite(t) && t >= 0 ? t : otherwise;
}

// Cold blue over violet, where T = 1 is, to red hot; dark and light enough to be read on both
// themes.
/** @type {[number, number[]][]} */
const STOPS = [
  [0, [38, 99, 235]],
  [0.25, [73, 120, 226]],
  [0.5, [134, 105, 196]],
  [0.67, [205, 102, 98]],
  [0.83, [218, 68, 48]],
  [1, [190, 24, 24]],
];

/**
 * The colour of a temperature.
 * @param {number} t
 */
export function colour(t) {
  const where = place(t);
  const after = Math.max(
    1,
    STOPS.findIndex(([stop]) => stop >= where),
  );
  const [[low, from], [high, to]] = [STOPS[after - 1], STOPS[after]];
  const part = (where - low) / (high - low);
  return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * part)).join(" ")})`;
}
