// What somebody does in, the tree and the place changed out: tokens taken, drawn and taken back,
// stretches painted, branches cut off, and the text written on.

import { h, clear } from "../dom.js";
import { number } from "../format.js";
import { isAborted, post } from "../server.js";
import { FEW } from "./alternatives.js";
import { changed, fail, look, stop, stopReading } from "./follow.js";
import { before, goOn, learned } from "./go_on.js";
import { keep } from "./keeper.js";
import { drawnAt, drawsAt, drawsOn } from "./draws.js";
import { chain, how } from "./page.js";
import { paintSoon, paintText } from "./paint.js";
import { MOST, given, steps } from "./schedule.js";
import { readUnasked, settled } from "./typing.js";

/** @import { By, Leaf, Learned, Next, Read, Row } from "../types.js" */
/** @import { Page } from "./page.js" */
/** @import { Colour, Mark } from "./tree.js" */

/**
 * A token that is to be taken: its probability raw and final, and what is known of it besides.
 * @typedef {Pick<Row, "id" | "text" | "shown" | "raw" | "final" | "ends"> & {
 *   rank?: number | null, learned?: Learned }} Taken
 */

/**
 * A token is chosen.
 * @param {Page} v
 * @param {number} i
 */
export function go(v, i) {
  v.place = i;
  v.size = FEW;
  paintText(v);
  look(v);
}

/**
 * A stretch is selected; an empty one selects nothing.
 * @param {Page} v
 * @param {number} from
 * @param {number} to
 */
export function select(v, from, to) {
  const { tree, brush } = v;
  const [was, until] = v.range;
  if (tree.draft || (from === was && to === until)) return;
  const path = tree.path();
  v.range = [from, Math.min(to, path.length)];
  if (to > from) {
    const stretch = path.slice(from, to).map((i) => tree.nodes[i].text);
    brush.show(from, to, stretch.join(""), tree.paintAt(from), path.length);
  } else brush.hide();
  v.versions.hide();
  paintText(v);
}

/**
 * Keys in the text; whether it was one of them.
 * @param {Page} v
 * @param {KeyboardEvent} event
 */
export function typed(v, event) {
  const { altKey, code, ctrlKey, key, metaKey } = event;
  const digit = altKey && /^Digit[0-9]$/.test(code) ? Number(code.slice(5)) : null;
  if (digit !== null) takeNumber(v, digit);
  else if (key === "Enter" && (ctrlKey || metaKey)) write(v);
  else if (key === "Enter" && altKey) draw(v);
  else if (key === "ArrowDown" && altKey) v.beside.focus();
  else if (key === "Escape") {
    if (v.range[1] > v.range[0]) select(v, 0, 0);
    else go(v, v.tree.path().length);
    v.text.caret(v.text.startOf(v.place));
  } else return false;
  return true;
}

/**
 * Takes the alternative with this digit.
 * @param {Page} v
 * @param {number} digit
 */
export function takeNumber(v, digit) {
  const row = v.beside.rows()[(digit + 9) % 10];
  if (row && v.answer) take(v, row);
}

/**
 * Puts a token at the place: at the end the text is one longer, elsewhere it forks.
 * @param {Page} v
 * @param {Taken} row
 * @param {By} by
 */
export function take(v, row, by = "taken") {
  const { tree, place, answer } = v;
  const path = tree.path();
  const parent = path[place - 1];
  if (parent === undefined || !answer || tree.nodes[parent].ends) return;
  if (tree.nodes[path[place]]?.id === row.id) {
    go(v, place + 1);
    return;
  }
  stop(v);
  stopReading(v);
  const inside = place < path.length;
  const had = tree.children(parent).find((i) => tree.nodes[i].id === row.id);
  tree.begin();
  try {
    tree.leaf = tree.add(parent, leafOf(v, answer, row, by));
  } catch (error) {
    fail(v, error);
    return;
  }
  if (had !== undefined) tree.leaf = inside ? tree.deepest(had) : had;
  if (inside && had === undefined && !row.ends) {
    write(v, path.length - place - 1 || v.length, false);
    return;
  }
  if (!inside) v.place += 1;
  changed(v);
}

/**
 * A token as it hangs in the tree.
 * @param {Page} v
 * @param {Next} answer
 * @param {Taken} row
 * @param {By} by
 * @returns {Leaf}
 */
function leafOf(v, answer, row, by) {
  const { id, text, shown, raw, final } = row;
  return {
    id,
    text: text.includes("\ufffd") ? "" : text,
    shown,
    by,
    ...(by === "drawn" ? drawnAt(v, v.place) : { t: null }),
    surprisal: raw > 0 ? -Math.log(raw) : null,
    rank: row.rank ?? answer.top.findIndex((one) => one.id === id),
    entropy: answer.raw.entropy_nats,
    final,
    ends: row.ends,
    learned: row.learned ?? answer.learned?.[id] ?? null,
  };
}

/**
 * Takes what the dice say.
 * @param {Page} v
 */
export function draw(v) {
  const { answer } = v;
  if (!answer) return;
  const known = answer.top.find((one) => one.id === answer.dart.id);
  if (known) take(v, known, "drawn");
  else far(v, answer);
}

/**
 * Draws a token that isn't among those shown: what is known of it is asked for first.
 * @param {Page} v
 * @param {Next} seen
 */
async function far(v, seen) {
  const { tree, place } = v;
  const { id, text, shown, ends, from, to } = seen.dart;
  const path = tree.path();
  const draws = { ...drawsAt(v, place), learned: learned(tree, path, place) };
  try {
    const body = { ...before(tree, path, place), ...draws, top: 0, watch: [id] };
    const { watched, learned: next } = await post("/studio/next", body);
    const { probability: raw, rank } = watched[0].places[0];
    if (seen !== v.answer) return;
    take(v, { id, text, shown, ends, raw, rank, final: to - from, learned: next?.[id] }, "drawn");
  } catch (error) {
    fail(v, error);
  }
}

/**
 * Takes the token before the place off, and what is behind it.
 * @param {Page} v
 */
export async function back(v) {
  if (!(await settled(v))) return;
  const { tree, place } = v;
  const path = tree.path();
  if (place < 2) return;
  stop(v);
  tree.begin();
  tree.leaf = path[place - 2];
  v.place = place - 1;
  changed(v);
}

/**
 * Somebody wants to another stretch of the tree.
 * @param {Page} v
 * @param {number} first
 */
export async function visit(v, first) {
  if (!(await settled(v))) return;
  const { tree } = v;
  stop(v);
  stopReading(v);
  tree.begin();
  tree.leaf = tree.deepest(first);
  v.place = tree.path().indexOf(first);
  changed(v);
  readUnasked(v);
}

/**
 * Cuts a branch off.
 * @param {Page} v
 * @param {number} first
 */
export async function cut(v, first) {
  if (!(await settled(v))) return;
  stop(v);
  v.tree.begin();
  v.tree.cut(first);
  v.place = v.tree.path().length;
  changed(v);
}

/**
 * @param {Page} v
 * @param {"undo" | "redo"} way
 */
export async function step(v, way) {
  if (!(await settled(v))) return;
  const { tree } = v;
  stop(v);
  stopReading(v);
  if (!(way === "undo" ? tree.undo() : tree.redo())) return;
  v.place = Math.min(v.place, tree.path().length);
  v.range = [0, 0];
  v.brush.hide();
  v.versions.hide();
  changed(v);
  readUnasked(v);
}

/**
 * What somebody notes about the text at hand.
 * @param {Page} v
 * @param {Mark} mark
 */
export async function note(v, mark) {
  if (!(await settled(v))) return;
  const { tree } = v;
  tree.marks.delete(tree.marked());
  if (mark.star || mark.label || mark.note) tree.marks.set(tree.leaf, mark);
  keep(how(v));
  v.forks.show(tree);
}

/**
 * Paints a stretch, or takes its paint off; with `rewrites`, the text is written anew from there to
 * where it ended, or to the end of the stretch if that is further.
 * @param {Page} v
 * @param {[number, number]} stretch
 * @param {Colour | null} colour
 * @param {boolean} rewrites
 */
export async function paint(v, [from, to], colour, rewrites) {
  if (!(await settled(v))) return;
  const { tree } = v;
  const path = tree.path();
  const begin = Math.max(from, given(tree), 1);
  if (begin >= to) {
    v.says.textContent = "What was given isn't drawn: select tokens behind it.";
    return;
  }
  const was = tree.now();
  tree.cover(begin, to, colour);
  const why = unpaintable(v);
  if (why) {
    Object.assign(tree, was);
    v.says.textContent = why;
    return;
  }
  const painted = tree.paint;
  tree.paint = was.paint;
  stop(v);
  stopReading(v);
  tree.begin();
  tree.paint = painted;
  if (rewrites) {
    tree.leaf = path[Math.min(begin, path.length) - 1];
    v.place = Math.min(begin, path.length);
  }
  select(v, 0, 0);
  if (rewrites) write(v, Math.max(path.length, to) - v.place, false);
  else changed(v);
}

/**
 * Why the painted stretches can't be a schedule; null if they can.
 * @param {Page} v
 */
function unpaintable({ tree, t }) {
  if (tree.paint.length === 0) return null;
  const all = steps(tree, chain(), t);
  if (!all) {
    const why = "The page's chain is a schedule that looks at what the text says";
    return `${why}, so nothing can be painted over it: choose another chain first.`;
  }
  if (all.length <= MOST) return null;
  return `A schedule has at most ${MOST} parts: take the paint off somewhere else first.`;
}

/**
 * The server goes on from the leaf; with `begins`, that can be undone by itself.
 * @param {Page} v
 * @param {number} n
 * @param {boolean} begins
 */
export async function write(v, n = v.length, begins = true) {
  if (!(await settled(v))) return;
  const { tree, says } = v;
  stop(v);
  stopReading(v);
  if (tree.leaf < 0) {
    says.textContent = "There is no text to go on with: type something first.";
    return;
  }
  if (v.t === Infinity) {
    says.textContent = "Nothing is drawn at T = ∞: move the slider off its end.";
    changed(v);
    return;
  }
  const mine = new AbortController();
  v.running = mine;
  const atEnd = v.place === tree.path().length;
  if (begins) tree.begin();
  clear(v.trouble);
  says.textContent = "Writing …";
  const since = performance.now();
  let written = 0;
  try {
    const why = await goOn(tree, n, {
      ask: () => drawsOn(v),
      as: (pos) => drawnAt(v, pos),
      signal: mine.signal,
      read: (read) => sayRead(v, read),
      changed: () => {
        written += 1;
        keep(how(v));
        paintSoon(v);
      },
    });
    if (v.running === mine) {
      const speed = number(written / ((performance.now() - since) / 1000), 1);
      says.textContent = `${why === "length" ? "Written" : `Ended: ${why}`}, ${speed} tokens/s.`;
    }
  } catch (error) {
    if (v.running === mine && !isAborted(error)) {
      fail(v, error);
      says.textContent = "";
    }
  }
  if (v.running !== mine) return;
  v.running = null;
  if (atEnd) v.place = tree.path().length;
  changed(v);
  readUnasked(v);
}

/**
 * Says how much of the text came from the cache.
 * @param {Page} v
 * @param {Read} read
 */
function sayRead(v, { n_tokens: all, cached_tokens: cached }) {
  const fresh = all - cached;
  const figure = (/** @type {string} */ name, /** @type {number} */ n) =>
    h("b", { "data-figure": name }, String(n));
  v.read.replaceChildren(
    "Of the ",
    figure("read-all", all),
    " tokens before, ",
    figure("cached", cached),
    " came from the cache (cached_tokens) and ",
    figure("read-new", fresh),
    fresh === 1 ? " was read." : " were read.",
  );
}
