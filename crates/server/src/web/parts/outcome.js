// What is said under a column of a comparison: how it ended, and figures of its text.

import { h, clear } from "../dom.js";
import { number } from "../format.js";

/** @import { End, Piece } from "../types.js" */

/**
 * How a column ended; figures and timings are missing where it was broken off.
 * @typedef {{ words: string, finish: End["finish"], figures: End["figures"] | null,
 *   timings: End["timings"] | null }} Ended
 */

/**
 * A column's text so far, and where it parts from the first column's.
 * @typedef {{ figures: HTMLElement, list: Piece[], end: Ended | null, mark: number | null }} Text
 */

/**
 * Shows the figures of a column; `i` is its number.
 * @param {Text} one
 * @param {number} i
 */
export function outcome(one, i) {
  const { end, list } = one;
  const f = end?.figures;
  // Of a column that was broken off there are no figures.
  const none = end && !f ? "–" : "…";
  const speed = end?.timings ? number(end.timings.tokens_per_sec, 1) : none;
  const raw = "raw (T = 1), mean over tokens, in nats";
  const parts = "the first token that differs from column A's, which has the same dice";
  const pairs = "distinct pairs of neighbouring tokens, as a share of all";
  const where = wherePartsOf(one, i);
  const rows = [
    { name: "parts", words: "parts from A at", value: where === "…" ? none : where, title: parts },
    { name: "tokens", words: "tokens", value: String(list.length) },
    {
      name: "entropy",
      words: "entropy",
      value: f ? number(f.mean_entropy_raw, 3) : none,
      title: raw,
    },
    {
      name: "surprisal",
      words: "surprisal",
      value: f ? number(f.mean_surprisal_raw, 3) : none,
      title: raw,
    },
    {
      name: "distinct-2",
      words: "distinct-2",
      value: f ? number(f.distinct_2, 3) : none,
      title: pairs,
    },
    { name: "speed", words: "tokens/s", value: speed },
    { name: "end", words: "ended by", value: end?.words ?? "…" },
  ];
  clear(one.figures).append(
    ...rows.map(({ name, words, value, title = null }) =>
      h("div", { title }, h("dt", {}, words), h("dd", { "data-figure": name }, value)),
    ),
  );
}

/**
 * Where a column parts from the first, in words.
 * @param {Text} one
 * @param {number} i
 */
function wherePartsOf({ mark, list }, i) {
  if (i === 0) return "–";
  if (mark === null) return list.length === 0 ? "…" : "nowhere";
  return `${mark + 1} ${list[mark] ? list[mark].shown : "its end"}`;
}
