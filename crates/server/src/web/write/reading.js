// Figures for tokens that nobody has read yet: the server reads them in chunks, so that progress
// can be seen, and it can be stopped and gone on with.

import { stream } from "../server.js";

/** @import { Token } from "../types.js" */
/** @import { Tree } from "./tree.js" */

/** Tokens that are read at a time. */
const CHUNK = 192;

/**
 * The places of a text whose tokens nobody has read; nothing predicts the first.
 * @param {Tree} tree
 * @param {number[]} path
 */
export function unread(tree, path) {
  const all = [];
  for (let k = 1; k < path.length; k += 1) {
    const { surprisal, ends } = tree.nodes[path[k]];
    if (surprisal === null && !ends) all.push(k);
  }
  return all;
}

/**
 * Reads what isn't read of the text at hand. `told` hears how many tokens are left, also before the
 * first. Ends early if the signal says so.
 * @param {Tree} tree
 * @param {AbortSignal} signal
 * @param {(left: number) => void} told
 */
export async function read(tree, signal, told) {
  const path = tree.path();
  const nodes = path.map((i) => tree.nodes[i]);
  let left = unread(tree, path);
  while (left.length > 0) {
    told(left.length);
    const [from] = left;
    const to = Math.min(from + CHUNK, left[left.length - 1] + 1);
    const figures = await score(
      nodes.slice(0, to).map((one) => one.id),
      from,
      signal,
    );
    figures.forEach(({ surprisal, rank, entropy }, n) => {
      const k = from + n;
      // A node that was undone meanwhile has made room for another.
      if (tree.nodes[path[k]] !== nodes[k] || nodes[k].ends) return;
      tree.tell(path[k], { surprisal, rank, entropy });
      nodes[k] = tree.nodes[path[k]];
    });
    const next = left.filter((k) => k >= to);
    left = next;
  }
  told(0);
}

/**
 * The figures of a text's tokens from place `from` on.
 * @param {number[]} prompt
 * @param {number} from
 * @param {AbortSignal} signal
 * @returns {Promise<Token[]>}
 */
export async function score(prompt, from, signal) {
  const body = { prompt, tokens: true, from };
  for await (const event of stream("/studio/write", body, signal)) {
    if (event.read?.tokens) return event.read.tokens;
  }
  throw new Error("the server read the text, but said nothing of it");
}
