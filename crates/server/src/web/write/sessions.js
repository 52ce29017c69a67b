// Sessions as the browser keeps them (IndexedDB): a tree, its name and how it was drawn. A session
// is written in parts, so that a long text costs what is new of it, and in one transaction, so that
// it is never half written. Its revision is compared first: of two tabs that write the same session
// the second is refused instead of overwriting the first.

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

/** Another tab has written the session meanwhile, or deleted it. */
export class Conflict extends Error {}

/** Tokens of a part. */
const PART = 512;
/** The part that has all but the tokens. */
const STATE = -1;

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

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

/**
 * All sessions of a model, those that were changed last first.
 * @param {string} model
 * @returns {Promise<Head[]>}
 */
export async function list(model) {
  const { heads } = await transaction("readonly");
  const all = /** @type {Head[]} */ (await answer(heads.getAll()));
  return all.filter((one) => one.model === model).sort((a, b) => b.changed - a.changed);
}

/**
 * A name that no session has: `wanted`, or that with a number.
 * @param {string} wanted
 */
export async function unused(wanted) {
  const { heads } = await transaction("readonly");
  const all = /** @type {Head[]} */ (await answer(heads.getAll()));
  const names = new Set(all.map((one) => one.name));
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
  const { heads, parts, done } = await transaction("readwrite");
  const kept = /** @type {Head | undefined} */ (await answer(heads.get(head.id)));
  if ((kept?.revision ?? 0) !== head.revision) {
    throw new Conflict(`another tab has written “${head.name}”`);
  }
  const next = { ...head, revision: head.revision + 1, changed: Date.now() };
  heads.put(next);
  parts.put(state, [head.id, STATE]);
  for (let part = 0; part * PART < Math.max(nodes.length, known.length); part += 1) {
    const chunk = nodes.slice(part * PART, (part + 1) * PART);
    if (chunk.length === 0) parts.delete([head.id, part]);
    else if (chunk.some((node, i) => node !== known[part * PART + i]) || shorter(part)) {
      parts.put(chunk, [head.id, part]);
    }
  }
  /** @param {number} part */
  function shorter(part) {
    return nodes.length < known.length && (part + 1) * PART > nodes.length;
  }
  await done;
  return next;
}

/**
 * Gives a session another name, which no other may have.
 * @param {string} id
 * @param {string} name
 */
export async function rename(id, name) {
  const { heads, done } = await transaction("readwrite");
  const head = await answer(heads.get(id));
  if (head) heads.put({ ...head, name });
  await done;
}

/** @param {string} id */
export async function remove(id) {
  const { heads, parts, done } = await transaction("readwrite");
  heads.delete(id);
  parts.delete(partsOf(id));
  await done;
}
