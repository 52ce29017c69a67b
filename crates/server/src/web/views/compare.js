// Compare: one text goes on in several ways at once, with the same dice. Where two columns part,
// their settings alone are the cause.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear, field, panel } from "../dom.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { frame } from "../parts/frame.js";
import {
  ask,
  another,
  parsed,
  parting,
  read,
  readDice,
  settingOf,
  write,
  writeDice,
  written,
} from "../parts/columns.js";
import { outcome } from "../parts/outcome.js";
import { phasesOf, stretches } from "../parts/phases.js";
import { places } from "../parts/places.js";
import { dice, seed } from "../parts/seed.js";
import { FIRST, isChat, request, subject, taken } from "../parts/subject.js";
import { ballot } from "../parts/votes.js";
import { isAborted, stream, explain } from "../server.js";
import { gathered } from "../write/gathered.js";

/** @import { Event as Told, Model, Piece, View, What, Written } from "../types.js" */
/** @import { Frame } from "../parts/frame.js" */
/** @import { Ended } from "../parts/outcome.js" */
/** @import { Slate } from "../parts/votes.js" */

/** @typedef {ReturnType<typeof build>} Compare */

/**
 * A column: how it draws, its text so far, and where that parts from the first column's. `dice` is
 * a seed of its own; a column that is locked keeps its text. Thoughts are folded away unless
 * somebody has opened them.
 * @typedef {Frame & { what: What, list: Piece[], ids: number[], over: boolean, end: Ended | null,
 *   mark: number | null, dice: number | null, locked: boolean, unfolded: boolean }} Column
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
  const v = build(root, model);
  const own = readDice();
  v.columns = read(v.most).map((what, i) => Object.assign(column(v, what), own[i]));
  const box = subject(model, () => stale(v));
  box.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(v);
  });
  v.go.addEventListener("click", () => run(v));
  v.stop.addEventListener("click", () => halt(v));
  v.more.addEventListener("click", () => add(v, another(v.columns.map((one) => one.what))));
  v.chain.addEventListener("click", () => add(v, { t: null, chain: "temp=1 | top_p=0.9" }));
  v.fork.addEventListener("click", () => fork(v, model));
  v.size.addEventListener("change", () => {
    v.length = address.bounded(v.size.value, MANY, FEW);
    v.size.value = String(v.length);
    address.write({ n: v.length === FEW ? null : v.length });
    run(v);
  });
  root.append(...layout(v, box.root));
  // All of them, so that dice of the address count.
  run(v, v.columns);
  return () => halt(v);
}

/**
 * @param {HTMLElement} root
 * @param {Model} model
 */
function build(root, model) {
  const most = Math.min(MOST, model.parallel);
  const length = address.whole("n", MANY, FEW);
  const at = address.maybe("at");
  const trouble = h("div", { "aria-live": "polite" });
  const bounds = { type: "number", min: "1", max: String(MANY), class: "short" };
  /** @returns {Slate} */
  const texts = () => slate(v);
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
    fork: h("button", { type: "button" }, "Write on with these"),
    kept: h("p", { class: "note" }),
    votes: ballot(model.name, texts, (hidden) => root.classList.toggle("voting", hidden)),
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
    h("div", { class: "toolbar" }, v.go, v.stop, gap, v.more, v.chain, v.fork, v.says),
    v.trouble,
    v.row,
    v.look.root,
    panel("Blind vote", v.votes.root),
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
  const one = {
    ...frame((i) => open(v, i)),
    ...blank(),
    what,
    dice: null,
    locked: false,
    unfolded: false,
  };
  one.fold.addEventListener("click", () => {
    one.unfolded = !one.unfolded;
    paint(v);
  });
  one.lock.addEventListener("click", () => {
    one.locked = !one.locked;
    // Its text stays that of these dice.
    one.dice = one.locked ? (one.dice ?? seed()) : null;
    lay(v);
  });
  one.roll.addEventListener("click", () => {
    [one.dice] = crypto.getRandomValues(new Uint16Array(1));
    one.locked = false;
    run(v, [one]);
  });
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
  v.votes.end();
  // A locked text goes on from another beginning.
  for (const one of v.columns) Object.assign(one, { locked: false, dice: null });
  v.root.classList.add("stale");
  v.says.textContent = "The text has changed: press Compare.";
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
 * Columns from the beginning: all that aren't locked, or those that are named.
 * @param {Compare} v
 * @param {Column[]} [named]
 */
async function run(v, named) {
  halt(v);
  v.votes.end();
  const mine = new AbortController();
  v.running = mine;
  v.root.classList.remove("stale");
  clear(v.trouble);
  about(v);
  const asked = named ?? v.columns.filter((one) => !one.locked);
  for (const one of asked) {
    Object.assign(one, blank());
    if (!named) one.dice = null;
  }
  lay(v);
  if (asked.length === 0) {
    v.running = null;
    v.says.textContent = "All columns are locked.";
    paint(v);
    return;
  }
  v.says.textContent = "Reading …";
  const columns = asked.map((one) => ask(one.what, chain(), one.dice ?? seed()));
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
  const { at, thinks } = token;
  const figures = { surprisal, entropy, rank, final: Math.exp(-last) };
  one.ids.push(id);
  one.list.push({ id, text, shown, ...figures, by: "drawn", learned, at, thinks });
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
  writeDice(v.columns);
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
    one.lock.textContent = one.locked ? "Locked" : "Lock";
    one.lock.setAttribute("aria-pressed", String(one.locked));
    one.lock.setAttribute("aria-label", `Lock column ${letter}: its text stays`);
    one.roll.setAttribute("aria-label", `Other dice for column ${letter}`);
    one.root.classList.toggle("locked", one.locked);
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
    const phases = phasesOf(one.what, one.list);
    one.text.show(one.list, { mark: one.mark, place, phases, folded: !one.unfolded });
    stretches(one, phases);
    one.root.classList.toggle("waits", !!v.running && one.list.length === 0);
    // A copy of the first column until now.
    one.root.classList.toggle("same", i > 0 && one.mark === null && one.list.length > 0);
    outcome(one, i);
  });
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
    const draws = ask(what, chain(), v.columns[c].dice ?? seed());
    return { name: LETTERS[c], what, list, ids, over, end, ask: draws, colour: colour(what) };
  });
  v.look.show(i, texts, request(), () => open(v, null));
}

/**
 * The texts that can be voted on; null while they are written.
 * @param {Compare} v
 * @returns {Slate}
 */
function slate(v) {
  if (v.running || v.root.classList.contains("stale")) return null;
  const texts = v.columns.map((one) => ({
    chain: settingOf(one.what, chain()),
    seed: one.dice ?? seed(),
    words: one.list.map((piece) => piece.text).join(""),
  }));
  return { text: address.key("text", FIRST), chat: isChat(), texts };
}

/**
 * All columns become forks of a session, and the page goes there.
 * @param {Compare} v
 * @param {Model} model
 */
async function fork(v, model) {
  halt(v);
  const branches = v.columns.map((one) => {
    const { t } = one.what;
    const label = t === null ? written(one.what) : `T = ${heat.written(t)}`;
    return { label, t: t === null ? null : heat.sent(t), list: one.list };
  });
  const t = v.columns[0].what.t ?? chains.heat(v.columns[0].what.chain ?? "") ?? 1;
  try {
    const name = await gathered(model, branches, { chain: chain(), t, seed: seed() });
    location.hash = `#/write?${new URLSearchParams({ session: name })}`;
  } catch (error) {
    clear(v.trouble).append(explain(error, () => fork(v, model)));
  }
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
