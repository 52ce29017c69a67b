// The lesson: "How are language models creative?" in seven steps, one idea a screen, everything
// live. `short=1` in the address is its short form, the guided minute; `sheet=1` is the sheet of
// exercises. The arrow keys go from step to step, and so do the keys of a presenter's remote.

import * as address from "../address.js";
import { h } from "../dom.js";
import { sheet } from "../learn/sheet.js";
import { STEPS } from "../learn/steps.js";
import { OPENING_T } from "../learn/texts.js";

/** @import { LessonStep, Model, View } from "../types.js" */

/** Keys that lead on and back, remotes' among them. */
const ON = ["ArrowRight", "PageDown"];
const BACK = ["ArrowLeft", "PageUp"];
/** Elements that need the arrow keys for themselves. */
const TAKES_KEYS = "input, textarea, select, [role=listbox]";

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, page) {
  if (address.maybe("sheet") === "1") {
    root.append(sheet());
    return undefined;
  }
  const isShort = address.maybe("short") === "1";
  const steps = isShort ? STEPS.filter((step) => step.short) : STEPS;
  const at = address.whole("step", steps.length, 1);
  const step = steps[at - 1];
  const stage = h("div", { class: "lesson-stage" });
  const title = h("h2", { class: "lesson-title", tabindex: "-1" }, step.title);
  root.append(
    row(steps, at, isShort),
    title,
    h("p", { class: "lesson-idea" }, step.idea),
    stage,
    notes(step),
    foot(steps.length, at, isShort),
  );
  const stop = step.mount(stage, page);
  const typed = (/** @type {KeyboardEvent} */ event) => key(event, steps.length, at, isShort);
  document.addEventListener("keydown", typed);
  // Who goes on by keyboard hears the new step's title; the first visit leaves the focus alone.
  if (document.activeElement !== document.body || at > 1) title.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
  return () => {
    document.removeEventListener("keydown", typed);
    stop?.();
  };
}

/**
 * The address of a step.
 * @param {number} to
 * @param {boolean} isShort
 */
function place(to, isShort) {
  return `#/learn?step=${to}${isShort ? "&short=1" : ""}`;
}

/**
 * @param {KeyboardEvent} event
 * @param {number} n
 * @param {number} at
 * @param {boolean} isShort
 */
function key(event, n, at, isShort) {
  const way = ON.includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
  const taken = event.target instanceof Element && event.target.closest(TAKES_KEYS);
  const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (way === 0 || taken || held || at + way < 1 || at + way > n) return;
  event.preventDefault();
  location.hash = place(at + way, isShort);
}

/**
 * All steps as links.
 * @param {LessonStep[]} steps
 * @param {number} at
 * @param {boolean} isShort
 */
function row(steps, at, isShort) {
  const items = steps.map(({ name }, i) => {
    const now = i + 1 === at ? { "aria-current": "step" } : {};
    const number = h("span", { class: "lesson-number" }, String(i + 1));
    const link = h("a", { href: place(i + 1, isShort), ...now }, number, h("span", {}, name));
    return h("li", {}, link);
  });
  return h(
    "nav",
    { class: "lesson-row", "aria-label": "Steps of the lesson" },
    h("ol", {}, items),
    h("a", { class: "lesson-sheet", href: "#/learn?sheet=1" }, "Exercises"),
  );
}

/** @param {LessonStep} step */
function notes({ notes: lines }) {
  return h(
    "details",
    { class: "lesson-notes" },
    h("summary", {}, "Notes for the teacher"),
    h(
      "ul",
      {},
      lines.map((line) => h("li", {}, line)),
    ),
  );
}

/**
 * The bar at the bottom: back, where, on. After the last step it leads elsewhere.
 * @param {number} n
 * @param {number} at
 * @param {boolean} isShort
 */
function foot(n, at, isShort) {
  const link = (/** @type {string} */ to, /** @type {string} */ words, look = "lesson-go") =>
    h("a", { class: look, href: to }, words);
  const back = at > 1 ? link(place(at - 1, isShort), "← Back") : h("span", {});
  const strong = "lesson-go strong";
  const on =
    at < n
      ? link(place(at + 1, isShort), "Next →", strong)
      : isShort
        ? link("#/learn?step=1", "The whole lesson →", strong)
        : link("#/learn?sheet=1", "Exercises →", strong);
  const write = at === n ? link(`#/write?t=${OPENING_T}`, "Write with it") : null;
  const where = h("span", { class: "lesson-where" }, `Step ${at} of ${n}`);
  return h("div", { class: "lesson-foot" }, back, where, write, on);
}

/** @type {View} */
export const view = {
  id: "learn",
  name: "Lesson",
  title: "How are language models creative?",
  lead: "A lesson in seven steps, with a model that runs on this machine.",
  mount,
};
