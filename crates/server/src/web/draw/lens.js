// What a token's colour says: one figure of it, in five steps, each with words, so that colour is
// never the only way to know.

import { h } from "../dom.js";
import { count, number, share } from "../format.js";

/** @import { Piece } from "../types.js" */

/**
 * One figure of a token: `value` is null where it isn't known, `bounds` stand between its steps,
 * which have `labels`.
 * @typedef {object} Lens
 * @property {string} name
 * @property {string} of
 * @property {(token: Piece) => number | null} value
 * @property {(value: number) => string} words
 * @property {number[]} bounds
 * @property {string[]} labels
 */

const SURPRISALS = [Math.log(2), Math.log(5), Math.log(20), Math.log(100)];

/** @type {Record<string, Lens>} */
export const LENSES = {
  probability: {
    name: "probability",
    of: "raw probability",
    value: ({ surprisal }) => (surprisal === null ? null : Math.exp(-surprisal)),
    words: share,
    bounds: SURPRISALS,
    labels: ["50 % and more", "20 % and more", "5 % and more", "1 % and more", "less than 1 %"],
  },
  surprisal: {
    name: "surprisal",
    of: "raw surprisal",
    value: ({ surprisal }) => surprisal,
    words: (value) => `${number(value, 2)} nats`,
    bounds: SURPRISALS,
    labels: ["below 0.7 nats", "below 1.6", "below 3.0", "below 4.6", "4.6 and more"],
  },
  rank: {
    name: "rank",
    of: "raw rank",
    value: ({ rank }) => (rank === null ? null : rank + 1),
    words: (value) => `rank ${count(value)}`,
    bounds: [2, 4, 11, 101],
    labels: ["the likeliest", "2 to 3", "4 to 10", "11 to 100", "beyond 100"],
  },
  entropy: {
    name: "entropy",
    of: "raw entropy of the place",
    value: ({ entropy }) => entropy,
    words: (value) => `${number(value, 2)} nats`,
    bounds: [0.5, 1.5, 3, 4.5],
    labels: ["below 0.5 nats", "below 1.5", "below 3.0", "below 4.5", "4.5 and more"],
  },
};

/**
 * The step, from 0 (nothing special) to 4; null where nothing is known.
 * @param {Lens} lens
 * @param {Piece} token
 */
export function step(lens, token) {
  const value = lens.name === "probability" ? token.surprisal : lens.value(token);
  return value === null ? null : lens.bounds.filter((bound) => value >= bound).length;
}

/**
 * The figure in words.
 * @param {Lens} lens
 * @param {Piece} token
 */
export function said(lens, token) {
  const value = lens.value(token);
  return value === null ? "not known" : lens.words(value);
}

/**
 * What the colours mean.
 * @param {Lens} lens
 */
export function legend(lens) {
  return h(
    "ul",
    { class: "lens-legend", "aria-label": `What the colours say: ${lens.of}` },
    lens.labels.map((label, i) =>
      h("li", {}, h("span", { class: `swatch lens-${i}`, "aria-hidden": "true" }), label),
    ),
  );
}

/**
 * All that is known of a token, in a sentence.
 * @param {Piece} token
 */
export function sentence({ surprisal, final, rank, entropy, by, at }) {
  if (surprisal === null) {
    return by === "given"
      ? "given; nothing comes before it, so nothing predicts it"
      : "nothing is known of it";
  }
  const parts = [
    `raw ${share(Math.exp(-surprisal))}`,
    final === null ? null : `final ${share(final)}`,
    `surprisal ${number(surprisal, 2)} nats`,
    rank === null ? null : `rank ${count(rank + 1)}`,
    entropy === null ? null : `entropy here ${number(entropy, 2)} nats`,
    at === undefined ? null : `the chain of ${at}`,
  ];
  return parts.filter(Boolean).join(" · ");
}
