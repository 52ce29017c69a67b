// The columns of a comparison, as the address has them: temperatures, or whole chains, with `;`
// between them.

import * as address from "../address.js";
import * as chains from "../chain.js";
import * as heat from "../heat.js";

const FIRST = "0;0.5;1;2";
const ALSO = [0, 0.5, 1, 1.5, 2, 0.7, 3, 0.3, 5];

/** Those of the address: { t, chain }, one of them null. */
export function read(most) {
  const parts = address
    .key("cols", FIRST)
    .split(";")
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.slice(0, most).map(parsed);
}

/** What was typed. */
export function parsed(typed) {
  const t = heat.parsed(typed, null);
  return t === null ? { t: null, chain: typed.trim() } : { t, chain: null };
}

export function written({ t, chain }) {
  return t === null ? chain : String(heat.sent(t));
}

/** Into the address. */
export function write(columns) {
  const text = columns.map(written).join(";");
  address.write({ cols: text === FIRST ? null : text });
}

/** A temperature that none of them has. */
export function another(columns) {
  return { t: ALSO.find((t) => columns.every((column) => column.t !== t)) ?? 1, chain: null };
}

/** How a column draws, as the server takes it. */
export function ask({ t, chain }, base, seed) {
  return t === null
    ? { sampler: chains.sent(chain), seed }
    : { sampler: chains.sent(base), temperature: heat.sent(t), seed };
}

/**
 * The first token (from 0) in which two texts differ; null if they don't, or not yet. A text is { ids, over }: whether it has come to its
 * own end. One that was broken off stops, but doesn't part.
 */
export function parting(a, b) {
  const n = Math.min(a.ids.length, b.ids.length);
  for (let i = 0; i < n; i += 1) if (a.ids[i] !== b.ids[i]) return i;
  if (a.ids.length === b.ids.length) return null;
  return (a.ids.length < b.ids.length ? a : b).over ? n : null;
}
