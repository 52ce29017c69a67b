// What could stand at a place: the likeliest tokens, each to be taken by a click or its digit, and
// what the dice would take.

import { h, clear } from "../dom.js";
import { number, percent, share } from "../format.js";
import * as heat from "../heat.js";

/** @import { Next, Node, Row } from "../types.js" */

export const FEW = 10;
export const MANY = 40;

/**
 * Who hears of what is chosen: `take(row)` of a token, `digit(n)` of the token with this digit,
 * `draw()` and `back()` of the two other ways, `more()` that ten are too few, `leave()` that
 * somebody wants back to the text.
 * @typedef {object} Host
 * @property {(n: number) => void} digit
 * @property {() => void} leave
 * @property {(row: Row) => void} take
 * @property {() => void} draw
 * @property {() => void} back
 * @property {() => void} more
 */

/**
 * A place: the token that stands there, the ids that the tree has there, its number, and its
 * temperature.
 * @typedef {object} Place
 * @property {Node | undefined} stands
 * @property {number[]} branches
 * @property {number} k
 * @property {number} t
 */

/** @typedef {ReturnType<typeof build>} Panel */

/**
 * Makes a panel.
 * @param {Host} host
 */
export function alternatives(host) {
  const v = build();
  v.draw.addEventListener("click", () => host.draw());
  v.back.addEventListener("click", () => host.back());
  v.more.addEventListener("click", () => host.more());
  v.list.addEventListener("keydown", (event) => {
    if (keyed(v, event, host)) event.preventDefault();
  });
  /** @type {Row[]} */
  let rows = [];
  return {
    root: v.root,
    /** The tokens in the order of their digits. */
    rows: () => rows,
    focus: () => v.list.querySelector("button")?.focus(),
    /**
     * @param {Next} answer
     * @param {Place} place
     */
    show(answer, place) {
      rows = answer.top;
      show(v, answer, place, host.take);
    },
    /**
     * Where nothing can be said.
     * @param {string} words
     */
    nothing(words) {
      rows = [];
      v.title.textContent = "At this place";
      v.now.textContent = words;
      v.facts.textContent = v.dart.textContent = "";
      clear(v.list);
      v.draw.disabled = true;
      v.back.disabled = true;
      v.more.hidden = true;
    },
  };
}

function build() {
  const title = h("h2", {}, "At this place");
  const now = h("p", { class: "place-now" });
  const facts = h("p", { class: "note place-facts" });
  const list = h("ol", { class: "alternatives" });
  const dart = h("p", { class: "note place-dart", "aria-live": "polite" });
  const draw = h("button", { type: "button", class: "strong" }, "Draw ", h("kbd", {}, "Alt ↵"));
  const back = h("button", { type: "button" }, "Back");
  const more = h("button", { type: "button", class: "quiet" }, "More");
  const head = h(
    "p",
    { class: "alternative alt-head", "aria-hidden": "true" },
    h("span", {}),
    h("span", {}),
    h("span", {}),
    h("span", { class: "alt-raw" }, "raw"),
    h("span", { class: "alt-p" }, "final"),
  );
  const root = h(
    "section",
    { class: "panel at-place", "aria-label": "Alternatives at this place" },
    title,
    now,
    facts,
    h("div", { class: "row middle" }, draw, back, more),
    dart,
    head,
    list,
  );
  return { root, title, now, facts, list, dart, draw, back, more };
}

/**
 * @param {Panel} v
 * @param {Next} answer
 * @param {Place} place
 * @param {(row: Row) => void} take
 */
function show(v, answer, place, take) {
  const { stands, k, t } = place;
  const { top, raw, final, dart } = answer;
  const most = Math.max(...top.map((row) => Math.max(row.raw, row.final)), 0.01);
  v.title.textContent = stands ? `At token ${k + 1}` : `Token ${k + 1} comes next`;
  if (stands) {
    const words = " stands here. Take another, and the text forks.";
    v.now.replaceChildren(h("code", {}, stands.shown), words);
  } else v.now.textContent = "Take a token, or let the dice draw.";
  v.facts.textContent =
    `${number(raw.entropy_nats, 2)} nats of entropy raw, ` +
    `${number(final.entropy_nats, 2)} final at T = ${heat.written(t)}.`;
  clear(v.list).append(...top.map((row, i) => item(row, i, most, place, take)));
  v.dart.replaceChildren(
    "The dice say ",
    h("code", { "data-figure": "dart" }, dart.shown),
    ` (u = ${dart.u.toFixed(4)}).`,
  );
  v.root.style.setProperty("--heat", heat.colour(t));
  v.draw.disabled = false;
  v.back.disabled = k < 2;
  v.more.hidden = top.length > FEW;
}

/**
 * Keys in the list: digits take, arrows move, Escape leads back to the text.
 * @param {Panel} v
 * @param {KeyboardEvent} event
 * @param {Host} host
 */
function keyed({ list }, { key, ctrlKey, metaKey }, host) {
  if (ctrlKey || metaKey) return false;
  const buttons = [...list.querySelectorAll("button")];
  const at = buttons.findIndex((one) => one === document.activeElement);
  if (/^[0-9]$/.test(key)) host.digit(Number(key));
  else if (key === "ArrowDown") buttons[Math.min(buttons.length - 1, at + 1)]?.focus();
  else if (key === "ArrowUp" && at > 0) buttons[at - 1].focus();
  else if (key === "Escape" || key === "ArrowUp") host.leave();
  else return false;
  return true;
}

/**
 * @param {Row} row
 * @param {number} i
 * @param {number} most the probability that fills the room of a bar
 * @param {Place} place
 * @param {(row: Row) => void} take
 */
function item(row, i, most, { stands, branches }, take) {
  const { id, shown, raw, final } = row;
  const here = stands?.id === id;
  const branch = branches.includes(id);
  const also = here ? ", stands here" : branch ? ", a branch of the tree" : "";
  const mark = h("span", { class: "alt-branch", "aria-hidden": "true" });
  const look = {
    type: "button",
    class: `alternative${here ? " stands" : ""}`,
    "data-id": id,
    title: `${shown}: raw ${percent(raw)}, final ${percent(final)}`,
    onclick: () => take(row),
  };
  const unseen = (/** @type {string} */ words) => h("span", { class: "unseen" }, words);
  const button = h(
    "button",
    look,
    h("kbd", { "aria-hidden": "true" }, i < 10 ? String((i + 1) % 10) : ""),
    h("span", { class: "alt-token" }, shown, branch && !here && mark, unseen(also)),
    h(
      "span",
      { class: "alt-room", "aria-hidden": "true" },
      h("span", { class: "ghost", "--w": raw / most }),
      h("span", { class: "bar", "--w": final / most }),
    ),
    h("span", { class: "alt-raw" }, unseen("raw "), share(raw)),
    h("span", { class: "alt-p" }, unseen("final "), share(final)),
  );
  return h("li", {}, button);
}
