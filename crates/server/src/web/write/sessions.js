// Sessions as the browser keeps them (IndexedDB): a tree, its name and how it was drawn. A session
// is written in parts, so that a long text costs what is new of it, and in one transaction, so that
// it is never half written. Its revision is compared first: of two tabs that write the same session
// the second is refused instead of overwriting the first. Where the server has a folder for them,
// sessions may be there instead (`disk.js`).

import { keep, recall } from "../store.js";
import * as disk from "./disk.js";

/** @import { Node } from "../types.js" */
/** @import { State } from "./tree.js" */

/**
 * How tokens were drawn.
 * @typedef {{ chain: string, t: number, seed: number }} How
 */

/**
 * What a list of sessions shows.
 * @typedef {object} Head
 * @property {string} id
 * @property {string} name no two sessions have the same
 * @property {string} model ids mean nothing to another one
 * @property {number} changed milliseconds since 1970
 * @property {number} n_tokens of the text that is looked at
 * @property {string} excerpt of that text
 * @property {number} revision 0 before it was first kept
 * @property {How} how
 */

/**
 * A session whole.
 * @typedef {{ head: Head, state: State, nodes: Node[] }} Session
 */

/** Another tab or browser has written the session meanwhile, or deleted it. */
export class Conflict extends Error {}

/** Tokens of a part. */
const PART = 512;
/** The part that has all but the tokens. */
const STATE = -1;

/** The place of new sessions in the browser's store. */
const CHOICE = "sessions";
/** The sessions on the server's disk that are this browser's, in its store. */
const OWN = "own-sessions";
/** So many of them are remembered. */
const MOST_OWN = 200;

/** @typedef {"browser" | "disk"} Where */

/** @type {Promise<IDBDatabase> | null} */
let opened = null;
/** Whether the server keeps sessions. */
let isOffered = false;

/**
 * Says whether the server keeps sessions.
 * @param {boolean} is
 */
export function offer(is) {
  isOffered = is;
}

/**
 * Where new sessions are kept; a server that has a folder for them is meant to have them.
 * @returns {Where}
 */
export function where() {
  return isOffered && recall(CHOICE) !== "browser" ? "disk" : "browser";
}

/**
 * Chooses where new sessions are kept.
 * @param {Where} choice
 */
export function choose(choice) {
  keep(CHOICE, choice);
}

/** Ids of sessions on the server's disk that this browser has made or opened, the last one last. */
function owned() {
  return (recall(OWN) ?? "").split(" ").filter(Boolean);
}

/**
 * Remembers a session as one that this browser has made or opened.
 * @param {string} id
 */
export function own(id) {
  if (!disk.isOnDisk(id)) return;
  const others = owned().filter((one) => one !== id);
  keep(OWN, [...others, id].slice(-MOST_OWN).join(" "));
}

/**
 * Whether this browser has made or opened a session; all can see those on the server's disk.
 * @param {string} id
 */
export function isOwn(id) {
  return !disk.isOnDisk(id) || owned().includes(id);
}

/**
 * Where else a session may be open, in words.
 * @param {string} id
 */
export function elsewhere(id) {
  return disk.isOnDisk(id) ? "another tab or browser" : "another tab";
}

/** An id for a new session, which says where it is kept. */
export function newId() {
  const id = crypto.getRandomValues(new Uint32Array(3)).join("-");
  return where() === "disk" ? disk.signed(id) : id;
}

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("kelvin", 1);
    request.onupgradeneeded = () => {
      const heads = request.result.createObjectStore("heads", { keyPath: "id" });
      heads.createIndex("name", "name", { unique: true });
      request.result.createObjectStore("parts");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  opened.catch(() => {
    opened = null;
  });
  return opened;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransactionMode} mode
 * @returns {Promise<{ heads: IDBObjectStore, parts: IDBObjectStore, done: Promise<void> }>}
 */
async function transaction(mode) {
  const all = (await database()).transaction(["heads", "parts"], mode);
  const done = new Promise((resolve, reject) => {
    all.oncomplete = () => resolve(undefined);
    all.onabort = () => reject(all.error ?? new Error("the browser kept nothing"));
  });
  // Whoever only reads doesn't wait for it.
  done.catch(() => {});
  return {
    heads: all.objectStore("heads"),
    parts: all.objectStore("parts"),
    done: /** @type {Promise<void>} */ (done),
  };
}

/** @param {string} id */
function partsOf(id) {
  return IDBKeyRange.bound([id, STATE], [id, Infinity]);
}

/** The heads of the sessions that the browser keeps. */
async function heads() {
  const { heads: store } = await transaction("readonly");
  return /** @type {Head[]} */ (await answer(store.getAll()));
}

/** The heads of all sessions, wherever they are kept; a place that fails has none. */
async function everywhere() {
  const nothing = (/** @type {unknown} */ error) => {
    console.warn(error);
    return /** @type {Head[]} */ ([]);
  };
  const places = [heads().catch(nothing), isOffered ? disk.list().catch(nothing) : []];
  return (await Promise.all(places)).flat();
}

/**
 * All sessions of a model, those that were changed last first.
 * @param {string} model
 * @returns {Promise<Head[]>}
 */
export async function list(model) {
  const all = await everywhere();
  return all.filter((one) => one.model === model).sort((a, b) => b.changed - a.changed);
}

/**
 * A name that no session has: `wanted`, or that with a number.
 * @param {string} wanted
 */
export async function unused(wanted) {
  const names = new Set((await everywhere()).map((one) => one.name));
  const stem = wanted.replace(/ \(\d+\)$/, "");
  let name = wanted;
  for (let n = 2; names.has(name); n += 1) name = `${stem} (${n})`;
  return name;
}

/**
 * A session by its id; null if there is none.
 * @param {string} id
 * @returns {Promise<Session | null>}
 */
export async function read(id) {
  if (disk.isOnDisk(id)) return disk.read(id);
  const { heads, parts } = await transaction("readonly");
  const [head, all] = await Promise.all([answer(heads.get(id)), answer(parts.getAll(partsOf(id)))]);
  if (!head || all.length === 0) return null;
  const [state, ...chunks] = all;
  return { head, state, nodes: chunks.flat() };
}

/**
 * Writes what is new of a session, and gives its head with the next revision. Throws a `Conflict`
 * if what is kept isn't what this page wrote or read last.
 * @param {Session} session
 * @param {Node[]} known the nodes that were kept, one by one the same objects
 * @returns {Promise<Head>}
 */
export async function write({ head, state, nodes }, known) {
  const [changed, count] = news(nodes, known);
  if (disk.isOnDisk(head.id)) {
    const kept = await disk.write(head, state, changed, count);
    if (!kept) throw new Conflict(`another page has written “${head.name}”`);
    return kept;
  }
  const { heads, parts, done } = await transaction("readwrite");
  const kept = /** @type {Head | undefined} */ (await answer(heads.get(head.id)));
  if ((kept?.revision ?? 0) !== head.revision) {
    throw new Conflict(`another tab has written “${head.name}”`);
  }
  const next = { ...head, revision: head.revision + 1, changed: Date.now() };
  heads.put(next);
  parts.put(state, [head.id, STATE]);
  for (const [part, chunk] of changed) parts.put(chunk, [head.id, part]);
  for (let part = count; part * PART < known.length; part += 1) parts.delete([head.id, part]);
  await done;
  return next;
}

/**
 * The parts of a tree that aren't kept as they are, by their numbers; and how many parts it has.
 * @param {Node[]} nodes
 * @param {Node[]} known
 * @returns {[Map<number, Node[]>, number]}
 */
function news(nodes, known) {
  /** @type {Map<number, Node[]>} */
  const changed = new Map();
  const count = Math.ceil(nodes.length / PART);
  for (let part = 0; part < count; part += 1) {
    const [from, to] = [part * PART, (part + 1) * PART];
    const chunk = nodes.slice(from, to);
    const isSame = chunk.length === Math.min(known.length, to) - from;
    if (!isSame || chunk.some((node, i) => node !== known[from + i])) changed.set(part, chunk);
  }
  return [changed, count];
}

/** @param {string} id */
export async function remove(id) {
  if (disk.isOnDisk(id)) {
    await disk.remove(id);
    return;
  }
  const { heads, parts, done } = await transaction("readwrite");
  heads.delete(id);
  parts.delete(partsOf(id));
  await done;
}
