// The address is the state: `#/view?key=value&…`. Any view can be shared as a link, and back and
// forward work.
//
// These keys mean the same in every view and go along from one to the next:
//   text  the text that is continued            chat  1: it's a message in the model's chat template
//   cont  token ids that were taken after it, joined by dots
//   chain the chain of stages, a stage that is switched off with `!` before it
//   t     the temperature, `inf` included       seed  the dice
const SHARED = ["text", "chat", "cont", "chain", "t", "seed"];

/** The view and the keys of the address. */
export function read() {
  const [path, query] = (waiting ?? location.hash).replace(/^#\/?/, "").split("?");
  return { view: path || "", keys: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** One key, or what it is where the address doesn't say. */
export function key(name, otherwise) {
  return read().keys[name] ?? otherwise;
}

/** Changes keys in place; null or "" takes one out. With `step` one can come back with the browser's back button. */
export function write(changes, { step = false } = {}) {
  const { view, keys } = read();
  const hash = made(view, { ...keys, ...changes });
  if (hash === (waiting ?? location.hash)) return;
  if (step) {
    settle();
    history.pushState(null, "", hash);
  } else replace(hash);
}

/** A link to a view with the shared keys, and others. */
export function link(view, extra = {}) {
  const { keys } = read();
  const shared = Object.fromEntries(
    SHARED.filter((name) => name in keys).map((name) => [name, keys[name]]),
  );
  return made(view, { ...shared, ...extra });
}

/** Calls when somebody else changes the address. */
export function onChange(call) {
  // Going back and forth comes as this too.
  window.addEventListener("hashchange", () => {
    waiting = null;
    call();
  });
}

function made(view, keys) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(keys)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

// Browsers refuse many changes a second, and a slider makes many: the last one waits here, and
// counts already.
let waiting = null;
function replace(hash) {
  if (waiting === null) setTimeout(settle, 120);
  waiting = hash;
}

function settle() {
  if (waiting !== null) history.replaceState(null, "", waiting);
  waiting = null;
}
