// The view's elements and its state, in one object that all its functions take as `v`.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, field } from "../dom.js";
import { LENSES } from "../draw/lens.js";
import * as heat from "../heat.js";
import { seed } from "../parts/seed.js";
import { examples } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { keep, recall } from "../store.js";
import { FEW, alternatives } from "./alternatives.js";
import { brush } from "./brush.js";
import { marks } from "./marks.js";
import { outline } from "./outline.js";
import { sheet } from "./sheet.js";
import { shelf } from "./shelf.js";
import { stretches } from "./stretches.js";
import { Tree } from "./tree.js";
import { versions } from "./versions.js";

/** @import { Model, Next } from "../types.js" */
/** @import { Host as BesideHost } from "./alternatives.js" */
/** @import { Host as BrushHost } from "./brush.js" */
/** @import { Burst } from "./edit.js" */
/** @import { Host as ForksHost } from "./outline.js" */
/** @import { How } from "./sessions.js" */
/** @import { Options as SheetHost } from "./sheet.js" */
/** @import { Host as ShelfHost } from "./shelf.js" */
/** @import { Host as StretchesHost } from "./stretches.js" */
/** @import { Mark } from "./tree.js" */
/** @import { Host as VersionsHost } from "./versions.js" */

/**
 * Who hears of what somebody does with the view's parts.
 * @typedef {object} Host
 * @property {Omit<SheetHost, "label">} text
 * @property {(t: number) => void} heat a temperature
 * @property {BesideHost} beside
 * @property {ForksHost} forks
 * @property {BrushHost} brush
 * @property {ShelfHost} shelf
 * @property {StretchesHost} stretches
 * @property {(mark: Mark) => void} mark
 * @property {VersionsHost} versions
 */

/** @typedef {ReturnType<typeof build>} Page */

const LENGTH = 40;
export const LONGEST = 2000;
const KEYS =
  "Type to edit. Ctrl and Enter writes on, Alt and Enter draws one token, Alt and a digit takes " +
  "an alternative, Alt and Arrow down goes to the alternatives.";

/**
 * @param {Model} model
 * @param {Host} host
 */
export function build(model, host) {
  const length = address.whole("n", LONGEST, LENGTH);
  const t = heat.parsed(address.maybe("t"), chains.heat(chain()) ?? 1);
  const lens = address.key("lens", "");
  const label = `The text, token by token. ${KEYS}`;
  const bounds = { type: "number", min: "1", max: String(LONGEST), class: "short" };
  return {
    model,
    trouble: h("div", { "aria-live": "polite" }),
    /** What happened to the session. */
    told: h("p", { class: "note told", role: "status" }),
    says: said("says-run"),
    read: said("says-read"),
    readout: h("p", { class: "readout" }),
    sums: h("p", { class: "note sums" }),
    key: h("div", {}),
    text: sheet({ ...host.text, label }),
    beside: alternatives(host.beside),
    forks: outline(host.forks),
    marks: marks(host.mark),
    brush: brush(host.brush),
    stretches: stretches(host.stretches),
    shelf: shelf(host.shelf, model.sessions),
    versions: versions(host.versions),
    slider: temperature(t, host.heat),
    name: h("input", { type: "text", class: "session-name", "aria-label": "Name of this session" }),
    frame: button("Show the chat template", "quiet frame-button"),
    on: button("Write on", "strong"),
    halt: button("Stop"),
    undo: button("Undo"),
    redo: button("Redo"),
    unread: button("Read"),
    progress: h("progress", { "aria-label": "Tokens that are read", hidden: true }),
    many: h("input", { ...bounds, value: String(length) }),
    anew: button("Begin anew with this text", "strong"),
    fresh: button("In a new session"),
    begin: h("textarea", { rows: "3", spellcheck: "false" }),
    chat: h("input", { type: "checkbox" }),
    tree: new Tree(),
    /** The token that is chosen, as its number in the text; the text's length is its end. */
    place: 0,
    /** The stretch that is selected. */
    range: /** @type {[number, number]} */ ([0, 0]),
    /** Alternatives that are shown. */
    size: FEW,
    /** The distribution at the place. */
    answer: /** @type {Next | null} */ (null),
    /** What is being written. */
    running: /** @type {AbortController | null} */ (null),
    /** What is being read. */
    reading: /** @type {AbortController | null} */ (null),
    /** Counts the looks at a place, so that a late answer isn't taken for another place's. */
    turn: 0,
    /** Whether the text will be painted soon anyway. */
    due: false,
    /** Whether figures stand above the tokens. */
    numbers: false,
    /** Whether the tokens of the chat template are shown. */
    framed: false,
    /** The edit that goes on. */
    burst: /** @type {Burst | null} */ (null),
    /** Makes tokens of what was typed, a moment after the last key. */
    typing: /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined),
    /** Tokens that are written in one go. */
    length,
    t,
    lens: lens in LENSES || lens === "none" ? lens : "probability",
    /** Breaks off the look at the node before a place. */
    looking: new AbortController(),
    /** The node before the place that is looked at. */
    lookedAt: -1,
    /** Asks for the distribution at the place; the second argument is the turn. */
    looked: (
      /** @type {object} */ _body,
      /** @type {number} */ _turn,
      /** @type {AbortSignal} */ _signal,
    ) => {},
  };
}

/** @param {string} name */
function said(name) {
  return h("p", { class: `note ${name}`, "aria-live": "polite" });
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
 * How tokens are drawn now, as a session keeps it.
 * @param {Page} v
 * @returns {How}
 */
export function how({ t }) {
  return { chain: chain(), t: t === Infinity ? 1 : t, seed: seed() };
}

/** The beginning that was typed and not begun, in this tab's store. */
const DRAFT = "beginning";

/**
 * Keeps a beginning that was typed, so that another view or a reload doesn't lose it; "" once it
 * is begun.
 * @param {string} text
 */
export function draft(text) {
  keep(DRAFT, text, "session");
}

/** The beginning that was typed and not begun; "" if there is none. */
export function drafted() {
  return recall(DRAFT, "session") ?? "";
}

/**
 * The boxes of a text to begin with.
 * @param {Page} v
 */
export function beginning({ model, begin, chat }) {
  const check = h("label", { class: "check" }, chat, "as a message in the chat template");
  begin.addEventListener("input", () => draft(begin.value));
  const presets = examples(({ words, inChat }) => {
    begin.value = words;
    chat.checked = inChat && model.chat;
    draft(words);
  });
  return h("div", { class: "subject" }, presets, field("Text", begin), model.chat ? check : null);
}
