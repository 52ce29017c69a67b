// Step 7: why T = 2 is readable elsewhere. Four columns with the same dice; the last one cuts off
// unlikely tokens before it heats, as llama.cpp does unless told otherwise.

import { h } from "../dom.js";
import { count } from "../format.js";
import { isAborted, post } from "../server.js";
import { columns, question } from "./columns.js";
import { DICE, TEXTS } from "./texts.js";

/** @import { LessonStep, Model } from "../types.js" */

/**
 * @param {HTMLElement} stage
 * @param {{ model: Model }} page
 */
function mount(stage, { model }) {
  const notes = TEXTS.map(() => h("p", { class: "note in-play" }));
  const made = columns(model, TEXTS, (i) => notes[i]);
  stage.append(made.root);
  notes.forEach((note, i) => survivors(note, model, TEXTS[i].sampler));
  return made.stop;
}

/**
 * Says how many tokens could be drawn as the first.
 * @param {HTMLElement} note
 * @param {Model} model
 * @param {string} sampler
 */
async function survivors(note, model, sampler) {
  try {
    const { final } = await post("/studio/next", {
      ...question(model),
      sampler,
      seed: DICE,
      top: 0,
    });
    const choices = final.survivors === 1 ? "choice" : "choices";
    note.textContent = `first token: ${count(final.survivors)} ${choices}`;
  } catch (error) {
    if (!isAborted(error)) note.textContent = "";
  }
}

/** @type {LessonStep} */
export const contrast = {
  name: "Cutting first",
  title: "Why others can write at T\u00a0=\u00a02",
  idea:
    "Many programs cut off the unlikely tokens before they heat. Then a text at T = 2 stays " +
    "readable.",
  short: true,
  notes: [
    "Articles that show a readable text at T = 2 were written with a truncation in front.",
    "The last column has the order and defaults of llama.cpp.",
    "It keeps the 40 likeliest tokens (top-k), of these 95 % of the probability (top-p), and " +
      "none below a twentieth of the likeliest (min-p). Then it heats.",
    "In the third column every token of the vocabulary can be drawn, and there are many.",
    "So a temperature alone says little: one has to know what is cut, and in which order.",
    "The view Chain takes the four stages apart and lets the class change their order.",
  ],
  mount,
};
