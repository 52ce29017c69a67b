// A tree and a leaf of it in, the leaf further on out: the server writes, every token becomes a
// node.

import { stream } from "../server.js";

/** @import { Draws, End, Leaf, Learned, Read, Sent, Written } from "../types.js" */
/** @import { Tree } from "./tree.js" */

/**
 * What a drawn token says about how it was drawn: its temperature, and the chain if one was
 * painted.
 * @typedef {{ t: Sent | null, chain?: string }} Drawn
 */

/**
 * How to go on: `ask()` says how to draw, `as(pos)` what a token at a position says of that, `read`
 * hears what was found in the cache, `changed` of every token.
 * @typedef {object} Host
 * @property {() => Draws} ask
 * @property {(pos: number) => Drawn} as
 * @property {AbortSignal} signal
 * @property {(read: Read) => void} read
 * @property {() => void} changed
 */

/**
 * The tokens before place `k` of a path, as the server takes them: what was given, and what was
 * written after it.
 * @param {Tree} tree
 * @param {number[]} path
 * @param {number} k
 */
export function before(tree, path, k = path.length) {
  const nodes = path.slice(0, k).map((i) => tree.nodes[i]);
  const given = nodes.findIndex((node) => node.by !== "given");
  // A text that was typed from its first token on has nothing given; the server wants a prompt.
  const cut = given < 0 ? nodes.length : Math.max(1, given);
  const ids = nodes.map((node) => node.id);
  return { prompt: ids.slice(0, cut), continuation: ids.slice(cut) };
}

/**
 * What a stage that learns knew before place `k` of a path, as the server takes it: a fork goes on
 * with that.
 * @param {Tree} tree
 * @param {number[]} path
 * @param {number} k
 * @returns {Learned | undefined}
 */
export function learned(tree, path, k = path.length) {
  const last = path.slice(0, k).findLast((i) => tree.nodes[i].learned);
  return last === undefined ? undefined : (tree.nodes[last].learned ?? undefined);
}

/**
 * Writes up to `n` tokens after the leaf. Gives why it ended, in words.
 * @param {Tree} tree
 * @param {number} n
 * @param {Host} host
 */
export async function goOn(tree, n, { ask, as, signal, read, changed }) {
  if (tree.nodes[tree.leaf].ends) return "the text has ended";
  if (n < 1) return "length";
  const path = tree.path();
  const columns = [{ ...ask(), learned: learned(tree, path) }];
  const body = { ...before(tree, path), columns, max_tokens: n };
  let pos = path.length;
  /** @type {End | null} */
  let end = null;
  for await (const event of stream("/studio/write", body, signal)) {
    if (signal.aborted) return "stopped";
    if (event.read) read(event.read);
    if (event.token) {
      tree.leaf = tree.add(tree.leaf, drawn(event.token, as(pos)));
      pos += 1;
      changed();
    }
    if (event.end) ({ end } = event);
  }
  if (end === null) return "stopped";
  if (end.finish.reason === "end_token") {
    ending(tree, end, as(pos));
    changed();
  }
  return end.finish.reason === "max_tokens" ? "length" : end.words;
}

/**
 * A token that was drawn, as it hangs in a tree.
 * @param {Written} token
 * @param {Drawn} as
 * @returns {Leaf}
 */
export function drawn(token, as) {
  const { id, text, shown, surprisal, surprisal_final: last, rank, entropy, learned } = token;
  return {
    id,
    text,
    shown,
    by: "drawn",
    ...as,
    surprisal,
    rank,
    entropy,
    final: Math.exp(-last),
    ends: false,
    learned,
  };
}

/**
 * The token that ended a text, which isn't part of what was written.
 * @param {Tree} tree
 * @param {End} end
 * @param {Drawn} as
 */
function ending(tree, { finish: { ids, text } }, as) {
  if (!ids) throw new Error("the server says that a token ended the text, but not which");
  tree.leaf = tree.add(tree.leaf, {
    id: ids[0],
    text: "",
    shown: text ?? `#${ids[0]}`,
    by: "drawn",
    ...as,
    surprisal: null,
    rank: null,
    entropy: null,
    final: null,
    ends: true,
  });
}
