// The loop that a model is run in: look at the distribution, draw a token, put it behind the text,
// and again, until a token ends it.

import * as address from "../address.js";
import { h, clear } from "../dom.js";
import { percent } from "../format.js";
import { taken } from "./subject.js";

/** @import { Base, Learned, Named, Next, Sent } from "../types.js" */

/** Tokens in a row that are drawn by themselves at most. */
const MOST = 400;

/**
 * What the loop asks of the view: `ask(body)` gives the distribution after a text, `base()` what
 * every question says, `at()` the temperature, `changed()` is called when the text is another,
 * `fail(error)` hears of errors.
 * @typedef {object} Host
 * @property {(body: object) => Promise<Next>} ask
 * @property {() => Base} base
 * @property {() => Sent} at
 * @property {() => void} changed
 * @property {(error: unknown) => void} fail
 */

/**
 * A token that was drawn: its probability, that of the end then, and what stages knew after it.
 * @typedef {object} Step
 * @property {number} id
 * @property {string} shown
 * @property {string} text
 * @property {number | null} p
 * @property {number | null} end
 * @property {boolean} ends
 * @property {Learned} [learned]
 */

/** @typedef {ReturnType<typeof build>} Loop */

/**
 * Makes a loop.
 * @param {Host} host
 */
export function loop(host) {
  const v = build(host);
  v.step.addEventListener("click", () => draw(v));
  v.run.addEventListener("click", () => (v.running ? stop(v) : start(v)));
  v.back.addEventListener("click", () => set(v, taken().slice(0, -1)));
  v.again.addEventListener("click", () => set(v, []));
  const about =
    "Look, draw, put it behind the text, and again, until a token that ends it is drawn.";
  const scroll = { class: "scroll", tabindex: "0", role: "group", "aria-label": "Steps so far" };
  return {
    root: h(
      "div",
      {},
      h("p", { class: "note" }, about),
      h("div", { class: "row middle" }, v.step, v.run, v.back, v.again),
      v.text,
      v.says,
      h("div", scroll, v.table),
    ),
    show: () => paint(v),
    /** @param {Next} next the distribution after the text */
    now(next) {
      v.answer = next;
      paint(v);
      const all = taken();
      const unknown = all.some((id, i) => v.steps[i]?.id !== id);
      if (!v.running && all.length === next.taken.length && unknown) fill(v, next.taken);
    },
    /** @param {number} id */
    take: (id) => take(v, id),
    stop: () => stop(v),
    learned: () => learned(v),
  };
}

/** @param {Host} host */
function build(host) {
  const body = h("tbody");
  const heads = ["", "token", "its p", "P(end)"].map((name) => h("th", { scope: "col" }, name));
  const button = { type: "button" };
  return {
    host,
    body,
    text: h("p", { class: "loop-text" }),
    says: h("p", { class: "note", "aria-live": "polite" }),
    step: h("button", { type: "button", class: "strong" }, "Draw one token"),
    run: h("button", button, "Run to the end"),
    back: h("button", button, "Take one back"),
    again: h("button", button, "From the beginning"),
    table: h("table", { class: "steps" }, h("thead", {}, h("tr", {}, heads)), body),
    answer: /** @type {Next | null} */ (null),
    running: false,
    steps: /** @type {Step[]} */ ([]),
  };
}

/**
 * The text is another one: these tokens after what was given.
 * @param {Loop} v
 * @param {number[]} ids
 */
function set(v, ids) {
  stop(v);
  address.write({ cont: ids.join(".") || null });
  v.steps = v.steps.slice(0, ids.length);
  v.host.changed();
}

/**
 * Puts a token behind the text; `p` is its probability in `from`.
 * @param {Loop} v
 * @param {{ id: number, shown: string, text: string, ends: boolean }} token
 * @param {number} p
 * @param {Next} from
 */
function put(v, { id, shown, text, ends }, p, from) {
  const known = from.learned?.[id];
  v.steps[taken().length] = { id, shown, text, p, end: from.end.final, ends, learned: known };
  address.write({ cont: [...taken(), id].join(".") });
}

/**
 * The answer, if it's about the text as it is now, and not about the one before.
 * @param {Loop} v
 */
function fresh({ answer }) {
  const is = answer !== null && answer.taken.map((one) => one.ids[0]).join() === taken().join();
  return is ? answer : null;
}

/** @param {Loop} v */
function draw(v) {
  const answer = fresh(v);
  if (!answer || ended(v)) return;
  const { dart } = answer;
  put(v, dart, dart.to - dart.from, answer);
  v.host.changed();
}

/**
 * A token by hand: what stands in the rows.
 * @param {Loop} v
 * @param {number} id
 */
function take(v, id) {
  stop(v);
  const answer = fresh(v);
  const row = answer?.top.find((one) => one.id === id);
  if (!answer || !row || ended(v)) return;
  put(v, row, row.final, answer);
  v.host.changed();
}

/**
 * Whether the last token ends the text.
 * @param {Loop} v
 */
function ended({ steps }) {
  return steps[taken().length - 1]?.ends === true;
}

/** @param {Loop} v */
async function start(v) {
  const { ask, base, at, changed, fail } = v.host;
  v.running = true;
  paint(v);
  try {
    for (let n = 0; n < MOST && v.running && !ended(v); n += 1) {
      const next = await ask({ ...base(), temperature: at(), top: 0 });
      if (!v.running) break;
      put(v, next.dart, next.dart.to - next.dart.from, next);
      paint(v);
    }
  } catch (error) {
    fail(error);
  }
  stop(v);
  changed();
}

/** @param {Loop} v */
function stop(v) {
  v.running = false;
  paint(v);
}

/**
 * What a link said was taken: its names, and then the numbers of each step, asked for one by one.
 * @param {Loop} v
 * @param {Named[]} names
 */
async function fill(v, names) {
  const ids = taken();
  for (let i = 0; i < ids.length && taken().join() === ids.join(); i += 1) {
    if (v.steps[i]?.id === ids[i]) continue;
    try {
      v.steps[i] = await recalled(v, ids, i, names[i]);
    } catch (error) {
      v.host.fail(error);
      return;
    }
    paint(v);
  }
  // What comes next was looked at before a stage that learns knew of these.
  if (learned(v)) v.host.changed();
}

/**
 * The step at place `i` of a text, asked for.
 * @param {Loop} v
 * @param {number[]} ids
 * @param {number} i
 * @param {Named} name
 * @returns {Promise<Step>}
 */
async function recalled({ host, steps }, ids, i, { shown, text }) {
  const id = ids[i];
  const before = await host.ask({
    ...host.base(),
    continuation: ids.slice(0, i),
    learned: steps[i - 1]?.learned,
    temperature: host.at(),
    top: 0,
    watch: [id],
  });
  const p = before.watched[0].places.at(-1)?.probability ?? null;
  const { final, ids: enders } = before.end;
  const known = before.learned?.[id];
  return { id, shown, text, p, end: final, ends: enders.includes(id), learned: known };
}

/**
 * What a stage that learns knows of the text so far.
 * @param {Loop} v
 */
function learned({ steps }) {
  const ids = taken();
  const last = steps[ids.length - 1];
  return last !== undefined && last.id === ids.at(-1) ? last.learned : undefined;
}

/** @param {Loop} v */
function paint(v) {
  const ids = taken();
  // T = ∞ is a limit to look at: nothing is drawn there.
  const limit = v.host.at() === "inf";
  v.run.textContent = v.running ? "Stop" : "Run to the end";
  v.step.disabled = v.running || ended(v) || limit;
  v.run.disabled = !v.running && (ended(v) || limit);
  v.back.disabled = v.again.disabled = ids.length === 0 || v.running;
  const known = ids.map((id, i) => (v.steps[i]?.id === id ? v.steps[i] : unknown(id)));
  clear(v.text).append(
    ...known.map(({ ends, shown, text }) =>
      h("span", { class: ends ? "piece end" : "piece" }, ends ? shown : text),
    ),
  );
  v.text.hidden = ids.length === 0;
  v.table.hidden = ids.length === 0;
  clear(v.body).append(...known.map(line).reverse());
  v.says.textContent = words(v, ids.length, limit);
}

/**
 * @param {Loop} v
 * @param {number} n
 * @param {boolean} limit
 */
function words(v, n, limit) {
  if (limit) return "Nothing is drawn at T = ∞: it's a limit to look at.";
  if (ended(v)) return `It ended after ${n} tokens.`;
  return v.answer ? `P(end) now: ${percent(v.answer.end.final)}.` : "";
}

/**
 * A step of which only the id is known.
 * @param {number} id
 * @returns {Step}
 */
function unknown(id) {
  return { id, shown: `#${id}`, text: "…", p: null, end: null, ends: false };
}

/**
 * @param {Step} step
 * @param {number} i
 */
function line({ ends, shown, p, end }, i) {
  return h(
    "tr",
    { class: ends ? "ends" : "" },
    h("td", {}, String(i + 1)),
    h("th", { scope: "row" }, shown),
    h("td", {}, p === null ? "–" : percent(p)),
    h("td", { "data-figure": "p-end" }, end === null ? "–" : percent(end)),
  );
}
