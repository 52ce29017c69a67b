// Versions of a stretch: other words in its place, each at a temperature or with a chain, and how
// well what follows fits behind each.

import * as chains from "../chain.js";
import { stream } from "../server.js";
import { UNREAD } from "./edit.js";
import { before, drawn, learned } from "./go_on.js";
import { score } from "./reading.js";
import { moved } from "./shift.js";

/** @import { Draws, Leaf, Token } from "../types.js" */
/** @import { Tree } from "./tree.js" */

/**
 * What a version is drawn with: a temperature, or a chain.
 * @typedef {{ t?: number, chain?: string }} What
 */

/**
 * A version: its tokens, and the figures of what follows behind it, as far as they were asked for.
 * @typedef {object} Version
 * @property {What} what
 * @property {Leaf[]} tokens
 * @property {Token[]} follows
 */

/** Tokens of what follows that are looked at. */
export const FIT = 48;

/**
 * Whether two versions are drawn alike.
 * @param {What} a
 * @param {What} b
 */
function isSame(a, b) {
  return a.t === b.t && a.chain === b.chain;
}

/**
 * Makes a version with each, with the next dice; equal ones have dice of their own. `told` hears of
 * every change.
 * @param {Tree} tree
 * @param {[number, number]} range
 * @param {What[]} whats
 * @param {{ ask: (what: What) => Draws, signal: AbortSignal,
 *   told: (all: Version[]) => void }} host
 */
export async function vary(tree, [from, to], whats, { ask, signal, told }) {
  const path = tree.path();
  /** @type {Version[]} */
  const all = whats.map((what) => ({ what, tokens: [], follows: [] }));
  const columns = whats.map((what, i) => {
    const draws = ask(what);
    const same = whats.slice(0, i).filter((other) => isSame(other, what)).length;
    // The dice of the text itself would often say again what stands there.
    return { ...draws, seed: draws.seed + 1 + same, learned: learned(tree, path, from) };
  });
  const body = { ...before(tree, path, from), columns, max_tokens: to - from };
  for await (const { token } of stream("/studio/write", body, signal)) {
    if (!token) continue;
    const { what, tokens } = all[token.column];
    const { t, chain } = what;
    tokens.push(drawn(token, { t: t ?? chains.heat(chain ?? ""), ...(chain ? { chain } : {}) }));
    told(all);
  }
  const ids = path.map((i) => tree.nodes[i].id);
  for (const one of all) {
    const start = [...ids.slice(0, from), ...one.tokens.map((token) => token.id)];
    const next = ids.slice(to, to + FIT);
    if (next.length === 0 || start.length === 0) continue;
    one.follows = await score([...start, ...next], start.length, signal);
    told(all);
  }
  return all;
}

/**
 * The mean surprisal of tokens, in nats; null where nothing is known.
 * @param {{ surprisal: number | null }[]} tokens
 */
export function mean(tokens) {
  const known = tokens.map((one) => one.surprisal).filter((nats) => nats !== null);
  return known.length ? known.reduce((sum, nats) => sum + nats, 0) / known.length : null;
}

/**
 * Puts a version in the place of the stretch; the others hang beside it as forks.
 * @param {Tree} tree
 * @param {[number, number]} range
 * @param {Version[]} all
 * @param {number} kept
 */
export function keepVersion(tree, [from, to], all, kept) {
  const path = tree.path();
  tree.begin();
  const hang = (/** @type {Version} */ one) =>
    one.tokens.reduce((at, token) => tree.add(at, token), path[from - 1]);
  for (const one of all) if (one !== all[kept]) hang(one);
  let at = hang(all[kept]);
  path.slice(to).forEach((i, k) => {
    const { surprisal, rank, entropy } = all[kept].follows[k] ?? UNREAD;
    const had = tree.children(at).find((child) => tree.nodes[child].id === tree.nodes[i].id);
    at = had ?? tree.push(at, { ...tree.nodes[i], ...UNREAD, surprisal, rank, entropy });
  });
  tree.leaf = at;
  const places = path.map((_, k) => k);
  const mine = all[kept].tokens.map(() => null);
  tree.paint = moved(tree.paint, path.length, [
    ...places.slice(0, from),
    ...mine,
    ...places.slice(to),
  ]);
}
