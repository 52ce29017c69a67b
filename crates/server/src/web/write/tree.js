// The tree of forks: every token that stood somewhere, under the one that it stood behind. A text
// is the way from the root to a leaf; two texts share what they have in common. A tree may have
// several beginnings. Tokens are only added, or told again with more figures, so that undoing is
// going back to a size, a leaf, and what was painted or cut off at that time. A node is never
// changed in place: whoever keeps trees sees by identity what is new.
//
// A token is { id, text, shown, by, t, surprisal, rank, entropy, final, ends, learned, parent }:
// `by` says where it comes from, "given" (the text that is continued), "drawn", "taken" by hand,
// "own" (typed or pasted) or "link"; `t` is the temperature that it was drawn at; `surprisal`,
// `rank` (from 0) and `entropy` are raw, `final` is the probability in what it was drawn from, and
// null where nobody knows; `chain` is the chain that drew it where one was painted; `learned` is
// what a stage that learns (mirostat, adaptive_p) knew after it, null where there was none:
// { name: [number, number] }.

/** @import { Leaf, Node } from "../types.js" */

/**
 * A stretch of positions that is painted: with a temperature in the place of the page's, or with a
 * chain.
 * @typedef {{ from: number, to: number, t?: number, chain?: string }} Paint
 */

/** What a stretch is painted with. @typedef {Pick<Paint, "t" | "chain">} Colour */

/**
 * What a text began with: what was typed, and whether it is a message in the chat template.
 * @typedef {{ text: string, chat: boolean }} Begun
 */

/**
 * What somebody notes about a text; it belongs to the text's last token.
 * @typedef {{ star: boolean, label: string, note: string }} Mark
 */

/**
 * @typedef {{ size: number, leaf: number, paint: Paint[], gone: Set<number>, begun: Begun }} Moment
 */

/**
 * A part of a text that is being edited: the number of a node that stays, or what was typed.
 * @typedef {number | string} Atom
 */

/**
 * A tree but for its nodes, as it is kept.
 * @typedef {Moment & { past: Moment[], future: Moment[], marks: Map<number, Mark>,
 *   draft: Atom[] | null }} State
 */

export const MOST = 200_000;
const MAX_PAST = 500;

export class Tree {
  constructor() {
    /** @type {Node[]} */
    this.nodes = [];
    /**
     * The nodes right behind each node; those of -1 are beginnings.
     * @type {Map<number, number[]>}
     */
    this.behind = new Map();
    this.leaf = -1;
    /**
     * Painted stretches, rising, none in another.
     * @type {Paint[]}
     */
    this.paint = [];
    /**
     * Nodes that were cut off, each with all behind it.
     * @type {Set<number>}
     */
    this.gone = new Set();
    /** @type {Begun} */
    this.begun = { text: "", chat: false };
    /** @type {Map<number, Mark>} */
    this.marks = new Map();
    /**
     * The text at hand while tokens aren't made yet of all that was typed.
     * @type {Atom[] | null}
     */
    this.draft = null;
    /** @type {Moment[]} */
    this.past = [];
    /** @type {Moment[]} */
    this.future = [];
    this.size = 0;
  }

  /**
   * A tree of nodes, each after its parent, and the rest of what was kept.
   * @param {Node[]} nodes
   * @param {Partial<State>} state
   */
  static of(nodes, state) {
    const tree = Object.assign(new Tree(), { ...state, nodes, size: state.size ?? nodes.length });
    nodes.forEach((node, i) => tree.hang(node.parent, i));
    return tree;
  }

  /**
   * The tree but for its nodes; what comes later doesn't change it.
   * @returns {State}
   */
  state() {
    const { past, future, marks, draft } = this;
    return { ...this.now(), past: [...past], future: [...future], marks: new Map(marks), draft };
  }

  /**
   * The nodes from the root to `leaf`.
   * @param {number} leaf
   */
  path(leaf = this.leaf) {
    const path = [];
    for (let i = leaf; i >= 0; i = this.nodes[i].parent) path.push(i);
    return path.reverse();
  }

  /**
   * The nodes right behind one, in the order in which they came.
   * @param {number} parent
   */
  children(parent) {
    const all = this.behind.get(parent) ?? [];
    return all.filter((i) => i < this.size && !this.gone.has(i));
  }

  /**
   * Where a mark of the text at hand is: at its end, or before what was written on since, where
   * nothing forks; -1 if there is none.
   */
  marked() {
    for (let at = this.leaf; at >= 0; at = this.nodes[at].parent) {
      if (this.marks.has(at)) return at;
      if (this.children(this.nodes[at].parent).length > 1) break;
    }
    return -1;
  }

  /** The nodes that can be seen, each after its parent. */
  living() {
    const all = [];
    const waiting = [...this.children(-1)];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      all.push(at);
      waiting.push(...this.children(at));
    }
    return all.sort((a, b) => a - b);
  }

  /** What comes now can be undone in one. */
  begin() {
    this.truncate();
    this.past.push(this.now());
    if (this.past.length > MAX_PAST) this.past.shift();
    this.future = [];
  }

  /** Forgets the nodes that only a redo would bring back. */
  truncate() {
    while (this.nodes.length > this.size) {
      const node = this.nodes.pop();
      if (node) this.behind.get(node.parent)?.pop();
      this.marks.delete(this.nodes.length);
    }
  }

  /**
   * @param {number} parent
   * @param {number} i
   */
  hang(parent, i) {
    const all = this.behind.get(parent);
    if (all) all.push(i);
    else this.behind.set(parent, [i]);
  }

  /**
   * Puts a token behind `parent`, if it isn't there already, and gives its number.
   * @param {number} parent
   * @param {Leaf} token
   */
  add(parent, token) {
    const had = this.children(parent).find((i) => this.nodes[i].id === token.id);
    if (had === undefined) return this.push(parent, token);
    const { by } = this.nodes[had];
    this.nodes[had] = { ...token, by: by === "given" ? by : token.by, parent };
    return had;
  }

  /**
   * Puts a new token behind `parent`, and gives its number.
   * @param {number} parent
   * @param {Leaf} token
   */
  push(parent, token) {
    if (this.size >= MOST) {
      const what = "duplicate it, which leaves behind what can only be undone";
      throw new Error(`the session has ${MOST} tokens, and takes no more: ${what}`);
    }
    this.truncate();
    this.nodes.push({ ...token, parent });
    this.size = this.nodes.length;
    this.hang(parent, this.size - 1);
    return this.size - 1;
  }

  /**
   * Says more of a node.
   * @param {number} i
   * @param {Partial<Node>} figures
   */
  tell(i, figures) {
    this.nodes[i] = { ...this.nodes[i], ...figures };
  }

  /**
   * The last node of a way on from `i`: always the branch that came last.
   * @param {number} i
   */
  deepest(i) {
    let at = i;
    for (let next = this.children(at); next.length > 0; next = this.children(at)) {
      at = next[next.length - 1];
    }
    return at;
  }

  /**
   * Cuts off a node with all behind it; whoever stands there goes back to where it hung.
   * @param {number} i
   */
  cut(i) {
    const stands = this.path().includes(i);
    this.gone = new Set(this.gone).add(i);
    if (stands) this.leaf = this.deepest(this.nodes[i].parent);
  }

  /**
   * Paints the positions from `from` to `to` (exclusive); null takes the paint off.
   * @param {number} from
   * @param {number} to
   * @param {Colour | null} colour
   */
  cover(from, to, colour) {
    const parts = this.paint
      .flatMap((one) => [
        { ...one, to: Math.min(one.to, from) },
        { ...one, from: Math.max(one.from, to) },
      ])
      .filter((one) => one.from < one.to);
    if (colour !== null) parts.push({ from, to, ...colour });
    this.paint = parts.sort((a, b) => a.from - b.from);
  }

  /**
   * What a position is painted with.
   * @param {number} pos
   * @returns {Paint | null}
   */
  paintAt(pos) {
    return this.paint.find((one) => one.from <= pos && pos < one.to) ?? null;
  }

  /**
   * Where it stands.
   * @returns {Moment}
   */
  now() {
    const { size, leaf, paint, gone, begun } = this;
    return { size, leaf, paint, gone, begun };
  }

  undo() {
    return this.move(this.past, this.future);
  }

  redo() {
    return this.move(this.future, this.past);
  }

  /**
   * Goes to the last moment of one list, and puts where it stood on the other.
   * @param {Moment[]} from
   * @param {Moment[]} to
   */
  move(from, to) {
    const then = from.pop();
    if (!then) return false;
    to.push(this.now());
    Object.assign(this, then);
    return true;
  }
}
