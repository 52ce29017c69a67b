// A tree and a leaf of it in, the leaf further on out: the server writes, every token becomes a
// node.

import { stream } from "../server.js";

/** The tokens before place `k` of a path, as the server takes them: what was given, and what was written after it. */
export function before(tree, path, k = path.length) {
  const nodes = path.slice(0, k).map((i) => tree.nodes[i]);
  const given = nodes.findIndex((node) => node.by !== "given");
  const cut = given < 0 ? nodes.length : given;
  const ids = nodes.map((node) => node.id);
  return { prompt: ids.slice(0, cut), continuation: ids.slice(cut) };
}

/** What a stage that learns knew before place `k` of a path, as the server takes it: a fork goes on with that. */
export function learned(tree, path, k = path.length) {
  for (let i = k - 1; i >= 0; i -= 1)
    if (tree.nodes[path[i]].learned) return tree.nodes[path[i]].learned;
  return undefined;
}

/** The tokens of a text, with their figures: { tokens, n_prompt }. `subject` is what the server takes. */
export async function score(subject, signal) {
  for await (const event of stream("/studio/write", { ...subject, tokens: true }, signal)) {
    if (event.read) return event.read;
  }
  throw new Error("the server read the text, but said nothing of it");
}

/**
 * Writes up to `n` tokens after the leaf, with the temperatures that were painted there. `ask(t)` says how to draw (`t` null: as everywhere),
 * `read` hears what was found in the cache, `changed` of every token. Gives why it ended, in words.
 */
export async function goOn(tree, n, { ask, signal, read, changed }) {
  let left = n;
  while (left > 0) {
    const path = tree.path();
    if (tree.nodes[tree.leaf].ends) return "the text has ended";
    const { t, until } = tree.heatAt(path.length);
    const draws = ask(t);
    const body = {
      ...before(tree, path),
      columns: [{ ...draws, learned: learned(tree, path) }],
      max_tokens: Math.min(left, until - path.length),
    };
    let end = null;
    for await (const { read: was, token, end: said } of stream("/studio/write", body, signal)) {
      if (signal.aborted) return "stopped";
      if (was) read(was);
      if (token) {
        const { id, text, shown, surprisal, rank, entropy } = token;
        tree.leaf = tree.add(tree.leaf, {
          id,
          text,
          shown,
          by: "drawn",
          t: draws.temperature,
          surprisal,
          rank,
          entropy,
          final: Math.exp(-token.surprisal_final),
          ends: false,
          learned: token.learned,
        });
        left -= 1;
        changed();
      }
      if (said) end = said;
    }
    if (end === null) return "stopped";
    if (end.finish.reason === "end_token") {
      const blank = {
        text: "",
        by: "drawn",
        t: draws.temperature,
        surprisal: null,
        rank: null,
        entropy: null,
        final: null,
        ends: true,
      };
      tree.leaf = tree.add(tree.leaf, { ...blank, id: end.finish.ids[0], shown: end.finish.text });
      changed();
    }
    if (end.finish.reason !== "max_tokens") return end.words;
  }
  return "length";
}
