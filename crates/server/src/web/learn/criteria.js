// Step 3: from scores to probabilities. Two scores to move, functions to try one by one, and the
// four criteria that show why it has to be a power.

import { clear, field, h } from "../dom.js";
import { number } from "../format.js";
import { CRITERIA } from "../parts/criteria.js";
import { explain, latest, post } from "../server.js";

/** @import { Criterion, LessonStep } from "../types.js" */

/** @typedef {ReturnType<typeof build>} Trial */

/** The functions in the order in which a class would think of them. */
const ORDER = ["plain", "magnitude", "square", "two", "exp"];
const REACH = 4;

/** @param {HTMLElement} stage */
function mount(stage) {
  const v = build();
  v.look = latest(
    (/** @type {number[]} */ pair) =>
      post("/studio/softmax", {
        logits: pair.map((logit) => ({ label: null, logit })),
        temperature: 1,
      }),
    ({ criteria: found }) => {
      v.found = found;
      clear(v.trouble);
      paint(v);
    },
    (error) => {
      clear(v.trouble).append(explain(error, () => v.look(v.pair)));
    },
  );
  v.more.addEventListener("click", () => {
    v.shown = v.shown === ORDER.length ? 1 : v.shown + 1;
    paint(v);
  });
  const sliders = v.pair.map((_, i) => slider(v, i));
  stage.append(
    h("div", { class: "lesson-pair" }, sliders, v.more),
    h(
      "div",
      { class: "lesson-scroll", tabindex: "0", role: "group", "aria-label": "Criteria" },
      v.table,
    ),
    v.says,
    v.trouble,
  );
  v.look(v.pair);
}

function build() {
  return {
    pair: [-1, 2],
    /** Functions that are on the screen. */
    shown: 1,
    found: /** @type {Criterion[]} */ ([]),
    more: h("button", { type: "button", class: "strong" }, "Try another idea"),
    table: h("table", { class: "criteria lesson-criteria" }),
    says: h("p", { class: "lesson-says", "aria-live": "polite" }),
    trouble: h("div", {}),
    look: (/** @type {number[]} */ _pair) => {},
  };
}

/**
 * A slider of one of the two scores.
 * @param {Trial} v
 * @param {number} i
 */
function slider(v, i) {
  const value = h("output", {}, number(v.pair[i], 1));
  const look = { type: "range", min: String(-REACH), max: String(REACH), step: "0.5" };
  const input = h("input", { ...look, value: String(v.pair[i]) });
  input.addEventListener("input", () => {
    v.pair[i] = Number(input.value);
    value.textContent = number(v.pair[i], 1);
    v.look([...v.pair]);
  });
  return h("div", { class: "lesson-slider" }, field(`Score ${i + 1}`, input), value);
}

/** @param {Trial} v */
function paint(v) {
  const all = ORDER.map((name) => v.found.find((one) => one.name === name));
  const shown = all.filter((one) => one !== undefined).slice(0, v.shown);
  const heads = shown.map(({ formula }) => h("th", { scope: "col" }, formula));
  const line = (/** @type {string} */ words, /** @type {HTMLElement[]} */ cells) =>
    h("tr", {}, h("th", { scope: "row" }, words), cells);
  const mark = (/** @type {boolean} */ good, /** @type {string} */ words) =>
    h("td", { class: good ? "holds" : "breaks" }, `${good ? "✓" : "✗"} ${words}`);
  const rows = CRITERIA.map((words, i) =>
    line(
      words,
      shown.map(({ holds }) => mark(holds[i], holds[i] ? "holds" : "breaks")),
    ),
  );
  const shares = shown.map(({ probabilities }) => h("td", {}, probabilities.map(part).join(" · ")));
  const always = shown.map(({ example }) =>
    example
      ? mark(false, `not ${example.logits.map((x) => number(x, 0)).join(", ")}`)
      : mark(true, "always"),
  );
  clear(v.table).append(
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, "Each f(score), divided by the sum"), heads),
    ),
    h("tbody", {}, line("Shares", shares), rows, line("For any scores?", always)),
  );
  const last = shown.at(-1);
  if (last) v.says.textContent = `f(x) = ${last.formula}: ${last.remark}.`;
  v.more.textContent = v.shown === ORDER.length ? "From the first idea" : "Try another idea";
}

/**
 * A share as people write it; null where there is no sum to divide by.
 * @param {number | null} p
 */
function part(p) {
  return p === null ? "0/0" : `${number(p * 100, 0)} %`;
}

/** @type {LessonStep} */
export const criteria = {
  name: "Softmax",
  title: "From scores to probabilities",
  idea:
    "Four things must hold. Move the scores, try one idea after the other, and see which one " +
    "survives.",
  notes: [
    "Let the class propose the functions. The buttons have them in the usual order.",
    "x breaks criterion 2 as soon as one score is negative.",
    "|x| and x² look good at −1 and 2. Move score 1 to −3: the smaller score gets more.",
    "2^x and e^x hold for every pair: powers are positive and grow with x.",
    "Any base above 1 does. Another base is only another unit of temperature.",
    "With e the whole is called softmax.",
  ],
  mount,
};
