// A question with its options as people type it, and as the server takes it.

import { h, choose, field } from "../dom.js";

/**
 * What is typed: `o` has an option on each line, `low` and `high` are a scale's ends, `r` is the
 * number of rotations.
 * @typedef {{ kind: string, q: string, about: string, o: string, low: string, high: string,
 *   r: string }} Typed
 */

/** @type {[string, string][]} */
export const KINDS = [
  ["choice", "Options"],
  ["predicate", "Yes or no"],
  ["score", "Scale"],
];

/** @type {Typed} */
export const FIRST = {
  kind: "choice",
  q: "Which team answers this?",
  about: "Where is my parcel? It was to come on Monday.",
  o: "delivery\nbilling\nreturns",
  low: "1",
  high: "5",
  r: "3",
};

/** @type {{ name: string, typed: Typed }[]} */
export const PRESETS = [
  { name: "A parcel", typed: FIRST },
  {
    name: "Nepal",
    typed: {
      ...FIRST,
      kind: "predicate",
      q: "Is Kathmandu the capital of Nepal?",
      about: "",
      r: "2",
    },
  },
  {
    name: "A film",
    typed: {
      ...FIRST,
      kind: "score",
      q: "How good does the writer find the film?",
      about: "A dull film with one good scene.",
      r: "5",
    },
  },
];

/** Options of a question at most, as the server has them. */
const MOST = 255;

/**
 * What the address says; `key` reads one of its keys.
 * @param {(name: string, otherwise: string) => string} key
 * @returns {Typed}
 */
export function of(key) {
  const kind = key("kind", FIRST.kind);
  return {
    kind: KINDS.some(([name]) => name === kind) ? kind : FIRST.kind,
    q: key("q", FIRST.q).trim(),
    about: key("about", FIRST.about).trim(),
    o: key("o", FIRST.o).trim(),
    low: key("low", FIRST.low),
    high: key("high", FIRST.high),
    r: key("r", FIRST.r),
  };
}

/**
 * The options of a choice.
 * @param {string} typed
 */
function listed(typed) {
  const lines = typed.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/**
 * The question as the server takes it. It says itself what can't be asked.
 * @param {Typed} typed
 */
export function asked({ kind, q, o, low, high }) {
  const question = { type: kind, instructions: q.trim() };
  if (kind === "choice") return { ...question, choices: listed(o).map((value) => ({ value })) };
  if (kind !== "score") return question;
  const [from, to] = [Math.round(Number(low)), Math.round(Number(high))];
  const n = Math.min(MOST + 1, Math.max(0, to - from + 1) || 0);
  const level = (/** @type {unknown} */ _, /** @type {number} */ i) => ({
    label: String(from + i),
    value: from + i,
  });
  return { ...question, levels: Array.from({ length: n }, level) };
}

/**
 * Makes the fields; `call` hears of every change. `set` fills them without a word to `call`.
 * @param {Typed} start
 * @param {[string, string][]} kinds
 * @param {(typed: Typed) => void} call
 */
export function form(start, kinds, call) {
  let now = start;
  const put = (/** @type {Partial<Typed>} */ change) => {
    now = { ...now, ...change };
    show();
    call(now);
  };
  const area = (/** @type {"q" | "about" | "o"} */ name, /** @type {number} */ rows) =>
    h("textarea", { rows, oninput: (event) => put({ [name]: event.target.value }) });
  const number = (/** @type {"low" | "high" | "r"} */ name) =>
    h("input", { type: "number", oninput: (event) => put({ [name]: event.target.value }) });
  const [q, about, o] = [area("q", 2), area("about", 3), area("o", 4)];
  const [low, high, r] = [number("low"), number("high"), number("r")];
  r.min = "1";
  const listing = field("Options, one on each line", o);
  const scale = h("div", { class: "ends" }, field("From", low), field("To", high));
  const root = h("div", { class: "asked" });
  function show() {
    listing.hidden = now.kind !== "choice";
    scale.hidden = now.kind !== "score";
  }
  function set(/** @type {Typed} */ next) {
    now = next;
    q.value = now.q;
    about.value = now.about;
    o.value = now.o;
    [low.value, high.value, r.value] = [now.low, now.high, now.r];
    const kind = choose("Kind of question", kinds, now.kind, (to) => put({ kind: to }));
    root.replaceChildren(
      kind,
      field("Question", q),
      listing,
      scale,
      field("About this text", about, "May be empty."),
      field("Rotations: orders of the options to ask in", r),
    );
    show();
  }
  set(start);
  return { root, set };
}
