// Compare: one text goes on in several ways at once, with the same dice. Where two columns part,
// their settings alone are the cause.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear, field, panel } from "../dom.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { ask, another, parsed, parting, read, write, written } from "../parts/columns.js";
import { places } from "../parts/places.js";
import { dice, seed } from "../parts/seed.js";
import { request, subject, taken } from "../parts/subject.js";
import { tokens } from "../parts/tokens.js";
import { isAborted, stream, explain } from "../server.js";

/** @import { End, Event as Told, Model, Piece, View, What, Written } from "../types.js" */

/** @typedef {ReturnType<typeof build>} Compare */
/** @typedef {ReturnType<typeof tokens>} Text */

/**
 * A column's elements.
 * @typedef {object} Frame
 * @property {HTMLElement} root
 * @property {HTMLElement} letter
 * @property {HTMLElement} eq
 * @property {HTMLInputElement} input
 * @property {HTMLButtonElement} drop
 * @property {Text} text
 * @property {HTMLElement} figures
 */

/**
 * How a column ended; figures and timings are missing where it was broken off.
 * @typedef {{ words: string, finish: End["finish"], figures: End["figures"] | null,
 *   timings: End["timings"] | null }} Ended
 */

/**
 * A column: how it draws, its text so far, and where that parts from the first column's.
 * @typedef {Frame & { what: What, list: Piece[], ids: number[], over: boolean, end: Ended | null,
 *   mark: number | null }} Column
 */

const FEW = 40;
const MANY = 2000;
const MOST = 8;
const LETTERS = "ABCDEFGHIJKLMNOP";

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  const v = build(root, Math.min(MOST, model.parallel));
  v.columns = read(v.most).map((what) => column(v, what));
  const box = subject(model, () => stale(v));
  box.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(v);
  });
  v.go.addEventListener("click", () => run(v));
  v.stop.addEventListener("click", () => halt(v));
  v.more.addEventListener("click", () => add(v, another(v.columns.map((one) => one.what))));
  v.chain.addEventListener("click", () => add(v, { t: null, chain: "temp=1 | top_p=0.9" }));
  v.size.addEventListener("change", () => {
    v.length = address.bounded(v.size.value, MANY, FEW);
    v.size.value = String(v.length);
    address.write({ n: v.length === FEW ? null : v.length });
    run(v);
  });
  root.append(...layout(v, box.root));
  run(v);
  return () => halt(v);
}

/**
 * @param {HTMLElement} root
 * @param {number} most columns
 */
function build(root, most) {
  const length = address.whole("n", MANY, FEW);
  const at = address.maybe("at");
  const trouble = h("div", { "aria-live": "polite" });
  const bounds = { type: "number", min: "1", max: String(MANY), class: "short" };
  const v = {
    root,
    most,
    trouble,
    says: h("p", { class: "note says-run", "aria-live": "polite" }),
    row: h("div", { class: "compare", role: "group", "aria-label": "Columns", tabindex: "-1" }),
    go: h("button", { type: "button", class: "strong" }, "Compare"),
    stop: h("button", { type: "button" }, "Stop"),
    size: h("input", { ...bounds, value: String(length) }),
    more: h("button", { type: "button" }, "+ Temperature"),
    chain: h("button", { type: "button" }, "+ Chain"),
    kept: h("p", { class: "note" }),
    look: places((error) => {
      clear(trouble).append(explain(error, () => open(v, v.at)));
    }),
    columns: /** @type {Column[]} */ ([]),
    /** Tokens of a column at most. */
    length,
    /** The token that is looked at in all columns. */
    at: at === undefined ? null : Number(at),
    running: /** @type {AbortController | null} */ (null),
    /** Whether the page will be painted soon anyway. */
    due: false,
  };
  return v;
}

/**
 * @param {Compare} v
 * @param {HTMLElement} text
 */
function layout(v, text) {
  const base = h(
    "p",
    { class: "note chain-line" },
    "Temperatures stand in the chain ",
    h("code", {}, chains.sent(chain())),
    ". ",
    h("a", { href: address.link("chain") }, "Change it"),
  );
  const how = h(
    "div",
    { class: "row" },
    dice(() => run(v)),
    field("Tokens", v.size),
  );
  const gap = h("span", { class: "gap" });
  return [
    h(
      "div",
      { class: "columns wide" },
      panel("Which text goes on?", text, v.kept),
      panel("How?", how, base),
    ),
    h("div", { class: "toolbar" }, v.go, v.stop, gap, v.more, v.chain, v.says),
    v.trouble,
    v.row,
    v.look.root,
  ];
}

/** The chain that temperatures stand in. */
function chain() {
  return address.key("chain", chains.NEUTRAL);
}

/**
 * A column before it has run.
 * @param {Compare} v
 * @param {What} what
 * @returns {Column}
 */
function column(v, what) {
  /** @type {Column} */
  const one = { ...frame((i) => open(v, i)), ...blank(), what };
  one.input.addEventListener("change", () => {
    one.what = parsed(one.input.value || "1");
    save(v);
    run(v);
  });
  one.drop.addEventListener("click", () => {
    v.columns = v.columns.filter((other) => other !== one);
    save(v);
    run(v);
    v.more.focus();
  });
  return one;
}

/** A text before its first token. */
function blank() {
  return { list: [], ids: [], over: false, end: null, mark: null };
}

/**
 * @param {(i: number) => void} choose
 * @returns {Frame}
 */
function frame(choose) {
  const text = tokens({ label: "", choose });
  const look = { type: "text", class: "column-what", spellcheck: "false", autocomplete: "off" };
  const input = h("input", look);
  const figures = h("dl", { class: "column-figures" });
  const drop = h("button", { type: "button", class: "quiet icon" }, "×");
  const letter = h("span", { class: "letter" });
  const eq = h("span", { class: "column-t" });
  const head = h("div", { class: "column-head" }, letter, eq, input, drop);
  const root = h("section", { class: "column" }, head, text.root, figures);
  return { text, input, figures, drop, letter, eq, root };
}

/**
 * @param {Compare} v
 * @param {What} what
 */
function add(v, what) {
  v.columns.push(column(v, what));
  save(v);
  run(v);
  v.row.scrollTo({ left: v.row.scrollWidth });
}

/** @param {Compare} v */
function save(v) {
  write(v.columns.map((one) => one.what));
}

/**
 * The text is another than the columns'.
 * @param {Compare} v
 */
function stale(v) {
  halt(v);
  v.root.classList.add("stale");
  v.says.textContent = "The text has changed.";
  about(v);
}

/**
 * Says after how many tokens the columns go on.
 * @param {Compare} v
 */
function about(v) {
  const n = taken().length;
  clear(v.kept);
  if (n === 0) return;
  const without = h("button", { type: "button", class: "quiet" }, "Without them");
  without.addEventListener("click", () => {
    address.write({ cont: null });
    run(v);
  });
  const words = `It goes on after ${n} tokens that were taken or written elsewhere. `;
  v.kept.append(words, without);
}

/**
 * All columns, from the beginning.
 * @param {Compare} v
 */
async function run(v) {
  halt(v);
  const mine = new AbortController();
  v.running = mine;
  v.root.classList.remove("stale");
  clear(v.trouble);
  about(v);
  for (const one of v.columns) Object.assign(one, blank());
  lay(v);
  v.says.textContent = "Reading …";
  const asked = v.columns;
  const columns = asked.map((one) => ask(one.what, chain(), seed()));
  const body = { ...request(), max_tokens: v.length, columns };
  try {
    for await (const event of stream("/studio/write", body, mine.signal)) {
      hear(v, asked, event);
      soon(v);
    }
    if (v.running === mine) {
      const speeds = asked.map((one) => one.end?.timings?.tokens_per_sec ?? 0);
      const all = speeds.reduce((sum, speed) => sum + speed, 0);
      v.says.textContent = `Done: all together ${number(all, 1)} tokens/s.`;
    }
  } catch (error) {
    if (!isAborted(error) && v.running === mine) {
      clear(v.trouble).append(explain(error, () => run(v)));
      v.says.textContent = "";
    }
  }
  if (v.running !== mine) return;
  v.running = null;
  paint(v);
  if (v.at !== null) open(v, v.at);
}

/**
 * @param {Compare} v
 * @param {Column[]} asked
 * @param {Told} event
 */
function hear(v, asked, { read: was, token, end }) {
  if (was) v.says.textContent = `Writing, after ${was.n_tokens} tokens …`;
  if (token) put(asked[token.column], token);
  if (end) Object.assign(asked[end.column], { over: true, end });
}

/**
 * @param {Column} one
 * @param {Written} token
 */
function put(one, token) {
  const { id, text, shown, surprisal, surprisal_final: last, entropy, rank, learned } = token;
  const final = Math.exp(-last);
  one.ids.push(id);
  one.list.push({ id, text, shown, surprisal, entropy, rank, final, by: "drawn", learned });
}

/** @param {Compare} v */
function halt(v) {
  if (!v.running) return;
  v.running.abort();
  v.running = null;
  v.says.textContent = "Stopped.";
  for (const one of v.columns) {
    const finish = { reason: "interrupted" };
    one.end ??= { words: "interrupted", finish, figures: null, timings: null };
  }
  paint(v);
}

/** @param {Compare} v */
function soon(v) {
  if (v.due) return;
  v.due = true;
  requestAnimationFrame(() => {
    v.due = false;
    paint(v);
  });
}

/**
 * A column's colour: that of its temperature.
 * @param {What} what
 */
function colour(what) {
  return heat.colour(what.t ?? chains.heat(what.chain) ?? 1);
}

/**
 * The columns' frames.
 * @param {Compare} v
 */
function lay(v) {
  v.root.style.setProperty("--n", String(v.columns.length));
  v.row.replaceChildren(...v.columns.map((one) => one.root));
  v.columns.forEach((one, i) => {
    const { t } = one.what;
    const letter = LETTERS[i];
    const words = "choose a token to see what could have stood there";
    one.root.setAttribute("aria-label", `Column ${letter}`);
    one.root.dataset.column = String(i);
    one.letter.textContent = letter;
    one.eq.textContent = t === null ? "" : "T =";
    if (document.activeElement !== one.input) {
      one.input.value = t === null ? written(one.what) : heat.written(t);
    }
    one.input.setAttribute("aria-label", `Temperature or chain of column ${letter}`);
    one.root.style.setProperty("--heat", colour(one.what));
    one.root.classList.toggle("is-chain", t === null);
    one.drop.setAttribute("aria-label", `Remove column ${letter}`);
    one.drop.hidden = v.columns.length === 1;
    one.text.root.setAttribute("aria-label", `Text of column ${letter}; ${words}`);
  });
  v.more.disabled = v.chain.disabled = v.columns.length >= v.most;
  paint(v);
}

/** @param {Compare} v */
function paint(v) {
  const { columns, at } = v;
  v.stop.disabled = !v.running;
  columns.forEach((one, i) => {
    one.mark = i === 0 ? null : parting(columns[0], one);
    const place = at !== null && at < one.list.length ? at : null;
    one.text.show(one.list, { mark: one.mark, place });
    one.root.classList.toggle("waits", !!v.running && one.list.length === 0);
    // A copy of the first column until now.
    one.root.classList.toggle("same", i > 0 && one.mark === null && one.list.length > 0);
    figures(one, i);
  });
}

/**
 * @param {Column} one
 * @param {number} i
 */
function figures(one, i) {
  const { end, list } = one;
  const f = end?.figures;
  // Of a column that was broken off there are no figures.
  const none = end && !f ? "–" : "…";
  const speed = end?.timings ? number(end.timings.tokens_per_sec, 1) : none;
  const raw = "raw (T = 1), mean over tokens, in nats";
  const parts = "the first token that differs from column A's, which has the same dice";
  const pairs = "distinct pairs of neighbouring tokens, as a share of all";
  const where = wherePartsOf(one, i);
  const rows = [
    { name: "parts", words: "parts from A at", value: where === "…" ? none : where, title: parts },
    { name: "tokens", words: "tokens", value: String(list.length) },
    {
      name: "entropy",
      words: "entropy",
      value: f ? number(f.mean_entropy_raw, 3) : none,
      title: raw,
    },
    {
      name: "surprisal",
      words: "surprisal",
      value: f ? number(f.mean_surprisal_raw, 3) : none,
      title: raw,
    },
    {
      name: "distinct-2",
      words: "distinct-2",
      value: f ? number(f.distinct_2, 3) : none,
      title: pairs,
    },
    { name: "speed", words: "tokens/s", value: speed },
    { name: "end", words: "ended by", value: end?.words ?? "…" },
  ];
  clear(one.figures).append(
    ...rows.map(({ name, words, value, title = null }) =>
      h("div", { title }, h("dt", {}, words), h("dd", { "data-figure": name }, value)),
    ),
  );
}

/**
 * Where a column parts from the first, in words.
 * @param {Column} one
 * @param {number} i
 */
function wherePartsOf({ mark, list }, i) {
  if (i === 0) return "–";
  if (mark === null) return list.length === 0 ? "…" : "nowhere";
  return `${mark + 1} ${list[mark] ? list[mark].shown : "its end"}`;
}

/**
 * Looks at a place in all columns; null at none.
 * @param {Compare} v
 * @param {number | null} i
 */
function open(v, i) {
  v.at = i;
  address.write({ at: i });
  paint(v);
  if (i === null || v.running) {
    v.look.hide();
    return;
  }
  const texts = v.columns.map(({ what, list, ids, over, end }, c) => {
    const draws = ask(what, chain(), seed());
    return { name: LETTERS[c], what, list, ids, over, end, ask: draws, colour: colour(what) };
  });
  v.look.show(i, texts, request(), () => open(v, null));
}

/** @type {View} */
export const view = {
  id: "compare",
  name: "Compare",
  lead:
    "One text, several temperatures, the same dice: where two columns part, " +
    "temperature alone is the cause.",
  mount,
};
