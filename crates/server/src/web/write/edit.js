// A text that is being edited: atoms, which are nodes that stay and stretches that were typed. A
// change of characters in, other atoms out; and once the server has said which tokens the typed
// stretches are, the text as a branch of the tree.

import { isPart } from "../parts/pieces.js";
import { moved } from "./shift.js";

/** @import { Node, Token } from "../types.js" */
/** @import { Atom, Moment, Tree } from "./tree.js" */

/** @typedef {Pick<Token, "id" | "text" | "shown">} Named */

const WORD = /[\p{L}\p{N}]/u;
/** How long a pause may be, in milliseconds, for what comes after it to be undone with it. */
const PAUSE = 8000;

/**
 * An edit that may still go on: where it began, where it led, and which nodes it copied.
 * @typedef {object} Burst
 * @property {Moment} from
 * @property {number} leaf
 * @property {Map<number, number>} origin
 * @property {number} at milliseconds
 */

/**
 * The atoms of the text at hand.
 * @param {Tree} tree
 * @returns {Atom[]}
 */
export function atoms(tree) {
  return tree.draft ?? tree.path();
}

/**
 * @param {Tree} tree
 * @param {Atom} atom
 */
function textOf(tree, atom) {
  return typeof atom === "string" ? atom : tree.nodes[atom].text;
}

/**
 * The atoms after the characters from `a` to `b` have become `text`. A word that is changed, or
 * that something is written to, is typed as a whole, so that its tokens are those of the word.
 * @param {Tree} tree
 * @param {Atom[]} all
 * @param {number} a
 * @param {number} b
 * @param {string} text
 * @returns {Atom[]}
 */
export function edited(tree, all, a, b, text) {
  const texts = all.map((atom) => textOf(tree, atom));
  let [from, start] = [0, 0];
  while (from < all.length && start + texts[from].length <= a) {
    // What is typed at the end of a message stays in the message, and before the text's end.
    if (start === a && (ends(tree, all[from]) || (from > 0 && opens(tree, all, from)))) break;
    start += texts[from].length;
    from += 1;
  }
  let [to, end] = [from, start];
  while (to < all.length && end < b) {
    end += texts[to].length;
    to += 1;
  }
  // Inside an atom where nothing is taken away.
  if (to === from && a > start) {
    end += texts[to].length;
    to += 1;
  }
  const own = to > from;
  const prefix = own ? texts[from].slice(0, a - start) : "";
  const suffix = own ? texts[to - 1].slice(texts[to - 1].length - (end - b)) : "";
  // A character goes with all of its tokens.
  while (own && from > 0 && partOf(tree, all[from - 1])) from -= 1;
  let middle = prefix + text + (end > b ? suffix : "");
  const [before, after] = [texts[from - 1] ?? "", texts[to] ?? ""];
  const left = middle === "" ? after : middle;
  if (from > 0 && (typeof all[from - 1] === "string" || joins(before, left))) {
    from -= 1;
    middle = before + middle;
  }
  const right = middle === "" ? before : middle;
  if (to < all.length && (typeof all[to] === "string" || joins(right, after))) {
    to += 1;
    middle += after;
  }
  const rest = all.slice(to).filter((atom) => !ends(tree, atom));
  return [...all.slice(0, from), ...(middle === "" ? [] : [middle]), ...rest];
}

/**
 * The atoms after an edit that leaves the chat template's tokens alone where `isFixed`.
 * @param {Tree} tree
 * @param {number} a
 * @param {number} b
 * @param {string} text
 * @param {boolean} isFixed
 */
export function around(tree, a, b, text, isFixed) {
  const all = atoms(tree);
  /** @type {[number, number][]} */
  const free = [];
  let start = 0;
  for (const atom of all) {
    const end = start + textOf(tree, atom).length;
    const [from, to] = [Math.max(a, start), Math.min(b, end)];
    const last = free[free.length - 1];
    if (from < to && !(isFixed && isFrame(tree, atom))) {
      if (last?.[1] === from) last[1] = to;
      else free.push([from, to]);
    }
    start = end;
  }
  if (free.length === 0) return a === b ? edited(tree, all, a, b, text) : all;
  return free.reduceRight(
    (now, [from, to], i) => edited(tree, now, from, to, i === 0 ? text : ""),
    all,
  );
}

/**
 * @param {Tree} tree
 * @param {Atom} atom
 */
function isFrame(tree, atom) {
  return typeof atom === "number" && tree.nodes[atom].frame === true;
}

/**
 * Whether the chat template goes on here after a message.
 * @param {Tree} tree
 * @param {Atom[]} all
 * @param {number} i
 */
function opens(tree, all, i) {
  return isFrame(tree, all[i]) && !isFrame(tree, all[i - 1]);
}

/**
 * @param {Tree} tree
 * @param {Atom} atom
 */
function ends(tree, atom) {
  return typeof atom === "number" && tree.nodes[atom].ends;
}

/**
 * The token that a character is in; the number of tokens behind the last one.
 * @param {Tree} tree
 * @param {number} at
 */
export function tokenOf(tree, at) {
  let start = 0;
  const path = tree.path();
  for (let k = 0; k < path.length; k += 1) {
    start += tree.nodes[path[k]].text.length;
    if (at < start) return k;
  }
  return path.length;
}

/**
 * @param {Tree} tree
 * @param {Atom} atom
 */
function partOf(tree, atom) {
  return typeof atom === "number" && isPart(tree.nodes[atom]);
}

/**
 * Whether two texts are parts of one word.
 * @param {string} before
 * @param {string} after
 */
function joins(before, after) {
  return WORD.test(before.at(-1) ?? "") && WORD.test(after[0] ?? "");
}

/**
 * Hangs the edited text in the tree as the text at hand. What is copied has its figures no more:
 * other words stand before it.
 * @param {Tree} tree
 * @param {Atom[]} all
 * @param {Map<string, Named[]>} tokens of the typed stretches
 * @param {Burst | null} burst the edit that this one may belong to
 * @returns {Burst}
 */
export function committed(tree, all, tokens, burst) {
  const goesOn = burst !== null && isOpen(tree, burst);
  const wanted = goesOn ? flattened(tree, all, tokens, burst) : all;
  if (goesOn) {
    Object.assign(tree, tree.past.pop());
    tree.truncate();
  }
  const old = tree.path();
  tree.begin();
  tree.draft = null;
  /** @type {Map<number, number>} */
  const origin = new Map();
  const places = new Map(old.map((i, k) => [i, k]));
  /** @type {(number | null)[]} where each token stood before; null: it was typed */
  const from = [];
  let at = -1;
  for (const atom of wanted) {
    const own = typeof atom === "string" ? (tokens.get(atom) ?? []) : [];
    if (typeof atom === "string") from.push(...own.map(() => null));
    else from.push(places.get(atom) ?? null);
    if (typeof atom === "string") at = typed(tree, at, own);
    else if (tree.nodes[atom].parent === at) at = atom;
    else {
      const was = tree.nodes[atom];
      const had = tree.children(at).find((i) => tree.nodes[i].id === was.id);
      at = had ?? tree.push(at, { ...was, ...UNREAD });
      if (had === undefined) origin.set(at, atom);
    }
  }
  tree.leaf = at;
  tree.paint = moved(tree.paint, old.length, from);
  leave(tree, old);
  return { from: tree.past[tree.past.length - 1], leaf: at, origin, at: performance.now() };
}

/** What nobody knows of a token before it is read. */
export const UNREAD = {
  surprisal: null,
  rank: null,
  entropy: null,
  final: null,
  learned: null,
};

/**
 * Whether an edit is still the last thing that was done, a moment ago.
 * @param {Tree} tree
 * @param {Burst} burst
 */
function isOpen(tree, burst) {
  const last = tree.past[tree.past.length - 1] === burst.from && tree.leaf === burst.leaf;
  return last && performance.now() - burst.at < PAUSE;
}

/**
 * The atoms in terms of the tree before the edit: copies are what they were copied of, tokens that
 * were typed are texts. `tokens` hears of nothing new: a text of several stretches is asked for
 * again by whoever finds that it's missing.
 * @param {Tree} tree
 * @param {Atom[]} all
 * @param {Map<string, Named[]>} tokens
 * @param {Burst} burst
 * @returns {Atom[]}
 */
function flattened(tree, all, tokens, { from, origin }) {
  /** @type {Atom[]} */
  const flat = [];
  /** @type {Named[]} */
  let own = [];
  const close = () => {
    if (own.length === 0) return;
    const text = own.map((one) => one.text).join("");
    tokens.set(text, own);
    flat.push(text);
    own = [];
  };
  for (const atom of all) {
    if (typeof atom === "string") own.push(...(tokens.get(atom) ?? []));
    else if (atom >= from.size && !origin.has(atom)) own.push(tree.nodes[atom]);
    else {
      close();
      flat.push(origin.get(atom) ?? atom);
    }
  }
  close();
  return flat;
}

/**
 * @param {Tree} tree
 * @param {number} parent
 * @param {Named[]} tokens
 */
function typed(tree, parent, tokens) {
  let at = parent;
  for (const { id, text, shown } of tokens) {
    const had = tree.children(at).find((i) => tree.nodes[i].id === id);
    at = had ?? tree.push(at, { id, text, shown, by: "own", t: null, ends: false, ...UNREAD });
  }
  return at;
}

/**
 * Cuts off what the text was before, unless it's a fork by itself: something hangs on it besides,
 * or somebody has marked it.
 * @param {Tree} tree
 * @param {number[]} old
 */
function leave(tree, old) {
  const now = new Set(tree.path());
  const first = old.find((i) => !now.has(i));
  if (first === undefined) return;
  for (let at = first; ;) {
    const next = tree.children(at);
    if (tree.marks.has(at) || next.length > 1) return;
    if (next.length === 0) break;
    [at] = next;
  }
  tree.gone = new Set(tree.gone).add(first);
}

/**
 * What is shown of the text at hand: its nodes, and what was typed as tokens without an id.
 * @param {Tree} tree
 * @returns {Node[]}
 */
export function shown(tree) {
  return atoms(tree).map((atom) => {
    if (typeof atom === "number") return tree.nodes[atom];
    const blank = { id: -1, text: atom, shown: atom, t: null, ends: false, parent: -1 };
    return { ...blank, by: /** @type {const} */ ("own"), ...UNREAD };
  });
}
