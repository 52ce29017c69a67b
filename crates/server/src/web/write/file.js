// A tree in, a file out, and back: JSON that a person can read, with a version, and with bounds for
// what somebody else wrote.
//
// The format, version 1:
//   format   "kelvin tree"          version  1
//   model    the model's name: ids mean nothing to another one
//   text, chat, chain, t, seed      how it began: the text, whether it stands in the chat template, the chain, its temperature (a number), the dice
//   tokens   all tokens of the tree, each after the one that it stands behind: { parent, id, text, shown, by } and, where they are known,
//            { t, surprisal, rank, entropy, final, ends, learned }; `parent` is a number in this list, -1 for the first. What they mean says tree.js.
//   leaf     the number of the last token of the text that was looked at
//   paint    [{ from, to, t }]: positions (from 0, `to` exclusive) with a temperature of their own
// What isn't named here is ignored. All texts are texts, whatever they look like.

import { MOST, Tree } from "./tree.js";

const FORMAT = "kelvin tree";
const VERSION = 1;
/** Bytes. */
const LARGEST = 16 << 20;
const MOST_PAINT = 1000;
const LONGEST_TEXT = 1 << 20;
const LONGEST_TOKEN = 4096;
const HOTTEST = 1e9;
const BY = ["given", "drawn", "taken", "link"];

/** The file's text. */
export function written(tree, about) {
  const numbers = new Map();
  const live = [];
  for (let i = 0; i < tree.size; i += 1) {
    if (!tree.lives(i)) continue;
    numbers.set(i, live.length);
    live.push(i);
  }
  const tokens = live.map((i) => {
    const { parent, id, text, shown, by, ...known } = tree.nodes[i];
    const all = { parent: parent < 0 ? -1 : numbers.get(parent), id, text, shown, by, ...known };
    return Object.fromEntries(
      Object.entries(all).filter(
        ([, value]) => value !== null && value !== undefined && value !== false,
      ),
    );
  });
  const leaf = numbers.get(tree.leaf) ?? -1;
  const { model, text, chat, chain, t, seed } = about;
  const head = {
    format: FORMAT,
    version: VERSION,
    model,
    text,
    chat,
    chain,
    t,
    seed,
    leaf,
    paint: tree.paint,
  };
  // A line for each token.
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "tokens": [\n${tokens.map((token) => `  ${JSON.stringify(token)}`).join(",\n")}\n ]\n}\n`;
}

/** The tree of a file and what it says about itself; throws an Error that says what is wrong with it, and where. */
export async function read(file, vocabulary) {
  if (file.size > LARGEST)
    throw new Error(`the file has ${file.size} bytes, but a tree has at most ${LARGEST}`);
  let data;
  try {
    data = JSON.parse(await file.text());
  } catch {
    throw new Error("the file isn't JSON, so it's no tree");
  }
  if (!object(data) || data.format !== FORMAT)
    throw new Error(`the file isn't a tree: its "format" isn't "${FORMAT}"`);
  if (data.version !== VERSION)
    throw new Error(
      `the file's "version" is ${JSON.stringify(data.version)}, but this page reads ${VERSION}`,
    );
  const about = {
    model: text(data, "model", 1000),
    text: text(data, "text", LONGEST_TEXT),
    chat: data.chat === true,
    chain: text(data, "chain", 4096),
    t: number(data, "t", 0, HOTTEST),
    seed: whole(data, "seed", 0, Number.MAX_SAFE_INTEGER),
  };
  if (!Array.isArray(data.tokens) || data.tokens.length === 0 || data.tokens.length > MOST)
    throw new Error(`"tokens" isn't a list of 1 to ${MOST} tokens`);
  const tree = new Tree();
  tree.nodes = data.tokens.map((token, i) => node(token, i, vocabulary));
  tree.size = tree.nodes.length;
  tree.leaf = whole(data, "leaf", -1, tree.size - 1);
  if (data.paint !== undefined && (!Array.isArray(data.paint) || data.paint.length > MOST_PAINT))
    throw new Error(`"paint" isn't a list of at most ${MOST_PAINT} stretches`);
  for (const [i, one] of (data.paint ?? []).entries()) {
    if (!object(one)) throw new Error(`paint[${i}] isn't an object`);
    const from = whole(one, "from", 0, 1e7, `paint[${i}].`);
    tree.heat(
      from,
      whole(one, "to", from + 1, 1e7, `paint[${i}].`),
      number(one, "t", 0, HOTTEST, `paint[${i}].`),
    );
  }
  return { tree, about };
}

function node(token, i, vocabulary) {
  const at = `tokens[${i}].`;
  if (!object(token)) throw new Error(`tokens[${i}] isn't an object`);
  const maybe = (name, low, high) =>
    token[name] === undefined || token[name] === null ? null : number(token, name, low, high, at);
  if (!BY.includes(token.by)) throw new Error(`${at}by isn't one of ${BY.join(", ")}`);
  return {
    parent: whole(token, "parent", -1, i - 1, at),
    id: whole(token, "id", 0, vocabulary - 1, at),
    text: text(token, "text", LONGEST_TOKEN, at),
    shown: text(token, "shown", LONGEST_TOKEN, at),
    by: token.by,
    t: maybe("t", 0, HOTTEST),
    surprisal: maybe("surprisal", 0, Infinity),
    rank:
      token.rank === undefined || token.rank === null
        ? null
        : whole(token, "rank", 0, vocabulary, at),
    entropy: maybe("entropy", 0, 100),
    final: maybe("final", 0, 1),
    ends: token.ends === true,
    learned:
      token.learned === undefined || token.learned === null ? null : learned(token.learned, at),
  };
}

/** What stages that learn knew, two numbers each. */
function learned(value, at) {
  const pairs = object(value) ? Object.entries(value).slice(0, 8) : [];
  const good =
    pairs.length > 0 &&
    pairs.every(
      ([, pair]) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite),
    );
  if (!good) throw new Error(`${at}learned isn't an object of two numbers for each stage`);
  return Object.fromEntries(pairs);
}
function object(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function text(of, name, longest, at = "") {
  if (typeof of[name] !== "string" || of[name].length > longest)
    throw new Error(`${at}${name} isn't a text of at most ${longest} characters`);
  return of[name];
}
function number(of, name, low, high, at = "") {
  // Nothing that sums have made is exactly on its bound.
  if (typeof of[name] !== "number" || !(of[name] >= low - 1e-6 && of[name] <= high + 1e-6))
    throw new Error(`${at}${name} isn't a number from ${low} to ${high}`);
  return of[name];
}
function whole(of, name, low, high, at = "") {
  if (!Number.isInteger(of[name]) || of[name] < low || of[name] > high)
    throw new Error(`${at}${name} isn't a whole number from ${low} to ${high}`);
  return of[name];
}
