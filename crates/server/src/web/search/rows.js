// The nodes of a search in, the rows of its tree out. Tokens that follow one another without a
// choice are one row. Where a search went on in several ways, all but the one that led furthest are
// branches, put in one step; the one that led furthest goes on below them, as far left as before.
// So the tree is as wide as beams are apart, and not as wide as texts are long.

/** @import { SearchNode } from "../types.js" */

/**
 * A row: its nodes, and what was dropped right behind the node before them and behind each of them.
 * `parent` is the number of the row that it goes on from, -1 after the prompt. `lives` says whether
 * a text that was found goes through it.
 * @typedef {object} Row
 * @property {number[]} nodes
 * @property {number} depth
 * @property {number} parent
 * @property {number[]} dropped
 * @property {boolean} lives
 * @property {boolean} isMain whether it goes on where it came from
 */

/**
 * Where each node leads: the best rank of a text below it, and the depth of its last node.
 * @param {SearchNode[]} nodes
 */
function reaches(nodes) {
  const reach = nodes.map(({ rank, depth }) => ({ rank: rank ?? Infinity, depth }));
  // Children come after their parents.
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const { parent, fate } = nodes[i];
    if (parent === null || fate === "dropped") continue;
    const up = reach[parent];
    reach[parent] = {
      rank: Math.min(up.rank, reach[i].rank),
      depth: Math.max(up.depth, reach[i].depth),
    };
  }
  return reach;
}

/**
 * The nodes right behind each node, and those after the prompt, which stand at -1.
 * @param {SearchNode[]} nodes
 */
function families(nodes) {
  /** @type {Map<number, number[]>} */
  const behind = new Map();
  nodes.forEach(({ parent }, i) => {
    const at = parent ?? -1;
    const all = behind.get(at);
    if (all) all.push(i);
    else behind.set(at, [i]);
  });
  return behind;
}

/**
 * The rows of a tree from top to bottom, and what was dropped right after the prompt.
 * @param {SearchNode[]} nodes
 * @returns {{ rows: Row[], dropped: number[] }}
 */
export function rowsOf(nodes) {
  const reach = reaches(nodes);
  const behind = families(nodes);
  const of = (/** @type {number} */ i, /** @type {boolean} */ lives) =>
    (behind.get(i) ?? []).filter((child) => (nodes[child].fate !== "dropped") === lives);
  // The one that leads furthest comes last.
  const living = (/** @type {number} */ i) =>
    of(i, true).sort(
      (a, b) => reach[b].rank - reach[a].rank || reach[a].depth - reach[b].depth || b - a,
    );
  /** @type {Row[]} */
  const rows = [];
  /** @type {{ first: number, depth: number, parent: number, isMain: boolean }[]} */
  const waiting = [];
  const branch = (
    /** @type {number[]} */ all,
    /** @type {number} */ depth,
    /** @type {number} */ parent,
  ) => {
    const main = all.at(-1);
    // The last is drawn last, so it is put down first.
    for (const first of [...all].reverse()) {
      const isMain = first === main;
      waiting.push({ first, depth: isMain ? depth : depth + 1, parent, isMain });
    }
  };
  branch(living(-1), 0, -1);
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    const { first, depth, parent, isMain } = at;
    const run = [first];
    const dropped = of(first, false);
    let next = living(first);
    while (next.length === 1) {
      run.push(next[0]);
      dropped.push(...of(next[0], false));
      next = living(next[0]);
    }
    const lives = reach[run[run.length - 1]].rank < Infinity;
    rows.push({ nodes: run, depth, parent, dropped, lives, isMain });
    branch(next, depth, rows.length - 1);
  }
  return { rows, dropped: of(-1, false) };
}

/**
 * The probability of a node behind the one before it, under the model's own distribution.
 * @param {SearchNode[]} nodes
 * @param {number} i
 */
export function chance(nodes, i) {
  const { parent, logprob } = nodes[i];
  return Math.exp(Number(logprob) - (parent === null ? 0 : Number(nodes[parent].logprob)));
}

/**
 * The nodes from the first token to one.
 * @param {SearchNode[]} nodes
 * @param {number} last
 */
export function pathTo(nodes, last) {
  const path = [];
  for (let at = /** @type {number | null} */ (last); at !== null; at = nodes[at].parent) {
    path.push(at);
  }
  return path.reverse();
}
