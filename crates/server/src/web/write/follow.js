// What follows a change of the tree or of the place: the address, the session that is kept, and all
// that is seen.

import * as address from "../address.js";
import { clear } from "../dom.js";
import { explain } from "../server.js";
import { before, learned } from "./go_on.js";
import { keep } from "./keeper.js";
import { drawsAt } from "./draws.js";
import { how } from "./page.js";
import { paintPlace, paintText } from "./paint.js";

/** @import { Page } from "./page.js" */
/** @import { Tree } from "./tree.js" */

/** Characters that links to other views carry; a longer text stays here. */
const MAX_CARRIED = 2000;

/**
 * Looks at the place.
 * @param {Page} v
 */
export function look(v) {
  const { tree, place } = v;
  const path = tree.path();
  v.answer = null;
  v.turn += 1;
  // While something is typed the tokens aren't known yet.
  if (place < 1 || v.running || tree.draft) {
    paintPlace(v);
    return;
  }
  const draws = { ...drawsAt(v, place), learned: learned(tree, path, place) };
  // A long text may still be read for a place that was left: that's broken off.
  if (v.lookedAt !== path[place - 1]) {
    v.looking.abort();
    v.looking = new AbortController();
    v.lookedAt = path[place - 1];
  }
  v.looked({ ...before(tree, path, place), ...draws, top: v.size }, v.turn, v.looking.signal);
}

/**
 * @param {Page} v
 * @param {unknown} error
 */
export function fail(v, error) {
  clear(v.trouble).append(explain(error, () => look(v)));
}

/**
 * Breaks off what is being written.
 * @param {Page} v
 */
export function stop(v) {
  if (!v.running) return;
  v.running.abort();
  v.running = null;
  v.says.textContent = "Stopped.";
  v.place = Math.min(v.place, v.tree.path().length);
}

/**
 * Breaks off what is being read.
 * @param {Page} v
 */
export function stopReading(v) {
  v.reading?.abort();
  v.reading = null;
}

/**
 * What links to other views say of the text at hand: what it began with and what came after, or
 * all of it as a text.
 * @param {Tree} tree
 */
export function carried(tree) {
  const all = tree.path().map((i) => tree.nodes[i]);
  const { text, chat } = tree.begun;
  const n = all.findIndex((node) => node.by !== "given");
  const given = all.slice(0, n < 0 ? all.length : n).map((node) => node.text);
  const rest = all.slice(given.length);
  const is = given.join("");
  const whole = chat ? is.includes(text.trim()) && n !== 0 : is === text;
  const said = whole
    ? { text, chat: chat ? "1" : null, cont: rest.map((node) => node.id).join(".") || null }
    : { text: all.map((node) => node.text).join(""), chat: null, cont: null };
  const { length } = `${said.text}${said.cont ?? ""}`;
  return length > MAX_CARRIED ? { text: null, chat: null, cont: null } : said;
}

/**
 * The tree or the place is another: it's kept and shown.
 * @param {Page} v
 */
export function changed(v) {
  keep(how(v));
  show(v);
}

/**
 * Shows all that is seen of the tree; the server is asked for the place only if it `looks`.
 * @param {Page} v
 */
export function show(v, looks = true) {
  address.carry(carried(v.tree));
  paintText(v);
  v.forks.show(v.tree);
  v.marks.show(v.tree.marks.get(v.tree.marked()));
  v.stretches.show(v);
  if (looks) look(v);
  else v.beside.nothing("Choose a token to see what else could have stood there.");
}
