// A tree and a leaf of it in, the leaf further on out: the server writes, every token becomes a
// node.

import { stream } from "../server.js";

/** @import { Draws, End, Leaf, Learned, Read, Sent, Written } from "../types.js" */
/** @import { Tree } from "./tree.js" */

/**
 * How to go on: `ask(t)` says how to draw (`t` null: as everywhere), `read` hears what was found in
 * the cache, `changed` of every token.
 * @typedef {object} Host
 * @property {(t: number | null) => Draws} ask
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
  const cut = given < 0 ? nodes.length : given;
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
 * Writes up to `n` tokens after the leaf, with the temperatures that were painted there. Gives why
 * it ended, in words.
 * @param {Tree} tree
 * @param {number} n
 * @param {Host} host
 */
export async function goOn(tree, n, host) {
  let left = n;
  while (left > 0) {
    const path = tree.path();
    if (tree.nodes[tree.leaf].ends) return "the text has ended";
    const { t, until } = tree.heatAt(path.length);
    const draws = host.ask(t);
    const body = {
      ...before(tree, path),
      columns: [{ ...draws, learned: learned(tree, path) }],
      max_tokens: Math.min(left, until - path.length),
    };
    const size = path.length;
    const end = await stretch(tree, body, draws.temperature ?? null, host);
    if (end === null) return "stopped";
    left -= tree.path().length - size;
    if (end.finish.reason === "end_token") {
      ending(tree, end, draws.temperature ?? null);
      host.changed();
    }
    if (end.finish.reason !== "max_tokens") return end.words;
  }
  return "length";
}

/**
 * Writes a stretch of one temperature. Gives how it ended; null if it was stopped.
 * @param {Tree} tree
 * @param {object} body
 * @param {Sent | null} t
 * @param {Host} host
 */
async function stretch(tree, body, t, { signal, read, changed }) {
  /** @type {End | null} */
  let end = null;
  for await (const event of stream("/studio/write", body, signal)) {
    if (signal.aborted) return null;
    if (event.read) read(event.read);
    if (event.token) {
      put(tree, event.token, t);
      changed();
    }
    if (event.end) ({ end } = event);
  }
  return end;
}

/**
 * @param {Tree} tree
 * @param {Written} token
 * @param {Sent | null} t
 */
function put(tree, token, t) {
  tree.leaf = tree.add(tree.leaf, drawn(token, t));
}

/**
 * A token that was drawn at temperature `t`, as it hangs in a tree.
 * @param {Written} token
 * @param {Sent | null} t
 * @returns {Leaf}
 */
export function drawn(token, t) {
  const { id, text, shown, surprisal, surprisal_final: last, rank, entropy, learned } = token;
  return {
    id,
    text,
    shown,
    by: "drawn",
    t,
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
 * @param {Sent | null} t
 */
function ending(tree, { finish: { ids, text } }, t) {
  if (!ids) throw new Error("the server says that a token ended the text, but not which");
  tree.leaf = tree.add(tree.leaf, {
    id: ids[0],
    text: "",
    shown: text ?? `#${ids[0]}`,
    by: "drawn",
    t,
    surprisal: null,
    rank: null,
    entropy: null,
    final: null,
    ends: true,
  });
}
