// The session that this tab works on, also while other views are looked at. It is kept a moment
// after every change. A session belongs to one tab (a Web Lock); another tab that opens it works on
// a copy as soon as something changes.

import { isOnDisk } from "./disk.js";
import * as sessions from "./sessions.js";
import { Tree } from "./tree.js";

/** @import { Node } from "../types.js" */
/** @import { Head, How } from "./sessions.js" */

/**
 * A session in this tab: `known` are the nodes that are kept already, `release` gives the session
 * free for other tabs and is null where it belongs to one of them. One that isn't meant was shown
 * without being asked for: it is kept once somebody does something with it.
 * @typedef {object} Held
 * @property {Head} head
 * @property {Tree} tree
 * @property {Node[]} known
 * @property {(() => void) | null} release
 * @property {boolean} isMeant
 */

/**
 * Who hears of it: `named` of the session's name and whether it is kept by it, `said` what
 * happened to it, in words, `kept` that it is kept.
 * @typedef {object} Listener
 * @property {(name: string, isKept: boolean) => void} named
 * @property {(words: string) => void} said
 * @property {() => void} kept
 */

/** How long changes are gathered before they are kept, in milliseconds. */
const SOON = 300;
/** How long a tab that is just closing may take to give its session free, in milliseconds. */
const CLOSING = 600;
const LONGEST_NAME = 40;
const LONGEST_EXCERPT = 120;

/** @type {Listener} */
export const NOBODY = { named: () => {}, said: () => {}, kept: () => {} };

/** @type {Held | null} */
let held = null;
/** @type {Listener} */
let listener = NOBODY;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** The last session to be written is written after the one before. */
let writing = Promise.resolve();
/** Writes that aren't done. */
let waiting = 0;

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && timer !== undefined) flush();
});

// The way to the server's disk takes longer than a page that is being left has: the browser asks.
window.addEventListener("beforeunload", (event) => {
  if (!held || !isOnDisk(held.head.id) || (timer === undefined && waiting === 0)) return;
  flush();
  event.preventDefault();
});

/** @param {Listener} next */
export function listen(next) {
  listener = next;
}

/**
 * The session of this tab, if it is one of this model's.
 * @param {string} model
 */
export function current(model) {
  return held?.head.model === model ? held : null;
}

/**
 * Makes a session and takes it up.
 * @param {Tree} tree
 * @param {{ name: string, model: string, how: How }} about
 * @param {boolean} isMeant
 */
export async function create(tree, { name, model, how }, isMeant = true) {
  await settle();
  const head = {
    id: sessions.newId(),
    name: await sessions.unused(name).catch(() => name),
    model,
    changed: Date.now(),
    n_tokens: 0,
    excerpt: "",
    revision: 0,
    how,
  };
  held?.release?.();
  held = { head, tree, known: [], release: await claim(head.id), isMeant };
  listener.named(head.name, isMeant);
  keep(how);
  return held;
}

/**
 * Takes up a session that was kept; null if there is none.
 * @param {string} id
 */
export async function take(id) {
  if (held?.head.id === id) return held;
  await settle();
  const release = await claim(id);
  const found = await sessions.read(id);
  if (!found) {
    release?.();
    return null;
  }
  held?.release?.();
  const { head, state, nodes } = found;
  held = { head, tree: Tree.of(nodes, state), known: nodes.slice(), release, isMeant: true };
  sessions.own(id);
  listener.named(head.name, true);
  if (!release) {
    listener.said(
      `“${head.name}” is open in ${sessions.elsewhere(id)}. What you change here is kept as a ` +
        "copy of it.",
    );
  }
  return held;
}

/**
 * Does something with a session that isn't this tab's; false if it is another tab's.
 * @param {string} id
 * @param {() => Promise<void>} what
 */
export async function alone(id, what) {
  if (held?.head.id === id && held.release) {
    await what();
    return true;
  }
  const release = await claim(id);
  if (!release) return false;
  await what().finally(release);
  return true;
}

/** Leaves the session of this tab, which was deleted. */
export function drop() {
  clearTimeout(timer);
  timer = undefined;
  held?.release?.();
  held = null;
}

/**
 * Gives the session of this tab another name.
 * @param {string} wanted
 */
export async function rename(wanted) {
  if (!held || wanted === held.head.name) return;
  mean();
  await settle();
  const name = await sessions.unused(wanted);
  held.head = { ...held.head, name };
  keep(held.head.how);
  await flush();
  listener.named(name, true);
}

/** Somebody does something with the session of this tab: it's kept from now on. */
export function mean() {
  if (!held || held.isMeant) return;
  held.isMeant = true;
  listener.named(held.head.name, true);
  keep(held.head.how);
}

/**
 * The session has changed: it's kept in a moment.
 * @param {How} how
 */
export function keep(how) {
  if (!held) return;
  held.head = { ...held.head, how };
  if (held.isMeant) timer ??= setTimeout(flush, SOON);
}

/** Keeps what is to be kept, now. */
export function flush() {
  clearTimeout(timer);
  timer = undefined;
  const of = held;
  if (of?.isMeant) {
    waiting += 1;
    writing = writing
      .then(() => stored(of))
      .finally(() => {
        waiting -= 1;
      });
  }
  return writing;
}

/** What was changed is kept before another session comes. */
async function settle() {
  if (timer !== undefined) flush();
  await writing;
}

/** @param {Held} of */
async function stored(of) {
  try {
    if (!of.release) await copied(of);
    try {
      await written(of);
    } catch (error) {
      const taken = error instanceof DOMException && error.name === "ConstraintError";
      if (!taken && !(error instanceof sessions.Conflict)) throw error;
      await copied(of);
      await written(of);
    }
  } catch (error) {
    console.warn(error);
    const what = isOnDisk(of.head.id) ? "The server" : "This browser";
    listener.said(
      `${what} keeps nothing for this page now. Export the session before you close it.`,
    );
  }
}

/** @param {Held} of */
async function written(of) {
  const nodes = of.tree.nodes.slice();
  const path = of.tree.path();
  let excerpt = "";
  for (let k = 0; k < path.length && excerpt.length < LONGEST_EXCERPT; k += 1) {
    const { text, frame } = nodes[path[k]];
    if (!frame) excerpt += text;
  }
  const head = { ...of.head, n_tokens: path.length, excerpt: excerpt.slice(0, LONGEST_EXCERPT) };
  const { revision, changed } = await sessions.write(
    { head, state: of.tree.state(), nodes },
    of.known,
  );
  of.head = { ...of.head, n_tokens: head.n_tokens, excerpt: head.excerpt, revision, changed };
  of.known = nodes;
  sessions.own(head.id);
  listener.kept();
}

/**
 * Goes on with a copy: the session is another tab's or browser's.
 * @param {Held} of
 */
async function copied(of) {
  const { id, name } = of.head;
  of.head = {
    ...of.head,
    id: sessions.newId(),
    name: await sessions.unused(name),
    revision: 0,
  };
  of.known = [];
  of.release = await claim(of.head.id);
  if (of !== held) return;
  listener.named(of.head.name, true);
  listener.said(
    `“${name}” is open in ${sessions.elsewhere(id)}. What you write here is kept as ` +
      `“${of.head.name}”.`,
  );
}

/**
 * Claims a session for this tab; null if another tab has it. A page that isn't served from this
 * machine or by HTTPS has no locks: there only revisions tell tabs apart.
 * @param {string} id
 * @returns {Promise<(() => void) | null>}
 */
function claim(id) {
  const locks = /** @type {LockManager | undefined} */ (navigator.locks);
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    const until = { signal: AbortSignal.timeout(CLOSING) };
    const held = () =>
      new Promise((release) => {
        resolve(() => release(undefined));
      });
    locks.request(`kelvin session ${id}`, until, held).catch(() => resolve(null));
  });
}

/**
 * What a session is called that begins with this text.
 * @param {string} text
 */
export function nameOf(text) {
  const words = text.replaceAll(/\s+/g, " ").trim();
  if (words.length <= LONGEST_NAME) return words || "Untitled";
  const cut = words.slice(0, LONGEST_NAME + 1);
  const end = cut.lastIndexOf(" ");
  return end > LONGEST_NAME / 2 ? cut.slice(0, end) : cut.slice(0, LONGEST_NAME);
}
