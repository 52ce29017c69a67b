// The tree of forks: every token that stood somewhere, under the one that it stood behind. A text
// is the way from the root to a leaf; two texts share what they have in common. Nothing is ever
// changed in place but what is told twice of the same token, so that undoing is going back to a
// size, a leaf, and what was painted or cut off at that time.
//
// A token is { id, text, shown, by, t, surprisal, rank, entropy, final, ends, learned, parent }:
// `by` says where it comes from, "given" (the text that is continued), "drawn", "taken" by hand or
// "link"; `t` is the temperature that it was drawn at; `surprisal`, `rank` (from 0) and `entropy`
// are raw, `final` is the probability in what it was drawn from, and null where nobody knows;
// `learned` is what a stage that learns (mirostat, adaptive_p) knew after it, null where there was
// none: { name: [number, number] }.

/** @import { Leaf, Node } from "../types.js" */

/** @typedef {{ from: number, to: number, t: number }} Paint */
/** @typedef {{ size: number, leaf: number, paint: Paint[], gone: Set<number> }} Moment */

export const MOST = 20000;
const MAX_PAST = 500;

export class Tree {
  constructor() {
    /** @type {Node[]} */
    this.nodes = [];
    this.leaf = -1;
    /**
     * Stretches of positions with a temperature of their own, rising, none in another.
     * @type {Paint[]}
     */
    this.paint = [];
    /**
     * Nodes that were cut off, with all behind them.
     * @type {Set<number>}
     */
    this.gone = new Set();
    /** @type {Moment[]} */
    this.past = [];
    /** @type {Moment[]} */
    this.future = [];
    this.size = 0;
  }

  /**
   * Whether a node can be seen.
   * @param {number} i
   */
  lives(i) {
    return i < this.size && !this.gone.has(i);
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
    const all = [];
    for (let i = Math.max(0, parent + 1); i < this.size; i += 1) {
      if (this.nodes[i].parent === parent && this.lives(i)) all.push(i);
    }
    return all;
  }

  /** What comes now can be undone in one. */
  begin() {
    this.nodes.length = this.size;
    this.past.push(this.now());
    if (this.past.length > MAX_PAST) this.past.shift();
    this.future = [];
  }

  /**
   * Puts a token behind `parent`, if it isn't there already, and gives its number.
   * @param {number} parent
   * @param {Leaf} token
   */
  add(parent, token) {
    const same = this.children(parent).find((i) => this.nodes[i].id === token.id);
    if (same !== undefined) {
      Object.assign(this.nodes[same], {
        ...token,
        by: this.nodes[same].by === "given" ? "given" : token.by,
        parent,
      });
      return same;
    }
    if (this.size >= MOST) {
      const what = "save it, and begin a new one";
      throw new Error(`the tree has ${MOST} tokens, and takes no more: ${what}`);
    }
    this.nodes.push({ ...token, parent });
    this.size = this.nodes.length;
    return this.size - 1;
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
    const gone = new Set(this.gone);
    gone.add(i);
    // Children come after their parents.
    for (let at = i + 1; at < this.size; at += 1) if (gone.has(this.nodes[at].parent)) gone.add(at);
    this.gone = gone;
    if (stands) this.leaf = this.deepest(this.nodes[i].parent);
  }

  /**
   * Paints the positions from `from` to `to` (exclusive) with a temperature; null takes the paint
   * off.
   * @param {number} from
   * @param {number} to
   * @param {number | null} t
   */
  heat(from, to, t) {
    const parts = this.paint
      .flatMap((one) => [
        { ...one, to: Math.min(one.to, from) },
        { ...one, from: Math.max(one.from, to) },
      ])
      .filter((one) => one.from < one.to);
    if (t !== null) parts.push({ from, to, t });
    this.paint = parts.sort((a, b) => a.from - b.from);
  }

  /**
   * The temperature that a position was painted with, and where that ends; null where there is
   * none, and where the next begins.
   * @param {number} pos
   * @returns {{ t: number | null, until: number }}
   */
  heatAt(pos) {
    const here = this.paint.find((one) => one.from <= pos && pos < one.to);
    if (here) return { t: here.t, until: here.to };
    return {
      t: null,
      until: Math.min(
        ...this.paint.filter((one) => one.from > pos).map((one) => one.from),
        Infinity,
      ),
    };
  }

  /** Where it stands. */
  now() {
    return { size: this.size, leaf: this.leaf, paint: this.paint, gone: this.gone };
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
