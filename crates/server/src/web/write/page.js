// The view's elements and its state, in one object that all its functions take as `v`.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h } from "../dom.js";
import { LENSES } from "../draw/lens.js";
import * as heat from "../heat.js";
import { seed } from "../parts/seed.js";
import { FIRST, isChat, subject } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { tokens } from "../parts/tokens.js";
import { FEW, alternatives } from "./alternatives.js";
import { brush } from "./brush.js";
import { outline } from "./outline.js";
import { Tree } from "./tree.js";

/** @import { Draws, Model, Next } from "../types.js" */
/** @import { Host as BesideHost } from "./alternatives.js" */
/** @import { Host as BrushHost } from "./brush.js" */
/** @import { Host as ForksHost } from "./outline.js" */

/**
 * Who hears of what somebody does with the view's parts.
 * @typedef {object} Host
 * @property {(i: number) => void} choose a token
 * @property {(from: number, to: number) => void} range a stretch
 * @property {(event: KeyboardEvent) => boolean} key a key in the text
 * @property {(t: number) => void} heat a temperature
 * @property {BesideHost} beside
 * @property {ForksHost} forks
 * @property {BrushHost} brush
 */

/** @typedef {ReturnType<typeof build>} Page */

const LENGTH = 40;
export const LONGEST = 2000;
const KEYS =
  "Arrows move, digits take an alternative, Enter draws, Backspace goes back, " +
  "Shift and arrows select a stretch to paint.";

/**
 * @param {Model} model
 * @param {Host} host
 */
export function build(model, host) {
  const { choose, range, key } = host;
  const length = address.whole("n", LONGEST, LENGTH);
  const t = heat.parsed(address.maybe("t"), chains.heat(chain()) ?? 1);
  const lens = address.key("lens", "");
  const label = `The text, token by token. ${KEYS}`;
  const bounds = { type: "number", min: "1", max: String(LONGEST), class: "short" };
  const files = { type: "file", accept: ".json,application/json", hidden: true };
  return {
    model,
    trouble: h("div", { "aria-live": "polite" }),
    says: h("p", { class: "note says-run", "aria-live": "polite" }),
    read: h("p", { class: "note says-read", "aria-live": "polite" }),
    readout: h("p", { class: "readout" }),
    sums: h("p", { class: "note sums" }),
    key: h("div", {}),
    text: tokens({ label, choose, range, key, open: true }),
    beside: alternatives(host.beside),
    forks: outline(host.forks),
    brush: brush(host.brush),
    slider: temperature(t, host.heat),
    on: button("Write on", "strong"),
    halt: button("Stop"),
    undo: button("Undo"),
    redo: button("Redo"),
    file: h("input", { ...files, "aria-label": "File of a tree" }),
    many: h("input", { ...bounds, value: String(length) }),
    anew: button("Begin anew with this text", "strong"),
    begin: /** @type {HTMLTextAreaElement | null} */ (null),
    tree: new Tree(),
    /** The token that is chosen, as its number in the text; the text's length is its end. */
    place: 0,
    /** The stretch that is selected. */
    range: /** @type {[number, number]} */ ([0, 0]),
    /** Alternatives that are shown. */
    size: FEW,
    /** The distribution at the place. */
    answer: /** @type {Next | null} */ (null),
    running: /** @type {AbortController | null} */ (null),
    /** Counts the looks at a place, so that a late answer isn't taken for another place's. */
    turn: 0,
    /** Whether the text will be painted soon anyway. */
    due: false,
    /** Whether figures stand above the tokens. */
    numbers: false,
    /** Tokens that are written in one go. */
    length,
    t,
    lens: lens in LENSES ? lens : "probability",
    /** Asks for the distribution at the place; the second argument is the turn. */
    looked: (/** @type {object} */ _body, /** @type {number} */ _turn) => {},
  };
}

/**
 * @param {string} words
 * @param {string} kind
 */
export function button(words, kind = "") {
  return h("button", { type: "button", class: kind }, words);
}

/**
 * Takes over how many tokens are to be written in one go.
 * @param {Page} v
 */
export function setLength(v) {
  v.length = address.bounded(v.many.value, LONGEST, LENGTH);
  v.many.value = String(v.length);
  address.write({ n: v.length === LENGTH ? null : v.length });
}

/** The chain of the address. */
export function chain() {
  return address.key("chain", chains.NEUTRAL);
}

/**
 * How a token is drawn, at a temperature that was painted or as everywhere (null).
 * @param {Page} v
 * @param {number | null} painted
 * @returns {Draws}
 */
export function drawnBy(v, painted) {
  const t = heat.sent(painted ?? v.t);
  return { sampler: chains.sent(chain()), temperature: t, seed: seed() };
}

/**
 * What a tree belongs to: a text of a model.
 * @param {Page} v
 */
export function whose({ model }) {
  return JSON.stringify([address.key("text", FIRST), isChat(), model.name]);
}

/**
 * Makes the boxes of the text that is continued; where that changes, a tree can be begun anew.
 * @param {Page} v
 */
export function beginning(v) {
  const box = subject(v.model, () => {
    v.anew.hidden = false;
  });
  v.anew.hidden = true;
  v.begin = box.text;
  return box.root;
}
