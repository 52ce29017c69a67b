// Columns of a comparison become the forks of a session: one beginning, a branch for each column.

import * as address from "../address.js";
import { FIRST, isChat, taken } from "../parts/subject.js";
import { post } from "../server.js";
import * as keeper from "./keeper.js";
import { encoded, grow, hung } from "./open.js";
import { Tree } from "./tree.js";

/** @import { Model, Piece, Sent } from "../types.js" */

/**
 * A column's text: what its branch is called, and the temperature that it was drawn at.
 * @typedef {{ label: string, t: Sent | null, list: Piece[] }} Branch
 */

/**
 * Makes a session of the address's text with a branch for each column, and gives its name.
 * @param {Model} model
 * @param {Branch[]} branches
 * @param {{ chain: string, t: number, seed: number }} how
 */
export async function gathered(model, branches, how) {
  const begun = { text: address.key("text", FIRST), chat: isChat() };
  const tree = new Tree();
  grow(tree, begun, await encoded(begun));
  const prompt = tree.path().map((i) => tree.nodes[i].id);
  const continuation = taken();
  if (continuation.length > 0) {
    const tokens = await post("/studio/encode", { prompt, continuation });
    tree.leaf = tokens
      .slice(prompt.length)
      .reduce((at, one) => hung(tree, at, one, "link"), tree.leaf);
  }
  const start = tree.leaf;
  const ends = new Set(model.ends.map((one) => one.id));
  const leaves = branches.map(({ label, t, list }) => {
    const leaf = list.reduce((at, piece) => {
      const is = { ...piece, by: /** @type {const} */ ("drawn"), t, ends: ends.has(piece.id) };
      return tree.add(at, is);
    }, start);
    // Columns with the same text are one branch, with both names.
    const before = tree.marks.get(leaf)?.label;
    const name = before ? `${before}; ${label}` : label;
    if (leaf !== start) tree.marks.set(leaf, { star: false, label: name, note: "" });
    return leaf;
  });
  tree.leaf = leaves[0] ?? start;
  const name = keeper.nameOf(begun.text);
  const held = await keeper.create(tree, { name, model: model.name, how });
  await keeper.flush();
  return held.head.name;
}
