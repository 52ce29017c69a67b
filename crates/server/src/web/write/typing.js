// What is typed in, tokens and their figures out: an edit is shown at once, becomes tokens after a
// pause, and what isn't read of the text is read in the background, as long as that is short.

import { count } from "../format.js";
import { isAborted, post } from "../server.js";
import { around, committed, tokenOf } from "./edit.js";
import { changed, fail, look, stop, stopReading } from "./follow.js";
import { keep } from "./keeper.js";
import { how } from "./page.js";
import { paintSoon, paintText } from "./paint.js";
import { read, unread } from "./reading.js";

/** @import { Page } from "./page.js" */

/** How long after the last key tokens are made, in milliseconds. */
const PAUSE = 350;
/** Tokens that are read without being asked for. */
export const UNASKED = 400;

/**
 * The characters from `a` to `b` of the text become `text`.
 * @param {Page} v
 * @param {number} a
 * @param {number} b
 * @param {string} text
 */
export function edit(v, a, b, text) {
  stop(v);
  stopReading(v);
  const { tree } = v;
  tree.draft = around(tree, a, b, text, !v.framed);
  v.range = [0, 0];
  v.brush.hide();
  v.versions.hide();
  v.turn += 1;
  paintText(v);
  v.text.caret(a + text.length);
  keep(how(v));
  clearTimeout(v.typing);
  v.typing = setTimeout(() => settled(v), PAUSE);
}

/**
 * Makes tokens of all that was typed; whether that is done.
 * @param {Page} v
 */
export async function settled(v) {
  clearTimeout(v.typing);
  const { tree } = v;
  try {
    while (tree.draft) await commit(v);
    return v.tree === tree;
  } catch (error) {
    fail(v, error);
    return false;
  }
}

/** @param {Page} v */
async function commit(v) {
  const { tree } = v;
  const { draft } = tree;
  if (!draft) return;
  const texts = [...new Set(draft.filter((atom) => typeof atom === "string"))];
  const answers = await Promise.all(
    texts.map((prompt) => post("/studio/encode", { prompt, add_special_tokens: false })),
  );
  // More was typed meanwhile.
  if (tree.draft !== draft) return;
  const tokens = new Map(texts.map((text, i) => [text, answers[i]]));
  v.burst = committed(tree, draft, tokens, v.burst);
  if (v.tree !== tree) return;
  const at = v.text.at();
  v.place = at === null ? tree.path().length : tokenOf(tree, at);
  changed(v);
  if (at !== null) v.text.caret(at);
  readUnasked(v);
}

/**
 * Reads what isn't read of the text, if it is little.
 * @param {Page} v
 */
export function readUnasked(v) {
  const { length } = unread(v.tree, v.tree.path());
  if (length > 0 && length <= UNASKED) readAll(v);
  else offer(v);
}

/**
 * Says how much isn't read.
 * @param {Page} v
 */
export function offer(v) {
  const left = unread(v.tree, v.tree.path()).length;
  v.unread.hidden = left === 0 && !v.reading;
  v.progress.hidden = !v.reading;
  const words = left === 1 ? "1 token" : `${count(left)} tokens`;
  v.unread.textContent = v.reading ? `Stop reading (${words} left)` : `Read ${words}`;
}

/**
 * Reads what isn't read of the text; whether all of it is.
 * @param {Page} v
 */
export async function readAll(v) {
  stopReading(v);
  const mine = new AbortController();
  v.reading = mine;
  const { tree } = v;
  let most = 0;
  try {
    await read(tree, mine.signal, (left) => {
      most ||= left;
      v.progress.max = Math.max(1, most);
      v.progress.value = most - left;
      offer(v);
      paintSoon(v);
    });
  } catch (error) {
    if (!isAborted(error)) fail(v, error);
    if (v.reading === mine) v.reading = null;
    offer(v);
    return false;
  }
  if (v.reading !== mine) return false;
  v.reading = null;
  keep(how(v));
  paintText(v);
  offer(v);
  if (!v.answer) look(v);
  return true;
}
