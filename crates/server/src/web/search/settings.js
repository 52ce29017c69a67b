// What a search is asked for: its method with that method's settings, as the address has them.

import * as address from "../address.js";
import { h, clear, choose, field } from "../dom.js";

/**
 * A setting: its key in the address and its name in a request, what it is if nobody says, its
 * bounds, and the methods that have it.
 * @typedef {object} Setting
 * @property {string} key
 * @property {string} name
 * @property {string} label
 * @property {number} start
 * @property {number} low
 * @property {number} high
 * @property {number} step
 * @property {string[]} of
 */

/** @type {[string, string][]} */
const METHODS = [
  ["beam", "Beams"],
  ["diverse", "Diverse"],
  ["stochastic", "Stochastic"],
  ["best-of", "Best of n"],
  ["mbr", "Minimum risk"],
];
/** @type {Record<string, string>} */
const ABOUT = {
  beam: "Keeps the likeliest beginnings. A text’s score is ln p / tokens^penalty.",
  diverse: "Groups of beams. Each pays for the tokens that groups before it have at that place.",
  stochastic:
    "Draws different texts, each with its probability among those left. The score is ln p and a " +
    "Gumbel number of the text’s own.",
  "best-of": "Draws texts and ranks them by how likely each is.",
  mbr: "Draws texts and ranks each by how alike it is to the others: minimum Bayes risk.",
};
const BEAMS = ["beam", "diverse", "stochastic"];
const DRAWN = ["best-of", "mbr"];
/** Tokens of a text if nobody says. */
const TOKENS = 12;

/**
 * @param {number} parallel texts that run at once
 * @returns {Setting[]}
 */
function settingsOf(parallel) {
  const beams = { start: Math.min(4, parallel), low: 1, high: parallel, step: 1 };
  const exponent = { start: 1, low: -10, high: 10, step: 0.1, of: ["beam", "diverse"] };
  const penalty = { start: 1, low: 0.1, high: 100, step: 0.1, of: ["diverse"] };
  const tokens = { start: TOKENS, low: 1, high: 200, step: 1, of: [...BEAMS, ...DRAWN] };
  const drawn = { start: 8, low: 2, high: 128, step: 1, of: DRAWN };
  const groups = { start: 2, low: 1, high: parallel, step: 1, of: ["diverse"] };
  return [
    { key: "b", name: "beams", label: "Beams", ...beams, of: BEAMS },
    { key: "g", name: "groups", label: "Groups", ...groups },
    { key: "d", name: "diversity_penalty", label: "Diversity penalty", ...penalty },
    { key: "l", name: "length_penalty", label: "Length penalty", ...exponent },
    { key: "k", name: "samples", label: "Texts to draw", ...drawn },
    { key: "n", name: "max_tokens", label: "Tokens", ...tokens },
  ];
}

/** The method of the address. */
export function method() {
  const typed = address.key("m", "beam");
  return METHODS.some(([name]) => name === typed) ? typed : "beam";
}

/** Whether the method of the address depends on dice. */
export function isRandom() {
  return !["beam", "diverse"].includes(method());
}

/**
 * A setting of the address within its bounds.
 * @param {Setting} setting
 */
function valueOf({ key, start, low, high }) {
  const typed = Number(address.key(key, String(start)));
  return Number.isFinite(typed) ? Math.min(high, Math.max(low, typed)) : start;
}

/**
 * The method and its settings, as a request has them.
 * @param {number} parallel
 */
export function asked(parallel) {
  const own = settingsOf(parallel).filter((one) => one.of.includes(method()));
  return { method: method(), ...Object.fromEntries(own.map((one) => [one.name, valueOf(one)])) };
}

/**
 * Makes the boxes; `call` hears of every change.
 * @param {number} parallel
 * @param {() => void} call
 */
export function settings(parallel, call) {
  const about = h("p", { class: "note" });
  const boxes = h("div", { class: "search-settings" });
  const show = () => {
    about.textContent = ABOUT[method()];
    const own = settingsOf(parallel).filter((one) => one.of.includes(method()));
    clear(boxes).append(...own.map((one) => box(one, call)));
  };
  const ways = choose("Method", METHODS, method(), (name) => {
    address.write({ m: name === "beam" ? null : name });
    show();
    call();
  });
  show();
  return h("div", { class: "search-method" }, ways, about, boxes);
}

/**
 * @param {Setting} setting
 * @param {() => void} call
 */
function box(setting, call) {
  const { key, label, start, low, high, step } = setting;
  const value = String(valueOf(setting));
  const bounds = { type: "number", min: low, max: high, step, class: "short" };
  const input = h("input", { ...bounds, value });
  input.addEventListener("input", () => {
    const typed = Number(input.value);
    const isGood = input.value.trim() !== "" && typed >= low && typed <= high;
    input.setAttribute("aria-invalid", String(!isGood));
    if (!isGood) return;
    address.write({ [key]: typed === start ? null : typed });
    call();
  });
  return field(label, input);
}
