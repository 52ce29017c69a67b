// What a token's colour says: one figure of it, in five steps, each with words, so that colour is
// never the only way to know.

import { h } from "../dom.js";
import { count, number, share } from "../format.js";

const SURPRISALS = [Math.log(2), Math.log(5), Math.log(20), Math.log(100)];

/** Each has `name`, `value(token)` (null where it isn't known), `words(value)`, the `bounds` between its steps, and the steps' `labels`. */
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

/** The step, from 0 (nothing special) to 4; null where nothing is known. */
export function step(lens, token) {
  const value = lens.name === "probability" ? token.surprisal : lens.value(token);
  return value === null || value === undefined
    ? null
    : lens.bounds.filter((bound) => value >= bound).length;
}

/** The figure in words. */
export function said(lens, token) {
  const value = lens.value(token);
  return value === null || value === undefined ? "not known" : lens.words(value);
}

/** What the colours mean. */
export function legend(lens) {
  return h(
    "ul",
    { class: "lens-legend", "aria-label": `What the colours say: ${lens.of}` },
    lens.labels.map((label, i) =>
      h("li", {}, h("span", { class: `swatch lens-${i}`, "aria-hidden": "true" }), label),
    ),
  );
}

/** All that is known of a token, in a sentence. */
export function sentence(token) {
  if (token.surprisal === null || token.surprisal === undefined)
    return token.by === "given"
      ? "given; nothing comes before it, so nothing predicts it"
      : "nothing is known of it";
  const parts = [
    `raw ${share(Math.exp(-token.surprisal))}`,
    token.final === null || token.final === undefined ? null : `final ${share(token.final)}`,
    `surprisal ${number(token.surprisal, 2)} nats`,
    token.rank === null || token.rank === undefined ? null : `rank ${count(token.rank + 1)}`,
    token.entropy === null || token.entropy === undefined
      ? null
      : `entropy here ${number(token.entropy, 2)} nats`,
  ];
  return parts.filter(Boolean).join(" · ");
}
