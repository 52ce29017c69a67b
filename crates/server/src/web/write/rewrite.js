// Versions of the selected stretch: made, kept in the text, or left.

import { isAborted } from "../server.js";
import { drawsAs } from "./draws.js";
import { changed, fail, stop, stopReading } from "./follow.js";
import { paintText } from "./paint.js";
import { readUnasked, settled } from "./typing.js";
import { FIT, keepVersion, mean, vary } from "./vary.js";

/** @import { Page } from "./page.js" */
/** @import { Version, What } from "./vary.js" */

/**
 * The versions that are shown, and what they are versions of.
 * @type {{ of: Page, leaf: number, range: [number, number], all: Version[] } | null}
 */
let shown = null;

/**
 * Makes a version with each temperature or chain.
 * @param {Page} v
 * @param {What[]} whats
 */
export async function make(v, whats) {
  if (!(await settled(v))) return;
  const { tree, range } = v;
  const [from, to] = range;
  if (from < 1 || to <= from) {
    v.says.textContent = "Nothing comes before the first token: select tokens behind it.";
    return;
  }
  if (whats.length > v.model.parallel) {
    v.says.textContent = `At most ${v.model.parallel} versions are made at once.`;
    return;
  }
  stop(v);
  stopReading(v);
  const mine = new AbortController();
  v.running = mine;
  const nodes = tree.path().map((i) => tree.nodes[i]);
  const now = {
    stretch: mean(nodes.slice(from, to)),
    follows: mean(nodes.slice(to, to + FIT)),
  };
  const show = (/** @type {Version[]} */ all, done = false) => {
    if (done || v.running === mine) v.versions.show(all, { ...now, done });
  };
  paintText(v);
  /** @type {Version[]} */
  let made = [];
  try {
    const told = (/** @type {Version[]} */ all) => {
      made = all;
      show(all);
    };
    await vary(tree, range, whats, {
      ask: (what) => drawsAs(v, from, what),
      signal: mine.signal,
      told,
    });
  } catch (error) {
    if (!isAborted(error)) fail(v, error);
  }
  if (v.running === mine) v.running = null;
  shown = { of: v, leaf: tree.leaf, range: [from, to], all: made };
  show(made, true);
  changed(v);
}

/**
 * A version takes the place of what stands; the others stay as forks.
 * @param {Page} v
 * @param {number} i
 */
export function keep(v, i) {
  const { tree } = v;
  if (shown?.of !== v || shown.leaf !== tree.leaf || tree.draft) return;
  keepVersion(tree, shown.range, shown.all, i);
  v.place = shown.range[0];
  close(v);
  changed(v);
  readUnasked(v);
}

/** @param {Page} v */
export function close(v) {
  stop(v);
  shown = null;
  v.range = [0, 0];
  v.brush.hide();
  v.versions.hide();
  paintText(v);
}
