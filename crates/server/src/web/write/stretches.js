// The painted stretches of a text as a list, each with its colour, and the schedule that they are:
// to be copied to the command line or into a request.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear } from "../dom.js";
import * as heat from "../heat.js";
import { seed } from "../parts/seed.js";
import { latest, post } from "../server.js";
import { copy } from "./copies.js";
import { steps, written } from "./schedule.js";

/** @import { ChainSaid } from "../types.js" */
/** @import { Colour, Paint, Tree } from "./tree.js" */

/**
 * How something painted looks: a class of one of eight colours, or the colour of a temperature.
 * @typedef {{ name: string, heat: string | null }} Shade
 */

/**
 * Who hears of it: `select(from, to)` of a stretch, `off(from, to)` that its paint is to go.
 * @typedef {object} Host
 * @property {(from: number, to: number) => void} select
 * @property {(from: number, to: number) => void} off
 */

const N_COLOURS = 8;

/**
 * The chains that stretches are painted with, in their order in the text.
 * @param {Tree} tree
 */
function chainsOf(tree) {
  return [...new Set(tree.paint.map(({ chain }) => chain).filter(Boolean))];
}

/**
 * How a stretch looks.
 * @param {Tree} tree
 * @param {Colour} colour
 * @returns {Shade}
 */
function shadeOf(tree, { t, chain }) {
  if (chain === undefined) return { name: "", heat: heat.colour(t ?? 1) };
  return { name: `chained phase-${chainsOf(tree).indexOf(chain) % N_COLOURS}`, heat: null };
}

/**
 * How a position looks; null where nothing is painted.
 * @param {Tree} tree
 * @param {number} pos
 * @returns {Shade | null}
 */
export function colourOf(tree, pos) {
  const paint = tree.paintAt(pos);
  return paint && shadeOf(tree, paint);
}

/**
 * What a stretch is painted with, in the notation.
 * @param {Colour} colour
 */
function said({ t, chain }) {
  return chain ?? `T = ${heat.written(t ?? 1)}`;
}

/**
 * Makes the list, hidden where nothing is painted.
 * @param {Host} host
 */
export function stretches({ select, off }) {
  const list = h("ul", { class: "stretches-list" });
  const schedule = h("code", { class: "schedule-text" });
  const command = h("pre", { class: "code", tabindex: "0", "aria-label": "The command line" });
  const about = h("p", { class: "note" });
  const told = h("span", { class: "note", role: "status" });
  const copier = (/** @type {string} */ words, /** @type {HTMLElement} */ from) =>
    h("button", { type: "button", onclick: () => copied(from, told) }, words);
  const out = h(
    "div",
    { class: "schedule" },
    h("p", {}, "As a schedule: ", schedule, ` ${chains.DECIDES}`),
    h(
      "div",
      { class: "row middle" },
      copier("Copy schedule", schedule),
      copier("Copy command", command),
      told,
    ),
    h("details", {}, h("summary", {}, "The command line"), command, about),
  );
  const title = h("h2", {}, "Painted stretches");
  const root = h(
    "div",
    { class: "stretches", role: "group", "aria-label": "Painted stretches", hidden: true },
    title,
    list,
    out,
  );
  const ask = latest(
    (/** @type {object} */ body) => post("/studio/chain", body),
    (/** @type {ChainSaid} */ answer) => {
      command.textContent = answer.command;
    },
    () => {
      command.textContent = "";
    },
  );
  return {
    root,
    /** @param {{ tree: Tree, t: number }} v */
    show({ tree, t }) {
      root.hidden = tree.paint.length === 0;
      if (root.hidden) return;
      clear(list).append(...tree.paint.map((paint) => row(tree, paint, select, off)));
      const all = steps(tree, address.key("chain", chains.NEUTRAL), t === Infinity ? 1 : t);
      const text = all ? written(all) : "";
      schedule.textContent =
        text || "none: the page’s chain looks at what the text says, so the paint has no effect";
      about.textContent = exactness(tree);
      const { text: prompt, chat } = tree.begun;
      command.textContent = "";
      if (text) ask({ prompt, chat, sampler: text, seed: seed() });
    },
  };
}

/**
 * Whether the command line draws the text at hand.
 * @param {Tree} tree
 */
function exactness(tree) {
  const by = new Set(tree.path().map((i) => tree.nodes[i].by));
  const own = ["taken", "own", "link"].some((kind) => by.has(/** @type {never} */ (kind)));
  const n = tree.path().filter((i) => tree.nodes[i].by !== "given").length;
  return own
    ? "The text has tokens that weren’t drawn, which the command line doesn’t know."
    : `With -n ${n} it draws this text, if all of it was drawn with this chain and these dice.`;
}

/**
 * @param {Tree} tree
 * @param {Paint} paint
 * @param {(from: number, to: number) => void} select
 * @param {(from: number, to: number) => void} off
 */
function row(tree, paint, select, off) {
  const { from, to } = paint;
  const shade = shadeOf(tree, paint);
  const n = tree.path().length;
  const where = to - from === 1 ? `Token ${to}` : `Tokens ${from + 1} to ${to}`;
  const ahead = from >= n ? ", not written yet" : "";
  return h(
    "li",
    { class: `stretch ${shade.name}`, "--heat": shade.heat },
    h("button", { type: "button", class: "quiet", onclick: () => select(from, to) }, where),
    h("code", {}, said(paint)),
    ahead && h("span", { class: "note" }, ahead.slice(2)),
    h(
      "button",
      {
        type: "button",
        class: "quiet icon",
        "aria-label": `Take the paint off ${where.toLowerCase()}`,
        onclick: () => off(from, to),
      },
      "×",
    ),
  );
}

/**
 * @param {HTMLElement} from
 * @param {HTMLElement} told
 */
function copied(from, told) {
  told.textContent = copy({ "text/plain": from.textContent ?? "" })
    ? "Copied."
    : "The browser didn’t let it be copied.";
}
