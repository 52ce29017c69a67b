// What the browser remembers for this page; where it won't, the page does until it's closed.

/** @typedef {"local" | "session"} Kind */

/** @type {Map<string, string>} */
const memory = new Map();

/** @param {Kind} kind */
function place(kind) {
  return kind === "session" ? sessionStorage : localStorage;
}

/**
 * What was kept under a name, or null.
 * @param {string} name
 * @param {Kind} kind
 */
export function recall(name, kind = "local") {
  try {
    return place(kind).getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

/**
 * Keeps a text under a name: for good, or ("session") as long as this tab is open.
 * @param {string} name
 * @param {string} value
 * @param {Kind} kind
 */
export function keep(name, value, kind = "local") {
  memory.set(name, value);
  try {
    place(kind).setItem(name, value);
  } catch {
    // Storage is forbidden or full: the memory has it.
  }
}
