// Where a tree comes from and where it goes: begun with a text, taken up from the address or from
// what was kept, loaded from a file and saved to one.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear } from "../dom.js";
import { seed } from "../parts/seed.js";
import { FIRST, given, isChat, taken } from "../parts/subject.js";
import { isAborted } from "../server.js";
import { changed, fail, keptTree, stop, write } from "./change.js";
import * as files from "./file.js";
import { score } from "./go_on.js";
import { chain } from "./page.js";
import { Tree } from "./tree.js";

/** @import { By, Token } from "../types.js" */
/** @import { About } from "./file.js" */
/** @import { Page } from "./page.js" */

/** How long a browser gets to fetch a file from the page, in milliseconds. */
const FETCHED = 10000;

/** @param {Page} v */
export function save(v) {
  const { model, t } = v;
  const about = {
    model: model.name,
    text: address.key("text", FIRST),
    chat: isChat(),
    chain: chain(),
    t: t === Infinity ? 1 : t,
    seed: seed(),
  };
  const file = new Blob([files.written(v.tree, about)], { type: "application/json" });
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: "tree.kelvin.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), FETCHED);
  v.says.textContent = "Saved as tree.kelvin.json.";
}

/** @param {Page} v */
export async function load(v) {
  const picked = v.file.files?.[0];
  if (!picked) return;
  v.file.value = "";
  stop(v);
  try {
    const { tree, about } = await files.read(picked, v.model.n_vocab);
    if (about.model !== v.model.name) {
      const why = `its tokens mean nothing to ${v.model.name}`;
      throw new Error(`the tree was made with ${about.model}, and ${why}`);
    }
    v.tree = tree;
    adopt(v, about);
    v.place = tree.path().length;
    clear(v.trouble);
    v.says.textContent = `Loaded: ${tree.size} tokens.`;
    changed(v);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const words = h("p", {}, `It can't be loaded: ${why}.`);
    clear(v.trouble).append(h("div", { class: "problem", role: "alert" }, words));
  }
}

/**
 * The page is set to how a loaded tree began.
 * @param {Page} v
 * @param {About} about
 */
function adopt(v, { text, chat, chain: of, seed: dice, t }) {
  address.write({
    text: text === FIRST ? null : text,
    chat: chat ? "1" : null,
    chain: of === chains.NEUTRAL ? null : of,
    seed: dice === 7 ? null : dice,
    t,
  });
  v.t = t;
  v.slider.set(t);
  if (v.begin) v.begin.value = text;
}

/**
 * Begins: with what is kept of this text, with what the address says, or (`again`) anew.
 * @param {Page} v
 * @param {boolean} again
 */
export async function open(v, again = false) {
  stop(v);
  v.anew.hidden = true;
  v.says.textContent = "Reading …";
  const mine = new AbortController();
  v.running = mine;
  try {
    await grown(v, again, mine.signal);
  } catch (error) {
    if (isAborted(error)) return;
    v.running = null;
    v.says.textContent = "";
    fail(v, error);
    return;
  }
  if (v.running !== mine) return;
  v.running = null;
  v.place = v.tree.path().length;
  v.says.textContent = "";
  changed(v);
  if (v.tree.nodes[v.tree.leaf].by === "given") write(v);
}

/**
 * What the address says was written: after the whole text, or (`cutAt`) after its first tokens.
 * @param {boolean} again
 */
function linked(again) {
  if (again) return { cutAt: Infinity, ids: [] };
  const fork = /^(\d+):([\d.]*)$/.exec(address.key("fork", ""));
  if (!fork) return { cutAt: Infinity, ids: taken() };
  return {
    cutAt: Math.max(1, Number(fork[1])),
    ids: fork[2].split(".").filter(Boolean).map(Number),
  };
}

/**
 * Makes the tree of the text, or takes up the one that was kept, and hangs in it what the address
 * says was written.
 * @param {Page} v
 * @param {boolean} again
 * @param {AbortSignal} signal
 */
async function grown(v, again, signal) {
  const { cutAt, ids } = linked(again);
  const text = given();
  const kin = again ? null : keptTree(v);
  if (kin) v.tree = kin;
  const all = await score(text, signal);
  const keep = Math.min(all.length, cutAt);
  if (!kin) {
    v.tree = new Tree();
    grow(v.tree, -1, all, "given");
  }
  const { tree } = v;
  const stem = grow(tree, -1, all.slice(0, keep), "given");
  let leaf = stem;
  if (ids.length > 0) {
    const prompt = all.slice(0, keep).map((one) => one.id);
    const read = await score({ prompt, continuation: ids }, signal);
    leaf = grow(tree, stem, read.slice(keep), "link");
  }
  if (!kin || leaf !== stem) tree.leaf = leaf;
  const last = tree.nodes[tree.leaf];
  if (last.by !== "given" && v.model.ends.some((one) => one.id === last.id)) last.ends = true;
}

/**
 * Hangs tokens behind each other in a tree, those that aren't there; gives the last one's number.
 * @param {Tree} tree
 * @param {number} parent
 * @param {Token[]} all
 * @param {By} by
 */
function grow(tree, parent, all, by) {
  let at = parent;
  for (const one of all) {
    const had = tree.children(at).find((i) => tree.nodes[i].id === one.id);
    at = had ?? tree.add(at, { ...one, by, t: null, final: null, ends: false });
  }
  return at;
}
