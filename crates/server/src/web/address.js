// The address is the state: `#/view?key=value&…`. Any view can be shared as a link, and back and
// forward work.
//
// These keys mean the same in every view and go along from one to the next:
//   text  the text that is continued
//   chat  1: it's a message in the model's chat template
//   cont  token ids that were taken after it, joined by dots
//   chain the chain of stages, a stage that is switched off with `!` before it
//   t     the temperature, `inf` included
//   seed  the dice
//   session the name of the session of "Write and fork", which has a text of its own
//   exact 1: numbers have all their digits
//
// A link that was copied also has `model`, the name of the model that it was made with.
const SHARED = ["text", "chat", "cont", "chain", "t", "seed", "session", "exact"];

/**
 * Keys that links to other views have besides.
 * @type {Record<string, string | null>}
 */
let carried = {};

/**
 * Says what links to other views have besides the keys of this one's address.
 * @param {Record<string, string | null>} keys
 */
export function carry(keys) {
  carried = keys;
}

/** The view and the keys of the address. */
export function read() {
  const [path, query] = (waiting ?? location.hash).replace(/^#\/?/, "").split("?");
  return { view: path || "", keys: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/**
 * One key; undefined where the address doesn't say.
 * @param {string} name
 * @returns {string | undefined}
 */
export function maybe(name) {
  return read().keys[name];
}

/**
 * One key, or what it is where the address doesn't say.
 * @param {string} name
 * @param {string} otherwise
 * @returns {string}
 */
export function key(name, otherwise) {
  return maybe(name) ?? otherwise;
}

/**
 * A whole number from 1 to `most`; `otherwise` where the address says none.
 * @param {string} name
 * @param {number} most
 * @param {number} otherwise
 */
export function whole(name, most, otherwise) {
  return bounded(key(name, String(otherwise)), most, otherwise);
}

/**
 * A text as a whole number from 1 to `most`, or `otherwise`.
 * @param {string} text
 * @param {number} most
 * @param {number} otherwise
 */
export function bounded(text, most, otherwise) {
  return Math.min(most, Math.max(1, Math.floor(Number(text)) || otherwise));
}

/**
 * Changes keys in place; null or "" takes one out.
 * @param {Record<string, string | number | null>} changes
 */
export function write(changes) {
  const { view, keys } = read();
  const hash = made(view, { ...keys, ...changes });
  if (hash === (waiting ?? location.hash)) return;
  if (waiting === null) setTimeout(settle, 120);
  waiting = hash;
}

/**
 * A link to a view with the shared keys.
 * @param {string} view
 */
export function link(view) {
  const { keys } = read();
  const shared = Object.fromEntries(
    SHARED.filter((name) => name in keys).map((name) => [name, keys[name]]),
  );
  return made(view, { ...shared, ...carried });
}

/**
 * The address as it is, for others: it names the model that is served.
 * @param {string | null} model
 */
export function naming(model) {
  const { view, keys } = read();
  // A session is in this browser only: the link has its text instead.
  return made(view, { ...keys, ...carried, session: null, model });
}

/** Forgets what belongs to one model: its tokens, and the session, whose text stays. */
export function forget() {
  write({ ...carried, session: null, cont: null, at: null, model: null });
}

/**
 * Calls when somebody else changes the address.
 * @param {() => void} call
 */
export function onChange(call) {
  // Going back and forth comes as this too.
  window.addEventListener("hashchange", () => {
    waiting = null;
    call();
  });
}

/**
 * @param {string} view
 * @param {Record<string, string | number | null>} keys
 */
function made(view, keys) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(keys)) {
    if (value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

// Browsers refuse many changes a second, and a slider makes many: the last one waits here, and
// counts already.
/** @type {string | null} */
let waiting = null;

function settle() {
  if (waiting !== null) history.replaceState(null, "", waiting);
  waiting = null;
}
