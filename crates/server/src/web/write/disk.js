// Sessions on the server's disk, where the server has a folder for them (`serve --sessions`). They
// go there in the same parts as into the browser; state and parts are texts that the server doesn't
// read. A write that would be too long for one request has its parts sent ahead.

import { Refusal, post } from "../server.js";

/** @import { Node } from "../types.js" */
/** @import { Head, Session } from "./sessions.js" */
/** @import { Moment, State } from "./tree.js" */

/** Ids of sessions that are kept there begin with this. */
const SIGN = "d";
/** Characters of a request's parts at most. */
const MOST = 1 << 20;

/**
 * Whether a session is kept there.
 * @param {string} id
 */
export function isOnDisk(id) {
  return id.startsWith(SIGN);
}

/**
 * An id of a session that is to be kept there.
 * @param {string} id
 */
export function signed(id) {
  return `${SIGN}${id}`;
}

/** @returns {Promise<Head[]>} */
export async function list() {
  return (await post("/studio/sessions", {})).heads;
}

/**
 * @param {string} id
 * @returns {Promise<Session | null>}
 */
export async function read(id) {
  const { head, state, parts } = await post("/studio/sessions/read", { id });
  if (!head || state === null) return null;
  const nodes = parts.flatMap((part) => /** @type {Node[]} */ (JSON.parse(part)));
  return { head, state: unpacked(state), nodes };
}

/**
 * Writes the parts that are new of a session; null if somebody else has written it meanwhile.
 * @param {Head} head
 * @param {State} state
 * @param {Map<number, Node[]>} changed parts by their numbers
 * @param {number} count of all parts
 * @returns {Promise<Head | null>}
 */
export async function write(head, state, changed, count) {
  const batches = batched(changed);
  const last = batches.pop() ?? {};
  for (const [i, parts] of batches.entries()) {
    await post("/studio/sessions/ahead", { id: head.id, first: i === 0, parts });
  }
  const rest = { parts: last, n_parts: count, ahead: batches.length > 0 };
  try {
    const kept = await post("/studio/sessions/write", { head, state: packed(state), ...rest });
    return { ...head, ...kept };
  } catch (error) {
    if (error instanceof Refusal && error.status === 409) return null;
    throw error;
  }
}

/** @param {string} id */
export async function remove(id) {
  await post("/studio/sessions/remove", { id });
}

/**
 * Parts as texts, in as many requests as they need.
 * @param {Map<number, Node[]>} changed
 */
function batched(changed) {
  /** @type {Record<number, string>[]} */
  const all = [{}];
  let size = 0;
  for (const [n, nodes] of changed) {
    const text = JSON.stringify(nodes);
    if (size > 0 && size + text.length > MOST) {
      all.push({});
      size = 0;
    }
    all[all.length - 1][n] = text;
    size += text.length;
  }
  return all;
}

/**
 * A state as a text. Moments share their sets of branches that were cut off, so each is written
 * once.
 * @param {State} state
 */
function packed(state) {
  /** @type {Set<number>[]} */
  const sets = [];
  /** @param {Moment} moment */
  const flat = ({ size, leaf, paint, begun, gone }) => {
    if (!sets.includes(gone)) sets.push(gone);
    return { size, leaf, paint, begun, gone: sets.indexOf(gone) };
  };
  const { past, future, marks, draft } = state;
  const moments = { ...flat(state), past: past.map(flat), future: future.map(flat) };
  const gone = sets.map((set) => [...set]);
  return JSON.stringify({ ...moments, marks: [...marks], draft, sets: gone });
}

/**
 * @param {string} text
 * @returns {State}
 */
function unpacked(text) {
  const { sets, past, future, marks, draft, ...now } = JSON.parse(text);
  const all = sets.map((/** @type {number[]} */ one) => new Set(one));
  /** @param {Omit<Moment, "gone"> & { gone: number }} moment */
  const whole = (moment) => ({ ...moment, gone: all[moment.gone] });
  return {
    ...whole(now),
    past: past.map(whole),
    future: future.map(whole),
    marks: new Map(marks),
    draft,
  };
}
