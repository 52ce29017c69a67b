// Step 5: six greetings at T = 1 and at T = 5. The left side stays at T = 1, the right follows the
// slider.

import { bars } from "../draw/bars.js";
import { figureOf } from "../draw/figure.js";
import { clear, h } from "../dom.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { saves } from "../parts/save.js";
import { temperature } from "../parts/temperature.js";
import { explain, latest, post } from "../server.js";

/** @import { LessonStep, Logit, Softmax } from "../types.js" */

/**
 * The article's greetings and their scores.
 * @type {[string, number][]}
 */
export const GREETINGS = [
  ["Hello", 4],
  ["Namaste", 1],
  ["Ciao", 0.6],
  ["Hola", 0.5],
  ["Ni Hao", 0.1],
  ["Konnichiwa", 0],
];
/** The place of the likeliest. */
export const HELLO = 0;

/**
 * Names and scores as the server takes them.
 * @param {[string, number][]} rows
 * @returns {Logit[]}
 */
export function sentOf(rows) {
  return rows.map(([label, logit]) => ({ label, logit }));
}

/** @param {HTMLElement} stage */
function mount(stage) {
  let t = 5;
  const trouble = h("div", {});
  const sides = [side("At T = 1"), side("At T = 5")];
  const look = latest(
    (/** @type {number} */ now) =>
      post("/studio/softmax", { logits: sentOf(GREETINGS), temperature: heat.sent(now) }),
    ({ at, one }) => {
      clear(trouble);
      const now = heat.parsed(at.temperature, 1);
      show(sides[0], one, 1);
      show(sides[1], at, now);
    },
    (error) => {
      clear(trouble).append(explain(error, () => look(t)));
    },
  );
  const slider = temperature(
    t,
    (next) => {
      t = next;
      look(t);
    },
    { label: "Temperature on the right" },
  );
  const half = h(
    "div",
    { class: "lesson-half" },
    sides.map((one) => one.root),
  );
  const saved = saves(
    "Six greetings, cold and hot",
    () => figureOf(half),
    () => ({ words: `On the left T = 1, on the right T = ${heat.written(t)}.` }),
  );
  sides[1].top.append(saved);
  stage.append(h("div", { class: "lesson-slide" }, slider.root), half, trouble);
  look(t);
}

/**
 * One side: a heading, the bars, and a sentence.
 * @param {string} title
 */
function side(title) {
  const head = h("h3", {}, title);
  const table = bars(title, ["greeting", "score", "probability"]);
  const says = h("p", { class: "lesson-says" });
  const top = h("div", { class: "lesson-head" }, head);
  return { root: h("div", {}, top, table.root, says), top, head, table, says };
}

/**
 * @param {ReturnType<typeof side>} side
 * @param {Softmax} at
 * @param {number} t
 */
function show({ root, head, table, says }, { choices, effective_choices: effective }, t) {
  root.style.setProperty("--heat", heat.colour(t));
  head.textContent = `At T = ${heat.written(t)}`;
  table.show(
    choices.map(({ label, logit, probability }) => ({
      name: label ?? "",
      bar: probability,
      cells: [number(logit, 1), `${number(probability * 100, 1)} %`],
    })),
  );
  says.textContent = `As if the dice had ${number(effective, 1)} equal sides.`;
}

/** @type {LessonStep} */
export const greetings = {
  name: "Greetings",
  title: "Six greetings, cold and hot",
  idea: "At T = 1 the model nearly always says Hello. At T = 5 all six greetings are real choices.",
  short: true,
  notes: [
    "Nothing was learnt in between: the scores are the same, only the dice are loaded otherwise.",
    "Read the right side as a loaded die: at T = 5 Hello comes 29 times in 100 throws.",
    "Drag to T = 0: always Hello. Drag to ∞: a fair die with six sides.",
    "Ask at which T Hello is as likely as the five others together. It is near 2.2.",
    "With six greetings T = 5 is fun. A real vocabulary has tens of thousands of tokens, and at " +
      "T = 5 nearly all that is drawn is noise. The next step shows it.",
  ],
  mount,
};
