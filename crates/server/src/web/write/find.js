// What the search of sessions looks into: all that a session has written, its forks, labels and
// notes. A session is read once for each of its revisions.

import * as sessions from "./sessions.js";
import { Tree } from "./tree.js";

/** @import { Head } from "./sessions.js" */

/** @type {Map<string, { revision: number, text: string }>} */
const known = new Map();

/**
 * Whether a session has all of these words, as far as it has been read.
 * @param {Head} head
 * @param {string[]} words in small letters
 */
export function has({ id, name, excerpt }, words) {
  const text = `${name} ${excerpt} ${known.get(id)?.text ?? ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * Reads the sessions that were changed since they were read; whether there were any.
 * @param {Head[]} heads
 */
export async function read(heads) {
  let isNew = false;
  for (const { id, revision } of heads) {
    if (known.get(id)?.revision === revision) continue;
    const found = await sessions.read(id).catch(() => null);
    known.set(id, { revision, text: found ? textOf(found) : "" });
    isNew = true;
  }
  return isNew;
}

/**
 * The text at hand, and what hangs in the tree besides, in the order in which it came.
 * @param {import("./sessions.js").Session} session
 */
function textOf({ nodes, state }) {
  const tree = Tree.of(nodes, state);
  const written = (/** @type {number[]} */ all) => all.map((i) => nodes[i].text).join("");
  const marks = [...tree.marks.values()].map(({ label, note }) => `${label}\n${note}`);
  return [written(tree.path()), written(tree.living()), ...marks].join("\n");
}
