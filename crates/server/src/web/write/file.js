// A tree in, a file out, and back: JSON that a person can read, with a version, and with bounds for
// what somebody else wrote.
//
// The format, version 3:
//   format   "kelvin tree"
//   version  3; version 2 has no chains in "tokens" and "paint", version 1 no name, marks and
//            frame: both are read as well
//   name     the session's name
//   model    the model's name: ids mean nothing to another one
//   text, chat, chain, t, seed
//            how it began: the text, whether it stands in the chat template, the chain, its
//            temperature (a number), the dice
//   tokens   all tokens of the tree, each after the one that it stands behind:
//            { parent, id, text, shown, by } and, where they are known,
//            { t, chain, surprisal, rank, entropy, final, ends, learned, frame }; `parent` is a
//            number in this list, -1 for the first. What they mean says tree.js.
//   leaf     the number of the last token of the text that was looked at
//   paint    [{ from, to, t }] or [{ from, to, chain }]: positions (from 0, `to` exclusive) with a
//            temperature or a chain of their own
//   schedule the chain with the painted stretches as one schedule, in the notation of --sampler;
//            for people, it isn't read
//   marks    [{ at, star, label, note }]: what was noted about texts, by their last token
// What isn't named here is ignored. All texts are texts, whatever they look like.

import { steps, written as line } from "./schedule.js";
import { MOST, Tree } from "./tree.js";

/** @import { By, Learned, Node } from "../types.js" */
/** @import { Mark } from "./tree.js" */

/**
 * How a tree began.
 * @typedef {object} About
 * @property {string} name
 * @property {string} model
 * @property {string} text
 * @property {boolean} chat
 * @property {string} chain
 * @property {number} t
 * @property {number} seed
 */

/** @typedef {Record<string, unknown>} Fields */

const FORMAT = "kelvin tree";
const VERSION = 3;
/** Bytes. */
const LARGEST = 64 << 20;
const MAX_PAINT = 1000;
const MAX_MARKS = 10_000;
const LONGEST_NAME = 200;
const LONGEST_NOTE = 4000;
const LONGEST_TEXT = 1 << 20;
const LONGEST_TOKEN = 4096;
const LONGEST_CHAIN = 4096;
const HOTTEST = 1e9;
/** @type {By[]} */
const BY = ["given", "drawn", "taken", "own", "link"];

/**
 * A tree without what can only be undone, and without what is cut off.
 * @param {Tree} tree
 */
export function compact(tree) {
  const live = tree.living();
  const numbers = new Map(live.map((i, place) => [i, place]));
  const nodes = live.map((i) => {
    const { parent } = tree.nodes[i];
    return { ...tree.nodes[i], parent: numbers.get(parent) ?? -1 };
  });
  const { paint, begun, draft } = tree;
  const leaf = numbers.get(tree.leaf) ?? -1;
  /** @type {Map<number, Mark>} */
  const marks = new Map();
  for (const [i, mark] of tree.marks) {
    const at = numbers.get(i);
    if (at !== undefined) marks.set(at, mark);
  }
  const atoms = draft?.map((atom) => (typeof atom === "string" ? atom : (numbers.get(atom) ?? "")));
  return Tree.of(nodes, { leaf, paint, begun, marks, draft: atoms ?? null });
}

/**
 * The file's text.
 * @param {Tree} tree
 * @param {About} about
 */
export function written(tree, { name, model, text, chat, chain, t, seed }) {
  const { nodes, leaf, paint, marks } = compact(tree);
  const tokens = nodes.map(({ parent, id, text: words, shown, by, ...known }) => {
    const all = { parent, id, text: words, shown, by, ...known };
    const there = Object.entries(all).filter(([, value]) => (value ?? false) !== false);
    return JSON.stringify(Object.fromEntries(there));
  });
  const all = steps(tree, chain, t);
  const names = {
    format: FORMAT,
    version: VERSION,
    name,
    model,
    text,
    chat,
    chain,
    t,
    seed,
    leaf,
    paint,
    ...(all && paint.length > 0 ? { schedule: line(all) } : {}),
    marks: [...marks].map(([at, mark]) => ({ at, ...mark })),
  };
  const head = JSON.stringify(names, null, 1).slice(0, -2);
  // A line for each token.
  return `${head},\n "tokens": [\n${tokens.map((one) => `  ${one}`).join(",\n")}\n ]\n}\n`;
}

/**
 * The tree of a file and what it says about itself; throws an Error that says what is wrong with
 * it, and where.
 * @param {File} file
 * @param {number} vocabulary tokens in the model's vocabulary
 */
export async function read(file, vocabulary) {
  if (file.size > LARGEST) {
    throw new Error(`the file has ${file.size} bytes, but a tree has at most ${LARGEST}`);
  }
  const data = parsed(await file.text());
  /** @type {About} */
  const about = {
    name: data.version === 1 ? "Imported" : text(data, "name", LONGEST_NAME),
    model: text(data, "model", 1000),
    text: text(data, "text", LONGEST_TEXT),
    chat: data.chat === true,
    chain: text(data, "chain", LONGEST_CHAIN),
    t: number(data, "t", 0, HOTTEST),
    seed: whole(data, "seed", 0, Number.MAX_SAFE_INTEGER),
  };
  const { tokens } = data;
  if (!Array.isArray(tokens) || tokens.length === 0 || tokens.length > MOST) {
    throw new Error(`"tokens" isn't a list of 1 to ${MOST} tokens`);
  }
  const nodes = tokens.map((token, i) => node(token, i, vocabulary));
  const leaf = whole(data, "leaf", -1, nodes.length - 1);
  const { text: begun, chat } = about;
  const tree = Tree.of(nodes, { leaf, begun: { text: begun, chat } });
  if (data.marks !== undefined) marks(tree, data.marks);
  if (data.paint !== undefined) paint(tree, data.paint);
  return { tree, about };
}

/**
 * @param {string} text
 * @returns {Fields}
 */
function parsed(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error("the file isn't JSON, so it's no tree");
  }
  if (!isObject(data) || data.format !== FORMAT) {
    throw new Error(`the file isn't a tree: its "format" isn't "${FORMAT}"`);
  }
  if (![1, 2, VERSION].includes(/** @type {number} */ (data.version))) {
    const found = (JSON.stringify(data.version) ?? "missing").slice(0, 40);
    throw new Error(`the file's "version" is ${found}, but this page reads 1 to ${VERSION}`);
  }
  return data;
}

/**
 * @param {Tree} tree
 * @param {unknown} list
 */
function paint(tree, list) {
  if (!Array.isArray(list) || list.length > MAX_PAINT) {
    throw new Error(`"paint" isn't a list of at most ${MAX_PAINT} stretches`);
  }
  list.forEach((one, i) => {
    const at = `paint[${i}].`;
    if (!isObject(one)) throw new Error(`paint[${i}] isn't an object`);
    const from = whole(one, "from", 0, 1e7, at);
    const to = whole(one, "to", from + 1, 1e7, at);
    const { chain } = one;
    const isChain = chain !== undefined && chain !== null;
    const colour = isChain
      ? { chain: text(one, "chain", LONGEST_CHAIN, at) }
      : { t: number(one, "t", 0, HOTTEST, at) };
    tree.cover(from, to, colour);
  });
}

/**
 * @param {Tree} tree
 * @param {unknown} list
 */
function marks(tree, list) {
  if (!Array.isArray(list) || list.length > MAX_MARKS) {
    throw new Error(`"marks" isn't a list of at most ${MAX_MARKS} marks`);
  }
  list.forEach((one, i) => {
    const at = `marks[${i}].`;
    if (!isObject(one)) throw new Error(`marks[${i}] isn't an object`);
    tree.marks.set(whole(one, "at", 0, tree.size - 1, at), {
      star: one.star === true,
      label: text(one, "label", LONGEST_NAME, at),
      note: text(one, "note", LONGEST_NOTE, at),
    });
  });
}

/**
 * @param {unknown} token
 * @param {number} i
 * @param {number} vocabulary
 * @returns {Node}
 */
function node(token, i, vocabulary) {
  const at = `tokens[${i}].`;
  if (!isObject(token)) throw new Error(`tokens[${i}] isn't an object`);
  const has = (/** @type {string} */ name) => (token[name] ?? null) !== null;
  /** @type {(name: string, low: number, high: number) => number | null} */
  const maybe = (name, low, high) => (has(name) ? number(token, name, low, high, at) : null);
  const by = BY.find((one) => one === token.by);
  if (!by) throw new Error(`${at}by isn't one of ${BY.join(", ")}`);
  return {
    parent: whole(token, "parent", -1, i - 1, at),
    id: whole(token, "id", 0, vocabulary - 1, at),
    text: text(token, "text", LONGEST_TOKEN, at),
    shown: text(token, "shown", LONGEST_TOKEN, at),
    by,
    t: maybe("t", 0, HOTTEST),
    ...(has("chain") ? { chain: text(token, "chain", LONGEST_CHAIN, at) } : {}),
    surprisal: maybe("surprisal", 0, Infinity),
    rank: has("rank") ? whole(token, "rank", 0, vocabulary, at) : null,
    entropy: maybe("entropy", 0, 100),
    final: maybe("final", 0, 1),
    ends: token.ends === true,
    ...(token.frame === true ? { frame: true } : {}),
    learned: has("learned") ? learned(token.learned, at) : null,
  };
}

/**
 * What stages that learn knew, two numbers each.
 * @param {unknown} value
 * @param {string} at
 * @returns {Learned}
 */
function learned(value, at) {
  const pairs = isObject(value) ? Object.entries(value).slice(0, 8) : [];
  const good = pairs.every(
    ([, pair]) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite),
  );
  if (pairs.length === 0 || !good) {
    throw new Error(`${at}learned isn't an object of two numbers for each stage`);
  }
  return /** @type {Learned} */ (Object.fromEntries(pairs));
}

/**
 * @param {unknown} value
 * @returns {value is Fields}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {Fields} of
 * @param {string} name
 * @param {number} longest
 * @param {string} at where it stands, for the error
 */
function text(of, name, longest, at = "") {
  const value = of[name];
  if (typeof value === "string" && value.length <= longest) return value;
  throw new Error(`${at}${name} isn't a text of at most ${longest} characters`);
}

/**
 * @param {Fields} of
 * @param {string} name
 * @param {number} low
 * @param {number} high
 * @param {string} at where it stands, for the error
 */
function number(of, name, low, high, at = "") {
  const value = of[name];
  // Nothing that sums have made is exactly on its bound.
  if (typeof value === "number" && value >= low - 1e-6 && value <= high + 1e-6) return value;
  throw new Error(`${at}${name} isn't a number from ${low} to ${high}`);
}

/**
 * @param {Fields} of
 * @param {string} name
 * @param {number} low
 * @param {number} high
 * @param {string} at where it stands, for the error
 */
function whole(of, name, low, high, at = "") {
  const value = of[name];
  const good = typeof value === "number" && Number.isInteger(value);
  if (good && value >= low && value <= high) return value;
  throw new Error(`${at}${name} isn't a whole number from ${low} to ${high}`);
}
